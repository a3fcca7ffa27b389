use std::time::Duration;

/// How finely each doubling of the time is divided: a quantile is at most 1/64 too high.
const STEPS: u64 = 64;
const STEP_BITS: u32 = STEPS.ilog2();

/// How long things took: a log-linear histogram of microseconds, which counts without ever growing much.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

impl Latencies {
    /// Counts one.
    pub fn record(&mut self, took: Duration) {
        let bucket = bucket_of(took.as_micros() as u64);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.max = self.max.max(took);
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.max = self.max.max(other.max);
    }

    /// How many were counted.
    pub fn len(&self) -> u64 {
        self.total
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The time within which this share, from 0 to 1, was done; zero if nothing was counted.
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (share * self.total as f64).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if *count > 0 && seen >= wanted {
                return Duration::from_micros(upper_bound(bucket)).min(self.max);
            }
        }
        self.max
    }
}

fn bucket_of(micros: u64) -> usize {
    if micros < STEPS {
        return micros as usize;
    }
    let doublings = u64::from(micros.ilog2() - STEP_BITS);
    let step = (micros >> doublings) - STEPS;
    (STEPS + doublings * STEPS + step) as usize
}

/// The greatest time that falls into a bucket, in microseconds.
fn upper_bound(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket;
    }
    let (doublings, step) = ((bucket - STEPS) / STEPS, (bucket - STEPS) % STEPS);
    ((STEPS + step + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_at_most_a_64th_too_high_and_never_too_low() {
        let mut latencies = Latencies::default();
        (1..=100_000).for_each(|micros| latencies.record(Duration::from_micros(micros)));
        for share in [0.001, 0.5, 0.9, 0.99, 0.999, 1.0] {
            let exact = (share * 100_000.0) as u64;
            let found = latencies.quantile(share).as_micros() as u64;
            assert!(exact <= found && found <= exact + exact / STEPS + 1, "{share}: {exact} {found}");
        }
    }

    #[test]
    fn every_time_falls_into_the_bucket_that_bounds_it() {
        for micros in (0..10_000).chain([1 << 20, (1 << 20) - 1, 1 << 40]) {
            let bucket = bucket_of(micros);
            assert!(upper_bound(bucket) >= micros, "{micros}");
            assert!(bucket == 0 || upper_bound(bucket - 1) < micros, "{micros}");
        }
    }

    #[test]
    fn parts_merge_into_the_whole() {
        let (mut whole, mut part) = (Latencies::default(), Latencies::default());
        whole.record(Duration::from_micros(5));
        part.record(Duration::from_secs(5));
        whole.merge(&part);
        assert_eq!(
            (whole.len(), whole.quantile(0.5), whole.quantile(1.0)),
            (2, Duration::from_micros(5), Duration::from_secs(5))
        );
    }
}
