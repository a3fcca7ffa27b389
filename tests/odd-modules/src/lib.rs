//! Modules and components that nobody would write, each from a seed. They are generated while this crate is built, because
//! only there the generator leaves the features of everybody else's dependencies alone. Knows nothing of Weir. Start at
//! [`all`].

/// A module or a component.
#[derive(Clone, Copy, Debug)]
pub struct Odd {
    /// What it was made from: `WEIR_SEED` makes it alone again.
    pub seed: u64,
    /// Whether it is a component, and not a core module.
    pub is_component: bool,
    /// Its bytes.
    pub bytes: &'static [u8],
}

/// All of them: as many as suit CI, or as `WEIR_SEEDS` said when this was built.
pub fn all() -> impl Iterator<Item = Odd> {
    let mut rest: &'static [u8] = include_bytes!(concat!(env!("OUT_DIR"), "/odd-modules"));
    std::iter::from_fn(move || {
        let (seed, behind) = rest.split_first_chunk()?;
        let (&kind, behind) = behind.split_first()?;
        let (length, behind) = behind.split_first_chunk()?;
        let (bytes, behind) = behind.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        rest = behind;
        Some(Odd { seed: u64::from_le_bytes(*seed), is_component: kind == 1, bytes })
    })
}
