use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// The most bytes of a value in a projection. sled rewrites leaves of up to 16 values, and a leaf beyond some 128 KiB
/// goes to a file of its own that is never synced.
pub const VALUE_BYTES_MAX: usize = 4096;

/// An ordered map from keys to small values that holds what the journal says, and can be made from it again at any time.
/// One thread writes, any number read. Everything here blocks.
pub trait Projection: Send + Sync + 'static {
    /// The value at a key.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ProjectionError>;

    /// At most `limit` pairs from `from` up to but not including `to`; with `backward`, the last ones, from the last on.
    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, ProjectionError>;

    /// Writes in the order given. After a crash of the process some writes at the end may be missing, none before one
    /// that is there.
    fn apply(&self, writes: &[Write]) -> Result<(), ProjectionError>;

    /// Makes everything written durable, and the mark with it. A mark is never there without what was written before it.
    fn checkpoint(&self, mark: &[u8]) -> Result<(), ProjectionError>;

    /// The mark of the last checkpoint; none: nothing can be trusted and [`clear`](Self::clear) comes first.
    fn mark(&self) -> Result<Option<Bytes>, ProjectionError>;

    /// Removes everything, the mark first.
    fn clear(&self) -> Result<(), ProjectionError>;

    /// Notes a clean end. Nothing is written after it.
    fn close(&self) -> Result<(), ProjectionError>;

    /// How many writes have been applied, marks not counted.
    fn operations(&self) -> u64;
}

/// One change of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Where.
    pub key: Vec<u8>,
    /// The new value; none deletes it.
    pub value: Option<Bytes>,
}

impl Write {
    /// Refuses a value that is too large. Every projection asks this of every write.
    ///
    /// # Errors
    /// If the value is above [`VALUE_BYTES_MAX`].
    pub fn check(&self) -> Result<(), ProjectionError> {
        let bytes = self.value.as_ref().map_or(0, Bytes::len);
        if bytes > VALUE_BYTES_MAX {
            return Err(ProjectionError::ValueTooLarge { bytes });
        }
        Ok(())
    }
}

/// Why a projection did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// A row should have been spilled into the journal.
    #[error("a value of {bytes} bytes is above the limit of {VALUE_BYTES_MAX}")]
    ValueTooLarge {
        /// What it has.
        bytes: usize,
    },
    /// The database failed.
    #[error("the state database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A projection in memory, for tests. Clones share what they hold.
#[derive(Clone, Debug, Default)]
pub struct MemoryProjection {
    contents: Arc<Mutex<Contents>>,
}

#[derive(Clone, Debug, Default)]
struct Contents {
    rows: BTreeMap<Vec<u8>, Bytes>,
    mark: Option<Bytes>,
    operations: u64,
}

impl MemoryProjection {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of what it holds now, as a killed process leaves it behind.
    pub fn fork(&self) -> Self {
        Self { contents: Arc::new(Mutex::new(self.contents().clone())) }
    }

    /// Every row, for comparing.
    pub fn rows(&self) -> BTreeMap<Vec<u8>, Bytes> {
        self.contents().rows.clone()
    }
}

impl Projection for MemoryProjection {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ProjectionError> {
        Ok(self.contents().rows.get(key).cloned())
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, ProjectionError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let contents = self.contents();
        let pairs = contents.rows.range(from.to_vec()..to.to_vec());
        let copy = |(key, value): (&Vec<u8>, &Bytes)| (Bytes::copy_from_slice(key), value.clone());
        Ok(if backward { pairs.rev().take(limit).map(copy).collect() } else { pairs.take(limit).map(copy).collect() })
    }

    fn apply(&self, writes: &[Write]) -> Result<(), ProjectionError> {
        writes.iter().try_for_each(Write::check)?;
        let mut contents = self.contents();
        for write in writes {
            match &write.value {
                Some(value) => contents.rows.insert(write.key.clone(), value.clone()),
                None => contents.rows.remove(&write.key),
            };
        }
        contents.operations += writes.len() as u64;
        Ok(())
    }

    fn checkpoint(&self, mark: &[u8]) -> Result<(), ProjectionError> {
        self.contents().mark = Some(Bytes::copy_from_slice(mark));
        Ok(())
    }

    fn mark(&self) -> Result<Option<Bytes>, ProjectionError> {
        Ok(self.contents().mark.clone())
    }

    fn clear(&self) -> Result<(), ProjectionError> {
        *self.contents() = Contents::default();
        Ok(())
    }

    fn close(&self) -> Result<(), ProjectionError> {
        Ok(())
    }

    fn operations(&self) -> u64 {
        self.contents().operations
    }
}
