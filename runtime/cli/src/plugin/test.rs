//! `weir plugin test`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use kit::{Case, Kit, Report, Way, with_expectation};
use model::RequestRecord;
use serde_json::{Value, json};

use super::read;
use super::watch::again_and_again;
use super::workbench::{component, ms, read_cases, show_log, show_manifest_lines, show_places, show_request, with_kit};
use crate::check::counted;
use crate::screen::{Screen, Tone, clean};
use crate::stop::{Exit, Stop, report};

/// The folder of the cases in a plugin's folder.
const CASES: &str = "cases";

#[derive(Args)]
pub(crate) struct Test {
    /// The plugin's folder.
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// Only cases with this in their name; may be repeated.
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,
    /// Write what the plugin gives into the cases as what is expected of it, to be looked at as a difference in Git.
    #[arg(long)]
    update: bool,
    /// Test this component instead of building one.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// Do it again whenever a file of the plugin has changed, until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

/// A case that was run.
struct Ran {
    name: String,
    report: Report,
    /// Its expectation was written anew.
    updated: bool,
    /// Its expectation was to be written anew, and the exchanges differ too.
    held_back: bool,
}

impl Test {
    pub(crate) fn run(self, screen: &Screen) -> anyhow::Result<Exit> {
        if !self.watch {
            return self.once(screen);
        }
        again_and_again(&self.folder, self.component.as_deref(), || {
            if let Err(error) = self.once(screen) {
                report(&error);
            }
        })
    }

    fn once(&self, screen: &Screen) -> anyhow::Result<Exit> {
        let started = Instant::now();
        // First, because a fault in a case is told in an instant and a build takes its time.
        let cases = read_cases(&self.files()?)?;
        let component = match &self.component {
            Some(file) => read(file)?,
            None => component(&self.folder)?,
        };
        let ran = with_kit(component, Way::Recorded, |kit| self.run_all(kit, cases))?;
        let failed = ran.iter().filter(|ran| !ran.report.is_green()).count();
        if screen.json {
            let cases = ran.iter().map(|ran| {
                let mut case = serde_json::to_value(&ran.report)?;
                case["name"] = Value::from(ran.name.as_str());
                case["updated"] = ran.updated.into();
                Ok(case)
            });
            let all = json!({ "cases": cases.collect::<serde_json::Result<Vec<_>>>()?, "failed": failed });
            screen.print(&format!("{all}\n"))?;
        } else {
            let width = ran.iter().map(|ran| ran.name.chars().count()).max().unwrap_or(0);
            let shown: String = ran.iter().map(|ran| show(ran, width, screen)).collect();
            let (all, seconds) = (counted(ran.len(), "case"), started.elapsed().as_secs_f64());
            screen.print(&format!("{shown}{all}, {failed} failed, {seconds:.1} s\n"))?;
        }
        Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
    }

    /// The files of the cases that were asked for, by name.
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let folder = self.folder.strip_prefix(".").unwrap_or(&self.folder).join(CASES);
        let nothing = |what: &str| Stop::new(Exit::NotFound, format!("{what} in `{}`", folder.display()));
        let Ok(entries) = fs::read_dir(&folder) else {
            return Err(nothing("no cases: there must be files such as NAME.yaml").into());
        };
        let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
        files.retain(|file| file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml"));
        files.sort();
        if files.is_empty() {
            return Err(nothing("no cases: there must be files such as NAME.yaml").into());
        }
        files.retain(|file| self.is_asked_for(file));
        if files.is_empty() {
            return Err(nothing(&format!("no case with `{}` in its name", self.only.join("` or `"))).into());
        }
        Ok(files)
    }

    fn is_asked_for(&self, file: &Path) -> bool {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        self.only.is_empty() || self.only.iter().any(|text| name.contains(text.as_str()))
    }

    async fn run_all(&self, kit: Kit, cases: Vec<(PathBuf, String, Case)>) -> anyhow::Result<Vec<Ran>> {
        let mut ran = Vec::with_capacity(cases.len());
        for (file, text, case) in cases {
            let mut report = kit.run(&case).await?;
            let is_expectation = |difference: &kit::Difference| difference.pointer.starts_with("/expect");
            let differs = self.update && report.differences.iter().any(is_expectation);
            // What a plugin gives after an exchange that is not the recorded one is a consequence of that.
            let updated = differs && report.differences.iter().all(is_expectation);
            if updated {
                let text = with_expectation(&text, &report.expectation(case.expect.as_ref()));
                fs::write(&file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
                report.differences.clear();
            }
            ran.push(Ran { name: case.name, report, updated, held_back: differs && !updated });
        }
        Ok(ran)
    }
}

/// One line for a case that is green; for another also what differs, what it asked for, and what it logged.
fn show(ran: &Ran, width: usize, screen: &Screen) -> String {
    let Ran { name, report, updated, held_back } = ran;
    let (word, tone) = match (report.is_green(), updated) {
        (false, _) => ("FAILED ", Tone::Bad),
        (true, true) => ("updated", Tone::Waiting),
        (true, false) => ("ok     ", Tone::Good),
    };
    let (duration, calls) = (ms(report.duration_us), counted(report.host_calls as usize, "host call"));
    let kib = report.memory_bytes.div_ceil(1024);
    let mut text = format!("{} {name:width$}  {duration:7.2} ms  {kib:6} KiB  {calls}\n", screen.paint(word, tone));
    if report.is_green() {
        return text;
    }
    let mut line = |line: &str| text.push_str(&format!("        {line}\n"));
    report.differences.iter().for_each(|difference| line(&clean(&difference.to_string())));
    if *held_back {
        line("not updated, because the exchanges differ: mend `http` first");
    }
    if let Some(fault) = report.actual.get("fault") {
        let said = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
        line(&clean(&format!("the fault says: {}", said("message"))));
        show_places(fault).for_each(|place| line(&place));
    }
    // Why there was no answer is mostly what the fault says, and is not told twice.
    let said = report.actual.get("fault").and_then(|fault| fault["message"].as_str());
    for request in &report.requests {
        let fault = request.fault.clone().filter(|fault| Some(fault.as_str()) != said);
        line(&format!("request {}", show_request(&RequestRecord { fault, ..request.clone() })));
    }
    report.logs.iter().for_each(|log| line(&show_log(log)));
    show_manifest_lines(&report.manifest_lines).lines().for_each(&mut line);
    text
}
