use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FallocateFlags, FlockOperation, Mode, OFlags};

use crate::{Disk, DiskFile, FileEntry};

const LOCK: &str = "lock";

/// A directory of the machine, locked for as long as this value lives.
pub struct RealDisk {
    path: PathBuf,
    directory: File,
    access: OFlags,
    /// Holds the lock, which ends with the descriptor, however the process ends.
    _lock: File,
}

/// Why a directory could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "`{}` is in use by {}; stop that one first, or give this one another directory",
        directory.display(),
        holder.map_or("another process".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// The process that has it, where it is known.
        holder: Option<u32>,
    },
    /// The disk failed.
    #[error("cannot lock `{}`", directory.display())]
    Io {
        /// The directory.
        directory: PathBuf,
        /// What the disk said.
        #[source]
        cause: io::Error,
    },
}

impl RealDisk {
    /// Takes the directory, which is made if it is not there.
    ///
    /// # Errors
    /// If another process has it, or the disk fails.
    pub fn new(directory: impl AsRef<Path>) -> Result<Self, LockError> {
        let path = directory.as_ref();
        let io = |cause| LockError::Io { directory: path.to_owned(), cause };
        let directory = make_directory(path).map_err(io)?;
        let lock = open_at(&directory, LOCK, OFlags::CREATE | OFlags::RDWR).map_err(io)?;
        take(&lock, path, FlockOperation::NonBlockingLockExclusive)?;
        note_holder(&lock).map_err(io)?;
        Ok(Self { path: path.to_owned(), directory, access: OFlags::RDWR, _lock: lock })
    }

    /// Takes a directory that is there for reading alone, and leaves no trace in it.
    ///
    /// # Errors
    /// If there is no journal, another process has it, or the disk fails.
    pub fn read_only(directory: impl AsRef<Path>) -> Result<Self, LockError> {
        let path = directory.as_ref();
        let io = |cause| LockError::Io { directory: path.to_owned(), cause };
        let directory = File::open(path).map_err(io)?;
        let lock = open_at(&directory, LOCK, OFlags::RDONLY).map_err(io)?;
        take(&lock, path, FlockOperation::NonBlockingLockShared)?;
        Ok(Self { path: path.to_owned(), directory, access: OFlags::RDONLY, _lock: lock })
    }
}

fn take(lock: &File, directory: &Path, how: FlockOperation) -> Result<(), LockError> {
    match rustix::fs::flock(lock, how) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(LockError::InUse { directory: directory.to_owned(), holder: read_holder(lock) })
        }
        Err(errno) => Err(LockError::Io { directory: directory.to_owned(), cause: errno.into() }),
    }
}

/// Opens the directory, made durable in its parent if it is new.
fn make_directory(path: &Path) -> io::Result<File> {
    if !path.is_dir() {
        std::fs::create_dir_all(path)?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        rustix::fs::fsync(File::open(parent)?)?;
    }
    File::open(path)
}

fn read_holder(lock: &File) -> Option<u32> {
    let mut digits = [0; 10];
    let length = lock.read_at(&mut digits, 0).ok()?;
    std::str::from_utf8(&digits[..length]).ok()?.trim().parse().ok()
}

fn note_holder(lock: &File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.write_all_at(std::process::id().to_string().as_bytes(), 0)
}

/// For its owner only: what lies here are other people's data.
fn open_at(directory: &File, name: &str, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR)?.into())
}

impl Disk for RealDisk {
    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>> {
        let file = open_at(&self.directory, name, OFlags::CREATE | OFlags::EXCL | OFlags::RDWR)?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes) {
            // Some file systems cannot reserve; there a write may still find the disk full, and ends the journal.
            Err(rustix::io::Errno::OPNOTSUPP) => file.set_len(bytes)?,
            reserved => reserved?,
        }
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(open_at(&self.directory, name, self.access)?)))
    }

    fn list(&self) -> io::Result<Vec<FileEntry>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            if let (true, Some(name)) = (metadata.is_file(), entry.file_name().to_str()) {
                files.push(FileEntry { name: name.to_owned(), bytes: metadata.len() });
            }
        }
        Ok(files)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.directory, from, &self.directory, to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.directory, name, AtFlags::empty())?)
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.directory)?)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = rustix::fs::fstatvfs(&self.directory)?;
        Ok(state.f_bavail.saturating_mul(state.f_frsize))
    }

    fn random(&self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(u64::from_le_bytes(bytes))
    }
}

struct RealFile(File);

impl DiskFile for RealFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read_exact_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(rustix::fs::fdatasync(&self.0)?)
    }
}
