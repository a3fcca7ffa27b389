use std::path::{Path, PathBuf};

use manifest::Manifest;

use crate::workshop::Workshop;
use crate::{BuildError, Language, read_manifest};

/// A program that answers the calls of a plugin.
#[derive(Debug)]
pub struct Native {
    /// What its project is written in.
    pub language: Language,
    /// What the plugin says of itself.
    pub manifest: Manifest,
    /// What is started, in the project's folder.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Added to the environment.
    pub environment: Vec<(String, String)>,
}

/// How a program is started.
pub(crate) struct Start {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

/// Prepares the plugin in this folder to be run without WebAssembly, where its language has that to give: a change is there at
/// once, or after a build of half a second. None: it is built as a component, which takes no longer.
///
/// # Errors
/// Whatever is wrong with the project or missing on the machine, with what to do.
pub fn native(folder: &Path) -> Result<Option<Native>, BuildError> {
    let language = Language::of(folder)?;
    let manifest = read_manifest(folder)?;
    let workshop = Workshop { folder, manifest: &manifest, programs: None };
    let Some(Start { program, arguments, environment }) = language.native(&workshop)? else { return Ok(None) };
    Ok(Some(Native { language, manifest, program, arguments, environment }))
}

/// A path that is the same wherever a program runs.
pub(crate) fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}
