//! Doing something again whenever a project's files have changed.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, FileType};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

/// Between two looks at the files: soon enough for whoever has just saved one.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Folders that hold what is made of a project, and what others wrote.
const NOT_LOOKED_AT: [&str; 4] = ["build", "target", "node_modules", "__pycache__"];

/// Does it now and after every change in the folder, or in the file beside it, until the program is ended.
pub(super) fn again_and_again(folder: &Path, file: Option<&Path>, mut work: impl FnMut()) -> ! {
    let look = || (state(folder, &is_source), file.map(changed));
    loop {
        // Taken before, so that what is saved in the meantime counts as a change.
        let before = look();
        work();
        eprintln!("weir: waiting for a change in {}; Ctrl-C ends it", folder.display());
        while look() == before {
            thread::sleep(LOOK_EVERY);
        }
    }
}

/// What tells one content of a folder from another without reading its files: which there are, and when each was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State(u64);

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The state of the files below the folder that are meant, and of no folder that is not. What cannot be looked at counts as
/// what it is: something that may be looked at later. Links are not followed, or a circle of them would have no end.
pub(crate) fn state(folder: &Path, is_meant: &dyn Fn(&Path, FileType) -> bool) -> State {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if name.starts_with('.') || NOT_LOOKED_AT.contains(&&*name) || !is_meant(&path, kind) {
                continue;
            }
            match kind.is_dir() {
                true => folders.push(path),
                false => drop(found.insert((changed(&path), path))),
            }
        }
    }
    let mut hash = DefaultHasher::new();
    found.hash(&mut hash);
    State(hash.finish())
}

/// What a plugin is made of.
pub(crate) fn is_source(path: &Path, kind: FileType) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    kind.is_dir() || !(name.ends_with(".wasm") || name == "Cargo.lock")
}

fn changed(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
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
        let state = || state(folder.path(), &is_source);
        write("cases/a.yaml");
        let before = state();
        ["target/x", "build/x", "a.wasm", ".git/index", "Cargo.lock"].into_iter().for_each(write);
        assert_eq!(state(), before);
        write("cases/b.yaml");
        let both = state();
        assert_ne!(both, before);
        let [from, to] = ["cases/b.yaml", "cases/c.yaml"].map(|name| folder.path().join(name));
        fs::rename(&from, &to).expect("is renamed");
        assert_ne!(state(), both, "a rename changes neither number nor times");
        fs::rename(&to, &from).expect("is renamed");
        assert_eq!(state(), both);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("cases/circle")).expect("is linked");
        assert_ne!(state(), both);
    }
}
