//! What happens beside the path of events: the overlay goes into the projection, old segments retire, free space is
//! watched.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use crate::StoreError;
use crate::core::Core;
use crate::key::Span;
use crate::overlay::Generation;
use crate::retirement::Retirement;

/// Writes that the projection gets at a time.
const WRITES: usize = 1024;
/// Dedupe keys that are put into the filter in one turn, which takes some ten milliseconds.
const FILTER_KEYS: usize = 10_000;

/// What the one writer of the projection remembers between turns.
pub(crate) struct Worker {
    last_freeze: Instant,
    /// What of the dedupe keys has not been put into the filter yet.
    unfiltered: Option<Span>,
    /// The last record that is in the projection's checkpoint.
    pub(crate) applied: u64,
    pub(crate) retirement: Option<Retirement>,
}

impl Worker {
    pub(crate) fn new(applied: u64) -> Self {
        Self { last_freeze: Instant::now(), unfiltered: Some(Span::dedupes()), applied, retirement: None }
    }
}

/// Whether a turn should be followed by another at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    AtOnce,
    Later,
}

impl Core {
    /// Takes turns until the store is closed. Runs on a thread of its own.
    pub(crate) fn work(&self) {
        let mut next = Next::AtOnce;
        loop {
            if next == Next::Later {
                self.sequencer.wait(self.config.apply_interval);
            }
            if self.sequencer.lock().stopping {
                return;
            }
            next = self.upkeep(false).unwrap_or(Next::Later);
        }
    }

    /// One small piece of everything, and whether events are to be refused. `now`: whatever can go into the projection
    /// does, however young.
    pub(crate) fn upkeep(&self, now: bool) -> Result<Next, StoreError> {
        let turned = self.turn(now);
        let reason = match &turned {
            Ok(_) => self.want_of_space(),
            Err(cause) => {
                tracing::error!(error = cause as &dyn std::error::Error, "the store's upkeep has failed");
                Some(format!("{cause}; what has been accepted is safe; a restart rebuilds the state database"))
            }
        };
        self.sequencer.lock().refusing = reason;
        turned
    }

    fn turn(&self, now: bool) -> Result<Next, StoreError> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if now || worker.last_freeze.elapsed() >= self.config.apply_interval || self.is_full() {
            self.freeze();
            worker.last_freeze = Instant::now();
        }
        self.apply(&mut worker)?;
        let filtering = self.fill_filter(&mut worker)?;
        let retiring = self.retire(&mut worker)?;
        Ok(if filtering == Next::AtOnce { filtering } else { retiring })
    }

    /// Puts what is durable into the projection, and nothing else.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        self.freeze();
        self.apply(&mut worker)
    }

    fn is_full(&self) -> bool {
        self.sequencer.lock().active.bytes() > self.config.generation_bytes
    }

    /// Has the active generation wait for its turn, if none does.
    fn freeze(&self) {
        let mut state = self.sequencer.lock();
        if state.frozen.is_none() && !state.active.is_empty() {
            let next = Generation::after(state.active.last_sequence);
            state.frozen = Some(Arc::new(std::mem::replace(&mut state.active, next)));
        }
    }

    /// Puts the frozen generation into the projection once all its records are durable: what the journal may lose must
    /// not be found there.
    fn apply(&self, worker: &mut Worker) -> Result<(), StoreError> {
        let frozen = {
            let state = self.sequencer.lock();
            state.frozen.clone().filter(|frozen| frozen.last_sequence <= state.durable)
        };
        let Some(frozen) = frozen else { return Ok(()) };
        let mut batch = Vec::with_capacity(WRITES);
        for write in frozen.writes() {
            batch.push(write?);
            if batch.len() == WRITES {
                self.projection.apply(&batch)?;
                batch.clear();
            }
        }
        self.projection.apply(&batch)?;
        self.projection.checkpoint(&self.journal.mark_after(frozen.last_sequence).to_bytes())?;
        worker.applied = frozen.last_sequence;
        let mut state = self.sequencer.lock();
        state.frozen = None;
        state.epoch += 1;
        Ok(())
    }

    /// Reads the dedupe keys that were there at the start, bit by bit: there may be millions, and events are accepted
    /// meanwhile.
    fn fill_filter(&self, worker: &mut Worker) -> Result<Next, StoreError> {
        let Some(span) = &mut worker.unfiltered else { return Ok(Next::Later) };
        let rows = self.projection.scan(&span.from, &span.to, false, FILTER_KEYS)?;
        let mut state = self.sequencer.lock();
        rows.iter().for_each(|(key, _)| state.filter.insert(key));
        match rows.last() {
            Some((last, _)) if rows.len() == FILTER_KEYS => {
                span.from = [&last[..], &[0]].concat();
                Ok(Next::AtOnce)
            }
            _ => {
                state.filter.complete();
                worker.unfiltered = None;
                Ok(Next::Later)
            }
        }
    }

    /// Why events are to be refused, if the disk is nearly full. What was begun is still brought to its end.
    pub(crate) fn want_of_space(&self) -> Option<String> {
        let free = match self.journal.free_bytes() {
            Ok(free) => free,
            Err(cause) => return Some(format!("the free space of the disk is not known: {cause}")),
        };
        let wanted = self.config.free_bytes_min;
        // Once refused, an eighth more is asked for, so that it does not change with every event.
        let is_refusing = self.sequencer.lock().refusing.is_some();
        let wanted_now = if is_refusing { wanted + wanted / 8 } else { wanted };
        (free < wanted_now).then(|| {
            format!("{free} bytes are free on the disk and {wanted_now} are kept for what has been accepted; free some")
        })
    }
}
