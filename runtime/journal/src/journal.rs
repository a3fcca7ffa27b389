use std::io;
use std::sync::Arc;

use bytes::Bytes;
use model::Position;

use crate::{
    Config, Disk, Family, JournalError, Mark, OpenError, ReadError, Replay, ReplayError, SegmentInfo, SubmitError,
};

/// Told once what became of an entry, on the thread that writes: it must be quick and must not panic.
pub type Done = Box<dyn FnOnce(Result<Placed, JournalError>) + Send>;

/// A record to be written.
pub struct Entry {
    /// Where to.
    pub family: Family,
    /// What a replay will show.
    pub body: Bytes,
    /// What lies beside it, to be read one by one.
    pub blobs: Vec<Bytes>,
    /// Called when the record is durable, or never will be.
    pub done: Done,
}

/// Where a record was written. It is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The record's number. The first is 1; no number is left out.
    pub sequence: u64,
    /// Where its body lies.
    pub body: Position,
    /// Where its blobs lie, in their order.
    pub blobs: Vec<Position>,
}

/// What [`Journal::open`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The sequence that the next record will get.
    pub next_sequence: u64,
    /// What was cut off: writes that were under way when the last process ended, and that nobody had been told of.
    pub cuts: Vec<Cut>,
}

/// A part of a file that held an unfinished batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub file: String,
    /// Where the part begins.
    pub offset: u64,
    /// How long it was.
    pub bytes: u64,
}

/// Counts since the journal was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Batches made durable.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of them, frames included.
    pub bytes: u64,
    /// Calls of [`DiskFile::sync_data`](crate::DiskFile::sync_data), those for new segments included.
    pub syncs: u64,
}

/// The journal. Shared between threads behind an [`Arc`].
pub struct Journal {}

impl Journal {
    /// Opens the journal on this disk, or begins one if there is none. What is kept has been synced when this returns.
    ///
    /// # Errors
    /// If anything but an unfinished last batch is wrong; then nothing has been changed.
    pub fn open(_disk: Arc<dyn Disk>, _config: Config) -> Result<(Self, Recovered), OpenError> {
        unimplemented!()
    }

    /// Queues an entry. Never waits for the disk. Entries become durable, and are told so, in the order in which they
    /// were submitted.
    ///
    /// # Errors
    /// If it was not taken; then its `done` is never called.
    pub fn submit(&self, _entry: Entry) -> Result<(), SubmitError> {
        unimplemented!()
    }

    /// Writes one batch of what waits, on this thread. False: nothing waited. Only with
    /// [`Work::ByHand`](crate::Work::ByHand).
    pub fn work(&self) -> bool {
        unimplemented!()
    }

    /// The bytes at a position, their checksum verified.
    ///
    /// # Errors
    /// If the segment was retired, or the bytes are not what was written.
    pub fn read(&self, _position: Position) -> Result<Bytes, ReadError> {
        unimplemented!()
    }

    /// The durable records from `from` on, as far as the journal goes now.
    ///
    /// # Errors
    /// If the journal ends before the mark. What is found on the way comes out of the iterator.
    pub fn replay(&self, _from: Mark) -> Result<Replay, ReplayError> {
        unimplemented!()
    }

    /// The mark of a checkpoint that holds everything up to and including `sequence`; 0: nothing.
    pub fn mark_after(&self, _sequence: u64) -> Mark {
        unimplemented!()
    }

    /// The sequence that the next record will get.
    pub fn next_sequence(&self) -> u64 {
        unimplemented!()
    }

    /// The segments of a family, the oldest first. The last one is being written.
    pub fn segments(&self, _family: Family) -> Vec<SegmentInfo> {
        unimplemented!()
    }

    /// Removes the segments of a family up to and including number `up_to`, the oldest first, each removal durable
    /// before the next; never the one that is being written. Returns how many.
    ///
    /// # Errors
    /// If the disk fails; the journal has failed with it.
    pub fn retire(&self, _family: Family, _up_to: u32) -> Result<usize, JournalError> {
        unimplemented!()
    }

    /// Bytes that are free on the disk.
    ///
    /// # Errors
    /// If the disk does not say.
    pub fn free_bytes(&self) -> io::Result<u64> {
        unimplemented!()
    }

    /// Bytes that wait to be written.
    pub fn waiting_bytes(&self) -> usize {
        unimplemented!()
    }

    /// The failure, if the journal has failed.
    pub fn failure(&self) -> Option<JournalError> {
        unimplemented!()
    }

    /// Counts since the journal was opened.
    pub fn statistics(&self) -> Statistics {
        unimplemented!()
    }

    /// Takes nothing more in, writes what waits, and ends the thread. A second call does nothing.
    ///
    /// # Errors
    /// If the journal has failed.
    pub fn close(&self) -> Result<(), JournalError> {
        unimplemented!()
    }
}
