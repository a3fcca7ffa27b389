//! Puts the SDKs and the templates into the program, so that `weir plugin new` writes projects that need nothing of this
//! tree.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// What of an SDK goes along with a plugin: what builds and tests it, and not what tests the SDK itself.
const SDKS: [(&str, &[&str]); 4] = [
    ("rust", &["Cargo.toml", "GUIDE.md", "README.md", "src", "wit"]),
    ("js", &["GUIDE.md", "README.md", "build", "generated", "package.json", "wit"]),
    ("python", &["GUIDE.md", "README.md", "pyproject.toml", "src"]),
    ("go", &["", "internal", "nethttp", "weirtest", "wit"]),
];

/// How names end of what stays here of an SDK: its own tests and tools, and what a run of it leaves behind.
const LEFT_OUT: [&str; 4] = ["_test.go", ".sh", ".pyc", "__pycache__"];

fn main() -> io::Result<()> {
    let sdk = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../sdk");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for (language, parts) in SDKS {
        let root = sdk.join(language);
        let mut list = String::from("&[\n");
        for part in parts {
            add(&root, &root.join(part), !part.is_empty(), &LEFT_OUT, &mut list)?;
        }
        fs::write(out.join(format!("sdk_{language}.rs")), list + "]\n")?;
    }
    let root = sdk.join("scaffold");
    let mut list = String::from("&[\n");
    for entry in sorted(&root)?.into_iter().filter(|entry| entry.is_dir()) {
        add(&root, &entry, true, &[], &mut list)?;
    }
    fs::write(out.join("scaffold.rs"), list + "]\n")
}

/// Adds a file, or the files of a folder and of the folders in it, as the path from the root and the text.
fn add(root: &Path, path: &Path, is_deep: bool, left_out: &[&str], list: &mut String) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", path.display());
    if !path.is_dir() {
        let name = path.strip_prefix(root).unwrap_or(path);
        let _ = writeln!(list, "({:?}, include_str!({:?})),", name, path.canonicalize()?);
        return Ok(());
    }
    let entries = sorted(path)?.into_iter().filter(|entry| {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        !left_out.iter().any(|end| name.ends_with(end)) && (is_deep || entry.is_file())
    });
    entries.into_iter().try_for_each(|entry| add(root, &entry, is_deep, left_out, list))
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
