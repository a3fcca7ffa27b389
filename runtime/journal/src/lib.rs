//! The append-only journal: numbered records in checksummed batches, one sync for each batch, in segments of fixed size.
//!
//! A record is a body and any number of blobs, all of them opaque bytes: this room never learns what a flow, an event or
//! an execution is. It is synchronous and knows no clock of its own; whoever opens it brings the disk and the time.
//! Start at [`Journal`]; the layout of the files is told in the module `format`.

mod config;
mod disk;
mod error;
mod format;
mod journal;
mod mark;
mod queue;
mod real;
mod recovery;
mod replay;
mod segment;
pub mod simulation;
mod survey;
mod writer;

pub use config::{Config, Work};
pub use disk::{Disk, DiskFile, FileEntry};
pub use error::{JournalError, OpenError, ReadError, ReplayError, SubmitError};
pub use journal::{Cut, Done, Entry, Journal, Placed, Recovered, Statistics};
pub use mark::{Mark, MarkError};
pub use real::{LockError, RealDisk};
pub use replay::{Replay, Replayed, SegmentRecords};
pub use segment::{Family, SegmentInfo};
pub use simulation::SimulatedDisk;
pub use survey::{Damage, DamageKind, Survey, Surveyed, survey};
