use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{self, BoxFuture, FutureExt};
use journal::{Disk, Work};
use model::{Blob, Execution, ExecutionId, Gate, Timestamp};

use crate::core::Core;
use crate::key::{self, Span};
use crate::maintenance::Next;
use crate::recovery::{self, OpenError, Opened, Progress};
use crate::row;
use crate::sequencer::Synced;
use crate::{
    Accept, Accepted, Commit, Count, Due, Health, Page, Pending, Projection, Query, Row, Store, StoreError, Table,
    error,
};

/// How a [`LocalStore`] works. [`Config::new`] gives the defaults.
#[derive(Clone)]
pub struct Config {
    /// How the journal works. With [`Work::ByHand`] the store starts no thread either, and works in
    /// [`LocalStore::maintain`].
    pub journal: journal::Config,
    /// The most bytes that may wait to go into the projection; beyond them, events are refused, and a quarter later
    /// outcomes too.
    pub overlay_bytes_max: usize,
    /// What waits goes into the projection as soon as it has so many bytes,
    pub generation_bytes: usize,
    /// or after this time.
    pub apply_interval: Duration,
    /// What is kept of executions that have ended.
    pub retention: Retention,
    /// With less free space on the disk, events are refused.
    pub free_bytes_min: u64,
    /// The memory for telling new dedupe keys from old ones without asking the projection.
    pub dedupe_filter_bytes: usize,
}

/// How long records are kept, whole segments at a time. What is open, parked or dead stays whatever its age.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Older ones go.
    pub age: Duration,
    /// With more bytes than this in the journal, the oldest go, however young.
    pub bytes: u64,
}

impl Config {
    /// 64 MiB of overlay, applied every second or at 16 MiB; 7 days or 20 GiB are kept; 1 GiB stays free; 4 MiB for
    /// dedupe keys.
    pub fn new(journal: journal::Config) -> Self {
        Self {
            journal,
            overlay_bytes_max: 64 << 20,
            generation_bytes: 16 << 20,
            apply_interval: Duration::from_secs(1),
            retention: Retention { age: Duration::from_secs(7 * 24 * 60 * 60), bytes: 20 << 30 },
            free_bytes_min: 1 << 30,
            dedupe_filter_bytes: 4 << 20,
        }
    }
}

/// Counts since the store was opened, and sizes now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// What the journal did.
    pub journal: journal::Statistics,
    /// Changes made in the projection.
    pub projection_operations: u64,
    /// Rows that are not in the projection yet.
    pub overlay_rows: usize,
    /// Bytes that they and their payloads take.
    pub overlay_bytes: usize,
    /// The last record that is durable.
    pub durable_sequence: u64,
    /// Segments of the journal, of what came in and of what is kept.
    pub segments: [usize; 2],
    /// Bytes of them.
    pub segment_bytes: u64,
}

/// A [`Store`] of one machine: a journal, which is the truth, and a projection made from it.
pub struct LocalStore {
    core: Arc<Core>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

impl LocalStore {
    /// Opens the store on what journal and projection hold, or begins a new one. `progress` is told how far the reading
    /// of the journal has come.
    ///
    /// # Errors
    /// If the journal is damaged before its end, or a disk fails.
    pub fn open(
        disk: Arc<dyn Disk>,
        projection: Box<dyn Projection>,
        config: Config,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Self, Opened), OpenError> {
        let (core, opened) = recovery::open(disk, projection, config, progress)?;
        let core = Arc::new(core);
        let worker = match core.config.journal.work {
            Work::ByHand => None,
            Work::Thread => {
                let core = Arc::clone(&core);
                let thread = thread::Builder::new().name("store".to_owned()).spawn(move || core.work());
                Some(thread.map_err(error::failed)?)
            }
        };
        Ok((Self { core, worker: Mutex::new(worker) }, opened))
    }

    /// Does on this thread what is otherwise done in the background: what is durable goes into the projection, a piece of
    /// retirement is done, free space is looked at. True: there is more to do at once.
    ///
    /// # Errors
    /// If the projection or the journal fails.
    pub fn maintain(&self) -> Result<bool, StoreError> {
        self.core.upkeep(true).map(|next| next == Next::AtOnce)
    }

    /// Takes nothing more in, makes everything durable, brings the projection up to date, and notes a clean end. Blocks.
    ///
    /// # Errors
    /// If the journal or the projection fails.
    pub fn close(&self) -> Result<(), StoreError> {
        self.stop();
        self.core.journal.close().map_err(error::failed)?;
        // What was frozen, and what came after it.
        while self.stats().overlay_rows > 0 {
            self.core.flush()?;
        }
        Ok(self.core.projection.close()?)
    }

    /// Counts and sizes.
    pub fn stats(&self) -> Stats {
        let core = &self.core;
        let segments = journal::Family::ALL.map(|family| core.journal.segments(family));
        let state = core.sequencer.lock();
        Stats {
            journal: core.journal.statistics(),
            projection_operations: core.projection.operations(),
            overlay_rows: state.active.len() + state.frozen.as_ref().map_or(0, |frozen| frozen.len()),
            overlay_bytes: state.overlay_bytes(),
            durable_sequence: state.durable,
            segments: segments.each_ref().map(Vec::len),
            segment_bytes: segments.iter().flatten().map(|segment| segment.bytes).sum(),
        }
    }

    /// The journal, for simulations that write by hand.
    pub fn journal(&self) -> &journal::Journal {
        &self.core.journal
    }

    fn stop(&self) {
        let mut state = self.core.sequencer.lock();
        state.stopping = true;
        self.core.sequencer.hurry(&mut state);
        drop(state);
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(worker) = worker {
            // A panic of the thread has been reported where it happened.
            let _ = worker.join();
        }
    }

    /// Runs what may read the disk where it holds up nobody.
    fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Core) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let core = Arc::clone(&self.core);
        async move {
            let joined = tokio::task::spawn_blocking(move || read(&core)).await;
            joined.unwrap_or_else(|cause| Err(error::failed(cause)))
        }
        .boxed()
    }
}

impl Drop for LocalStore {
    /// Without [`close`](LocalStore::close): the next start reads again what the projection lacks.
    fn drop(&mut self) {
        self.stop();
    }
}

async fn wait(synced: Synced) -> Result<(), StoreError> {
    // The journal answers every record that it took, unless its thread is gone.
    synced.await.unwrap_or_else(|cause| Err(error::failed(cause)))
}

impl Store for LocalStore {
    fn accept(&self, accept: Accept) -> Pending<Accepted> {
        match self.core.accept(accept) {
            Ok((accepted, None)) => future::ok(accepted).boxed(),
            Ok((accepted, Some(synced))) => wait(synced).map(move |durable| durable.map(|()| accepted)).boxed(),
            Err(cause) => future::err(cause).boxed(),
        }
    }

    fn commit(&self, commit: Commit) -> Pending<()> {
        match self.core.commit(commit) {
            Ok(synced) => wait(synced).boxed(),
            Err(cause) => future::err(cause).boxed(),
        }
    }

    fn load(&self, id: ExecutionId) -> BoxFuture<'_, Result<Option<Execution>, StoreError>> {
        let key = key::execution(&id);
        let newest = self.core.sequencer.lock().newest(&key).map(|(row, _)| row.cloned());
        match newest {
            None => self.blocking(move |core| match core.find(&key)? {
                Some(row) => row.execution(&core.journal).map(Some),
                None => Ok(None),
            }),
            Some(None) => future::ok(None).boxed(),
            Some(Some(row)) if row.is_in_memory() => future::ready(row.execution(&self.core.journal).map(Some)).boxed(),
            Some(Some(row)) => self.blocking(move |core| row.execution(&core.journal).map(Some)),
        }
    }

    fn read(&self, blob: Arc<Blob>) -> BoxFuture<'_, Result<Bytes, StoreError>> {
        match blob.bytes() {
            Some(bytes) => future::ok(bytes.clone()).boxed(),
            None => self.blocking(move |core| row::read(&blob, &core.journal)),
        }
    }

    fn due(
        &self,
        gate: Gate,
        until: Timestamp,
        after: Option<Due>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, StoreError>> {
        self.blocking(move |core| core.due(&gate, until, after.as_ref(), limit))
    }

    fn gates(&self) -> BoxFuture<'_, Result<Vec<Gate>, StoreError>> {
        self.blocking(Core::gates)
    }

    fn query(&self, query: Query) -> BoxFuture<'_, Result<Page, StoreError>> {
        self.blocking(move |core| core.query(&query))
    }

    fn counts(&self) -> BoxFuture<'_, Result<Vec<Count>, StoreError>> {
        future::ok(self.core.sequencer.lock().counts.list()).boxed()
    }

    fn row(&self, table: Table, key: Bytes) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        self.blocking(move |core| {
            let row = core.find(&key::table(table, &key))?;
            row.map(|row| Ok(Row { revision: row.revision, value: row.bytes(&core.journal)? })).transpose()
        })
    }

    fn rows(&self, table: Table) -> BoxFuture<'_, Result<Vec<(Bytes, Row)>, StoreError>> {
        self.blocking(move |core| {
            let rows = core.scan_rows(Span::table(table), false, usize::MAX)?;
            let row = |(key, row): (Vec<u8>, Arc<row::StoredRow>)| {
                Ok((key::within_table(&key), Row { revision: row.revision, value: row.bytes(&core.journal)? }))
            };
            rows.into_iter().map(row).collect()
        })
    }

    fn health(&self) -> Health {
        let state = self.core.sequencer.lock();
        match (&state.failed, &state.refusing) {
            (Some(cause), _) => Health::Failed { reason: cause.to_string() },
            (None, Some(reason)) => Health::Refusing { reason: reason.clone() },
            (None, None) => Health::Good,
        }
    }
}
