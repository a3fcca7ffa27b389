//! `weir plugin invoke`.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use kit::{Call, Case, Report, Way, default_context, default_event};
use manifest::{Manifest, Role};
use model::Document;
use serde_json::{Map, Value};

use super::workbench::{
    component, manifest, read_cases, show_log, show_manifest_lines, show_places, show_request, with_kit,
};
use crate::screen::{Screen, clean};
use crate::stop::{Exit, Stop};

/// The word for a mapper's one entry point.
const TRANSFORM: &str = "transform";

#[derive(Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Invoke {
    /// The plugin's folder, which is built, or a component.
    #[arg(value_name = "FOLDER|FILE", default_value = ".")]
    plugin: PathBuf,
    /// One of the plugin's actions; `transform` for a mapper.
    #[arg(value_name = "ACTION|transform", required = true)]
    entry: String,
    /// The input as JSON; `-` reads it from standard input. Else that of the case.
    #[arg(long, value_name = "FILE|-")]
    input: Option<PathBuf>,
    /// A mapper's options: a JSON object.
    #[arg(long, value_name = "JSON")]
    options: Option<String>,
    /// A case: its event or context, its connection, its recorded exchanges. What it expects is not looked at.
    #[arg(long, value_name = "FILE")]
    case: Option<PathBuf>,
    /// Make the requests for real.
    #[arg(long)]
    live: bool,
    /// With `--live`: grant the plugin what its manifest asks for.
    #[arg(long, requires = "live")]
    grant: bool,
    /// With `--live`: let it reach this network although it is not public, such as 127.0.0.1.
    #[arg(long, value_name = "NETWORK", requires = "live")]
    private_network: Vec<String>,
}

impl Invoke {
    pub(crate) fn run(self, screen: &Screen) -> anyhow::Result<Exit> {
        let input = self.read_input()?;
        let component = component(&self.plugin)?;
        let manifest = manifest(&component, &self.plugin)?;
        let case = self.case(&manifest, input)?;
        let way = self.way(&manifest)?;
        let is_live = matches!(way, Way::Live { .. });
        let report = with_kit(component, way, async |kit| Ok(kit.call(&case).await?))?;
        let exit = if report.is_green() && !report.actual.contains_key("fault") { Exit::Done } else { Exit::Failed };
        if screen.json {
            screen.print(&format!("{}\n", serde_json::to_string(&report)?))?;
            return Ok(exit);
        }
        eprint!("{}", beside(&report, is_live));
        screen.print(&output(&report)?)?;
        Ok(exit)
    }

    fn read_input(&self) -> anyhow::Result<Option<Document>> {
        let Some(file) = &self.input else { return Ok(None) };
        let mut text = Vec::new();
        match file.as_os_str() == "-" {
            true => io::stdin().lock().read_to_end(&mut text).map(drop),
            false => fs::read(file).map(|read| text = read),
        }
        .with_context(|| format!("cannot read the input `{}`", file.display()))?;
        Ok(Some(Document::json(text)))
    }

    /// The call: that of the case, with what was typed in place of its parts.
    fn case(&self, manifest: &Manifest, input: Option<Document>) -> anyhow::Result<Case> {
        let is_mapper = manifest.has(Role::Mapper);
        if is_mapper != (self.entry == TRANSFORM) || !(is_mapper || manifest.actions.contains_key(&self.entry)) {
            let id = &manifest.id;
            let title = match is_mapper {
                true => {
                    format!("`{id}` is a mapper; call it: weir plugin invoke {} {TRANSFORM}", self.plugin.display())
                }
                false => format!("`{id}` has no action `{}`; it has: {}", self.entry, actions(manifest)),
            };
            return Err(Stop::new(Exit::NotFound, title).into());
        }
        let mut case = match &self.case {
            Some(file) => self.read_case(file)?,
            None => {
                let missing = || Stop::usage("there is no input: give --input FILE, --input - or --case FILE");
                self.bare_case(input.clone().ok_or_else(missing)?)
            }
        };
        match (&mut case.call, input) {
            (Call::Transform { input, event, .. }, Some(given)) => {
                event.data = given.data.clone();
                *input = given;
            }
            (Call::Action { input, .. }, Some(given)) => *input = given,
            (_, None) => {}
        }
        match (&mut case.call, &self.options) {
            (_, None) => {}
            (Call::Transform { options, .. }, Some(given)) => {
                let read = serde_json::from_str::<Map<String, Value>>(given);
                *options = read
                    .map_err(|error| {
                        Stop::usage(format!(
                            "`--options` must be a JSON object, such as '{{\"language\":\"de\"}}': {error}"
                        ))
                    })
                    .map(|_| given.clone())?;
            }
            (Call::Action { .. }, Some(_)) => {
                let title =
                    format!("`{}` is an action, and only a mapper has options: leave `--options` out", self.entry);
                return Err(Stop::usage(title).into());
            }
        }
        Ok(case)
    }

    fn read_case(&self, file: &Path) -> anyhow::Result<Case> {
        let mut cases = read_cases(std::slice::from_ref(&file.to_owned()))?;
        let (_, _, case) = cases.pop().context("one file is one case")?;
        let entry = match &case.call {
            Call::Transform { .. } => TRANSFORM,
            Call::Action { action, .. } => action,
        };
        if entry != self.entry {
            let title = format!("the case `{}` calls `{entry}`, not `{}`", file.display(), self.entry);
            return Err(Stop::usage(title).into());
        }
        Ok(case)
    }

    fn bare_case(&self, input: Document) -> Case {
        let name = "invoke".to_owned();
        let call = if self.entry == TRANSFORM {
            let event = Box::new(default_event(&name, &input));
            Call::Transform { event, input, options: "{}".to_owned() }
        } else {
            let (action, context) = (self.entry.clone(), default_context());
            Call::Action { action, verify: false, input, cursor: None, context, connection: None }
        };
        Case { name, call, http: Vec::new(), expect: None }
    }

    /// Nothing leaves this machine unless it was said in so many words.
    fn way(&self, manifest: &Manifest) -> anyhow::Result<Way> {
        if !self.live {
            return Ok(Way::Recorded);
        }
        if !self.grant {
            let ask = |ask: &manifest::HttpRequest| {
                format!("{}: {} on {} ({})", ask.origin, ask.methods.join(", "), ask.paths.join(", "), ask.reason)
            };
            let title = "nothing is granted; to grant what the manifest asks for, add --grant. It asks for";
            let faults = manifest.http.iter().map(|request| clean(&ask(request))).collect();
            return Err(Stop { exit: Exit::Refused, title: title.to_owned(), faults }.into());
        }
        Ok(Way::Live { private_networks: self.private_network.clone() })
    }
}

fn actions(manifest: &Manifest) -> String {
    manifest.actions.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What the call gave: JSON in many lines, any other text as it is.
fn output(report: &Report) -> anyhow::Result<String> {
    let shown = |value: &Value| match value {
        Value::String(text) if report.actual.get("content_type").is_some_and(|kind| kind != "application/json") => {
            Ok(text.clone())
        }
        value => serde_json::to_string_pretty(value).map(|text| format!("{text}\n")),
    };
    match (report.actual.get("output"), report.actual.get("outputs")) {
        (Some(output), _) => Ok(shown(output)?),
        (None, Some(Value::Array(outputs))) => Ok(outputs.iter().map(shown).collect::<Result<String, _>>()?),
        _ => Ok(String::new()),
    }
}

/// What stands beside the output, for whoever looks on.
fn beside(report: &Report, is_live: bool) -> String {
    let mut text = String::new();
    let mut line = |line: String| text.push_str(&format!("{line}\n"));
    report.logs.iter().for_each(|log| line(show_log(log)));
    report.requests.iter().for_each(|request| line(format!("request {}", show_request(request))));
    if let Some(fault) = report.actual.get("fault") {
        let said = |key: &str| clean(fault[key].as_str().unwrap_or_default());
        line(format!("fault {} ({}): {}", said("kind"), said("code"), said("message")));
        for (pointer, message) in fault["fields"].as_object().into_iter().flatten() {
            line(format!("  {}: {}", clean(pointer), clean(message.as_str().unwrap_or_default())));
        }
        show_places(fault).for_each(|place| line(format!("  {place}")));
    }
    if let Some(word) = report.actual.get("settlement").and_then(Value::as_str) {
        line(format!("settlement {word}"));
    }
    for (key, name) in [("external_id", "external id"), ("next", "next")] {
        if let Some(text) = report.actual.get(key).and_then(Value::as_str) {
            line(format!("{name} {}", clean(text)));
        }
    }
    for difference in &report.differences {
        line(clean(&difference.to_string()));
    }
    if !is_live && report.differences.iter().any(|difference| difference.pointer.starts_with("/http")) {
        line("a request that is not recorded: add it to the case, or make it for real: --live --grant".to_owned());
    }
    if is_live && report.actual.get("fault").is_some_and(|fault| fault["code"] == "weir.http.address") {
        line("to allow it for this call: --private-network NETWORK, such as 127.0.0.1".to_owned());
    }
    text.push_str(&show_manifest_lines(&report.manifest_lines));
    text
}
