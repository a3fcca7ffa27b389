use std::io;
use std::sync::Arc;

/// The journal has failed, for good: an operation on the disk returned an error, and what it left behind is not known.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {operation} `{file}` of the journal")]
pub struct JournalError {
    /// What was tried, as a verb.
    pub operation: &'static str,
    /// With which file.
    pub file: String,
    /// What the disk said.
    #[source]
    pub cause: Arc<io::Error>,
}

/// Why an entry was not taken. Its `done` has not been called and will not be.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SubmitError {
    /// Too much waits to be written; try again later.
    #[error("{waiting_bytes} bytes wait to be written to the journal already, and {waiting_bytes_max} may")]
    Full {
        /// Bytes waiting.
        waiting_bytes: usize,
        /// The limit, [`Config::queue_bytes_max`](crate::Config::queue_bytes_max).
        waiting_bytes_max: usize,
    },
    /// It would not fit into a segment.
    #[error("a record of {bytes} bytes does not fit into a segment of the journal, which has room for {bytes_max}")]
    TooLarge {
        /// What it needs, frames included.
        bytes: u64,
        /// What there is.
        bytes_max: u64,
    },
    /// [`Journal::close`](crate::Journal::close) has been called.
    #[error("the journal is closed")]
    Closed,
    /// The journal has failed.
    #[error("the journal has failed")]
    Failed(#[source] JournalError),
}

/// Why bytes could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The segment has been retired.
    #[error("segment `{file}` has been retired")]
    Gone {
        /// The file that it was.
        file: String,
    },
    /// What lies there is not what was written there.
    #[error("`{file}` is damaged at byte {offset}")]
    Damaged {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
    },
    /// The disk failed.
    #[error("cannot read `{file}` at byte {offset}")]
    Io {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What the disk said.
        #[source]
        cause: io::Error,
    },
}

/// Why records could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The journal ends before the first record wanted: it is older than whatever the mark was kept with.
    #[error("record {wanted} was to be replayed, but the journal ends before record {next}")]
    Ahead {
        /// The first sequence that the mark asks for.
        wanted: u64,
        /// The sequence that the next record will get.
        next: u64,
    },
    /// Records are missing although none after them were retired.
    #[error("record {wanted} is missing from the journal, where record {found} follows")]
    Missing {
        /// The sequence that should have come.
        wanted: u64,
        /// The sequence that came.
        found: u64,
    },
    /// The files could not be read.
    #[error("cannot read the journal's records")]
    Read(#[from] ReadError),
}

/// Why a journal was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// What should be there is not, and it is not the end of the journal.
    #[error(
        "`{file}` is damaged at byte {offset}, which is not where the journal ends; nothing has been changed; \
         `weir doctor` tells what can be saved"
    )]
    Damaged {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
    },
    /// A segment has been taken away.
    #[error("segment `{file}` is missing; put it back, or let `weir doctor` tell what can be saved without it")]
    Missing {
        /// The file.
        file: String,
    },
    /// The file was written by another version.
    #[error(
        "`{file}` has version {found} of the journal's format and this Weir reads version {known}; start the version of \
         Weir that wrote it"
    )]
    UnknownVersion {
        /// The file.
        file: String,
        /// The version that it has.
        found: u8,
        /// The version that is known.
        known: u8,
    },
    /// The configuration cannot work.
    #[error("segments of {bytes} bytes: at least {bytes_min} are needed")]
    SegmentTooSmall {
        /// What was asked for.
        bytes: u32,
        /// The least.
        bytes_min: u32,
    },
    /// The disk failed.
    #[error(transparent)]
    Disk(#[from] JournalError),
}
