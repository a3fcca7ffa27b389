//! Builds the plugins for Weir's sandbox, each with its manifest in it, into one stable folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, anyhow, bail};
use toolchain::MANIFEST;

use crate::process;
use crate::workspace::{Package, Workspace};

const TARGET: &str = "wasm32-wasip2";
const PROFILE: &str = "plugin";

/// Where the built plugins lie: `NAME.wasm`, by the folder's name.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("weir-plugins")
}

/// Builds what is not fresh; gives the folder.
pub(crate) fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let started = Instant::now();
    let plugins: Vec<&Package> =
        workspace.packages.iter().filter(|package| package.folder().join(MANIFEST).is_file()).collect();
    let output = folder(workspace);
    fs::create_dir_all(&output).with_context(|| format!("cannot create {}", output.display()))?;
    if plugins.is_empty() {
        return Ok(output);
    }
    add_target(workspace)?;
    let mut arguments = vec!["build", "--quiet", "--target", TARGET, "--profile", PROFILE];
    arguments.extend(plugins.iter().flat_map(|plugin| ["-p", plugin.name.as_str()]));
    process::run(&mut process::cargo(&arguments, &workspace.root))?;
    let mut written = 0;
    for plugin in &plugins {
        written += usize::from(embed(workspace, plugin, &output)?);
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("guests: {} plugins, {written} of them new, in {seconds:.1} s: {}", plugins.len(), output.display());
    Ok(output)
}

/// The toolchain's own standard library for the sandbox; a second call finds it there.
fn add_target(workspace: &Workspace) -> anyhow::Result<()> {
    let installed =
        process::output(&mut process::command("rustup", &["target", "list", "--installed"], &workspace.root))
            .with_context(|| format!("rustup is needed to add the target {TARGET}"))?;
    if String::from_utf8_lossy(&installed).lines().any(|line| line == TARGET) {
        return Ok(());
    }
    process::run(&mut process::command("rustup", &["target", "add", TARGET], &workspace.root))
}

/// Puts the manifest into the built component, unless what lies there is newer than both; gives whether it did.
fn embed(workspace: &Workspace, plugin: &Package, output: &Path) -> anyhow::Result<bool> {
    let folder = plugin.folder();
    let name = folder.file_name().and_then(|name| name.to_str()).context("the plugin's folder has no name")?;
    let built = workspace.target.join(TARGET).join(PROFILE).join(format!("{}.wasm", plugin.name.replace('-', "_")));
    let finished = output.join(format!("{name}.wasm"));
    let newest = newest(&[built.clone(), folder.join(MANIFEST), folder.join("schemas")])?;
    if fs::metadata(&finished).and_then(|finished| finished.modified()).is_ok_and(|finished| finished > newest) {
        return Ok(false);
    }
    let manifest = toolchain::read_manifest(folder).map_err(|error| {
        let faults = error.faults().join("\n");
        anyhow!("{error}\n{faults}")
    })?;
    toolchain::finish(&manifest, &built, &finished).with_context(|| format!("plugin `{name}`"))?;
    Ok(true)
}

/// When any of the files was last changed; folders are looked through, one level deep. A path may be missing.
fn newest(paths: &[PathBuf]) -> anyhow::Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for path in paths {
        let files = match fs::read_dir(path) {
            Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?,
            Err(_) => vec![path.clone()],
        };
        for file in files.iter().filter(|file| file.exists()) {
            newest = newest.max(fs::metadata(file)?.modified()?);
        }
    }
    if newest == SystemTime::UNIX_EPOCH {
        bail!("nothing was built: {} is missing", paths[0].display());
    }
    Ok(newest)
}
