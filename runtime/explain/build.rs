//! Puts the pages into the program, in the order of their codes.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("pages");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut pages = entries.collect::<io::Result<Vec<_>>>()?;
    // By code, not by file name: `.` sorts before letters, and so does the ending.
    pages.sort_by_key(|page| page.with_extension(""));
    let mut list = String::from("&[\n");
    for page in pages {
        let code = page.file_stem().unwrap_or_default().to_string_lossy();
        let _ = writeln!(list, "Page {{ code: {code:?}, text: include_str!({page:?}) }},");
    }
    list.push_str("]\n");
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("pages.rs"), list)
}
