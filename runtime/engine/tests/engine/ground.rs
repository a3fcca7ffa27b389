//! What outlives an engine: the simulated disk and the projection, and the store on them.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{self, BoxFuture, FutureExt};
use journal::{SimulatedDisk, Work};
use lifecycle::{Clock, ManualClock};
use model::{Blob, Execution, ExecutionId, Gate, Timestamp};
use store::{
    Accept, Accepted, Commit, Config, Count, Due, Health, LocalStore, MemoryProjection, Page, Pending, Query, Row,
    Store, StoreError, Table,
};

/// Disk and projection. Clones are the same.
#[derive(Clone)]
pub(crate) struct Ground(Arc<Mutex<Parts>>, ManualClock);

struct Parts {
    disk: SimulatedDisk,
    projection: MemoryProjection,
    looks: u64,
}

impl Ground {
    pub(crate) fn new(seed: u64, clock: ManualClock) -> Self {
        let parts = Parts { disk: SimulatedDisk::new(seed), projection: MemoryProjection::default(), looks: seed };
        Self(Arc::new(Mutex::new(parts)), clock)
    }

    pub(crate) fn open(&self) -> Arc<InlineStore> {
        let parts = self.0.lock().unwrap();
        Arc::new(InlineStore::on(&parts.disk, &parts.projection, &self.1))
    }

    /// The process ends without a word. With `power`, what was not synced may be lost, and the projection is made anew.
    pub(crate) fn die(&self, power: Option<u64>) {
        let mut parts = self.0.lock().unwrap();
        match power {
            Some(seed) => {
                parts.disk = parts.disk.crash(seed);
                parts.projection = MemoryProjection::default();
            }
            None => parts.projection = parts.projection.fork(),
        }
    }

    /// The execution as it would be found if the power went now.
    pub(crate) fn durable(&self, id: &ExecutionId) -> Option<Execution> {
        let mut parts = self.0.lock().unwrap();
        parts.looks += 1;
        let disk = parts.disk.crash(parts.looks);
        let store = InlineStore::on(&disk, &MemoryProjection::default(), &self.1);
        block_on(store.local.load(id.clone())).unwrap()
    }
}

/// The store, with every read done at once on the thread that asks, so that a run repeats exactly from its seed.
pub(crate) struct InlineStore {
    pub(crate) local: LocalStore,
    operations: AtomicU64,
}

impl InlineStore {
    fn on(disk: &SimulatedDisk, projection: &MemoryProjection, clock: &ManualClock) -> Self {
        let clock = clock.clone();
        let mut journal = journal::Config::new(move || clock.now().into());
        journal.work = Work::ByHand;
        // Small, because every look at what is durable copies the disk.
        journal.segment_bytes = 64 << 10;
        let mut config = Config::new(journal);
        config.free_bytes_min = 0;
        config.apply_interval = Duration::ZERO;
        // Several executions of the tests do not fit, so that some reads find their row in the projection.
        config.generation_bytes = 4 << 10;
        config.dedupe_filter_bytes = 1 << 10;
        let projection = Box::new(projection.clone());
        let (local, _) = LocalStore::open(Arc::new(disk.clone()), projection, config, &mut |_| {}).unwrap();
        Self { local, operations: AtomicU64::new(0) }
    }

    /// Writes what has been submitted. True: there was something.
    pub(crate) fn work(&self) -> bool {
        self.local.journal().work()
    }

    /// How often it was asked anything: whoever sees the count stand still knows that nobody is at work.
    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    fn now<'s, T: Send + 's>(
        &self,
        read: BoxFuture<'_, Result<T, StoreError>>,
    ) -> BoxFuture<'s, Result<T, StoreError>> {
        self.operations.fetch_add(1, Ordering::Relaxed);
        future::ready(block_on(read)).boxed()
    }
}

impl Store for InlineStore {
    fn accept(&self, accept: Accept) -> Pending<Accepted> {
        self.operations.fetch_add(1, Ordering::Relaxed);
        self.local.accept(accept)
    }

    fn commit(&self, commit: Commit) -> Pending<()> {
        self.operations.fetch_add(1, Ordering::Relaxed);
        self.local.commit(commit)
    }

    fn load(&self, id: ExecutionId) -> BoxFuture<'_, Result<Option<Execution>, StoreError>> {
        self.now(self.local.load(id))
    }

    fn read(&self, blob: Arc<Blob>) -> BoxFuture<'_, Result<Bytes, StoreError>> {
        self.now(self.local.read(blob))
    }

    fn due(
        &self,
        gate: Gate,
        until: Timestamp,
        after: Option<Due>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, StoreError>> {
        self.now(self.local.due(gate, until, after, limit))
    }

    fn gates(&self) -> BoxFuture<'_, Result<Vec<Gate>, StoreError>> {
        self.now(self.local.gates())
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Page, StoreError>> {
        self.now(self.local.query(query))
    }

    fn counts(&self) -> BoxFuture<'_, Result<Vec<Count>, StoreError>> {
        self.now(self.local.counts())
    }

    fn row(&self, table: Table, key: Bytes) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        self.now(self.local.row(table, key))
    }

    fn rows(&self, table: Table) -> BoxFuture<'_, Result<Vec<(Bytes, Row)>, StoreError>> {
        self.now(self.local.rows(table))
    }

    fn health(&self) -> Health {
        self.local.health()
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits on this thread, inside a task too: what is awaited goes on on a thread of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    // Without it, tokio would end the turn of the task around it by never giving an answer.
    let mut future = pin!(tokio::task::unconstrained(future));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
