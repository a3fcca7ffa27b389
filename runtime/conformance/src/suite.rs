use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use connection::{Secret, SecretRef, SecretSource, Unresolved};
use engine::AdminError;
use futures_util::future::BoxFuture;
use kit::{Kit, OpenError, Way};
use manifest::{Manifest, ReadManifestError};
use serde_json::{Map, Value};

use crate::bench::{Bench, Measure};
use crate::checks::CHECKS;
use crate::destination::Destination;
use crate::report::{Checked, Outcome, Report};

/// The version of the suite. It grows when a check is added or begins to ask for more; an id is never used anew.
pub const SUITE: u32 = 2;

/// How many hostile inputs each entry point is given unless more are asked for.
pub const FUZZ: u32 = 256;

/// What of hostile inputs follows from. The same in every run, so that a report can be made again.
const SEED: u64 = 0x7765_6972;

/// What must hold for a plugin.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// `W` and three digits. Never used for anything else.
    pub id: &'static str,
    /// What must hold, in a few words that go on from the id.
    pub title: &'static str,
    /// What to do where it does not, in a sentence.
    pub cure: &'static str,
    /// What is checked, why, and how to mend it: Markdown.
    pub page: &'static str,
    pub(crate) look: Look,
}

/// What a check looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Look {
    /// Whether the host takes the component at all.
    Load,
    /// What the plugin says of itself.
    Manifest(fn(&Manifest) -> Found),
    /// What it does.
    Calls(for<'a> fn(&'a Bench) -> Finding<'a>),
}

/// What comes of calls.
pub(crate) type Finding<'a> = BoxFuture<'a, Result<Found, OpenError>>;

/// What a check found.
#[derive(Debug)]
pub(crate) struct Found {
    outcome: Outcome,
    seen: Vec<String>,
}

impl Found {
    /// Everything holds that was looked at.
    pub(crate) fn ok(looked_at: impl Into<String>) -> Self {
        Self { outcome: Outcome::Ok, seen: vec![looked_at.into()] }
    }

    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self { outcome: Outcome::Skipped, seen: vec![why.into()] }
    }

    /// Failed if there is anything that does not hold.
    pub(crate) fn judged(seen: Vec<String>, looked_at: impl Into<String>) -> Self {
        if seen.is_empty() { Self::ok(looked_at) } else { Self { outcome: Outcome::Failed, seen } }
    }
}

/// What a run needs.
pub struct Config {
    /// A program that compiles plugins: see [`host::CompileConfig::program`].
    pub program: PathBuf,
    /// Where compiled code is kept between runs.
    pub cache_folder: PathBuf,
    /// How many hostile inputs each entry point is given: [`FUZZ`], or more for a campaign.
    pub fuzz: u32,
    /// The settings of the connections that actions are called with.
    pub settings: Map<String, Value>,
    /// The ids of the checks to run; none: all of them. A report without all of them is not green.
    pub only: Vec<String>,
}

/// Why the suite could not be run. Nothing of it is the component's fault.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no check of that id.
    #[error("there is no check `{0}`; the ids are W001 to W{last:03}", last = CHECKS.len())]
    NoSuchCheck(String),
    /// The host cannot be set up, or does not make a call.
    #[error("the checks cannot be run")]
    Host(#[source] OpenError),
}

/// Every check, in the order of the ids.
pub fn checks() -> &'static [Check] {
    CHECKS
}

/// The page of a check.
pub fn page(id: &str) -> Option<&'static str> {
    checks().iter().find(|check| check.id == id).map(|check| check.page)
}

/// Runs the suite on a component; `on_check` is told of each check when it has ended.
///
/// # Errors
/// The suite could not be run. That the component does not conform is no error: the report says it.
pub async fn run(config: Config, component: Bytes, mut on_check: impl FnMut(&Checked)) -> Result<Report, RunError> {
    let Config { program, cache_folder, fuzz, settings, only } = config;
    if let Some(unknown) = only.iter().find(|id| page(id).is_none()) {
        return Err(RunError::NoSuchCheck(unknown.clone()));
    }
    let mut report = Report::of(&component, SEED, fuzz, &settings);
    if let Ok(manifest) = manifest::extract(&component) {
        (report.id, report.version) = (Some(manifest.id), Some(manifest.version));
    }
    let destination = Arc::new(Destination::default());
    let way = Way::Answered(Arc::clone(&destination) as Arc<dyn egress::Transport>);
    let opening = kit::Config { program, cache_folder, secrets: Arc::new(NoSecrets), way };
    let loaded = match Kit::open(opening, component).await {
        Ok(kit) => {
            report.contract = kit.manifest().contract.clone();
            let measure = Measure { seed: SEED, fuzz, settings: Value::Object(settings).to_string() };
            Ok(Bench::set_up(kit, destination, measure).await.map_err(RunError::Host)?)
        }
        Err(error) => Err(Refusal::of(error)?),
    };
    // Of one that is not taken nothing else can be said, and that is said whatever was asked for.
    let refused = loaded.as_ref().err().map(|refusal| refusal.id);
    let is_asked_for =
        |check: &&Check| only.is_empty() || only.iter().any(|id| id == check.id) || refused == Some(check.id);
    for check in checks().iter().filter(is_asked_for) {
        let found = look(check, &loaded).await?;
        let (id, title) = (check.id.to_owned(), check.title.to_owned());
        let checked = Checked { id, title, result: found.outcome, seen: found.seen };
        on_check(&checked);
        report.checks.push(checked);
    }
    Ok(report)
}

/// The component was not taken.
struct Refusal {
    /// The check that says so.
    id: &'static str,
    message: String,
}

impl Refusal {
    fn of(error: OpenError) -> Result<Self, RunError> {
        let id = match &error {
            OpenError::Manifest(
                ReadManifestError::NotAComponent
                | ReadManifestError::CoreModule
                | ReadManifestError::Damaged(_)
                | ReadManifestError::CutShort { .. },
            ) => "W005",
            OpenError::Manifest(_) | OpenError::Grant(_) => "W001",
            // The machine was too busy, or Weir itself is at fault.
            OpenError::Refused(AdminError::Refused {
                code: "weir.limit.compile-wall" | "weir.load.compile" | "weir.busy",
                ..
            }) => return Err(RunError::Host(error)),
            OpenError::Refused(AdminError::Refused { code, .. }) => match *code {
                "weir.load.manifest" => "W001",
                "weir.load.contract" => "W002",
                "weir.load.roles" => "W003",
                "weir.load.import" => "W004",
                _ => "W005",
            },
            _ => return Err(RunError::Host(error)),
        };
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(next) = cause {
            message = format!("{message}: {next}");
            cause = next.source();
        }
        Ok(Self { id, message })
    }
}

async fn look(check: &Check, loaded: &Result<Bench, Refusal>) -> Result<Found, RunError> {
    let bench = match loaded {
        Ok(bench) => bench,
        Err(Refusal { id, message }) if *id == check.id => {
            return Ok(Found::judged(vec![message.clone()], ""));
        }
        Err(Refusal { id, .. }) => return Ok(Found::skipped(format!("the component is not taken: see {id}"))),
    };
    match check.look {
        Look::Load => Ok(Found::ok("the host takes it")),
        Look::Manifest(look) => Ok(look(&bench.manifest)),
        Look::Calls(look) => look(bench).await.map_err(RunError::Host),
    }
}

/// The suite's connections write their secrets themselves.
struct NoSecrets;

impl SecretSource for NoSecrets {
    fn read(&self, reference: &SecretRef) -> Result<Secret, Unresolved> {
        Err(Unresolved::missing(reference))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn what_the_machine_does_is_no_fault_of_the_component() {
        let refusal = |code| Refusal::of(OpenError::Refused(AdminError::Refused { code, message: String::new() }));
        for code in ["weir.limit.compile-wall", "weir.load.compile", "weir.busy"] {
            assert!(matches!(refusal(code), Err(RunError::Host(_))), "{code}");
        }
        for (code, id) in [("weir.limit.compile-cpu", "W005"), ("weir.load.import", "W004"), ("weir.trap", "W005")] {
            assert_eq!(refusal(code).map(|refusal| refusal.id).ok(), Some(id), "{code}");
        }
    }

    #[test]
    fn every_check_has_a_folder_with_its_page_and_a_violator_and_every_folder_is_a_check() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(&folder).expect("the folder of the suite") {
            let path = entry.expect("an entry").path();
            if !path.is_dir() {
                continue;
            }
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let id = name.split('-').next().expect("an id").to_owned();
            let page = fs::read_to_string(path.join("README.md")).expect("a page");
            assert_eq!(super::page(&id), Some(page.as_str()), "{name} is no check, or its page is another");
            let check = checks().iter().find(|check| check.id == id).expect("known");
            assert!(page.starts_with(&format!("# {id}: {}\n", check.title)), "{name}: the page has another title");
            for heading in ["## Why", "## How to mend it"] {
                assert!(page.contains(heading), "{name}: the page has no `{heading}`");
            }
            assert!(path.join("violator.json").is_file(), "{name} has no violator");
            assert!(found.insert(id), "{name}: the id is used twice");
        }
        let ids: BTreeSet<_> = checks().iter().map(|check| check.id.to_owned()).collect();
        assert_eq!(found, ids);
        assert!(checks().iter().zip(1..).all(|(check, number)| check.id == format!("W{number:03}")), "in their order");
    }
}
