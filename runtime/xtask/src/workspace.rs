use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

use crate::process;

/// What Cargo says of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    /// Where Cargo builds; `CARGO_TARGET_DIR` is honoured.
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) license: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// One line of a package's dependencies.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev`, `build`, or none for a normal one.
    pub(crate) kind: Option<String>,
    /// Where it lies, if it is ours.
    pub(crate) path: Option<PathBuf>,
}

/// Something that Cargo builds.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

impl Workspace {
    /// Our own packages.
    pub(crate) fn load() -> anyhow::Result<Self> {
        // Asked for now and not when this was built: checkouts that share a target folder share the program too.
        let folder = std::env::var_os("CARGO_MANIFEST_DIR").context("this runs as `cargo xtask`")?;
        Self::read(&["metadata", "--format-version", "1", "--no-deps"], Path::new(&folder))
    }

    /// Every package that is built for this kind of machine, those of others too.
    pub(crate) fn load_with_dependencies(&self) -> anyhow::Result<Self> {
        // Without the filter, Cargo would download what other platforms alone need.
        let arguments = ["metadata", "--format-version", "1", "--locked", "--filter-platform", "host-tuple"];
        Self::read(&arguments, &self.root)
    }

    fn read(arguments: &[&str], folder: &Path) -> anyhow::Result<Self> {
        let metadata = process::output(&mut process::cargo(arguments, folder))?;
        serde_json::from_slice(&metadata).context("cannot read what `cargo metadata` printed")
    }

    /// The path as seen from the root, for messages.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

impl Package {
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(Path::new(""))
    }
}
