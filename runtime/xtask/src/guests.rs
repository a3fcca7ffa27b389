//! Builds the plugins for Weir's sandbox, each with its manifest in it, into one stable folder.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, anyhow, bail, ensure};
use manifest::{FILE as MANIFEST, Manifest};

use crate::workspace::{Package, Workspace};
use crate::{languages, process};

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

/// Builds the plugins in other languages with this Weir, as their authors do. One that cannot be built keeps none of the others
/// from it: its toolchain may be one that cannot be had here.
pub(crate) fn build_others(workspace: &Workspace, weir: &Path) -> anyhow::Result<()> {
    let started = Instant::now();
    let (folders, output) = (in_other_languages(workspace)?, folder(workspace));
    let (mut written, mut failures) = (0, Vec::new());
    for folder in &folders {
        match build_other(workspace, folder, weir, &output) {
            Ok(is_new) => written += usize::from(is_new),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    let (plugins, seconds) = (folders.len(), started.elapsed().as_secs_f64());
    println!("guests: {plugins} plugins in other languages, {written} of them new, in {seconds:.1} s");
    ensure!(failures.is_empty(), "{}", failures.join("; "));
    Ok(())
}

/// The plugins that are no packages of this workspace: first-party ones, and the examples of SDKs.
fn in_other_languages(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    let places = ["plugins/*", "sdk/*/*"].map(|place| format!(":(glob){place}/{MANIFEST}"));
    let listed = process::output(process::command("git", &["ls-files"], &workspace.root).args(places))?;
    let listed = String::from_utf8_lossy(&listed).into_owned();
    let folders = listed.lines().filter_map(|file| Path::new(file).parent()).map(|folder| workspace.root.join(folder));
    let is_package = |folder: &PathBuf| workspace.packages.iter().any(|package| package.folder() == folder);
    Ok(folders.filter(|folder| !is_package(folder)).collect())
}

/// Builds a plugin unless nothing has changed since the last time; gives whether it did.
fn build_other(workspace: &Workspace, folder: &Path, weir: &Path, output: &Path) -> anyhow::Result<bool> {
    let name = folder.file_name().and_then(|name| name.to_str()).context("the plugin's folder has no name")?;
    let (finished, stamp) = (output.join(format!("{name}.wasm")), output.join(format!("{name}.sources")));
    let sources = digest(workspace, folder)?;
    if finished.is_file() && fs::read_to_string(&stamp).is_ok_and(|built| built == sources) {
        return Ok(false);
    }
    let mut build = process::command(weir, &["plugin", "build", "."], folder);
    process::run(build.env("PATH", languages::prepare(workspace)?)).with_context(|| format!("plugin `{name}`"))?;
    let built = folder.join(format!("{name}.wasm"));
    fs::rename(&built, &finished).or_else(|_| fs::copy(&built, &finished).map(drop))?;
    fs::write(&stamp, sources).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(true)
}

/// Tells one state of the sources from another: of the plugin, of its SDK, and of what builds both.
fn digest(workspace: &Workspace, folder: &Path) -> anyhow::Result<String> {
    let (sdk, _) = languages::of(folder).with_context(|| format!("no project in {}", folder.display()))?;
    let mut list =
        process::command("git", &["ls-files", "--cached", "--others", "--exclude-standard"], &workspace.root);
    let listed = process::output(list.arg(folder).args([sdk, "wit", "runtime/toolchain/src", "runtime/manifest/src"]))?;
    let mut hasher = DefaultHasher::new();
    for file in String::from_utf8_lossy(&listed).lines() {
        // A file that was deleted is listed until that is committed.
        (file, fs::read(workspace.root.join(file)).ok()).hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
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
    let manifest = Manifest::of_folder(folder).map_err(|problems| {
        let faults: Vec<_> = problems.iter().map(|problem| format!("{name}/{MANIFEST}:{problem}")).collect();
        anyhow!(faults.join("\n"))
    })?;
    let component = manifest::embed(&fs::read(&built)?, &manifest).with_context(|| format!("plugin `{name}`"))?;
    fs::write(&finished, component).with_context(|| format!("cannot write {}", finished.display()))?;
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
