//! Rows as they are in memory and as the projection keeps them.

use std::sync::Arc;

use bytes::Bytes;
use journal::Journal;
use model::{Blob, Execution, Position, Revision};
use serde::{Deserialize, Serialize};

use crate::error::damaged;
use crate::key::{self, IndexRow};
use crate::{StoreError, VALUE_BYTES_MAX, error};

/// The version of the layout of rows and records: the first byte of both.
pub(crate) const FORMAT: u8 = 1;

/// A position takes at most a byte and three numbers of five.
const POSITION_BYTES_MAX: usize = 16;
/// Format, revision, copies, lengths, and the content's kind.
const HEADER_BYTES_MAX: usize = 1 + 10 + 5 + 3 + 3 + 1;

const NOWHERE: Position = Position { family: 0, segment: 0, offset: 0, length: 0 };

/// How many blobs a row can refer to and still fit into the projection.
pub(crate) const BLOBS_MAX: usize = (VALUE_BYTES_MAX - HEADER_BYTES_MAX - POSITION_BYTES_MAX) / POSITION_BYTES_MAX;

/// A row: an execution, a dedupe key, or one of a [`Table`](crate::Table).
#[derive(Clone, Debug)]
pub(crate) struct StoredRow {
    pub(crate) revision: Revision,
    /// How often it has been carried into the kept family. Together with the revision it names one after-image; above 0
    /// its end has to be noted there too, or a rebuild would raise the dead.
    pub(crate) copies: u32,
    pub(crate) content: Content,
    pub(crate) blobs: Vec<Arc<Blob>>,
    /// Derived from an execution.
    pub(crate) index: Option<IndexRow>,
}

/// Which after-image of a row it is: its revision, and how often it has been carried.
pub(crate) type Version = (Revision, u32);

/// The bytes of a row.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// In the row.
    Inline(Bytes),
    /// In the journal, because the row would be too large for the projection.
    Beside(Arc<Blob>),
}

/// A row as it is written; `P` is how a place in the journal is written.
#[derive(Serialize, Deserialize)]
pub(crate) struct Written<P> {
    revision: Revision,
    copies: u32,
    content: WrittenContent<P>,
    blobs: Vec<P>,
}

#[derive(Serialize, Deserialize)]
enum WrittenContent<P> {
    Inline(Bytes),
    Beside(P),
}

impl StoredRow {
    /// A row that is to be written, with its content beside it if it would be too large.
    pub(crate) fn new(revision: Revision, content: Vec<u8>, blobs: Vec<Arc<Blob>>) -> Self {
        let inline_max = VALUE_BYTES_MAX - HEADER_BYTES_MAX - blobs.len().min(BLOBS_MAX) * POSITION_BYTES_MAX;
        let content = if content.len() <= inline_max {
            Content::Inline(content.into())
        } else {
            Content::Beside(Arc::new(Blob::new(content.into())))
        };
        Self { revision, copies: 0, content, blobs, index: None }
    }

    /// The row of an execution that is committed as it stands.
    pub(crate) fn of(execution: &Execution) -> Result<Self, StoreError> {
        if execution.blobs.len() > BLOBS_MAX {
            return Err(StoreError::TooLarge(format!(
                "execution {} refers to {} payloads, and {BLOBS_MAX} is the most",
                execution.id,
                execution.blobs.len()
            )));
        }
        let head = postcard::to_stdvec(execution).map_err(error::failed)?;
        let row = Self::new(execution.revision, head, execution.blobs.clone());
        Ok(Self { index: IndexRow::of(execution), ..row })
    }

    pub(crate) fn version(&self) -> Version {
        (self.revision, self.copies)
    }

    /// The execution in it.
    pub(crate) fn execution(&self, journal: &Journal) -> Result<Execution, StoreError> {
        let mut execution: Execution = postcard::from_bytes(&self.bytes(journal)?).map_err(damaged("execution"))?;
        execution.blobs.clone_from(&self.blobs);
        Ok(execution)
    }

    /// Its content.
    pub(crate) fn bytes(&self, journal: &Journal) -> Result<Bytes, StoreError> {
        match &self.content {
            Content::Inline(bytes) => Ok(bytes.clone()),
            Content::Beside(blob) => read(blob, journal),
        }
    }

    /// Whether its content can be had without the disk.
    pub(crate) fn is_in_memory(&self) -> bool {
        match &self.content {
            Content::Inline(_) => true,
            Content::Beside(blob) => blob.bytes().is_some(),
        }
    }

    /// Every blob it needs, its content's too.
    pub(crate) fn all_blobs(&self) -> impl Iterator<Item = &Arc<Blob>> {
        let beside = match &self.content {
            Content::Inline(_) => None,
            Content::Beside(blob) => Some(blob),
        };
        beside.into_iter().chain(&self.blobs)
    }

    /// The same row, with blobs replaced where `replace` has another.
    pub(crate) fn with_blobs(&self, mut replace: impl FnMut(&Arc<Blob>) -> Arc<Blob>) -> Self {
        Self {
            revision: self.revision,
            copies: self.copies,
            content: match &self.content {
                Content::Inline(bytes) => Content::Inline(bytes.clone()),
                Content::Beside(blob) => Content::Beside(replace(blob)),
            },
            blobs: self.blobs.iter().map(replace).collect(),
            index: self.index.clone(),
        }
    }

    pub(crate) fn write<P>(&self, mut place: impl FnMut(&Arc<Blob>) -> P) -> Written<P> {
        let content = match &self.content {
            Content::Inline(bytes) => WrittenContent::Inline(bytes.clone()),
            Content::Beside(blob) => WrittenContent::Beside(place(blob)),
        };
        let blobs = self.blobs.iter().map(place).collect();
        Written { revision: self.revision, copies: self.copies, content, blobs }
    }

    /// The value in the projection. Every blob has a position by then.
    pub(crate) fn encode(&self) -> Result<Bytes, StoreError> {
        let mut unplaced = false;
        let written = self.write(|blob| {
            blob.position().unwrap_or_else(|| {
                unplaced = true;
                NOWHERE
            })
        });
        if unplaced {
            return Err(StoreError::Damaged("a row was to be applied before its record was durable".to_owned()));
        }
        postcard::to_extend(&written, vec![FORMAT]).map(Bytes::from).map_err(error::failed)
    }

    /// The row with this value at this key.
    pub(crate) fn decode(key: &[u8], value: &[u8], journal: &Journal) -> Result<Self, StoreError> {
        let written = match value.split_first() {
            Some((&FORMAT, rest)) => postcard::from_bytes::<Written<Position>>(rest).map_err(damaged("row"))?,
            _ => return Err(StoreError::Damaged(format!("row `{}` is of an unknown version", key::describe(key)))),
        };
        Self::restore(key, written.map(|position| Arc::new(Blob::stored(position))), journal)
    }

    pub(crate) fn restore(key: &[u8], written: Written<Arc<Blob>>, journal: &Journal) -> Result<Self, StoreError> {
        let content = match written.content {
            WrittenContent::Inline(bytes) => Content::Inline(bytes),
            WrittenContent::Beside(blob) => Content::Beside(blob),
        };
        let Written { revision, copies, blobs, .. } = written;
        let mut row = Self { revision, copies, content, blobs, index: None };
        if key::is_execution(key) {
            row.index = IndexRow::of(&row.execution(journal)?);
        }
        Ok(row)
    }

    /// Bytes that it takes in memory, its payloads not counted.
    pub(crate) fn size(&self) -> usize {
        let content = match &self.content {
            Content::Inline(bytes) => bytes.len(),
            Content::Beside(_) => 0,
        };
        size_of::<Self>() + content + size_of_val(&self.blobs[..])
    }
}

impl<P> Written<P> {
    /// Which after-image of its row it is.
    pub(crate) fn version(&self) -> Version {
        (self.revision, self.copies)
    }

    pub(crate) fn map<Q>(self, mut other: impl FnMut(P) -> Q) -> Written<Q> {
        let content = match self.content {
            WrittenContent::Inline(bytes) => WrittenContent::Inline(bytes),
            WrittenContent::Beside(place) => WrittenContent::Beside(other(place)),
        };
        let blobs = self.blobs.into_iter().map(other).collect();
        Written { revision: self.revision, copies: self.copies, content, blobs }
    }
}

/// A blob for another record. What has no place yet is written with that record again, so that its row has the place that
/// a rebuild would give it.
pub(crate) fn for_another_record(blob: &Arc<Blob>) -> Arc<Blob> {
    match (blob.position(), blob.bytes()) {
        (None, Some(bytes)) => Arc::new(Blob::new(bytes.clone())),
        _ => Arc::clone(blob),
    }
}

/// The bytes of a blob, from memory or from the journal.
pub(crate) fn read(blob: &Blob, journal: &Journal) -> Result<Bytes, StoreError> {
    if let Some(bytes) = blob.bytes() {
        return Ok(bytes.clone());
    }
    let position = blob.position().ok_or_else(|| StoreError::Damaged("a payload without a place".to_owned()))?;
    journal.read(position).map_err(error::read)
}
