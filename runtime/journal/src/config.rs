use std::sync::Arc;

use model::Timestamp;

use crate::JournalError;

/// How a journal works. [`Config::new`] gives the defaults.
#[derive(Clone)]
pub struct Config {
    /// The length of each segment, at least 4 KiB. An entry has to fit into one.
    pub segment_bytes: u32,
    /// The most records that one sync serves.
    pub batch_records_max: usize,
    /// The most bytes that one sync serves, unless a single record has more.
    pub batch_bytes_max: usize,
    /// The most bytes that may wait to be written, unless a single record has more.
    pub queue_bytes_max: usize,
    /// Tells the time; noted in each segment, so that retention can go by age.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Called once, on the thread that met the failure, after every waiter has been told: the place to end the process.
    pub on_failure: Arc<dyn Fn(&JournalError) + Send + Sync>,
    /// Who writes.
    pub work: Work,
}

/// Who writes what was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A thread of the journal's own.
    Thread,
    /// Whoever calls [`Journal::work`](crate::Journal::work): for simulations that have to repeat exactly.
    ByHand,
}

impl Config {
    /// Segments of 64 MiB, batches of at most 1,024 records or 4 MiB, at most 64 MiB waiting.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self {
            segment_bytes: 64 << 20,
            batch_records_max: 1024,
            batch_bytes_max: 4 << 20,
            queue_bytes_max: 64 << 20,
            now: Arc::new(now),
            on_failure: Arc::new(|_| {}),
            work: Work::Thread,
        }
    }
}
