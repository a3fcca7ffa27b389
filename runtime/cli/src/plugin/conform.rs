//! `weir plugin conform`.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use conformance::{Checked, Config, FUZZ, Outcome, Report, checks, page};
use serde_json::{Map, Value};

use super::workbench::{block_on, cache_folder, component, program};
use crate::check::counted;
use crate::screen::{Screen, Tone, clean};
use crate::stop::{Exit, Stop};

#[derive(Args)]
pub(crate) struct Conform {
    /// The plugin's folder, which is built, or a component.
    #[arg(value_name = "FOLDER|FILE", default_value = ".")]
    plugin: PathBuf,
    /// Only this check, such as W012; may be repeated.
    #[arg(long, value_name = "ID", conflicts_with = "report")]
    only: Vec<String>,
    /// Write the report into this file: JSON, bound to the component's digest.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Give each entry point so many hostile inputs.
    #[arg(long, value_name = "COUNT", default_value_t = FUZZ, value_parser = clap::value_parser!(u32).range(i64::from(FUZZ)..))]
    fuzz: u32,
    /// Give the connections of the checks these settings: a JSON object, for a plugin that does nothing without some.
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
}

impl Conform {
    pub(crate) fn run(self, screen: &Screen) -> anyhow::Result<Exit> {
        if let Some(id) = self.only.iter().find(|id| page(&id.to_uppercase()).is_none()) {
            return Err(unknown(id).into());
        }
        let started = Instant::now();
        let component = component(&self.plugin)?;
        let only = self.only.iter().map(|id| id.to_uppercase()).collect();
        let asked = Asked { fuzz: self.fuzz, settings: self.settings()?, only };
        let report = run_suite(component, asked, Told::All, screen)?;
        if let Some(file) = &self.report {
            fs::write(file, report.to_json())
                .with_context(|| format!("cannot write the report `{}`", file.display()))?;
        }
        if screen.json {
            screen.print(&format!("{}\n", serde_json::to_string(&report)?))?;
        } else {
            screen.print(&format!("{}, {:.1} s\n", summary(&report), started.elapsed().as_secs_f64()))?;
        }
        Ok(if report.failed().next().is_none() { Exit::Done } else { Exit::Failed })
    }

    fn settings(&self) -> Result<Map<String, Value>, Stop> {
        let Some(text) = &self.settings else { return Ok(Map::new()) };
        let wrong = |error| {
            Stop::usage(format!("`--settings` must be a JSON object, such as '{{\"tenant\":\"t1\"}}': {error}"))
        };
        serde_json::from_str(text).map_err(wrong)
    }
}

/// What of the suite is asked for.
struct Asked {
    /// How many hostile inputs each entry point is given.
    fuzz: u32,
    /// The settings of the connections.
    settings: Map<String, Value>,
    /// The ids of the checks; none: all.
    only: Vec<String>,
}

/// Which checks are shown as they end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// All of them; those that were skipped come last, one line for each reason.
    All,
    /// Those that failed.
    Failures,
}

/// Runs the suite without settings, and shows its checks as they end.
pub(super) fn suite(
    component: Vec<u8>,
    fuzz: u32,
    only: Vec<String>,
    told: Told,
    screen: &Screen,
) -> anyhow::Result<Report> {
    run_suite(component, Asked { fuzz, settings: Map::new(), only }, told, screen)
}

fn run_suite(component: Vec<u8>, asked: Asked, told: Told, screen: &Screen) -> anyhow::Result<Report> {
    let Asked { fuzz, settings, only } = asked;
    let config = Config { program: program()?, cache_folder: cache_folder(), fuzz, settings, only };
    let mut printed = Ok(());
    let run = conformance::run(config, component.into(), |checked| {
        let is_told = match checked.result {
            Outcome::Failed => true,
            Outcome::Ok => told == Told::All,
            Outcome::Skipped => false,
        };
        if is_told && !screen.json && printed.is_ok() {
            printed = screen.print(&show(checked, screen));
        }
    });
    let report = block_on(async { Ok(run.await?) })?;
    printed?;
    if told == Told::All && !screen.json {
        screen.print(&skipped(&report, screen))?;
    }
    Ok(report)
}

/// The checks that were skipped, a line for each reason.
fn skipped(report: &Report, screen: &Screen) -> String {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for checked in report.checks.iter().filter(|checked| checked.result == Outcome::Skipped) {
        let why = checked.seen.join("; ");
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, ids)) => ids.push(&checked.id),
            None => reasons.push((why, vec![&checked.id])),
        }
    }
    let line = |(why, ids): (String, Vec<&str>)| {
        let word = screen.paint("skipped", Tone::Faint);
        format!("{word}  {} {}\n", ids.join(" "), screen.paint(&format!("({})", clean(&why)), Tone::Faint))
    };
    reasons.into_iter().map(line).collect()
}

fn unknown(id: &str) -> Stop {
    let last = checks().last().map(|check| check.id).unwrap_or_default();
    Stop::new(Exit::NotFound, format!("there is no check `{id}`; the ids are W001 to {last}"))
}

/// A check in a line; of one that failed also what was seen, and what to do.
fn show(checked: &Checked, screen: &Screen) -> String {
    let Checked { id, title, result, seen } = checked;
    let (word, tone) = match result {
        Outcome::Failed => ("FAILED ", Tone::Bad),
        _ => ("ok     ", Tone::Good),
    };
    let word = screen.paint(word, tone);
    if *result != Outcome::Failed {
        return format!(
            "{id} {word}  {title}{}\n",
            screen.paint(&format!(" ({})", clean(&seen.join("; "))), Tone::Faint)
        );
    }
    let cure = checks().iter().find(|check| check.id == id).map(|check| check.cure).unwrap_or_default();
    let mut text = format!("{id} {word}  {title}\n");
    seen.iter().for_each(|line| text.push_str(&format!("              {}\n", clean(line))));
    text.push_str(&format!("              to mend it: {cure}; more: weir explain {id}\n"));
    text
}

pub(super) fn summary(report: &Report) -> String {
    let count = |outcome| report.checks.iter().filter(|checked| checked.result == outcome).count();
    let name = match (&report.id, &report.version) {
        (Some(id), Some(version)) => format!("{id} {version}"),
        _ => "the component".to_owned(),
    };
    let (failed, skipped) = (count(Outcome::Failed), count(Outcome::Skipped));
    let word = match (failed, report.is_green()) {
        (0, true) => "conforms",
        (0, false) => "was checked in part",
        _ => "does not conform",
    };
    format!("{name} {word}: {}, {failed} failed, {skipped} skipped", counted(report.checks.len(), "check"))
}
