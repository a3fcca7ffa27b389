//! What the journal has and the projection has not yet: the newest rows, in memory, above the projection.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::key::{IndexRow, Key, Listed, Span};
use crate::row::StoredRow;
use crate::{StoreError, Write, error};

/// Bytes that an entry takes beside keys and row.
const ENTRY_BYTES: usize = 128;

/// The rows changed during a second or so, which go to the projection together.
#[derive(Default)]
pub(crate) struct Generation {
    rows: BTreeMap<Key, Slot>,
    /// The index rows of `rows`; none hides the one below.
    index: BTreeMap<Key, Option<Listed>>,
    bytes: usize,
    /// The last record in it or in an earlier generation.
    pub(crate) last_sequence: u64,
}

/// The newest state of a row.
struct Slot {
    /// None: deleted.
    row: Option<Arc<StoredRow>>,
    /// The record that says so.
    sequence: u64,
    /// The key of the index row that the layers below have for it.
    below: Option<Key>,
}

/// A row before and after.
pub(crate) struct Change {
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<StoredRow>>,
    pub(crate) after: Option<Arc<StoredRow>>,
}

/// A piece of a layer: its entries in the order of the scan, and whether there are more.
pub(crate) struct Piece<T> {
    pub(crate) entries: Vec<(Key, Option<T>)>,
    pub(crate) more: bool,
}

impl Generation {
    /// An empty one behind record `last_sequence`.
    pub(crate) fn after(last_sequence: u64) -> Self {
        Self { last_sequence, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts payloads that are held in memory until the generation has been applied.
    pub(crate) fn count_payload(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// The newest state of a row, if it has changed, and the record that says so.
    pub(crate) fn get(&self, key: &[u8]) -> Option<(Option<&Arc<StoredRow>>, u64)> {
        self.rows.get(key).map(|slot| (slot.row.as_ref(), slot.sequence))
    }

    /// Makes `change`, whose `before` is the newest state of the row in any layer. An index row that comes and goes
    /// within the generation leaves nothing behind.
    pub(crate) fn put(&mut self, change: Change, sequence: u64) {
        let Change { key, before, after } = change;
        let old = before.as_ref().and_then(|row| row.index.as_ref());
        let known = self.rows.remove(&key);
        self.bytes += 2 * key.len() + ENTRY_BYTES + after.as_ref().map_or(0, |row| row.size());
        let below = match known {
            Some(slot) => {
                self.bytes -= 2 * key.len() + ENTRY_BYTES + slot.row.map_or(0, |row| row.size());
                slot.below
            }
            None => old.map(|old| old.key.clone()),
        };
        if let Some(old) = old {
            if below.as_ref() == Some(&old.key) {
                self.index.insert(old.key.clone(), None);
            } else {
                self.index.remove(&old.key);
            }
        }
        if let Some(IndexRow { key, listed }) = after.as_ref().and_then(|row| row.index.as_ref()) {
            self.index.insert(key.clone(), Some(listed.clone()));
        }
        self.last_sequence = self.last_sequence.max(sequence);
        self.rows.insert(key, Slot { row: after, sequence, below });
    }

    /// At most `limit` rows of `span`.
    pub(crate) fn rows(&self, span: &Span, backward: bool, limit: usize) -> Piece<Arc<StoredRow>> {
        piece(&self.rows, span, backward, limit, |slot| slot.row.clone())
    }

    /// At most `limit` index rows of `span`.
    pub(crate) fn index(&self, span: &Span, backward: bool, limit: usize) -> Piece<Listed> {
        piece(&self.index, span, backward, limit, Clone::clone)
    }

    /// The net changes, for the projection. Of one execution the old index row goes first and the new one comes last, so
    /// that after a crash in between every index row that is there fits the execution that is there.
    pub(crate) fn writes(&self) -> impl Iterator<Item = Result<Write, StoreError>> {
        self.rows.iter().flat_map(|(key, slot)| {
            let index = slot.row.as_ref().and_then(|row| row.index.as_ref());
            let stale = slot.below.clone().filter(|below| Some(below) != index.map(|index| &index.key));
            let stale = stale.map(|key| Ok(Write { key, value: None }));
            let row = slot.row.as_ref().map(|row| row.encode()).transpose();
            let row = row.map(|value| Write { key: key.clone(), value });
            let fresh = index.map(|IndexRow { key, listed }| {
                let value = postcard::to_stdvec(listed).map_err(error::failed)?;
                Ok(Write { key: key.clone(), value: Some(value.into()) })
            });
            stale.into_iter().chain([row]).chain(fresh)
        })
    }
}

fn piece<V, T>(
    entries: &BTreeMap<Key, V>,
    span: &Span,
    backward: bool,
    limit: usize,
    value: impl Fn(&V) -> Option<T>,
) -> Piece<T> {
    if span.from >= span.to {
        return Piece { entries: Vec::new(), more: false };
    }
    let range = entries.range::<[u8], _>((
        std::ops::Bound::Included(span.from.as_slice()),
        std::ops::Bound::Excluded(span.to.as_slice()),
    ));
    let copy = |(key, entry): (&Key, &V)| (key.clone(), value(entry));
    let entries: Vec<_> =
        if backward { range.rev().take(limit).map(copy).collect() } else { range.take(limit).map(copy).collect() };
    let more = entries.len() == limit;
    Piece { entries, more }
}
