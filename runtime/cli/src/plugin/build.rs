//! `weir plugin build`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;
use toolchain::{BuildError, Built, Native};

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

fn preinitialise(module: &[u8]) -> Result<Vec<u8>, String> {
    host::preinitialise(module).map_err(|error| error.to_string())
}

/// Prepares the project in the folder to run without WebAssembly, if its language can.
pub(crate) fn native(folder: &Path) -> anyhow::Result<Option<Native>> {
    toolchain::native(folder).map_err(told)
}

fn told(error: BuildError) -> anyhow::Error {
    match &error {
        BuildError::Manifest { .. } | BuildError::NoProject { .. } => {
            Stop { exit: Exit::Faults, title: error.to_string(), faults: error.faults() }.into()
        }
        _ => error.into(),
    }
}

/// Builds the project in the folder, and judges what came of it as an operator's Weir would: a role that the manifest names
/// and the code lacks is told to its author first.
pub(crate) fn build(folder: &Path) -> anyhow::Result<Built> {
    let built = toolchain::build(folder, preinitialise).map_err(told)?;
    host::judge(&super::read(&built.component)?).map_err(|error| {
        let (code, file) = (error.code(), built.component.strip_prefix(".").unwrap_or(&built.component).display());
        let title = format!("`{file}` was built and cannot be a plugin: {:#}", anyhow::Error::from(error));
        Stop::new(Exit::Faults, title).explained(code)
    })?;
    Ok(built)
}
