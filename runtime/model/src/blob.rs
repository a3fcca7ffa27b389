use std::sync::OnceLock;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Where bytes lie in the journal. Made by the journal, meaningless to everyone else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// Which run of segments: 0 what came in, 1 what was carried over because it is still open.
    pub family: u8,
    /// The number of the segment.
    pub segment: u32,
    /// Bytes from the start of the segment to the frame of the blob.
    pub offset: u32,
    /// Bytes of the blob, without its frame.
    pub length: u32,
}

/// The place of a blob in [`Execution::blobs`](crate::Execution::blobs).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BlobIndex(pub u16);

/// Bytes that a record refers to and that lie beside it in the journal: an event, a step's output. At least one of bytes
/// and position is known; the store adds the position when it has written the bytes.
#[derive(Debug)]
pub struct Blob {
    bytes: Option<Bytes>,
    position: OnceLock<Position>,
}

impl Blob {
    /// Bytes that are in memory and not yet stored.
    pub fn new(bytes: Bytes) -> Self {
        Self { bytes: Some(bytes), position: OnceLock::new() }
    }

    /// Bytes that are stored and not in memory.
    pub fn stored(position: Position) -> Self {
        Self { bytes: None, position: position.into() }
    }

    /// The bytes, if they are in memory.
    pub fn bytes(&self) -> Option<&Bytes> {
        self.bytes.as_ref()
    }

    /// Where the bytes are stored, once they are.
    pub fn position(&self) -> Option<Position> {
        self.position.get().copied()
    }

    /// Notes where the bytes were stored. The first place counts; a copy elsewhere changes nothing.
    pub fn place(&self, position: Position) {
        let _ = self.position.set(position);
    }
}
