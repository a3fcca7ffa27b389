use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file whole or not at all: it is on the disk before it has its name, and the name before this returns.
pub(crate) fn write(file: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // A new one each time: what lay there already would keep its rights, or lead elsewhere.
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let unfinished = file.with_file_name(format!(".{name}.{}-{count}.unfinished", process::id()));
    let written =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished).and_then(|mut opened| {
            opened.write_all(bytes)?;
            opened.sync_all()?;
            fs::rename(&unfinished, file)
        });
    if written.is_err() {
        // It is of no use, and nothing better can be done if it does not go.
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_lies_there_gives_a_new_file_neither_its_rights_nor_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("master.key");
        // Left behind by a crash, or put there by somebody else.
        fs::write(folder.path().join("elsewhere"), "").expect("writes");
        std::os::unix::fs::symlink("elsewhere", folder.path().join("master.unfinished")).expect("links");
        fs::write(&file, "old").expect("writes");
        write(&file, b"new", 0o600).expect("writes");
        assert_eq!(fs::read(&file).expect("is there"), b"new");
        assert_eq!(fs::metadata(&file).expect("is there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(folder.path().join("elsewhere")).expect("is there"), b"");
        fs::create_dir(folder.path().join("folder")).expect("makes");
        write(&folder.path().join("folder"), b"", 0o600).expect_err("is a folder");
        assert_eq!(fs::read_dir(folder.path()).expect("reads").count(), 4);
    }
}
