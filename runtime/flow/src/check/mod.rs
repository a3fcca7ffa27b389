//! From a tree of YAML to a checked flow. A reader made by `serde` would stop at the first fault; this one goes on and
//! gathers them all.

mod fields;
mod source;
mod step;
mod template;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use written::yaml::{self, Kind, Place, Problems, Scalar, Yaml, YamlKind};

use crate::cel::{self, Finding, Names};
use crate::{Alert, Catalogue, Condition, Expression, Flow, OnFailure, Problem, Source, Step};

/// Bytes of a flow's text.
const TEXT_BYTES_MAX: usize = 256 << 10;
/// Steps of a flow.
const STEPS_MAX: usize = 100;
const FLOW_FILE: Kind = Kind { noun: "one flow", begin: "begin with `flow: NAME`; `weir init` writes an example" };
const START: Place = Place { line: 1, column: 1 };

/// Checks the text of flow `name`. `files` gives the files that it refers to, by their paths as written. The `Err` lists
/// every fault, in the order of the text.
pub fn check(
    name: &str,
    text: &str,
    files: &dyn Fn(&str) -> Option<String>,
    catalogue: &dyn Catalogue,
) -> Result<Flow, Vec<Problem>> {
    let mut checker = Checker { problems: Problems::default(), files, catalogue, read: BTreeMap::new() };
    let parts = checker.flow(name, text);
    match parts {
        Some(parts) if checker.problems.is_empty() => Ok(parts.into_flow(name, text, checker.read)),
        _ => Err(checker.problems.into_sorted()),
    }
}

/// What makes up a version of a flow.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bundle<'t> {
    text: std::borrow::Cow<'t, str>,
    files: BTreeMap<String, String>,
}

impl Flow {
    /// Rebuilds a version from its [`bundle`](Self::bundle).
    pub fn from_bundle(name: &str, bundle: &str, catalogue: &dyn Catalogue) -> Result<Self, Vec<Problem>> {
        let bundle: Bundle<'_> = serde_json::from_str(bundle).map_err(|fault| {
            let mut problems = Problems::default();
            problems.add(START, format!("the stored version cannot be read: {fault}"), None);
            problems.into_sorted()
        })?;
        check(name, &bundle.text, &|path| bundle.files.get(path).cloned(), catalogue)
    }

    /// The JSON Schema of a flow's text, for editors.
    pub fn schema() -> &'static str {
        include_str!("../../flow.schema.json")
    }
}

/// A flow's parts, once all of them are there.
struct Parts {
    description: Option<String>,
    owner: String,
    source: Source,
    when: Option<Condition>,
    lane: Option<Expression>,
    concurrency: Option<u32>,
    steps: Vec<Step>,
    on_failure: OnFailure,
}

impl Parts {
    fn into_flow(self, name: &str, text: &str, files: BTreeMap<String, String>) -> Flow {
        let Self { description, owner, source, when, lane, concurrency, steps, on_failure } = self;
        let bundle = serde_json::json!(Bundle { text: text.into(), files }).to_string();
        // Twelve digits: two of a thousand versions share them once in a billion times.
        let version = Sha256::digest(&bundle).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let (name, bundle) = (name.to_owned(), bundle.into());
        Flow { name, description, owner, source, when, lane, concurrency, steps, on_failure, bundle, version }
    }
}

struct Checker<'c> {
    problems: Problems,
    files: &'c dyn Fn(&str) -> Option<String>,
    catalogue: &'c dyn Catalogue,
    /// The files that were referred to, with their contents.
    read: BTreeMap<String, String>,
}

impl Checker<'_> {
    fn flow(&mut self, name: &str, text: &str) -> Option<Parts> {
        if text.len() > TEXT_BYTES_MAX {
            let message = format!("the file is longer than {} KiB", TEXT_BYTES_MAX >> 10);
            return self.refuse(START, message, Some("split the flow in two".to_owned()));
        }
        let tree = yaml::parse(text, FLOW_FILE, &mut self.problems)?;
        let mut fields = self.fields(&tree, "a flow")?;
        if let Some(yaml) = self.required(&mut fields, "flow", &format!("add `flow: {name}`"))
            && let Some(written) = self.text(yaml, "`flow`")
            && written != name
        {
            let fix = format!("write `flow: {name}`, or rename the file");
            self.problems.add(yaml.place, format!("the flow is called `{written}`, its file `{name}`"), fix);
        }
        if !is_name(name) {
            let fix = "use lower-case letters, digits and hyphens, beginning with a letter".to_owned();
            self.problems.add(START, format!("`{name}` is no name for a flow"), fix);
        }
        let description = fields.get("description").and_then(|yaml| self.text(yaml, "`description`"));
        let owner = self
            .required(&mut fields, "owner", "add `owner:` with an e-mail address or a URL: who is told when it fails")
            .and_then(|yaml| self.address(yaml, "`owner`"));
        let source = self
            .required(&mut fields, "source", "add `source:` with a `webhook:` in it")
            .and_then(|yaml| self.source(yaml));
        let when = fields.get("when").map(|yaml| self.condition(yaml, "`when`", Names::default()));
        let lane = fields.get("lane").map(|yaml| self.bare_expression(yaml, "`lane`", Names::default()));
        let concurrency = fields.get("concurrency").map(|yaml| self.count(yaml, "`concurrency`"));
        let steps = self.required(&mut fields, "steps", "add `steps:` with a list").and_then(|yaml| self.steps(yaml));
        let on_failure = fields.get("on_failure").map(|yaml| self.on_failure(yaml));
        self.finish(fields);
        Some(Parts {
            description: description.map(str::to_owned),
            owner: owner?,
            source: source?,
            when: settled(when)?,
            lane: settled(lane)?,
            concurrency: settled(concurrency)?,
            steps: steps?,
            on_failure: settled(on_failure)?.unwrap_or_default(),
        })
    }

    fn on_failure(&mut self, yaml: &Yaml) -> Option<OnFailure> {
        let mut fields = self.fields(yaml, "`on_failure`")?;
        let park = fields.get("park").map(|yaml| self.word(yaml, "`park`", &[("true", true), ("false", false)]));
        let alert = fields.get("alert").map(|yaml| match self.text(yaml, "`alert`")? {
            "owner" => Some(Alert::Owner),
            "none" => Some(Alert::Nobody),
            _ => self.address(yaml, "`alert`").map(Alert::Address),
        });
        self.finish(fields);
        let default = OnFailure::default();
        Some(OnFailure {
            park: settled(park)?.unwrap_or(default.park),
            alert: settled(alert)?.unwrap_or(default.alert),
        })
    }

    /// An e-mail address or a URL, as far as that can be told without asking anybody.
    fn address(&mut self, yaml: &Yaml, what: &str) -> Option<String> {
        let text = self.text(yaml, what)?;
        let mail = text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
        if (mail || text.starts_with("https://")) && !text.contains(char::is_whitespace) {
            return Some(text.to_owned());
        }
        let fix = "write an address such as `team@example.com` or `https://example.com/team`".to_owned();
        self.refuse(yaml.place, format!("{what} is an e-mail address or a URL, not `{text}`"), Some(fix))
    }

    fn condition(&mut self, yaml: &Yaml, what: &str, names: Names<'_>) -> Option<Condition> {
        self.bare_expression(yaml, what, names).map(Condition)
    }

    /// An expression that is the whole value: `when: event.data.new`.
    fn bare_expression(&mut self, yaml: &Yaml, what: &str, names: Names<'_>) -> Option<Expression> {
        let scalar = self.scalar(yaml, what)?;
        if let Some(inner) = scalar.text.trim().strip_prefix("${") {
            let inner = inner.strip_suffix('}').unwrap_or(inner);
            let fix = format!("write `{}`", inner.trim());
            return self.refuse(yaml.place, format!("{what} is an expression already"), Some(fix));
        }
        self.expression(yaml.place, scalar, 0, &scalar.text, names)
    }

    /// The expression `source`, which begins at the character `start` of `scalar`.
    fn expression(
        &mut self,
        place: Place,
        scalar: &Scalar,
        start: usize,
        source: &str,
        names: Names<'_>,
    ) -> Option<Expression> {
        let (place, exact) = scalar.place_of(place, start);
        match cel::compile(source, names) {
            Ok(node) => Some(Expression::new(source, place, exact, node)),
            Err(findings) => {
                for Finding { at, message, fix } in findings {
                    let column = if exact { place.column + at } else { place.column };
                    self.problems.add(Place { column, ..place }, message, fix);
                }
                None
            }
        }
    }

    fn steps(&mut self, yaml: &Yaml) -> Option<Vec<Step>> {
        let YamlKind::List(items) = &yaml.kind else {
            return self.refuse(yaml.place, format!("`steps` is a list, not {}", yaml.kind_name()), None);
        };
        if items.len() > STEPS_MAX {
            let message = format!("there are {} steps, and {STEPS_MAX} are allowed", items.len());
            return self.refuse(yaml.place, message, Some("split the flow in two".to_owned()));
        }
        let ids: Vec<String> = items.iter().map(|item| self.step_id(item)).collect();
        let steps: Vec<_> = items.iter().enumerate().map(|(place, item)| self.step(item, place, &ids)).collect();
        steps.into_iter().collect()
    }
}

/// `Some(None)` for what was not written, none for what was written and is at fault.
#[expect(clippy::option_option, reason = "both are to be told apart")]
fn settled<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    match written {
        None => Some(None),
        Some(checked) => checked.map(Some),
    }
}

/// Lower-case letters, digits and hyphens, beginning with a letter; at most 64.
fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|character| matches!(character, 'a'..='z' | '0'..='9' | '-'))
}
