//! Puts the SDKs into the program, so that `weir plugin new` writes projects that need nothing of this tree.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What of an SDK goes along with a plugin: what builds it, and not what tests the SDK itself.
const RUST: [&str; 4] = ["Cargo.toml", "README.md", "src", "wit"];

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../sdk/rust");
    let mut list = String::from("&[\n");
    for part in RUST {
        let path = root.join(part);
        println!("cargo::rerun-if-changed={}", path.display());
        add(&root, &path, &mut list)?;
    }
    list.push_str("]\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("sdk_rust.rs"), list)
}

/// Adds a file, or everything in a folder, as the path in the SDK and the text.
fn add(root: &Path, path: &Path, list: &mut String) -> io::Result<()> {
    if !path.is_dir() {
        let name = path.strip_prefix(root).unwrap_or(path);
        let _ = writeln!(list, "({:?}, include_str!({:?})),", name, path.canonicalize()?);
        return Ok(());
    }
    let entries = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.iter().try_for_each(|path| add(root, path, list))
}
