use std::io;
use std::sync::Arc;

/// One directory of files, as much of it as the journal needs. Everything here blocks.
pub trait Disk: Send + Sync + 'static {
    /// Makes a file of this length that reads as zeros, with its blocks reserved, so that writing into it cannot fail for
    /// want of space. Fails if the name is taken. Neither the file nor its name is durable yet.
    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens an existing file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// The regular files, in no particular order.
    fn list(&self) -> io::Result<Vec<FileEntry>>;

    /// Gives a file another name, in one step, replacing whatever had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a file's name away. Whoever has it open can go on reading.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes creations, renames and removals durable.
    fn sync_directory(&self) -> io::Result<()>;

    /// Bytes that could still be written.
    fn free_bytes(&self) -> io::Result<u64>;

    /// Eight bytes that nobody outside can foretell.
    fn random(&self) -> io::Result<u64>;
}

/// An open file.
pub trait DiskFile: Send + Sync {
    /// Writes all of `bytes` from `offset` on.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Fills all of `bytes` from `offset` on; [`io::ErrorKind::UnexpectedEof`] if the file ends before.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Makes what was written durable, and the file's length with it. After an error nothing is known of any write since
    /// the last success, and trying again proves nothing.
    fn sync_data(&self) -> io::Result<()>;
}

/// A file in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name within the directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}
