use std::time::Duration;

use model::{FaultKind, Timestamp};

/// Faults in a row that open a breaker.
const FAULTS_TO_OPEN: u32 = 8;
/// How long a breaker stays open the first time …
const OPEN_FIRST: Duration = Duration::from_secs(1);
/// … and, after doubling with every failed probe, at most.
const OPEN_MAX: Duration = Duration::from_secs(60);

/// Stops calls to a destination that does not answer, and lets one probe through when its time has come.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    faults_in_a_row: u32,
    open_until: Option<Timestamp>,
    openings: u32,
    probing: bool,
}

impl Breaker {
    /// Whether a call may be made now; if not, when to ask again. The first who asks after the pause becomes the probe.
    pub(crate) fn admit(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        match self.open_until {
            None => Ok(()),
            Some(until) if now < until => Err(until),
            Some(_) if self.probing => Err(now + OPEN_FIRST),
            Some(_) => {
                self.probing = true;
                Ok(())
            }
        }
    }

    /// Notes how a call ended. Only faults that speak of the destination as a whole count.
    pub(crate) fn note(&mut self, fault: Option<FaultKind>, now: Timestamp) {
        match fault {
            Some(FaultKind::Unavailable | FaultKind::Timeout | FaultKind::UnknownOutcome) => self.failed(now),
            // The destination answered, so it is there; a rejected event says nothing about the next one.
            _ => *self = Self::default(),
        }
    }

    /// A call that was let through has found nothing out about the destination: it was not made, or its plugin failed. If
    /// it was the probe, the next who asks becomes one.
    pub(crate) fn found_nothing_out(&mut self) {
        self.probing = false;
    }

    /// Whether calls are being held back.
    pub(crate) fn is_open(&self) -> bool {
        self.open_until.is_some()
    }

    fn failed(&mut self, now: Timestamp) {
        self.faults_in_a_row += 1;
        if self.probing || (self.open_until.is_none() && self.faults_in_a_row >= FAULTS_TO_OPEN) {
            let pause = OPEN_FIRST.saturating_mul(1 << self.openings.min(16)).min(OPEN_MAX);
            self.open_until = Some(now + pause);
            self.openings += 1;
            self.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn it_opens_after_faults_in_a_row_probes_once_and_closes_on_an_answer() {
        let mut breaker = Breaker::default();
        for _ in 1..FAULTS_TO_OPEN {
            breaker.note(Some(FaultKind::Timeout), at(0));
        }
        assert_eq!(breaker.admit(at(0)), Ok(()));
        breaker.note(Some(FaultKind::Timeout), at(0));
        assert_eq!(breaker.admit(at(0)), Err(at(1)));

        assert_eq!(breaker.admit(at(1)), Ok(()), "the probe");
        assert!(breaker.admit(at(1)).is_err(), "one probe only");
        breaker.note(Some(FaultKind::Unavailable), at(2));
        assert_eq!(breaker.admit(at(2)), Err(at(4)), "twice as long after a failed probe");

        assert_eq!(breaker.admit(at(4)), Ok(()));
        breaker.note(None, at(5));
        assert!(!breaker.is_open());
        assert_eq!(breaker.admit(at(5)), Ok(()));
    }

    #[test]
    fn a_probe_that_was_not_made_is_followed_by_another() {
        let mut breaker = Breaker::default();
        for _ in 0..FAULTS_TO_OPEN {
            breaker.note(Some(FaultKind::Timeout), at(0));
        }
        assert_eq!(breaker.admit(at(1)), Ok(()), "the probe");
        breaker.found_nothing_out();
        assert_eq!(breaker.admit(at(1)), Ok(()), "another");
        assert!(breaker.admit(at(1)).is_err(), "one at a time");
    }

    #[test]
    fn answers_that_decline_one_event_do_not_open_it() {
        let mut breaker = Breaker::default();
        for _ in 0..3 * FAULTS_TO_OPEN {
            breaker.note(Some(FaultKind::Rejected), at(0));
        }
        assert!(!breaker.is_open());
    }
}
