/// Answers "certainly new" for dedupe keys without asking the projection: a Bloom filter. Of its 4 MiB two million keys
/// leave 0.2 % unsure and ten million a quarter; whoever is unsure asks the projection, so that it only costs time.
pub(crate) struct Filter {
    bits: Vec<u64>,
    complete: bool,
}

const PROBES: usize = 4;

impl Filter {
    /// An empty one that answers nothing until it is [complete](Self::complete).
    pub(crate) fn new(bytes: usize) -> Self {
        Self { bits: vec![0; bytes.div_ceil(size_of::<u64>()).max(1)], complete: false }
    }

    /// Every key that was there before has been inserted.
    pub(crate) fn complete(&mut self) {
        self.complete = true;
    }

    pub(crate) fn insert(&mut self, key: &[u8]) {
        for (word, bit) in probes(key, self.bits.len()) {
            self.bits[word] |= bit;
        }
    }

    pub(crate) fn is_certainly_new(&self, key: &[u8]) -> bool {
        self.complete && probes(key, self.bits.len()).any(|(word, bit)| self.bits[word] & bit == 0)
    }
}

/// The key ends in a strong hash already: each probe takes four of its last bytes.
fn probes(key: &[u8], words: usize) -> impl Iterator<Item = (usize, u64)> {
    key.rchunks_exact(4).take(PROBES).map(move |chunk| {
        let number = chunk.iter().fold(0, |number: usize, byte| number << 8 | usize::from(*byte));
        (number / 64 % words, 1 << (number % 64))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> [u8; 16] {
        // Spread by a multiplicative hash, so that the four parts differ.
        let part = |salt: u32| number.wrapping_add(salt).wrapping_mul(0x9e37_79b1).to_be_bytes();
        [part(1), part(0x1000_0001), part(0x2000_0001), part(0x3000_0001)].concat().try_into().unwrap()
    }

    #[test]
    fn what_was_inserted_is_never_called_new_and_little_else_is_unsure() {
        let mut filter = Filter::new(16 << 10);
        (0..10_000).for_each(|number| filter.insert(&key(number)));
        assert!(!filter.is_certainly_new(&key(20_000)), "an incomplete filter knows nothing");
        filter.complete();
        assert!((0..10_000).all(|number| !filter.is_certainly_new(&key(number))));
        let unsure = (10_000..20_000).filter(|&number| !filter.is_certainly_new(&key(number))).count();
        assert!(unsure < 1_000, "{unsure} of 10,000 are unsure");
    }
}
