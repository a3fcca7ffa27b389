use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use model::{FaultKind, Timestamp};

use crate::breaker::Breaker;

/// What is under way at each connection: a breaker, and a limit on calls at once with a queue behind it, so that a slow
/// destination holds up its own calls and nobody else's.
pub(crate) struct Connections<W> {
    by_name: Mutex<HashMap<String, Connection<W>>>,
    calls_max: usize,
}

struct Connection<W> {
    breaker: Breaker,
    calls: usize,
    queue: VecDeque<W>,
}

impl<W> Connections<W> {
    /// At most `calls_max` calls at once on each connection.
    pub(crate) fn new(calls_max: usize) -> Self {
        Self { by_name: Mutex::default(), calls_max }
    }

    /// Whether the connection takes calls; if not, when to ask again.
    pub(crate) fn admit(&self, name: &str, now: Timestamp) -> Result<(), Timestamp> {
        self.with(name, |connection| connection.breaker.admit(now))
    }

    /// Takes a place for a call. If none is free, the work is queued and comes back from [`end`](Self::end).
    pub(crate) fn begin(&self, name: &str, work: W) -> Option<W> {
        let calls_max = self.calls_max;
        self.with(name, |connection| {
            if connection.calls < calls_max {
                connection.calls += 1;
                return Some(work);
            }
            connection.queue.push_back(work);
            None
        })
    }

    /// Gives the place back, or hands it on to the work that has waited longest.
    pub(crate) fn end(&self, name: &str) -> Option<W> {
        self.with(name, |connection| {
            let next = connection.queue.pop_front();
            if next.is_none() {
                connection.calls -= 1;
            }
            next
        })
    }

    /// Notes how a call ended.
    pub(crate) fn note(&self, name: &str, fault: Option<FaultKind>, now: Timestamp) {
        self.with(name, |connection| connection.breaker.note(fault, now));
    }

    /// Notes that a call which had been admitted says nothing about the destination.
    pub(crate) fn found_nothing_out(&self, name: &str) {
        self.with(name, |connection| connection.breaker.found_nothing_out());
    }

    /// The connections whose breaker is open.
    pub(crate) fn open(&self) -> Vec<String> {
        let by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        by_name.iter().filter(|(_, connection)| connection.breaker.is_open()).map(|(name, _)| name.clone()).collect()
    }

    fn with<T>(&self, name: &str, act: impl FnOnce(&mut Connection<W>) -> T) -> T {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if !by_name.contains_key(name) {
            let fresh = Connection { breaker: Breaker::default(), calls: 0, queue: VecDeque::new() };
            by_name.insert(name.to_owned(), fresh);
        }
        act(by_name.get_mut(name).unwrap_or_else(|| unreachable!("inserted above")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_handed_to_whoever_has_waited_longest() {
        let connections = Connections::new(2);
        assert_eq!([1, 2, 3, 4].map(|work| connections.begin("crm", work)), [Some(1), Some(2), None, None]);
        assert_eq!(connections.begin("chat", 9), Some(9), "another connection is not held up");
        assert_eq!([(); 4].map(|()| connections.end("crm")), [Some(3), Some(4), None, None]);
        assert_eq!(connections.begin("crm", 5), Some(5));
    }
}
