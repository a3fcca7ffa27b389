use bytes::Bytes;
use model::Position;

use crate::{Family, ReplayError};

/// A record read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Its number; each record has the one after its predecessor's.
    pub sequence: u64,
    /// Where it was written.
    pub family: Family,
    /// Its body.
    pub body: Bytes,
    /// Where the body lies.
    pub body_position: Position,
    /// Where its blobs lie.
    pub blobs: Vec<Position>,
}

/// The records from a [`Mark`](crate::Mark) on, over both families, in the order of their sequence. Ends behind the
/// first error.
pub struct Replay {}

impl Iterator for Replay {
    type Item = Result<Replayed, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}
