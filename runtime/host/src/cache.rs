use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use wasmtime::Engine;

/// Compiled components that are kept; the ones written longest ago go first.
const FILES_MAX: usize = 256;

/// Compiled code that this host made, in a folder that nobody else can write. A file bears the digest of the component and
/// of its own content, so that one that was torn by a power cut is not mistaken for code.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens the part of the cache that fits the engine, and removes the parts that fitted older ones.
    pub(crate) fn open(root: &Path, engine: &Engine) -> io::Result<Self> {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let name = format!("{:016x}", hasher.finish());
        let folder = root.join(&name);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            if entry.file_name() != name.as_str() && entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(Self { folder })
    }

    /// The code of the component with this digest, if it is there and whole.
    pub(crate) fn read(&self, digest: &str) -> Option<Vec<u8>> {
        let prefix = format!("{}.", hex_of(digest));
        let entries = fs::read_dir(&self.folder).ok()?;
        entries.flatten().find_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let expected = name.strip_prefix(&prefix)?;
            let code = fs::read(entry.path()).ok()?;
            (checksum(&code) == expected).then_some(code)
        })
    }

    /// Keeps the code of the component with this digest.
    pub(crate) fn write(&self, digest: &str, code: &[u8]) -> io::Result<()> {
        let path = self.folder.join(format!("{}.{}", hex_of(digest), checksum(code)));
        let being_written = self.folder.join(format!("writing-{}", std::process::id()));
        fs::write(&being_written, code)?;
        fs::rename(&being_written, &path)?;
        self.prune()
    }

    fn prune(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            files.push((entry.metadata()?.modified().unwrap_or(SystemTime::UNIX_EPOCH), entry.path()));
        }
        files.sort();
        let superfluous = files.len().saturating_sub(FILES_MAX);
        files.iter().take(superfluous).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

fn hex_of(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

fn checksum(code: &[u8]) -> String {
    hex::encode(Sha256::digest(code))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_was_written_is_found_and_what_was_torn_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("cache");
        let engine = Engine::default();
        fs::create_dir_all(root.join("0123456789abcdef")).expect("a folder of an older engine");
        let cache = Cache::open(&root, &engine).expect("opens");
        assert!(!root.join("0123456789abcdef").exists());
        assert_eq!(fs::metadata(&cache.folder).expect("there").permissions().mode() & 0o777, 0o700);
        assert_eq!(cache.read("sha256:aa"), None);
        cache.write("sha256:aa", b"code").expect("writes");
        assert_eq!(cache.read("sha256:aa").as_deref(), Some(&b"code"[..]));
        let path = fs::read_dir(&cache.folder).expect("readable").next().expect("a file").expect("readable").path();
        fs::write(&path, b"cod\0").expect("writes");
        assert_eq!(cache.read("sha256:aa"), None);
    }
}
