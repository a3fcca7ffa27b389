//! Judges what is to be written against the newest state of the rows, and hands it to the journal.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use journal::{Entry, Family};
use model::{Blob, EventId, Execution, Revision, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::core::Core;
use crate::error::{self, busy, damaged};
use crate::key::{self, Key};
use crate::overlay::Change;
use crate::record::Record;
use crate::row::{self, StoredRow};
use crate::sequencer::{Below, State, Synced, Unjudged};
use crate::{Accept, Accepted, Commit, RowWrite, StoreError};

/// How soon an event may come again when the disk is nearly full: space does not come back within a second.
const REFUSED: Duration = Duration::from_secs(10);

/// The content of a dedupe row.
#[derive(Serialize, Deserialize)]
pub(crate) struct FirstSeen {
    event: EventId,
    data: [u8; 16],
    accepted: Timestamp,
    /// When it is no longer known, by the window of its time.
    pub(crate) until: Timestamp,
}

impl FirstSeen {
    pub(crate) fn decode(content: &[u8]) -> Result<Self, StoreError> {
        postcard::from_bytes(content).map_err(damaged("dedupe key"))
    }
}

impl Core {
    /// Judges an event and submits its record. Of a repeat the first one's record may not be durable yet.
    pub(crate) fn accept(&self, mut accept: Accept) -> Result<(Accepted, Option<Synced>), StoreError> {
        let (executions, twins) = draft(&mut accept.executions)?;
        let event = &accept.event;
        let dedupe = accept.dedupe.as_ref().map(|dedupe| {
            let seen = FirstSeen {
                event: event.id,
                data: hash(&event.data),
                accepted: event.received,
                until: event.received + dedupe.window,
            };
            (key::dedupe(dedupe), seen, dedupe.window)
        });
        self.judged(Below::default(), |state, below| {
            self.has_room(state, self.config.overlay_bytes_max)?;
            if let Some(reason) = &state.refusing {
                return Err(StoreError::Busy { reason: reason.clone(), retry_after: REFUSED }.into());
            }
            let mut changes = Vec::with_capacity(executions.len() + 1);
            if let Some((key, seen, window)) = &dedupe {
                let known = match state.newest(key) {
                    None if state.filter.is_certainly_new(key) => None,
                    _ => state.current(key, below)?,
                };
                if let Some(first) = &known {
                    let first = FirstSeen::decode(&first.bytes(&self.journal)?)?;
                    if event.received.since(first.accepted) < *window {
                        let sequence = state.newest(key).map_or(0, |(_, sequence)| sequence);
                        let answer = Accepted::Repeat { first: first.event, same_data: first.data == seen.data };
                        return Ok((answer, state.synced(sequence)));
                    }
                }
                changes.push(dedupe_change(key, seen, known)?);
            }
            // Their ids are new, so that nothing has to be looked up.
            changes.extend(executions.iter().map(|drafted| drafted.change(None)));
            let synced = self.append(state, Family::Incoming, changes, &twins)?;
            if let Some((key, ..)) = &dedupe {
                state.filter.insert(key);
            }
            Ok((Accepted::New, Some(synced)))
        })
    }

    /// Judges writes and submits their record.
    pub(crate) fn commit(&self, mut commit: Commit) -> Result<Synced, StoreError> {
        let (executions, twins) = draft(&mut commit.executions)?;
        self.judged(Below::default(), |state, below| {
            // Outcomes are let in when events no longer are: they make room.
            self.has_room(state, self.config.overlay_bytes_max / 4 * 5)?;
            let mut changes: Vec<Change> = Vec::with_capacity(executions.len() + commit.rows.len());
            for drafted in &executions {
                let before = state.current(&drafted.key, below)?;
                expect(&drafted.key, before.as_ref(), drafted.row.revision - 1)?;
                changes.push(drafted.clear_of(&state.floor, before)?);
            }
            for write in &commit.rows {
                let key = key::table(write.table, &write.key);
                let before = match changes.iter().rev().find(|change| change.key == key) {
                    Some(earlier) => earlier.after.clone(),
                    None => state.current(&key, below)?,
                };
                if let Some(expected) = write.expected {
                    expect(&key, before.as_ref(), expected)?;
                }
                changes.extend(row_change(key, before, write));
            }
            Ok(self.append(state, Family::Incoming, changes, &twins)?)
        })
    }

    /// Runs `judge` under the lock until it has all the rows that it asks of the projection, which are read without the
    /// lock. `judge` changes nothing before it is sure.
    pub(crate) fn judged<T>(
        &self,
        mut below: Below,
        mut judge: impl FnMut(&mut State, &Below) -> Result<T, Unjudged>,
    ) -> Result<T, StoreError> {
        loop {
            let key = {
                let mut state = self.sequencer.lock();
                if below.epoch != state.epoch {
                    below = Below { epoch: state.epoch, ..Below::default() };
                }
                match judge(&mut state, &below) {
                    Ok(judged) => return Ok(judged),
                    Err(Unjudged::Refused(cause)) => return Err(cause),
                    Err(Unjudged::Below(key)) => key,
                }
            };
            let row = self.below(&key)?.map(Arc::new);
            below.rows.insert(key, row);
        }
    }

    fn has_room(&self, state: &mut State, bytes_max: usize) -> Result<(), StoreError> {
        if let Some(cause) = &state.failed {
            return Err(cause.clone());
        }
        if state.overlay_bytes() > bytes_max {
            self.sequencer.hurry(state);
            return Err(busy(format!("{bytes_max} bytes wait to be written to the state database already")));
        }
        Ok(())
    }

    /// Submits the record of `changes` and puts them into the overlay, in the same order as every other record.
    pub(crate) fn append(
        &self,
        state: &mut State,
        family: Family,
        changes: Vec<Change>,
        twins: &Twins,
    ) -> Result<Synced, StoreError> {
        let mut record = Record::default();
        for Change { key, after, .. } in &changes {
            match after {
                Some(row) => record.put(key, row),
                None => record.delete(key),
            }
        }
        let (sender, synced) = oneshot::channel();
        if record.is_empty() {
            // Nothing to wait for; a receiver that has gone does not matter.
            let _ = sender.send(Ok(()));
            return Ok(synced);
        }
        let (body, blobs) = record.finish()?;
        let payloads: Vec<Bytes> = blobs.iter().map(|blob| blob.bytes().cloned().unwrap_or_default()).collect();
        let payload_bytes = payloads.iter().map(Bytes::len).sum();
        let (sequencer, twins) = (Arc::clone(&self.sequencer), twins.clone());
        let done = Box::new(move |result| {
            let written = sequencer.written(result, &blobs);
            twins.place();
            // A caller that has gone does not matter.
            let _ = sender.send(written);
        });
        self.journal.submit(Entry { family, body, blobs: payloads, done }).map_err(error::submit)?;
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        state.put(changes, sequence);
        state.active.count_payload(payload_bytes);
        if state.active.bytes() > self.config.generation_bytes && state.frozen.is_none() {
            self.sequencer.hurry(state);
        }
        Ok(synced)
    }
}

/// An execution that is to be committed, encoded before the lock is taken.
struct Drafted {
    key: Key,
    row: Arc<StoredRow>,
}

/// Payloads that a record writes, each as the caller and as the store has it. A caller may hand one over again before its
/// first record is durable. It is written again then, and each row keeps the place that its own record gave it, as it
/// would after a rebuild.
#[derive(Clone, Default)]
pub(crate) struct Twins(Vec<(Arc<Blob>, Arc<Blob>)>);

impl Twins {
    fn of(&mut self, blob: &Arc<Blob>) -> Arc<Blob> {
        let Some(bytes) = blob.bytes().filter(|_| blob.position().is_none()) else { return Arc::clone(blob) };
        if let Some((_, own)) = self.0.iter().find(|(theirs, _)| Arc::ptr_eq(theirs, blob)) {
            return Arc::clone(own);
        }
        let own = Arc::new(Blob::new(bytes.clone()));
        self.0.push((Arc::clone(blob), Arc::clone(&own)));
        own
    }

    /// Tells the callers where their payloads lie.
    fn place(&self) {
        for (theirs, own) in &self.0 {
            if let Some(position) = own.position() {
                theirs.place(position);
            }
        }
    }
}

fn draft(executions: &mut [Execution]) -> Result<(Vec<Drafted>, Twins), StoreError> {
    let mut twins = Twins::default();
    let drafted =
        executions.iter_mut().map(|execution| Drafted::new(execution, &mut twins)).collect::<Result<_, _>>()?;
    Ok((drafted, twins))
}

impl Drafted {
    fn new(execution: &mut Execution, twins: &mut Twins) -> Result<Self, StoreError> {
        execution.revision += 1;
        execution.blobs = execution.blobs.iter().map(|blob| twins.of(blob)).collect();
        Ok(Self { key: key::execution(&execution.id), row: Arc::new(StoredRow::of(execution)?) })
    }

    fn change(&self, before: Option<Arc<StoredRow>>) -> Change {
        Change { key: self.key.clone(), before, after: Some(Arc::clone(&self.row)) }
    }

    /// The change, without any reference to a segment at or below `floor`: such a payload has been carried elsewhere
    /// since the caller loaded the execution, which knows it at the same index.
    fn clear_of(&self, floor: &[u32; 2], before: Option<Arc<StoredRow>>) -> Result<Change, StoreError> {
        let copies = before.as_ref().map_or(0, |before| before.copies);
        let is_low = |blob: &Arc<Blob>| blob.position().is_some_and(|position| is_below(floor, position));
        if copies == 0 && !self.row.blobs.iter().any(is_low) {
            return Ok(self.change(before));
        }
        let mut blobs = Vec::with_capacity(self.row.blobs.len());
        for (index, blob) in self.row.blobs.iter().enumerate() {
            if !is_low(blob) {
                blobs.push(Arc::clone(blob));
                continue;
            }
            // Only what is open has been carried, or will be.
            let open = before.as_ref().filter(|before| before.index.is_some());
            let carried = open.and_then(|before| before.blobs.get(index));
            let fresh = blob.bytes().cloned().map(|bytes| Arc::new(Blob::new(bytes)));
            blobs.push(carried.map(row::for_another_record).or(fresh).ok_or(StoreError::Gone)?);
        }
        let row = StoredRow { copies, blobs, ..(*self.row).clone() };
        Ok(Change { after: Some(Arc::new(row)), ..self.change(before) })
    }
}

/// Whether the position lies in a segment that is being retired or has been.
pub(crate) fn is_below(floor: &[u32; 2], position: model::Position) -> bool {
    floor.get(usize::from(position.family)).is_some_and(|floor| position.segment <= *floor)
}

fn expect(key: &Key, found: Option<&Arc<StoredRow>>, expected: Revision) -> Result<(), StoreError> {
    let found = found.map_or(0, |row| row.revision);
    if found == expected {
        return Ok(());
    }
    Err(StoreError::Stale { key: key::describe(key), expected, found })
}

fn dedupe_change(key: &Key, seen: &FirstSeen, before: Option<Arc<StoredRow>>) -> Result<Change, StoreError> {
    let content = postcard::to_stdvec(seen).map_err(error::failed)?;
    let after = next(before.as_ref(), content);
    Ok(Change { key: key.clone(), before, after: Some(after) })
}

/// None if a row is to be deleted that is not there.
fn row_change(key: Key, before: Option<Arc<StoredRow>>, write: &RowWrite) -> Option<Change> {
    let after = write.value.as_ref().map(|value| next(before.as_ref(), value.to_vec()));
    (before.is_some() || after.is_some()).then_some(Change { key, before, after })
}

fn next(before: Option<&Arc<StoredRow>>, content: Vec<u8>) -> Arc<StoredRow> {
    let (revision, copies) = before.map_or((0, 0), |before| (before.revision, before.copies));
    let row = StoredRow::new(revision + 1, content, Vec::new());
    Arc::new(StoredRow { copies, ..row })
}

fn hash(data: &[u8]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&Sha256::digest(data)[..16]);
    short
}
