//! `weir plugin compare`: the calls of a mapper that a running Weir has recorded, made once more with a new version on the
//! author's side. Nothing of it touches what serves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use api::types::{ExecutionPage, ExecutionRow, StepCallDetail};
use clap::Args;
use form_urlencoded::Serializer;
use indicatif::ProgressBar;
use kit::{Call, Case, Kit, Way, compare, default_event, expected};
use manifest::{Manifest, Role};
use model::{Event, EventId, Outcome, Timestamp};
use serde_json::{Map, Value, json};

use super::workbench::{block_on, component, manifest, open};
use crate::client::Client;
use crate::execution::to_document;
use crate::screen::{Screen, Tone, clean, parse};
use crate::stop::{Exit, Stop};

/// Executions that are listed at once.
const PAGE: usize = 200;

/// Groups of differences that are shown; `--json` has all.
const GROUPS_SHOWN_MAX: usize = 40;

#[derive(Args)]
pub(crate) struct Compare {
    /// The new version: a component, or the folder of its project, which is built.
    #[arg(value_name = "FILE|FOLDER")]
    new: PathBuf,
    /// Compare with what this component gives now, instead of what was recorded.
    #[arg(long, value_name = "FILE|FOLDER")]
    with: Option<PathBuf>,
    /// How many of the latest calls.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    last: usize,
    /// Only of this flow.
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// Only of this step; else of the last step of each flow that calls the plugin.
    #[arg(long, value_name = "ID", requires = "flow")]
    step: Option<String>,
    /// The plugin's name in plugins.toml, where it is not the id in its manifest.
    #[arg(long, value_name = "NAME", conflicts_with = "step")]
    name: Option<String>,
}

/// What a call gave, as a case would expect it, and what its fault says.
struct Gave {
    said: Map<String, Value>,
    message: Option<String>,
}

/// What was found so far.
#[derive(Default)]
struct Tally {
    compared: usize,
    same: usize,
    differ: usize,
    new_faults: usize,
    mended_faults: usize,
    gone: usize,
    /// By what differs: where, or which fault is new or mended.
    groups: BTreeMap<String, Group>,
    /// What gave the outputs that were recorded.
    recorded_by: BTreeSet<String>,
    /// Flows that have no such call.
    without: BTreeSet<String>,
}

/// Calls that differ in the same way.
struct Group {
    calls: usize,
    event: String,
    execution: String,
    before: Option<String>,
    after: Option<String>,
}

impl Compare {
    pub(crate) fn run(self, dir: &Path, screen: &Screen) -> anyhow::Result<Exit> {
        let (new, manifest) = mapper(&self.new)?;
        let old = self.with.as_deref().map(mapper).transpose()?;
        let started = Instant::now();
        let mut tally = Tally::default();
        block_on(async {
            let new = open(new, Way::Recorded).await?;
            let old = match old {
                Some((component, _)) => Some(open(component, Way::Recorded).await?),
                None => None,
            };
            self.compare_all(&manifest, &new, old.as_ref(), &mut Client::new(dir), &mut tally).await
        })?;
        if tally.compared == 0 {
            let name = self.name(&manifest);
            let gone = if tally.gone > 0 { ", or their payloads or flows are gone" } else { "" };
            let title =
                format!("no recorded call of `{name}` was found{gone}; `weir execution list` shows what is kept");
            return Err(Stop::new(Exit::NotFound, title).into());
        }
        let took = started.elapsed();
        let text = match screen.json {
            true => format!("{}\n", tally.to_json(took)),
            false => tally.to_text(&manifest, took, screen),
        };
        screen.print(&text)?;
        Ok(if tally.same == tally.compared { Exit::Done } else { Exit::Failed })
    }

    fn name<'a>(&'a self, manifest: &'a Manifest) -> &'a str {
        self.name.as_deref().unwrap_or(&manifest.id)
    }

    async fn compare_all(
        &self,
        manifest: &Manifest,
        new: &Kit,
        old: Option<&Kit>,
        client: &mut Client,
        tally: &mut Tally,
    ) -> anyhow::Result<()> {
        let bar = ProgressBar::new(self.last as u64);
        let mut after = None;
        loop {
            let page = self.page(after.as_deref(), client).await?;
            for row in &page.executions {
                if tally.compared == self.last {
                    return Ok(());
                }
                let Some(call) = self.call(row, manifest, client, tally).await? else { continue };
                let Some((before, after)) = made_again(&call, new, old, tally).await? else { continue };
                tally.add(&call, &before, &after);
                bar.set_position(tally.compared as u64);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn page(&self, after: Option<&str>, client: &mut Client) -> anyhow::Result<ExecutionPage> {
        let mut query = Serializer::new(String::new());
        let pairs = [("flow", self.flow.as_deref()), ("after", after)];
        query.extend_pairs(pairs.iter().filter_map(|(name, value)| Some((name, (*value)?))));
        query.append_pair("limit", &PAGE.to_string());
        parse(&client.get(&format!("/executions?{}", query.finish())).await?)
    }

    /// The call of the mapper in an execution; none if there is none that can be compared.
    async fn call(
        &self,
        row: &ExecutionRow,
        manifest: &Manifest,
        client: &mut Client,
        tally: &mut Tally,
    ) -> anyhow::Result<Option<StepCallDetail>> {
        if tally.without.contains(&row.flow) {
            return Ok(None);
        }
        let (key, value) = match &self.step {
            Some(step) => ("step", step.as_str()),
            None => ("plugin", self.name(manifest)),
        };
        let query = Serializer::new(String::new()).append_pair(key, value).finish();
        let problem = match client.try_get(&format!("/executions/{}/call?{query}", row.id)).await? {
            Ok(body) => {
                let call: StepCallDetail = parse(&body)?;
                if call.action.is_some() {
                    let title = format!("step `{}` of flow {} calls an action, no mapper", call.step, call.flow);
                    return Err(Stop::usage(title).into());
                }
                // What a child has of the steps before it came from its parent, where it is found.
                return Ok(call.attempt.is_some().then_some(call));
            }
            Err(problem) => problem,
        };
        match problem.code.as_str() {
            // It may have been retired in the meantime, or its flow can be read no more.
            "weir.payload.gone" | "weir.execution.unknown" | "weir.flow.unknown" => tally.gone += 1,
            "weir.flow.no-call" => drop(tally.without.insert(row.flow.clone())),
            _ => return Err(Stop::new(Exit::Faults, problem.title).explained(&problem.code).into()),
        }
        Ok(None)
    }
}

/// A component that is a mapper, and what it says of itself.
fn mapper(plugin: &Path) -> anyhow::Result<(Vec<u8>, Manifest)> {
    let component = component(plugin)?;
    let manifest = manifest(&component, plugin)?;
    if manifest.has(Role::Mapper) {
        return Ok((component, manifest));
    }
    let title = format!(
        "`{}` is a connector, and only mappers can be compared: what a connector gives depends on its destination, whose \
         answers are not recorded; test it with cases: weir plugin test",
        manifest.id
    );
    Err(Stop::new(Exit::Refused, title).into())
}

/// What was given before, and what the new version gives; none if it is not known what was given before.
async fn made_again(
    call: &StepCallDetail,
    new: &Kit,
    old: Option<&Kit>,
    tally: &mut Tally,
) -> anyhow::Result<Option<(Gave, Gave)>> {
    let case = case(call)?;
    let before = match old {
        Some(old) => Some(give(old, &case).await?),
        None => recorded(call, tally),
    };
    let Some(before) = before else { return Ok(None) };
    Ok(Some((before, give(new, &case).await?)))
}

async fn give(kit: &Kit, case: &Case) -> anyhow::Result<Gave> {
    let report = kit.call(case).await?;
    if report.actual.is_empty() {
        bail!(
            "the mapper could not be called: {}",
            report.differences.first().map(ToString::to_string).unwrap_or_default()
        );
    }
    let message = report.actual.get("fault").and_then(|fault| Some(fault["message"].as_str()?.to_owned()));
    Ok(Gave { said: report.expectation(None), message })
}

fn recorded(call: &StepCallDetail, tally: &mut Tally) -> Option<Gave> {
    let attempt = call.attempt.as_ref()?;
    let (said, message) = match attempt.outcome.as_ref()? {
        Outcome::Failed { fault } => (expected(Err(fault)), Some(fault.message.clone())),
        Outcome::Succeeded => {
            let documents = call.output.as_ref()?.iter().map(to_document).collect::<Option<Vec<_>>>()?;
            (expected(Ok(&documents)), None)
        }
        _ => return None,
    };
    let plugin = attempt.report.as_ref().map(|report| format!("{} {}", report.plugin.name, report.plugin.version));
    tally.recorded_by.extend(plugin);
    Some(Gave { said, message })
}

/// The very call: the same event, because from it a mapper has its clock and its chance.
fn case(call: &StepCallDetail) -> anyhow::Result<Case> {
    let said = &call.event;
    let unreadable = || format!("what Weir says of execution {} cannot be read", call.execution);
    let input = to_document(&call.input).with_context(unreadable)?;
    let mut event: Event = default_event("compare", &input);
    event.id = said.id.parse::<EventId>().with_context(unreadable)?;
    event.received = humantime::parse_rfc3339(&said.received).map(Timestamp::from).with_context(unreadable)?;
    event.transport.clone_from(&said.transport);
    let attributes = &mut event.attributes;
    attributes.id.clone_from(&said.sender_id);
    attributes.source.clone_from(&said.source);
    attributes.kind.clone_from(&said.kind);
    attributes.subject.clone_from(&said.subject);
    attributes.time.clone_from(&said.time);
    attributes.schema.clone_from(&said.schema);
    attributes.content_type.clone_from(&said.content_type);
    attributes.extensions.clone_from(&said.extensions);
    let options = call.options.clone().unwrap_or_else(|| "{}".to_owned());
    let call = Call::Transform { event: Box::new(event), input, options };
    Ok(Case { name: "compare".to_owned(), call, http: Vec::new(), expect: None })
}

impl Tally {
    fn add(&mut self, call: &StepCallDetail, before: &Gave, after: &Gave) {
        self.compared += 1;
        let group = |before, after| Group {
            calls: 0,
            event: call.event.id.clone(),
            execution: call.execution.clone(),
            before,
            after,
        };
        let mut found = BTreeMap::new();
        let output = || Some("an output".to_owned());
        match (before.said.get("fault"), after.said.get("fault")) {
            (None, Some(fault)) => {
                self.new_faults += 1;
                found.insert(format!("new fault {}", fault_words(fault)), group(output(), after.message.clone()));
            }
            (Some(fault), None) => {
                self.mended_faults += 1;
                found.insert(format!("mended fault {}", fault_words(fault)), group(before.message.clone(), output()));
            }
            _ => {
                let mut differences = Vec::new();
                compare("", &before.said.clone().into(), &after.said.clone().into(), &mut differences);
                self.differ += usize::from(!differences.is_empty());
                self.same += usize::from(differences.is_empty());
                for difference in differences {
                    let place = any_index(&difference.pointer);
                    found.entry(place).or_insert_with(|| group(difference.expected, difference.actual));
                }
            }
        }
        // Once for each call, however many places of a list differ.
        for (place, group) in found {
            self.groups.entry(place).or_insert(group).calls += 1;
        }
    }

    /// The most frequent first.
    fn sorted(&self) -> Vec<(&str, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().map(|(place, group)| (place.as_str(), group)).collect();
        groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.calls));
        groups
    }

    fn to_text(&self, manifest: &Manifest, took: Duration, screen: &Screen) -> String {
        let (id, version, seconds) = (&manifest.id, &manifest.version, took.as_secs_f64());
        let recorded: Vec<_> = self.recorded_by.iter().map(String::as_str).collect();
        let against = if recorded.is_empty() { "the other component".to_owned() } else { recorded.join(", ") };
        let mut text = format!(
            "{id} {version} against {against}: {} in {seconds:.1} s\n",
            crate::check::counted(self.compared, "recorded call")
        );
        let counts = [
            ("same", self.same, Tone::Good),
            ("differ", self.differ, Tone::Bad),
            ("new faults", self.new_faults, Tone::Bad),
            ("mended faults", self.mended_faults, Tone::Waiting),
            ("gone", self.gone, Tone::Waiting),
        ];
        for (what, count, tone) in counts {
            let tone = if count == 0 { Tone::Faint } else { tone };
            text.push_str(&format!("  {what:<13}  {}\n", screen.paint(&format!("{count:>6}"), tone)));
        }
        let groups = self.sorted();
        for (place, Group { calls, event, before, after, .. }) in groups.iter().take(GROUPS_SHOWN_MAX) {
            let value = |value: &Option<String>| clean(value.as_deref().unwrap_or("nothing"));
            let (compared, change) = (self.compared, format!("{} → {}", value(before), value(after)));
            text.push_str(&format!("\n{}: {calls} of {compared}, e.g. event {event}:\n  {change}\n", clean(place)));
        }
        if groups.len() > GROUPS_SHOWN_MAX {
            text.push_str(&format!("\nand {} more; --json has all\n", groups.len() - GROUPS_SHOWN_MAX));
        }
        text
    }

    fn to_json(&self, took: Duration) -> Value {
        let group = |(place, group): (&str, &Group)| {
            let Group { calls, event, execution, before, after } = group;
            json!({
                "what": place, "calls": calls, "event": event, "execution": execution, "before": before, "after": after,
            })
        };
        json!({
            "compared": self.compared,
            "same": self.same,
            "differ": self.differ,
            "new_faults": self.new_faults,
            "mended_faults": self.mended_faults,
            "gone": self.gone,
            "recorded_by": self.recorded_by,
            "differences": self.sorted().into_iter().map(group).collect::<Vec<_>>(),
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// `invalid-input (email)`.
fn fault_words(fault: &Value) -> String {
    let word = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
    format!("{} ({})", word("kind"), word("code"))
}

/// The pointer with `*` for each place in a list: what differs in one item mostly differs in the others.
fn any_index(pointer: &str) -> String {
    let is_index = |segment: &&str| !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
    let segments = pointer.split('/').map(|segment| if is_index(&segment) { "*" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_lists_are_taken_together() {
        assert_eq!(any_index("/output/lines/12/price"), "/output/lines/*/price");
        assert_eq!(any_index("/output/a1"), "/output/a1");
    }
}
