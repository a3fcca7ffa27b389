use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use model::{Blob, Event, EventId, Execution, ExecutionId, Gate, Revision, StateKind, Timestamp};

/// What the engine asks of whatever keeps its state. Nothing here assumes one process, and no lock is held between calls.
pub trait Store: Send + Sync + 'static {
    /// Takes an event in with its executions, in one record. Judged and ordered at once, without waiting for the disk;
    /// the future ends when the record has been synced. A repeat of a dedupe key gets the first answer, and waits for the
    /// first one's sync.
    fn accept(&self, accept: Accept) -> Pending<Accepted>;

    /// Writes executions of one event and rows, in one record. Refused as a whole if one revision is not the expected
    /// one.
    fn commit(&self, commit: Commit) -> Pending<()>;

    /// The latest committed state of an execution.
    fn load(&self, id: ExecutionId) -> BoxFuture<'_, Result<Option<Execution>, StoreError>>;

    /// The bytes of a blob, from memory or from the journal, its checksum verified.
    fn read(&self, blob: Arc<Blob>) -> BoxFuture<'_, Result<Bytes, StoreError>>;

    /// Open executions behind `gate` whose time is at most `until`, the earliest first, `limit` at most, those after
    /// `after` only. [`State::Ready`](model::State::Ready) counts as due since its last commit behind [`Gate::Time`].
    fn due(
        &self,
        gate: Gate,
        until: Timestamp,
        after: Option<Due>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, StoreError>>;

    /// The gates behind which anything waits.
    fn gates(&self) -> BoxFuture<'_, Result<Vec<Gate>, StoreError>>;

    /// A page of executions, the newest first.
    fn query(&self, query: Query) -> BoxFuture<'_, Result<Page, StoreError>>;

    /// How many executions of each flow are open, parked or dead.
    fn counts(&self) -> BoxFuture<'_, Result<Vec<Count>, StoreError>>;

    /// One row.
    fn row(&self, table: Table, key: Bytes) -> BoxFuture<'_, Result<Option<Row>, StoreError>>;

    /// Every row of a table in the order of the keys. For tables that people fill, not events.
    fn rows(&self, table: Table) -> BoxFuture<'_, Result<Vec<(Bytes, Row)>, StoreError>>;

    /// Whether events are taken in at the moment, and why not.
    fn health(&self) -> Health;
}

/// What resolves when a record is durable.
pub type Pending<T> = BoxFuture<'static, Result<T, StoreError>>;

/// An event that is to be taken in.
#[derive(Debug)]
pub struct Accept {
    /// The event.
    pub event: Arc<Event>,
    /// How repeats are known, if they are to be.
    pub dedupe: Option<Dedupe>,
    /// One for each matching flow, all of revision 0; [`Execution::event`] of each points at the encoded event.
    pub executions: Vec<Execution>,
}

/// How a repeat of an event is known.
#[derive(Clone, Debug)]
pub struct Dedupe {
    /// The source within which the key is unique.
    pub source: String,
    /// The sender's id of the event.
    pub key: String,
    /// For how long a repeat is known as one.
    pub window: Duration,
}

/// The answer to [`Store::accept`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The event was new.
    New,
    /// It had been taken in before, as this event.
    Repeat {
        /// The first one's id.
        first: EventId,
        /// Whether the data was the same as the first one's.
        same_data: bool,
    },
}

/// Writes that belong together.
#[derive(Debug, Default)]
pub struct Commit {
    /// Executions of one event. Each carries the revision that it was loaded with; the store raises it by 1. Blobs without
    /// a position are written with it.
    pub executions: Vec<Execution>,
    /// Rows of other tables.
    pub rows: Vec<RowWrite>,
}

/// Tables beside executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Checked texts of flow versions, by `name@version`.
    Flow = 1,
    /// Installed plugins and their generations.
    Plugin = 2,
    /// Connections' state.
    Connection = 3,
    /// Sealed secrets, by name.
    Secret = 4,
    /// Who did what.
    Audit = 5,
    /// Cursors of sources.
    Cursor = 6,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Counts its commits.
    pub revision: Revision,
    /// Its bytes, a version byte first.
    pub value: Bytes,
}

/// A row to be written.
#[derive(Clone, Debug)]
pub struct RowWrite {
    /// Where.
    pub table: Table,
    /// Which.
    pub key: Bytes,
    /// The revision it must have; 0: it must not exist; none: whatever it is.
    pub expected: Option<Revision>,
    /// The new value; none deletes it.
    pub value: Option<Bytes>,
}

/// An open execution and when it may go on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Not before.
    pub at: Timestamp,
    /// Which.
    pub id: ExecutionId,
    /// The name of its flow.
    pub flow: String,
}

/// Which executions to list.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// In one of these states; none named: in any.
    pub states: Vec<StateKind>,
    /// Of this flow.
    pub flow: Option<String>,
    /// Of this event.
    pub event: Option<EventId>,
    /// Whose event was received at or after this time.
    pub since: Option<Timestamp>,
    /// Whose event was received before this time.
    pub until: Option<Timestamp>,
    /// Behind this one, from [`Page::next`].
    pub after: Option<ExecutionId>,
    /// At most so many.
    pub limit: usize,
}

/// A page of a list. A filter that hits little ends a page before it is full: only [`Page::next`] tells whether there is
/// more.
#[derive(Debug)]
pub struct Page {
    /// The executions.
    pub executions: Vec<Execution>,
    /// Where the next page begins; none if this is the last.
    pub next: Option<ExecutionId>,
}

/// How many executions of one flow are in one state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count {
    /// The flow's name.
    pub flow: String,
    /// The state.
    pub state: StateKind,
    /// How many.
    pub executions: u64,
}

/// Whether work is taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Everything works.
    Good,
    /// Outcomes are still written, new events are refused.
    Refusing {
        /// What is the matter and what to do.
        reason: String,
    },
    /// Nothing more can be written.
    Failed {
        /// What happened.
        reason: String,
    },
}

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else has written the record since it was loaded.
    #[error("`{key}` has been written by somebody else: expected revision {expected}, found {found}")]
    Stale {
        /// The execution or row.
        key: String,
        /// The revision that the caller expected.
        expected: Revision,
        /// The revision it has.
        found: Revision,
    },
    /// Too much waits to be written, or the disk is nearly full. Try again after the time given.
    #[error("the store takes nothing in at the moment: {reason}")]
    Busy {
        /// What is the matter.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// It will never fit. Nothing has been written.
    #[error("too large to be stored: {0}")]
    TooLarge(String),
    /// The bytes have been retired.
    #[error("the payload is gone: its time of retention has passed")]
    Gone,
    /// What was read is not what was written.
    #[error("damaged record: {0}")]
    Damaged(String),
    /// The disk failed; nothing more is written.
    #[error("the store has failed: {0}")]
    Failed(Arc<dyn std::error::Error + Send + Sync>),
}
