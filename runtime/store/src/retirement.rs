//! Old segments of the journal go, the oldest first. What is still needed and lies only there is carried into the kept
//! family before; what has ended loses its row. All of it in small pieces, beside the path of events.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use journal::{Family, SegmentInfo};
use model::{Blob, Position};

use crate::StoreError;
use crate::core::Core;
use crate::error;
use crate::judge::{FirstSeen, Twins, is_below};
use crate::key::{self, Key, Span};
use crate::maintenance::{Next, Worker};
use crate::overlay::Change;
use crate::record::{self, After};
use crate::row::{self, StoredRow, Version};
use crate::sequencer::{Below, Unjudged};

/// Rows whose fate is decided under one lock.
const ROWS: usize = 32;

/// A segment that is on its way out.
pub(crate) struct Retirement {
    segment: SegmentInfo,
    /// The last after-image of each row in the segment; none: it was deleted.
    images: BTreeMap<Key, Option<Version>>,
    /// How far `images` have been dealt with.
    done_to: Key,
    /// The generation with the last change has to be in the projection before the segment goes.
    leaves_at: Option<u64>,
}

/// A row, if it is there.
type Found = (Key, Option<Arc<StoredRow>>);

/// What becomes of a row when a segment goes.
enum Fate {
    /// Nothing: it does not need the segment.
    Stays,
    /// It is written again, with these payloads.
    Carried,
    /// It goes too.
    Dropped,
}

impl Core {
    /// Does a piece of what retirement there is to do.
    pub(crate) fn retire(&self, worker: &mut Worker) -> Result<Next, StoreError> {
        let Some(mut retirement) = worker.retirement.take() else {
            worker.retirement = match self.due_for_retirement(worker.applied) {
                Some(segment) => Some(self.begin(segment)?),
                None => return Ok(Next::Later),
            };
            return Ok(Next::AtOnce);
        };
        let next = self.go_on(&mut retirement);
        if !matches!(next, Ok(None)) {
            worker.retirement = Some(retirement);
        }
        match next {
            // The journal or the overlay is full; the piece is tried again.
            Err(StoreError::Busy { .. }) => Ok(Next::Later),
            next => next.map(|next| next.unwrap_or(Next::AtOnce)),
        }
    }

    /// The oldest segment whose time is over.
    fn due_for_retirement(&self, applied: u64) -> Option<SegmentInfo> {
        let now = (self.config.journal.now)();
        let retention = &self.config.retention;
        Family::ALL.into_iter().find_map(|family| {
            let segments = self.journal.segments(family);
            let bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
            let is_over = |segment: &SegmentInfo| {
                let is_old = segment.ended.is_some_and(|ended| now.since(ended) > retention.age);
                let is_applied = segment.end_sequence.is_some_and(|end| end <= applied + 1);
                // What is kept is needed, however much it is; it is only gone through again when it has aged.
                is_applied && (is_old || family == Family::Incoming && bytes > retention.bytes)
            };
            segments.into_iter().next().filter(is_over)
        })
    }

    /// Closes the segment for new references and reads what is in it.
    fn begin(&self, segment: SegmentInfo) -> Result<Retirement, StoreError> {
        self.sequencer.lock().floor[segment.family as usize] = segment.number;
        let mut images = BTreeMap::new();
        for replayed in self.journal.records_of(segment.family, segment.number) {
            for image in record::decode(&replayed.map_err(error::read)?.body)? {
                let version = match &image.after {
                    After::Put(written) => Some(written.version()),
                    After::Delete => None,
                };
                images.insert(image.key.to_vec(), version);
            }
        }
        Ok(Retirement { segment, images, done_to: Vec::new(), leaves_at: None })
    }

    /// None: the segment has gone.
    fn go_on(&self, retirement: &mut Retirement) -> Result<Option<Next>, StoreError> {
        let keys = retirement.next_keys();
        if let Some(last) = keys.last().cloned() {
            self.settle(retirement, &keys)?;
            retirement.done_to = [&last[..], &[0]].concat();
            return Ok(Some(Next::AtOnce));
        }
        let state = self.sequencer.lock();
        let leaves_at = *retirement.leaves_at.get_or_insert_with(|| {
            state.epoch + u64::from(state.frozen.is_some()) + u64::from(!state.active.is_empty())
        });
        if state.epoch < leaves_at {
            return Ok(Some(Next::Later));
        }
        drop(state);
        let SegmentInfo { family, number, .. } = retirement.segment;
        self.journal.retire(family, number).map_err(error::failed)?;
        Ok(None)
    }

    /// Carries and drops the rows at `keys`, as far as they need the segment.
    fn settle(&self, retirement: &Retirement, keys: &[Key]) -> Result<(), StoreError> {
        loop {
            let epoch = self.sequencer.lock().epoch;
            let rows = self.rows_at(keys)?;
            let mut carried = Vec::new();
            let mut dropped = Vec::new();
            let mut copies = HashMap::new();
            for (key, row) in &rows {
                let change = |after| Change { key: key.clone(), before: row.clone(), after };
                match (self.fate(retirement, key, row.as_deref())?, row) {
                    (Fate::Stays, _) => {}
                    (Fate::Carried, Some(row)) => {
                        carried.push(change(Some(self.copy(retirement, row, &mut copies)?)))
                    }
                    // A row that was carried once would come back with a rebuild if its end were not noted there too.
                    (Fate::Carried, None) => carried.push(change(None)),
                    (Fate::Dropped, Some(row)) if row.copies > 0 => carried.push(change(None)),
                    (Fate::Dropped, _) => dropped.push(change(None)),
                }
            }
            if carried.is_empty() && dropped.is_empty() {
                return Ok(());
            }
            let versions: Vec<_> = rows.iter().map(|(key, row)| (key, row.as_ref().map(|row| row.version()))).collect();
            let below = Below { epoch, rows: rows.iter().cloned().collect() };
            let mut changes = Some((carried, dropped));
            let settled = self.judged(below, |state, below| {
                for (key, version) in &versions {
                    if state.current(key, below)?.map(|row| row.version()) != *version {
                        return Ok(false);
                    }
                }
                let (carried, dropped) = changes.take().unwrap_or_default();
                self.append(state, Family::Kept, carried, &Twins::default())?;
                let sequence = state.active.last_sequence;
                state.put(dropped, sequence);
                Ok::<_, Unjudged>(true)
            })?;
            if settled {
                return Ok(());
            }
        }
    }

    /// The rows at `keys`; with an execution all those of its event, because they may share payloads.
    fn rows_at(&self, keys: &[Key]) -> Result<Vec<Found>, StoreError> {
        let mut rows = BTreeMap::new();
        let mut last_event = None;
        for key in keys {
            let Some(id) = key::execution_id(key) else {
                rows.insert(key.clone(), self.find(key)?);
                continue;
            };
            // Unless it has been found beside a sibling.
            rows.entry(key.clone()).or_insert(None);
            if last_event.replace(id.event()) == Some(id.event()) {
                continue;
            }
            let siblings = self.scan_rows(Span::executions_of(id.event()), false, usize::MAX)?;
            rows.extend(siblings.into_iter().map(|(key, row)| (key, Some(row))));
        }
        Ok(rows.into_iter().collect())
    }

    fn fate(&self, retirement: &Retirement, key: &Key, row: Option<&StoredRow>) -> Result<Fate, StoreError> {
        let image = retirement.images.get(key);
        let Some(row) = row else {
            // Whatever the kept family may have of it is older than the kept segment that goes.
            let is_needed = image == Some(&None) && retirement.segment.family == Family::Incoming;
            return Ok(if is_needed { Fate::Carried } else { Fate::Stays });
        };
        let is_latest = image == Some(&Some(row.version()));
        // It was deleted and made anew: carried, so that the next deletion knows of what the kept family may have.
        let is_remade = image == Some(&None);
        let is_needed = if key::is_execution(key) {
            row.index.is_some()
        } else if key::is_dedupe(key) {
            FirstSeen::decode(&row.bytes(&self.journal)?)?.until > (self.config.journal.now)()
        } else {
            true
        };
        let refers = row.all_blobs().any(|blob| retirement.holds(blob));
        Ok(match (is_needed, is_latest || is_remade) {
            (true, true) => Fate::Carried,
            (true, false) if refers => Fate::Carried,
            (false, true) => Fate::Dropped,
            _ => Fate::Stays,
        })
    }

    /// The row as it is carried: the payloads that lie in the segment are written again, each once.
    fn copy(
        &self,
        retirement: &Retirement,
        row: &StoredRow,
        copies: &mut HashMap<Position, Arc<Blob>>,
    ) -> Result<Arc<StoredRow>, StoreError> {
        for blob in row.all_blobs().filter(|blob| retirement.holds(blob)) {
            let Some(position) = blob.position() else { continue };
            if copies.contains_key(&position) {
                continue;
            }
            match row::read(blob, &self.journal) {
                Ok(bytes) => drop(copies.insert(position, Arc::new(Blob::new(bytes)))),
                // The execution goes on without it, and whoever reads it hears that it is gone.
                Err(cause @ (StoreError::Damaged(_) | StoreError::Gone)) => {
                    tracing::error!(error = &cause as &dyn std::error::Error, "a payload could not be carried over");
                }
                Err(cause) => return Err(cause),
            }
        }
        let moved = row.with_blobs(|blob| {
            let copy = blob.position().and_then(|position| copies.get(&position));
            copy.map_or_else(|| row::for_another_record(blob), Arc::clone)
        });
        Ok(Arc::new(StoredRow { copies: row.copies + 1, ..moved }))
    }
}

impl Retirement {
    /// The next keys that have not been dealt with; the executions of one event stay together.
    fn next_keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = Vec::new();
        for key in self.images.range(self.done_to.clone()..).map(|(key, _)| key) {
            let event = |key: &Key| key::execution_id(key).map(|id| id.event());
            let is_sibling = event(key).is_some() && keys.last().and_then(event) == event(key);
            if keys.len() >= ROWS && !is_sibling {
                break;
            }
            keys.push(key.clone());
        }
        keys
    }

    fn holds(&self, blob: &Blob) -> bool {
        let mut floor = [0; 2];
        floor[self.segment.family as usize] = self.segment.number;
        blob.position().is_some_and(|position| is_below(&floor, position))
    }
}
