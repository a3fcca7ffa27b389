use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Disk, DiskFile, FileEntry};

/// A directory of the machine, locked for as long as this value lives.
pub struct RealDisk {}

/// Why a directory could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "`{directory}` is in use by {}; stop that one first, or give this one another directory",
        holder.map_or("another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// The process that has it, where it is known.
        holder: Option<u32>,
    },
    /// The disk failed.
    #[error("cannot lock `{directory}`")]
    Io {
        /// The directory.
        directory: PathBuf,
        /// What the disk said.
        #[source]
        cause: io::Error,
    },
}

impl RealDisk {
    /// Takes the directory, which is made if it is not there, with access for its owner only.
    ///
    /// # Errors
    /// If another process has it, or the disk fails.
    pub fn new(_directory: impl AsRef<Path>) -> Result<Self, LockError> {
        unimplemented!()
    }
}

impl Disk for RealDisk {
    fn create(&self, _name: &str, _bytes: u64) -> io::Result<Arc<dyn DiskFile>> {
        unimplemented!()
    }
    fn open(&self, _name: &str) -> io::Result<Arc<dyn DiskFile>> {
        unimplemented!()
    }
    fn list(&self) -> io::Result<Vec<FileEntry>> {
        unimplemented!()
    }
    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        unimplemented!()
    }
    fn remove(&self, _name: &str) -> io::Result<()> {
        unimplemented!()
    }
    fn sync_directory(&self) -> io::Result<()> {
        unimplemented!()
    }
    fn free_bytes(&self) -> io::Result<u64> {
        unimplemented!()
    }
    fn random(&self) -> io::Result<u64> {
        unimplemented!()
    }
}
