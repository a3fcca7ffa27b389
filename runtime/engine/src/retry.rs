use std::time::Duration;

use flow::Retry;

/// How long to wait before attempt `made + 1`: exponential with full jitter (any time from nothing to the bound, so that
/// what failed together does not come back together), and never less than the destination asked for.
pub(crate) fn backoff(retry: &Retry, made: u32, retry_after: Option<Duration>, random: u64) -> Duration {
    let doubled = retry.first.saturating_mul(1 << made.saturating_sub(1).min(30));
    let bound = doubled.min(retry.max);
    // 53 bits are what a float holds exactly.
    let jitter = bound.mul_f64((random >> 11) as f64 / (1u64 << 53) as f64);
    jitter.max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry = Retry {
        attempts: 12,
        within: Duration::from_secs(86_400),
        first: Duration::from_secs(1),
        max: Duration::from_secs(60),
    };

    #[test]
    fn the_bound_doubles_up_to_the_maximum() {
        let longest = |made| backoff(&RETRY, made, None, u64::MAX).as_secs_f64().round() as u64;
        assert_eq!([1, 2, 3, 7, 12, 500].map(longest), [1, 2, 4, 60, 60, 60]);
        assert_eq!(backoff(&RETRY, 5, None, 0), Duration::ZERO);
    }

    #[test]
    fn the_destination_s_wish_is_a_lower_bound() {
        let wish = Some(Duration::from_secs(600));
        assert_eq!(backoff(&RETRY, 1, wish, u64::MAX), Duration::from_secs(600));
        assert!(backoff(&RETRY, 6, Some(Duration::from_secs(1)), u64::MAX) > Duration::from_secs(30));
    }
}
