//! The body of a record of the journal: after-images, never commands, so that applying it twice changes nothing.

use std::sync::Arc;

use bytes::Bytes;
use model::{Blob, Position};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::error::{self, damaged};
use crate::key::Key;
use crate::row::{FORMAT, StoredRow, Written};

/// A record that is being put together.
#[derive(Default)]
pub(crate) struct Record {
    images: Vec<Image>,
    blobs: Vec<Arc<Blob>>,
}

/// What one row is after the record.
#[derive(Serialize, Deserialize)]
pub(crate) struct Image {
    pub(crate) key: Bytes,
    pub(crate) after: After,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum After {
    Put(Written<Place>),
    Delete,
}

/// Where the bytes of a blob lie.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Place {
    /// Among the blobs of this record.
    Here(u32),
    /// In an earlier record.
    At(Position),
}

impl Record {
    pub(crate) fn put(&mut self, key: &Key, row: &StoredRow) {
        let written = row.write(|blob| self.place(blob));
        self.images.push(Image { key: Bytes::copy_from_slice(key), after: After::Put(written) });
    }

    pub(crate) fn delete(&mut self, key: &Key) {
        self.images.push(Image { key: Bytes::copy_from_slice(key), after: After::Delete });
    }

    /// Writes a blob with this record unless it has been written before. A record has few blobs.
    fn place(&mut self, blob: &Arc<Blob>) -> Place {
        if let Some(position) = blob.position() {
            return Place::At(position);
        }
        let known = self.blobs.iter().position(|other| Arc::ptr_eq(other, blob));
        let index = known.unwrap_or_else(|| {
            self.blobs.push(Arc::clone(blob));
            self.blobs.len() - 1
        });
        Place::Here(index as u32)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The body, and the blobs that go beside it.
    pub(crate) fn finish(self) -> Result<(Bytes, Vec<Arc<Blob>>), StoreError> {
        let body = postcard::to_extend(&self.images, vec![FORMAT]).map_err(error::failed)?;
        Ok((body.into(), self.blobs))
    }
}

/// The after-images of a record.
pub(crate) fn decode(body: &[u8]) -> Result<Vec<Image>, StoreError> {
    match body.split_first() {
        Some((&FORMAT, images)) => postcard::from_bytes(images).map_err(damaged("record")),
        _ => Err(StoreError::Damaged("a record of the journal is of an unknown version".to_owned())),
    }
}

/// The blobs of a record that was read again.
pub(crate) struct Beside(Vec<Arc<Blob>>);

impl Beside {
    pub(crate) fn new(positions: &[Position]) -> Self {
        Self(positions.iter().map(|position| Arc::new(Blob::stored(*position))).collect())
    }

    /// A row with its blobs found. A place that is not there refuses the record: it could not be read later either.
    pub(crate) fn find(&self, written: Written<Place>) -> Result<Written<Arc<Blob>>, StoreError> {
        let mut missing = None;
        let found = written.map(|place| match place {
            Place::At(position) => Arc::new(Blob::stored(position)),
            Place::Here(index) => self.0.get(index as usize).cloned().unwrap_or_else(|| {
                missing = Some(index);
                Arc::new(Blob::new(Bytes::new()))
            }),
        });
        match missing {
            None => Ok(found),
            Some(index) => Err(StoreError::Damaged(format!("a record refers to payload {index}, which it has not"))),
        }
    }
}
