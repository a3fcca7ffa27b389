//! What all parts of the store share, and how rows are read: the overlay above the projection.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use journal::Journal;

use crate::error::damaged;
use crate::key::{Key, Listed, Span};
use crate::maintenance::Worker;
use crate::overlay::{Generation, Piece};
use crate::row::StoredRow;
use crate::sequencer::Sequencer;
use crate::{Config, Projection, StoreError};

/// Rows that one look at the layers takes, at least and at most: looks cost a lock, rows cost memory.
const PAGE: std::ops::RangeInclusive<usize> = 32..=1024;

pub(crate) struct Core {
    pub(crate) journal: Journal,
    pub(crate) projection: Box<dyn Projection>,
    pub(crate) sequencer: Arc<Sequencer>,
    pub(crate) config: Config,
    /// Whoever has it is the one writer of the projection.
    pub(crate) worker: Mutex<Worker>,
}

impl Core {
    /// A row as the projection has it.
    pub(crate) fn below(&self, key: &[u8]) -> Result<Option<StoredRow>, StoreError> {
        let value = self.projection.get(key)?;
        value.map(|value| StoredRow::decode(key, &value, &self.journal)).transpose()
    }

    /// The newest state of a row.
    pub(crate) fn find(&self, key: &[u8]) -> Result<Option<Arc<StoredRow>>, StoreError> {
        // What leaves the overlay is in the projection by then, so that looking there second misses nothing.
        let newest = self.sequencer.lock().newest(key).map(|(row, _)| row.cloned());
        match newest {
            Some(row) => Ok(row),
            None => Ok(self.below(key)?.map(Arc::new)),
        }
    }

    /// At most `limit` rows of `span`.
    pub(crate) fn scan_rows(
        &self,
        span: Span,
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(Key, Arc<StoredRow>)>, StoreError> {
        let decode = |key: &[u8], value: Bytes| StoredRow::decode(key, &value, &self.journal).map(Arc::new);
        self.scan(span, backward, limit, Generation::rows, decode)
    }

    /// At most `limit` index rows of `span`.
    pub(crate) fn scan_index(
        &self,
        span: Span,
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(Key, Listed)>, StoreError> {
        self.scan(span, backward, limit, Generation::index, |_, value| decode_listed(&value))
    }

    fn scan<T>(
        &self,
        mut span: Span,
        backward: bool,
        limit: usize,
        layer: impl Fn(&Generation, &Span, bool, usize) -> Piece<T>,
        decode: impl Fn(&[u8], Bytes) -> Result<T, StoreError>,
    ) -> Result<Vec<(Key, T)>, StoreError> {
        let page = limit.clamp(*PAGE.start(), *PAGE.end());
        let mut found = Vec::new();
        loop {
            let (active, frozen) = {
                let state = self.sequencer.lock();
                (layer(&state.active, &span, backward, page), state.frozen.clone())
            };
            let frozen = frozen.map(|frozen| layer(&frozen, &span, backward, page));
            let below = self.projection.scan(&span.from, &span.to, backward, page)?;
            let below = Piece {
                more: below.len() == page,
                entries: below.into_iter().map(|(key, value)| (key.to_vec(), Some(value))).collect(),
            };
            // Only as far as every layer reaches.
            let reach = [active.reach(), frozen.as_ref().and_then(Piece::reach), below.reach()];
            let reach = reach.into_iter().flatten();
            let reach = if backward { reach.max() } else { reach.min() }.cloned();
            if let Some(reach) = reach.clone() {
                if backward {
                    span.to = reach;
                } else {
                    span.from = [&reach[..], &[0]].concat();
                }
            }
            let is_reached = |key: &Key| match &reach {
                None => true,
                Some(reach) if backward => key >= reach,
                Some(reach) => key <= reach,
            };
            let merged = merge(active, frozen, below, &decode, is_reached)?;
            let in_order: Box<dyn Iterator<Item = _>> =
                if backward { Box::new(merged.into_iter().rev()) } else { Box::new(merged.into_iter()) };
            found.extend(in_order.filter_map(|(key, value)| Some((key, value?))).take(limit - found.len()));
            if found.len() == limit || reach.is_none() {
                return Ok(found);
            }
        }
    }
}

/// The newest of each key, as far as `is_reached`.
fn merge<T>(
    active: Piece<T>,
    frozen: Option<Piece<T>>,
    below: Piece<Bytes>,
    decode: impl Fn(&[u8], Bytes) -> Result<T, StoreError>,
    is_reached: impl Fn(&Key) -> bool,
) -> Result<BTreeMap<Key, Option<T>>, StoreError> {
    let frozen = frozen.map_or_else(Vec::new, |frozen| frozen.entries);
    let mut merged: BTreeMap<_, _> =
        frozen.into_iter().chain(active.entries).filter(|(key, _)| is_reached(key)).collect();
    for (key, value) in below.entries {
        if let Some(value) = value.filter(|_| is_reached(&key))
            && !merged.contains_key(&key)
        {
            let value = decode(&key, value)?;
            merged.insert(key, Some(value));
        }
    }
    Ok(merged)
}

impl<T> Piece<T> {
    /// The last key, if there are more behind it.
    fn reach(&self) -> Option<&Key> {
        self.entries.last().map(|(key, _)| key).filter(|_| self.more)
    }
}

pub(crate) fn decode_listed(value: &[u8]) -> Result<Listed, StoreError> {
    postcard::from_bytes(value).map_err(damaged("index row"))
}
