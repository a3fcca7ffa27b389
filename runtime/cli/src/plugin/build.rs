//! `weir plugin build`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;
use toolchain::{BuildError, Built};

use crate::screen::Screen;
use crate::stop::{Exit, Stop};

#[derive(Args)]
pub(crate) struct Build {
    /// The plugin's folder.
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
}

impl Build {
    pub(crate) fn run(self, screen: &Screen) -> anyhow::Result<Exit> {
        let started = Instant::now();
        let Built { language, manifest, component } = build(&self.folder)?;
        let bytes = fs::metadata(&component)?.len();
        if screen.json {
            let (id, version) = (&manifest.id, &manifest.version);
            let all = json!({ "component": component, "id": id, "version": version, "bytes": bytes });
            screen.print(&format!("{all}\n"))?;
            return Ok(Exit::Done);
        }
        let (id, version, seconds) = (&manifest.id, &manifest.version, started.elapsed().as_secs_f64());
        let (file, kib) = (component.strip_prefix(".").unwrap_or(&component).display(), bytes.div_ceil(1024));
        screen.print(&format!("built {id} {version} from {language} in {seconds:.1} s: {file} ({kib} KiB)\n"))?;
        Ok(Exit::Done)
    }
}

/// Builds the project in the folder.
pub(crate) fn build(folder: &Path) -> anyhow::Result<Built> {
    toolchain::build(folder).map_err(|error| match &error {
        BuildError::Manifest { .. } | BuildError::NoProject { .. } => {
            Stop { exit: Exit::Faults, title: error.to_string(), faults: error.faults() }.into()
        }
        _ => error.into(),
    })
}
