use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ArtefactError;

/// A file that is on the disk, and not yet under its name. Dropped, it is gone.
#[derive(Debug)]
pub struct Staged {
    unfinished: PathBuf,
    file: PathBuf,
}

impl Staged {
    /// Writes the file beside its place, and makes the folder that it is to lie in.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(file: &Path, bytes: &[u8]) -> Result<Self, ArtefactError> {
        stage(file, bytes).map_err(ArtefactError::file("write", file))
    }

    /// Gives it its name, in place of what had that.
    ///
    /// # Errors
    /// It cannot have it.
    pub fn put(self) -> Result<(), ArtefactError> {
        fs::rename(&self.unfinished, &self.file).map_err(ArtefactError::file("write", &self.file))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // It has its name by now, or is of no use; and nothing better can be done if it does not go.
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// Writes a file whole or not at all.
pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<(), ArtefactError> {
    Staged::write(file, bytes)?.put()
}

fn stage(file: &Path, bytes: &[u8]) -> io::Result<Staged> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Else it would be seen only when the file is to have its name.
    if file.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    file.parent().map_or(Ok(()), fs::create_dir_all)?;
    // Two commands may write the same file at the same time, and none may write through a link that lies there.
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let unfinished = file.with_file_name(format!(".{name}.{}-{count}.unfinished", process::id()));
    let mut opened = OpenOptions::new().write(true).create_new(true).open(&unfinished)?;
    let staged = Staged { unfinished, file: file.to_owned() };
    opened.write_all(bytes)?;
    opened.sync_all()?;
    Ok(staged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("new/crm.wasm");
        let (first, second) =
            (Staged::write(&file, b"1").expect("stages"), Staged::write(&file, b"2").expect("stages"));
        assert!(!file.exists());
        first.put().expect("has its name");
        drop(second);
        assert_eq!(fs::read(&file).expect("is there"), b"1");
        assert_eq!(fs::read_dir(file.parent().expect("has one")).expect("reads").count(), 1);
    }
}
