use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::{Execution, State, StateKind, Timestamp};

/// Upper bounds of the classes of [`Stats::latency`], in milliseconds; what is longer falls into one more class.
pub const LATENCY_BOUNDS_MS: [u64; 14] = [1, 2, 5, 10, 15, 25, 50, 100, 250, 500, 1_000, 10_000, 60_000, 3_600_000];

/// Counts since the start of the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Events that were taken in.
    pub accepted: u64,
    /// Events that had been taken in before.
    pub repeated: u64,
    /// Calls of actions.
    pub attempts: u64,
    /// Executions that came to rest, by state and as often as they did.
    pub rested: Vec<(StateKind, u64)>,
    /// Executions that came to rest because an attempt will be repeated.
    pub retried: u64,
    /// Finished executions by the time from receipt to end: one class for each of [`LATENCY_BOUNDS_MS`] and one more.
    pub latency: Vec<u64>,
    /// The sum of those times.
    pub latency_total: Duration,
    /// Executions that wait in memory.
    pub queued: usize,
    /// Executions that are being worked on.
    pub running: usize,
    /// Connections whose breaker is open.
    pub breakers_open: Vec<String>,
}

#[derive(Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    repeated: AtomicU64,
    attempts: AtomicU64,
    retried: AtomicU64,
    rested: [AtomicU64; StateKind::ALL.len()],
    latency: [AtomicU64; LATENCY_BOUNDS_MS.len() + 1],
    latency_total_ms: AtomicU64,
}

impl Counters {
    pub(crate) fn accepted(&self) {
        add(&self.accepted, 1);
    }

    pub(crate) fn repeated(&self) {
        add(&self.repeated, 1);
    }

    pub(crate) fn attempted(&self) {
        add(&self.attempts, 1);
    }

    pub(crate) fn rested(&self, execution: &Execution, now: Timestamp) {
        let kind = execution.state.kind();
        if let Some(place) = StateKind::ALL.iter().position(|each| *each == kind) {
            add(&self.rested[place], 1);
        }
        match &execution.state {
            State::Waiting { reason: model::WaitReason::Retry { .. }, .. } => add(&self.retried, 1),
            State::Finished { .. } => {
                let millis = now.since(execution.received).as_millis() as u64;
                let class = LATENCY_BOUNDS_MS.partition_point(|bound| *bound < millis);
                add(&self.latency[class], 1);
                add(&self.latency_total_ms, millis);
            }
            _ => {}
        }
    }

    pub(crate) fn read(&self, queued: usize, running: usize, breakers_open: Vec<String>) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            accepted: get(&self.accepted),
            repeated: get(&self.repeated),
            attempts: get(&self.attempts),
            rested: StateKind::ALL.into_iter().zip(self.rested.iter().map(get)).collect(),
            retried: get(&self.retried),
            latency: self.latency.iter().map(get).collect(),
            latency_total: Duration::from_millis(get(&self.latency_total_ms)),
            queued,
            running,
            breakers_open,
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}
