use std::path::{Path, PathBuf};

use artefact::{Digest, Location, Pins, Reference, is_layout};
use clap::Args;
use serde_json::json;

use super::super::read;
use super::pull::{Taken, Trust, take};
use super::{judge, told, wait};
use crate::screen::{Screen, Tone};
use crate::stop::{Exit, Stop};

#[derive(Args)]
#[command(after_help = "\
Nothing is written and nothing is pinned. Of a file only the component itself is checked, and whether it is one that was \
pulled: its signature lies where it was published.")]
pub(crate) struct Verify {
    /// oci://HOST/REPOSITORY[:VERSION|@sha256:…], a folder in the OCI layout, or a component's file.
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
        let line = |check: &String| format!("{}  {check}\n", screen.paint("ok", Tone::Good));
        screen.print(&checks.iter().map(line).collect::<String>())?;
        Ok(Exit::Done)
    }
}

/// What was checked of a release that was believed.
fn checks(taken: &Taken) -> Vec<String> {
    let fetched = &taken.fetched;
    let (id, version) = (&fetched.id, &fetched.version);
    let names: Vec<_> = fetched.papers.iter().map(|paper| paper.name.as_str()).collect();
    let mut checks = vec![
        format!("{}: the manifest has this digest", fetched.reference),
        format!("the signature of the manifest holds: {}", taken.publisher()),
        format!("the component is the one that is signed: {}", taken.read.digest),
        format!("its papers are those that are signed: {}", names.join(", ")),
        format!("it is {id} {version}, and says so itself"),
    ];
    checks.extend(of_component(taken.reach.http));
    match fetched.notices.as_slice() {
        [] => checks.push("its publisher has neither deprecated nor yanked it".to_owned()),
        notices => checks.extend(notices.iter().map(|notice| format!("its publisher said later: {}", notice.reason))),
    }
    checks
}

fn of_file(file: &Path, dir: &Path) -> anyhow::Result<Vec<String>> {
    let component = read(file)?;
    let (read, reach) = judge(&component)?;
    let mut checks = vec![format!("{} {}: {}", read.manifest.id, read.manifest.version, read.digest)];
    checks.extend(of_component(reach.http));
    checks.push(match Pins::load(dir)?.of_component(&Digest::of(&component)) {
        Some(pin) => format!("it was pulled from {}, signed with key {}", pin.from, pin.publisher.id()),
        None => "nothing in weir-publishers.json knows it: whose it is cannot be said".to_owned(),
    });
    Ok(checks)
}

fn of_component(http: bool) -> [String; 2] {
    let asks = match http {
        true => "it can send requests, and its manifest says so",
        false => "it imports nothing that sends requests",
    };
    ["its imports are those that a plugin of its kind may have".to_owned(), asks.to_owned()]
}
