//! Whether what sled left behind can be trusted: a file beside its directory says how the last process ended.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const CLEAN: &str = "clean";
const RUNNING: &str = "running";

/// The file.
pub(crate) struct Session {
    directory: PathBuf,
    boot_id: String,
}

impl Session {
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        let boot_id = fs::read_to_string(BOOT_ID)?.trim().to_owned();
        Ok(Self { directory: directory.to_owned(), boot_id })
    }

    /// Whether the last process ended cleanly, or since this machine was started: then what it wrote last is still in the
    /// page cache, if it is not on the disk.
    pub(crate) fn is_trusted(&self) -> io::Result<bool> {
        let written = match fs::read_to_string(self.path()) {
            Ok(written) => written,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(cause) => return Err(cause),
        };
        Ok(match written.trim().split_once(' ') {
            Some((RUNNING, boot_id)) => boot_id == self.boot_id,
            _ => written.trim() == CLEAN,
        })
    }

    /// Notes that sled is being written.
    pub(crate) fn begin(&self) -> io::Result<()> {
        self.write(&format!("{RUNNING} {}\n", self.boot_id))
    }

    /// Notes that sled has been closed and is on the disk.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.write(&format!("{CLEAN}\n"))
    }

    /// Has the next start begin anew.
    pub(crate) fn distrust(&self) -> io::Result<()> {
        match fs::remove_file(self.path()) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
            _ => sync_directory(&self.directory),
        }
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let unfinished = self.path().with_extension("unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(text.as_bytes())?;
        rustix::fs::fdatasync(&file)?;
        fs::rename(&unfinished, self.path())?;
        sync_directory(&self.directory)
    }

    fn path(&self) -> PathBuf {
        self.directory.join("session")
    }
}

pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    Ok(rustix::fs::fsync(File::open(directory)?)?)
}
