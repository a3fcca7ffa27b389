use std::time::Duration;

use crate::{Catalogue, Flow, Problem};

/// Checks the text of flow `name`. `files` gives the files that it refers to, by their paths as written. The `Err` lists
/// every fault, in the order of the text.
pub fn check(
    _name: &str,
    _text: &str,
    _files: &dyn Fn(&str) -> Option<String>,
    _catalogue: &dyn Catalogue,
) -> Result<Flow, Vec<Problem>> {
    Err(Vec::new())
}

impl Flow {
    /// Rebuilds a version from its [`bundle`](Self::bundle).
    pub fn from_bundle(_name: &str, _bundle: &str, _catalogue: &dyn Catalogue) -> Result<Self, Vec<Problem>> {
        Err(Vec::new())
    }

    /// The JSON Schema of a flow's text, for editors.
    pub fn schema() -> &'static str {
        "{}"
    }
}

/// A time as configuration files write it: a whole number and `ms`, `s`, `m`, `h` or `d`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(millis)?))
}
