use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::format::record_bytes;
use crate::{Entry, JournalError, SubmitError};

/// What waits to be written.
pub(crate) struct Queue {
    state: Mutex<State>,
    arrived: Condvar,
    limits: Limits,
}

pub(crate) struct Limits {
    pub(crate) waiting_bytes_max: usize,
    pub(crate) batch_records_max: usize,
    pub(crate) batch_bytes_max: usize,
    /// What a whole segment has room for.
    pub(crate) record_bytes_max: usize,
}

#[derive(Default)]
struct State {
    entries: VecDeque<Waiting>,
    bytes: usize,
    closed: bool,
    failure: Option<JournalError>,
    writer_waits: bool,
}

struct Waiting {
    entry: Entry,
    bytes: usize,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), limits }
    }

    pub(crate) fn submit(&self, entry: Entry) -> Result<(), SubmitError> {
        let bytes = record_bytes(entry.parts());
        let Limits { waiting_bytes_max, record_bytes_max, .. } = self.limits;
        if bytes > record_bytes_max {
            return Err(SubmitError::TooLarge { bytes: bytes as u64, bytes_max: record_bytes_max as u64 });
        }
        let mut state = self.lock();
        if let Some(failure) = &state.failure {
            return Err(SubmitError::Failed(failure.clone()));
        }
        if state.closed {
            return Err(SubmitError::Closed);
        }
        // A record larger than the limit is taken when nothing else waits, or it never would be.
        if state.bytes > 0 && state.bytes + bytes > waiting_bytes_max {
            return Err(SubmitError::Full { waiting_bytes: state.bytes, waiting_bytes_max });
        }
        state.bytes += bytes;
        state.entries.push_back(Waiting { entry, bytes });
        let wake = std::mem::take(&mut state.writer_waits);
        drop(state);
        if wake {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Moves the next batch into `batch`: what waits, in order, as far as it belongs to one family and the limits allow.
    /// Empty if nothing waits.
    pub(crate) fn take(&self, batch: &mut Vec<Entry>) {
        self.lock().take(&self.limits, batch);
    }

    /// The same, but waits until there is something, and not before `earliest`: under load a batch gathers more records
    /// by then, and one sync serves them all. False: the queue is closed, and nothing is left.
    pub(crate) fn wait_and_take(&self, batch: &mut Vec<Entry>, earliest: Instant) -> bool {
        let mut state = self.lock();
        while state.entries.is_empty() {
            if state.closed || state.failure.is_some() {
                return false;
            }
            state.writer_waits = true;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let rest = earliest.saturating_duration_since(Instant::now());
        if rest > Duration::ZERO && !state.closed {
            drop(state);
            std::thread::sleep(rest);
            state = self.lock();
        }
        state.take(&self.limits, batch);
        true
    }

    /// Takes nothing more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    /// Takes nothing more, for good, and hands over what waited. None: it had failed before.
    pub(crate) fn fail(&self, failure: JournalError) -> Option<Vec<Entry>> {
        let mut state = self.lock();
        if state.failure.is_some() {
            return None;
        }
        state.failure = Some(failure);
        state.bytes = 0;
        let waiting = std::mem::take(&mut state.entries);
        drop(state);
        self.arrived.notify_one();
        Some(waiting.into_iter().map(|waiting| waiting.entry).collect())
    }

    pub(crate) fn failure(&self) -> Option<JournalError> {
        self.lock().failure.clone()
    }

    pub(crate) fn waiting_bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, limits: &Limits, batch: &mut Vec<Entry>) {
        let mut bytes = 0;
        while let Some(next) = self.entries.front() {
            let fits = batch.first().is_none_or(|first| {
                first.family == next.entry.family
                    && batch.len() < limits.batch_records_max
                    && bytes + next.bytes <= limits.batch_bytes_max.min(limits.record_bytes_max)
            });
            if !fits {
                break;
            }
            bytes += next.bytes;
            batch.extend(self.entries.pop_front().map(|waiting| waiting.entry));
        }
        self.bytes -= bytes;
    }
}
