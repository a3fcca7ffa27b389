//! The one place where the order of records is decided. A mutex is held for microseconds: preconditions are judged, the
//! record is handed to the journal, and its rows are put into the overlay as pending.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use journal::{JournalError, Placed};
use model::{Blob, StateKind};
use tokio::sync::oneshot;

use crate::filter::Filter;
use crate::key::{IndexRow, Key};
use crate::overlay::{Change, Generation};
use crate::row::StoredRow;
use crate::{Count, StoreError, error};

/// Resolves when a record is durable.
pub(crate) type Synced = oneshot::Receiver<Result<(), StoreError>>;

/// The state under its mutex, and what the background thread waits for.
pub(crate) struct Sequencer {
    state: Mutex<State>,
    wake: Condvar,
}

pub(crate) struct State {
    /// Takes the changes.
    pub(crate) active: Generation,
    /// Is on its way into the projection.
    pub(crate) frozen: Option<Arc<Generation>>,
    /// Counts the generations that have gone into the projection.
    pub(crate) epoch: u64,
    /// The sequence that the next record will get.
    pub(crate) next_sequence: u64,
    /// The last record that is durable.
    pub(crate) durable: u64,
    /// Repeats that wait for the record of the first one.
    waiters: Vec<(u64, oneshot::Sender<Result<(), StoreError>>)>,
    pub(crate) counts: Counts,
    pub(crate) filter: Filter,
    /// Of each family, the last segment that is being retired or has been: nothing new may refer to it.
    pub(crate) floor: [u32; 2],
    /// Why events are refused.
    pub(crate) refusing: Option<String>,
    /// Why nothing can be written any more.
    pub(crate) failed: Option<StoreError>,
    /// The background thread is to end.
    pub(crate) stopping: bool,
    /// The background thread is to work now, not at the next interval.
    pub(crate) hurry: bool,
}

/// Rows read from the projection, good as long as no generation has gone into it since.
#[derive(Default)]
pub(crate) struct Below {
    pub(crate) epoch: u64,
    pub(crate) rows: HashMap<Key, Option<Arc<StoredRow>>>,
}

/// Why a record was not judged to be written.
pub(crate) enum Unjudged {
    /// It must not be.
    Refused(StoreError),
    /// This row has to be read from the projection first.
    Below(Key),
}

impl From<StoreError> for Unjudged {
    fn from(cause: StoreError) -> Self {
        Self::Refused(cause)
    }
}

impl Sequencer {
    pub(crate) fn new(state: State) -> Self {
        Self { state: Mutex::new(state), wake: Condvar::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is to be done in the background, for at most `interval`.
    pub(crate) fn wait(&self, interval: std::time::Duration) {
        let state = self.lock();
        let idle = |state: &mut State| !state.stopping && !state.hurry;
        let waited = self.wake.wait_timeout_while(state, interval, idle).unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = waited;
        state.hurry = false;
    }

    /// Has the background thread work at once.
    pub(crate) fn hurry(&self, state: &mut State) {
        state.hurry = true;
        self.wake.notify_all();
    }

    /// Notes what became of a record. Called by the journal's thread, in the order of the records.
    pub(crate) fn written(&self, result: Result<Placed, JournalError>, blobs: &[Arc<Blob>]) -> Result<(), StoreError> {
        let result = result.map_err(error::failed);
        if let Ok(placed) = &result {
            blobs.iter().zip(&placed.blobs).for_each(|(blob, position)| blob.place(*position));
        }
        let (waiters, answer) = {
            let mut state = self.lock();
            match &result {
                Ok(placed) => state.durable = placed.sequence,
                Err(cause) => state.failed = Some(cause.clone()),
            }
            if state.frozen.as_ref().is_some_and(|frozen| frozen.last_sequence == state.durable) {
                self.hurry(&mut state);
            }
            let durable = state.durable;
            let answer = result.map(|_| ());
            let is_over = |waiter: &mut (u64, _)| answer.is_err() || waiter.0 <= durable;
            (state.waiters.extract_if(.., is_over).collect::<Vec<_>>(), answer)
        };
        for (_, waiter) in waiters {
            // Whoever asked may have gone.
            let _ = waiter.send(answer.clone());
        }
        answer
    }
}

impl State {
    pub(crate) fn new(next_sequence: u64, filter: Filter) -> Self {
        Self {
            active: Generation::after(next_sequence - 1),
            frozen: None,
            epoch: 0,
            next_sequence,
            durable: next_sequence - 1,
            waiters: Vec::new(),
            counts: Counts::default(),
            filter,
            floor: [0; 2],
            refusing: None,
            failed: None,
            stopping: false,
            hurry: false,
        }
    }

    /// The newest state of a row in the overlay, and the record that says so; none if only the projection knows.
    pub(crate) fn newest(&self, key: &[u8]) -> Option<(Option<&Arc<StoredRow>>, u64)> {
        self.active.get(key).or_else(|| self.frozen.as_ref()?.get(key))
    }

    /// The newest state of a row, from the overlay or from what was read below it.
    pub(crate) fn current(&self, key: &Key, below: &Below) -> Result<Option<Arc<StoredRow>>, Unjudged> {
        match self.newest(key) {
            Some((row, _)) => Ok(row.cloned()),
            None => below.rows.get(key).cloned().ok_or_else(|| Unjudged::Below(key.clone())),
        }
    }

    /// Puts changes into the overlay.
    pub(crate) fn put(&mut self, changes: Vec<Change>, sequence: u64) {
        for change in changes {
            self.counts.change(index(&change.before), index(&change.after));
            self.active.put(change, sequence);
        }
    }

    /// Resolves when record `sequence` is durable; none if it is.
    pub(crate) fn synced(&mut self, sequence: u64) -> Option<Synced> {
        (sequence > self.durable).then(|| {
            let (sender, synced) = oneshot::channel();
            self.waiters.push((sequence, sender));
            synced
        })
    }

    /// Bytes of rows and payloads that are not in the projection yet.
    pub(crate) fn overlay_bytes(&self) -> usize {
        self.active.bytes() + self.frozen.as_ref().map_or(0, |frozen| frozen.bytes())
    }
}

fn index(row: &Option<Arc<StoredRow>>) -> Option<&IndexRow> {
    row.as_ref().and_then(|row| row.index.as_ref())
}

/// How many executions are in each state that is not the end, by flow.
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<String, [u64; StateKind::ALL.len()]>);

impl Counts {
    /// Counts one more.
    pub(crate) fn add(&mut self, flow: &str, state: StateKind) {
        if !self.0.contains_key(flow) {
            self.0.insert(flow.to_owned(), Default::default());
        }
        if let Some(counts) = self.0.get_mut(flow) {
            counts[state as usize] += 1;
        }
    }

    fn change(&mut self, before: Option<&IndexRow>, after: Option<&IndexRow>) {
        if let Some(before) = before
            && let Some(counts) = self.0.get_mut(&before.listed.flow)
        {
            let count = &mut counts[before.listed.state as usize];
            *count = count.saturating_sub(1);
        }
        if let Some(after) = after {
            self.add(&after.listed.flow, after.listed.state);
        }
    }

    pub(crate) fn list(&self) -> Vec<Count> {
        let each = |(flow, counts): (&String, &[u64; StateKind::ALL.len()])| {
            StateKind::ALL.map(|state| Count { flow: flow.clone(), state, executions: counts[state as usize] })
        };
        self.0.iter().flat_map(each).filter(|count| count.executions > 0).collect()
    }
}
