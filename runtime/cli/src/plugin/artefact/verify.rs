use std::path::{Path, PathBuf};

use artefact::{Digest, Location, Pins, Reference, is_layout};
use clap::Args;
use conformance::Report;
use serde::Serialize;
use serde_json::json;

use super::super::conform::summary;
use super::super::read;
use super::pull::{Taken, Trust, take};
use super::{judge, told, wait};
use crate::screen::{Screen, Tone, clean};
use crate::stop::{Exit, Stop};

#[derive(Args)]
#[command(after_help = "\
Nothing is written and nothing is pinned. Of a file only the component itself is checked, and whether it is one that was \
pulled: its signature lies where it was published.")]
pub(crate) struct Verify {
    /// `oci://HOST/REPOSITORY[:VERSION|@sha256:…]`, a folder in the OCI layout, or a component's file.
    #[arg(value_name = "FILE|FOLDER|REFERENCE")]
    what: String,
    #[command(flatten)]
    trust: Trust,
}

impl Verify {
    pub(crate) fn run(self, dir: &Path, screen: &Screen) -> anyhow::Result<Exit> {
        told(self.verify(dir, screen), screen)
    }

    fn verify(&self, dir: &Path, screen: &Screen) -> anyhow::Result<Exit> {
        let file = PathBuf::from(&self.what);
        let checks = if Reference::is_meant(&self.what) {
            checks(&wait(take(&self.what.parse()?, &self.trust, dir))?)
        } else if is_layout(&file) {
            let reference = Reference { location: Location::Folder(file), target: None };
            checks(&wait(take(&reference, &self.trust, dir))?)
        } else if file.is_dir() {
            let title =
                format!("`{}` is no folder in the OCI layout; give the component that was built", file.display());
            return Err(Stop::usage(title).into());
        } else {
            of_file(&file, dir)?
        };
        if screen.json {
            screen.print(&format!("{}\n", json!({ "checks": checks })))?;
            return Ok(Exit::Done);
        }
        let line = |check: &Check| {
            let (word, tone) = if check.ok { ("ok  ", Tone::Good) } else { ("note", Tone::Waiting) };
            format!("{}  {}\n", screen.paint(word, tone), clean(&check.says))
        };
        screen.print(&checks.iter().map(line).collect::<String>())?;
        Ok(Exit::Done)
    }
}

/// What was looked at. What does not hold is refused, and stands in no list.
#[derive(Serialize)]
struct Check {
    /// Not: it is to be known, and proves nothing.
    ok: bool,
    says: String,
}

fn holds(says: impl Into<String>) -> Check {
    Check { ok: true, says: says.into() }
}

fn note(says: impl Into<String>) -> Check {
    Check { ok: false, says: says.into() }
}

/// What was checked of a release that was believed.
fn checks(taken: &Taken) -> Vec<Check> {
    let fetched = &taken.fetched;
    let (id, version) = (&fetched.id, &fetched.version);
    let names: Vec<_> = fetched.papers.iter().map(|paper| paper.name.as_str()).collect();
    let mut checks = vec![
        holds(format!("{}: the manifest has this digest", fetched.reference)),
        holds(format!("the signature of the manifest holds: {}", taken.publisher())),
        holds(format!("the component is the one that is signed: {}", taken.read.digest)),
        holds(format!("its papers are those that are signed: {}", names.join(", "))),
        holds(format!("it is {id} {version}, and says so itself")),
    ];
    checks.extend(of_component(taken.reach.http));
    checks.push(conformance(taken));
    if fetched.notices.is_empty() {
        checks.push(holds("its publisher has neither deprecated nor yanked it"));
    }
    checks.extend(fetched.notices.iter().map(|notice| note(format!("its publisher said later: {}", notice.reason))));
    checks
}

/// Whether the report that came along is of this component, and green by the suite of this program.
fn conformance(taken: &Taken) -> Check {
    let paper = taken.fetched.papers.iter().find(|paper| paper.name == "conformance.json");
    let Some(paper) = paper else { return note("no report of its conformance came along") };
    let report = Report::from_json(&String::from_utf8_lossy(&paper.bytes));
    match report.and_then(|report| report.vouch_for(&taken.component).map(|()| report)) {
        Ok(report) => holds(format!("its publisher's report is of this component: {}", summary(&report))),
        Err(reason) => note(format!("its publisher's report does not vouch for it: {reason}")),
    }
}

fn of_file(file: &Path, dir: &Path) -> anyhow::Result<Vec<Check>> {
    let component = read(file)?;
    let (read, reach) = judge(&component)?;
    let mut checks = vec![holds(format!("{} {}: {}", read.manifest.id, read.manifest.version, read.digest))];
    checks.extend(of_component(reach.http));
    checks.push(match Pins::load(dir)?.of_component(&Digest::of(&component)) {
        Some(pin) => holds(format!("it was pulled from {}, signed with key {}", pin.from, pin.publisher)),
        None => note("nothing in weir-publishers.json knows it: whose it is cannot be said"),
    });
    Ok(checks)
}

fn of_component(http: bool) -> [Check; 2] {
    let asks = match http {
        true => "it can send requests, and its manifest says so",
        false => "it imports nothing that sends requests",
    };
    [holds("its imports are those that a plugin of its kind may have"), holds(asks)]
}
