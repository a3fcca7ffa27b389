use serde::{Deserialize, Serialize};

/// How often a service misbehaves: each rate is a share of its requests, from 0 to 1, and they add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Answers `503` and does nothing.
    pub unavailable: f64,
    /// Answers `429` with `Retry-After` and does nothing.
    pub rate_limited: f64,
    /// Seconds that such an answer asks to wait; 1 if it is 0.
    pub retry_after_s: u64,
    /// Closes the connection without doing anything.
    pub drop_request: f64,
    /// Does what was asked, then closes the connection without an answer.
    pub drop_answer: f64,
    /// Answers only after `slow_ms`.
    pub slow: f64,
    /// Milliseconds that a slow answer takes.
    pub slow_ms: u64,
    /// Decides which requests are hit: the same seed hits the same ones, counted from the first.
    pub seed: u64,
}

/// One misbehaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// `503`, nothing done.
    Unavailable,
    /// `429`, nothing done.
    RateLimited,
    /// Connection closed, nothing done.
    DropRequest,
    /// Done, and the answer withheld.
    DropAnswer,
    /// Done, and answered late.
    Slow,
}

impl Faults {
    /// What befalls the request of that number.
    pub fn pick(&self, request: u64) -> Option<Fault> {
        let rates = [
            (self.unavailable, Fault::Unavailable),
            (self.rate_limited, Fault::RateLimited),
            (self.drop_request, Fault::DropRequest),
            (self.drop_answer, Fault::DropAnswer),
            (self.slow, Fault::Slow),
        ];
        let mut roll = uniform(self.seed ^ request.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for (rate, fault) in rates {
            if roll < rate {
                return Some(fault);
            }
            roll -= rate;
        }
        None
    }
}

/// A number from 0 to 1 that follows from `seed` alone: the finaliser of SplitMix64.
fn uniform(seed: u64) -> f64 {
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    // The upper 53 bits are what a double holds exactly.
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_at_their_rates_and_again_with_the_same_seed() {
        let faults = Faults { unavailable: 0.1, drop_answer: 0.05, seed: 7, ..Faults::default() };
        let hit = |wanted| (0..10_000).filter(|n| faults.pick(*n) == Some(wanted)).count();
        assert!((900..1_100).contains(&hit(Fault::Unavailable)), "{}", hit(Fault::Unavailable));
        assert!((400..600).contains(&hit(Fault::DropAnswer)), "{}", hit(Fault::DropAnswer));
        assert_eq!(hit(Fault::Slow), 0);
        let again = faults;
        assert!((0..10_000).all(|n| faults.pick(n) == again.pick(n)));
    }
}
