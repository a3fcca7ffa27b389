//! Doing something again whenever a project's files have changed.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

/// Between two looks at the files: soon enough for whoever has just saved one.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Folders that hold what is made of a project, and what others wrote.
const NOT_LOOKED_AT: [&str; 4] = ["build", "target", "node_modules", "__pycache__"];

/// Does it now and after every change in the folder, until the program is ended.
pub(super) fn again_and_again(folder: &Path, mut work: impl FnMut()) -> ! {
    loop {
        // Taken before, so that what is saved in the meantime counts as a change.
        let before = state(folder).ok();
        work();
        eprintln!("weir: waiting for a change in {}; Ctrl-C ends it", folder.display());
        while state(folder).ok() == before {
            thread::sleep(LOOK_EVERY);
        }
    }
}

/// What tells one content of a folder from another without reading it.
pub(crate) type State = (u32, SystemTime);

/// How many files there are, and when the latest was changed.
pub(crate) fn state(folder: &Path) -> io::Result<State> {
    let (mut files, mut latest) = (0, SystemTime::UNIX_EPOCH);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || NOT_LOOKED_AT.contains(&&*name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            let (more, changed) = state(&entry.path())?;
            (files, latest) = (files + more, latest.max(changed));
        } else if !name.ends_with(".wasm") && name != "Cargo.lock" {
            (files, latest) = (files + 1, latest.max(entry.metadata()?.modified()?));
        }
    }
    Ok((files, latest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_no_change_and_what_is_written_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str| {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("is made");
            fs::write(file, path).expect("is written");
        };
        write("cases/a.yaml");
        let before = state(folder.path()).expect("is read");
        ["target/x", "build/x", "a.wasm", ".git/index", "Cargo.lock"].into_iter().for_each(write);
        assert_eq!(state(folder.path()).expect("is read"), before);
        write("cases/b.yaml");
        assert_ne!(state(folder.path()).expect("is read"), before);
    }
}
