//! The real host on the author's bench: what `test`, `invoke` and `compare` share.

use std::env;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use connection::{Secret, SecretRef, SecretSource, Unresolved};
use kit::{Case, Config, Kit, OpenError, Problem, Way};
use manifest::Manifest;
use model::{LogLine, RequestRecord};
use serde_json::Value;

use super::read;
use crate::screen::clean;
use crate::stop::{Exit, Stop};

/// The component of a plugin: a file, or what is built of a folder.
pub(super) fn component(plugin: &Path) -> anyhow::Result<Vec<u8>> {
    if plugin.is_dir() { read(&super::build::build(plugin)?.component) } else { read(plugin) }
}

/// What the component says of itself.
pub(super) fn manifest(component: &[u8], plugin: &Path) -> anyhow::Result<Manifest> {
    manifest::extract(component).with_context(|| format!("`{}` cannot be a plugin", plugin.display()))
}

/// Runs what needs the host: compiled code is kept with the user's other caches.
pub(super) fn with_kit<T, F>(component: Vec<u8>, way: Way, work: impl FnOnce(Kit) -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    block_on(async { work(open(component, way).await?).await })
}

/// Runs to its end what needs a runtime.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// Loads the component into the real host.
pub(super) async fn open(component: Vec<u8>, way: Way) -> anyhow::Result<Kit> {
    let config = Config { program: program()?, cache_folder: cache_folder(), secrets: Arc::new(Kept), way };
    Kit::open(config, component.into()).await.map_err(told)
}

/// The program that compiles plugins: this one.
pub(super) fn program() -> anyhow::Result<PathBuf> {
    env::current_exe().context("cannot find the program's own file")
}

/// What is wrong with a component is for its author to mend.
fn told(error: OpenError) -> anyhow::Error {
    let Some(code) = error.code() else { return error.into() };
    Stop::new(Exit::Faults, format!("{:#}", anyhow::Error::from(error))).explained(code).into()
}

pub(super) fn cache_folder() -> PathBuf {
    let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
    cache.unwrap_or_else(env::temp_dir).join("weir/compiled")
}

/// Secrets that a case does not write itself.
struct Kept;

impl SecretSource for Kept {
    fn read(&self, reference: &SecretRef) -> Result<Secret, Unresolved> {
        let text = match reference {
            SecretRef::Env(name) => env::var(name).ok(),
            SecretRef::File(file) => fs::read_to_string(file).ok(),
            SecretRef::Store(_) => None,
        };
        let text = text.ok_or_else(|| Unresolved::missing(reference))?;
        Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
    }
}

/// Reads the cases in these files, or tells every fault in all of them.
pub(super) fn read_cases(files: &[PathBuf]) -> anyhow::Result<Vec<(PathBuf, String, Case)>> {
    let (mut cases, mut faults) = (Vec::new(), Vec::new());
    for file in files {
        let shown = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read the case `{shown}`"))?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        match kit::read(&name, &text) {
            Ok(case) => cases.push((file.clone(), text, case)),
            Err(problems) => {
                faults.extend(problems.iter().map(|problem: &Problem| problem.to_line(&shown.to_string())));
            }
        }
    }
    if faults.is_empty() {
        return Ok(cases);
    }
    let title = format!("{} in the cases; nothing was run", crate::check::counted(faults.len(), "fault"));
    Err(Stop { exit: Exit::Faults, title, faults }.into())
}

/// A request in a line.
pub(super) fn show_request(request: &RequestRecord) -> String {
    let RequestRecord { method, origin, path, status, fault, duration_us, .. } = request;
    let end = match (status, fault) {
        (Some(status), _) => status.to_string(),
        (None, Some(fault)) => clean(fault),
        (None, None) => "no answer".to_owned(),
    };
    format!("{method} {}: {end} ({:.1} ms)", clean(&format!("{origin}{path}")), ms(*duration_us))
}

/// Where the plugin's code threw, a line for each place.
pub(super) fn show_places(fault: &Value) -> impl Iterator<Item = String> {
    let details = fault["details"].as_object().into_iter().flatten();
    let places = details.filter(|(name, _)| *name == "at" || *name == "source");
    places.map(|(_, place)| clean(&format!("at {}", place.as_str().unwrap_or_default())))
}

/// A line that the plugin logged.
pub(super) fn show_log(log: &LogLine) -> String {
    let fields = log.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect::<String>();
    format!("log {}: {}", format!("{:?}", log.level).to_lowercase(), clean(&format!("{}{fields}", log.message)))
}

/// What to add to the manifest, and where.
pub(super) fn show_manifest_lines(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str("denied: the manifest does not ask for it; to ask, add to weir-plugin.toml:\n");
        line.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    text
}

pub(super) fn ms(duration_us: u64) -> f64 {
    std::time::Duration::from_micros(duration_us).as_secs_f64() * 1000.0
}
