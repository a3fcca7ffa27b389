//! Plugins that answer as a script says, and note what was asked of them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use engine::{ActionCall, Called, NotServed, PluginCaller, Receipt, Settlement, TransformCall};
use flow::{ActionInfo, Catalogue, ConnectionInfo, MapperInfo, PluginName};
use futures_util::future::{BoxFuture, FutureExt};
use manifest::Effect;
use model::{CallReport, Document, EventId, ExecutionId, Fault, FaultKind, PluginRef, StepState};
use tokio::sync::oneshot;

use crate::ground::Ground;

/// For how long the destination of a `keyed` action honours a key.
const KEY_LIFETIME: Duration = Duration::from_secs(60);

/// Every plugin is there; an action is what its name says: `read`, `keyed`, `unsafe`, anything else is idempotent.
pub(crate) struct Everything;

impl Catalogue for Everything {
    fn mapper(&self, _: &PluginName) -> Option<MapperInfo> {
        Some(MapperInfo::default())
    }

    fn action(&self, _: &PluginName, action: &str) -> Option<ActionInfo> {
        let (effect, key_lifetime) = match action {
            "read" => (Effect::Read, None),
            "keyed" => (Effect::Keyed, Some(KEY_LIFETIME)),
            "unsafe" => (Effect::Unsafe, None),
            _ => (Effect::Idempotent, None),
        };
        Some(ActionInfo { effect, key_lifetime })
    }

    fn connection(&self, _: &str) -> Option<ConnectionInfo> {
        Some(ConnectionInfo::default())
    }

    fn plugins(&self) -> Vec<PluginName> {
        Vec::new()
    }

    fn actions(&self, _: &PluginName) -> Vec<String> {
        Vec::new()
    }

    fn connections(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What was asked of a connector.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) execution: ExecutionId,
    pub(crate) step: String,
    pub(crate) key: String,
    pub(crate) attempt: u32,
    pub(crate) verifies: bool,
}

/// Says how calls are answered, in the words of a script.
pub(crate) trait Answers: Send {
    fn to_mapper(&mut self, plugin: &str) -> String;
    fn to_connector(&mut self, call: &Call) -> String;
}

/// Answers calls in the words of the script: `ok`, `N documents`, `none`, a kind of fault with `after N` in milliseconds,
/// `gone` or `lacking`; for `verify`: `happened`, `absent`, `undecided`, `cannot`. `hold` keeps the caller waiting for
/// [`release`](Self::release). Clones are the same.
#[derive(Clone)]
pub(crate) struct Plugins(Arc<Mutex<State>>, Ground);

#[derive(Default)]
struct State {
    answers: Option<Box<dyn Answers>>,
    script: HashMap<String, VecDeque<String>>,
    held: BTreeMap<String, oneshot::Sender<String>>,
    labels: Vec<(String, String)>,
    told: Vec<String>,
    calls: Vec<(Call, String)>,
    flying: BTreeMap<String, Flying>,
}

/// Calls at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Flying {
    now: usize,
    most: usize,
}

impl Plugins {
    pub(crate) fn new(ground: Ground) -> Self {
        Self(Arc::default(), ground)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Lets this decide instead of the script.
    pub(crate) fn decide_by(&self, answers: Box<dyn Answers>) {
        self.state().answers = Some(answers);
    }

    /// The next answers to whatever has this name: a mapper, a step, or `verify` and a step.
    pub(crate) fn will_answer(&self, name: &str, words: impl Iterator<Item = String>) {
        self.state().script.entry(name.to_owned()).or_default().extend(words);
    }

    /// Answers that were written and not given.
    pub(crate) fn left_over(&self) -> Vec<String> {
        let state = self.state();
        state
            .script
            .iter()
            .filter(|(_, words)| !words.is_empty())
            .map(|(name, words)| format!("{name}: {words:?}"))
            .collect()
    }

    /// Lets a held call end.
    pub(crate) fn release(&self, name: &str, word: &str) {
        let held = self.state().held.remove(name);
        let held = held.unwrap_or_else(|| panic!("nobody holds `{name}`, only {:?}", self.held()));
        assert_eq!(held.send(word.to_owned()), Ok(()), "the caller of `{name}` has gone");
    }

    pub(crate) fn held(&self) -> Vec<String> {
        self.state().held.iter().filter(|(_, sender)| !sender.is_closed()).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn label(&self, event: EventId, label: &str) {
        let id = event.to_string();
        self.state().labels.push((id["evt_".len()..].to_owned(), label.to_owned()));
    }

    /// The text with labels instead of ids.
    pub(crate) fn named(&self, text: &str) -> String {
        self.state().named(text)
    }

    /// What has been told since the last time.
    pub(crate) fn take_told(&self) -> Vec<String> {
        std::mem::take(&mut self.state().told)
    }

    /// Every call of a connector so far, and the first word of its answer.
    pub(crate) fn calls(&self) -> Vec<(Call, String)> {
        self.state().calls.clone()
    }

    /// The most calls that were under way at once on a connection, or for a flow's step.
    pub(crate) fn most_at_once(&self) -> BTreeMap<String, usize> {
        self.state().flying.iter().map(|(name, flying)| (name.clone(), flying.most)).collect()
    }

    async fn answer(&self, name: String, call: String, word: String) -> String {
        let held = {
            let mut state = self.state();
            let told = state.named(&format!("{call}: {word}"));
            state.told.push(told);
            if word != "hold" {
                return word;
            }
            let (sender, held) = oneshot::channel();
            let name = state.named(&name);
            state.held.insert(name, sender);
            held
        };
        // Nobody releases it any more when a run ends.
        held.await.unwrap_or_else(|_| "unavailable".to_owned())
    }

    /// Notes a call and gives its answer, and a token that counts it as under way.
    async fn connector(&self, call: ActionCall, verifies: bool) -> String {
        let context = call.context;
        let asked = Call {
            execution: context.execution.parse().unwrap(),
            step: context.step,
            key: context.idempotency_key,
            attempt: context.attempt,
            verifies,
        };
        if !verifies && self.is_looked_at() {
            self.assert_open(&asked);
        }
        let name = format!("{}.{}", asked.execution, asked.step);
        let verify = if verifies { "verify " } else { "" };
        let word = {
            let mut state = self.state();
            let word = state.word(&asked, &name, verify);
            state.calls.push((asked.clone(), word.clone()));
            word
        };
        let input = String::from_utf8_lossy(&call.input.data).into_owned();
        let told = format!("{verify}{} {} #{} {} {input}", asked.step, asked.execution, asked.attempt, asked.key);
        let flying = [format!("connection {}", context.connection), format!("step {}", asked.step)];
        let _landed = (!verifies).then(|| Token::of(self, flying));
        self.answer(format!("{verify}{name}"), told, word).await
    }

    /// A look at what is durable reads the whole disk: of the many calls of a simulation, every fourth is looked at.
    fn is_looked_at(&self) -> bool {
        let state = self.state();
        state.answers.is_none() || state.calls.len().is_multiple_of(4)
    }

    /// No connector is called before the record that opens its step is durable.
    fn assert_open(&self, call: &Call) {
        let durable =
            self.1.durable(&call.execution).unwrap_or_else(|| panic!("{call:?}: not there if the power goes"));
        let opened = durable.steps.iter().any(|step| {
            let latest = step.attempts.last();
            step.state == StepState::Open
                && latest.is_some_and(|latest| latest.number == call.attempt && latest.outcome.is_none())
        });
        assert!(opened, "{call:?}: not open if the power goes: {durable:#?}");
    }
}

impl State {
    fn named(&self, text: &str) -> String {
        self.labels.iter().fold(text.to_owned(), |text, (id, label)| {
            text.replace(&format!("exe_{id}"), label).replace(&format!("evt_{id}"), label)
        })
    }

    fn word(&mut self, call: &Call, name: &str, verify: &str) -> String {
        if let Some(answers) = &mut self.answers {
            return answers.to_connector(call);
        }
        let names = [format!("{verify}{}", self.named(name)), format!("{verify}{}", call.step)];
        let default = if call.verifies { "cannot" } else { "ok" };
        self.scripted(&names).unwrap_or_else(|| default.to_owned())
    }

    fn mapper_word(&mut self, name: &str) -> String {
        match &mut self.answers {
            Some(answers) => answers.to_mapper(name),
            None => self.scripted(&[name.to_owned()]).unwrap_or_else(|| "ok".to_owned()),
        }
    }

    fn scripted(&mut self, names: &[String]) -> Option<String> {
        names.iter().find_map(|name| self.script.get_mut(name)?.pop_front())
    }
}

/// A call under way.
struct Token<'p>(&'p Plugins, [String; 2]);

impl<'p> Token<'p> {
    fn of(plugins: &'p Plugins, names: [String; 2]) -> Self {
        for name in &names {
            let mut state = plugins.state();
            let flying = state.flying.entry(name.clone()).or_default();
            flying.now += 1;
            flying.most = flying.most.max(flying.now);
        }
        Self(plugins, names)
    }
}

impl Drop for Token<'_> {
    fn drop(&mut self) {
        let mut state = self.0.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for name in &self.1 {
            if let Some(flying) = state.flying.get_mut(name) {
                flying.now -= 1;
            }
        }
    }
}

impl PluginCaller for Plugins {
    fn transform(&self, call: TransformCall) -> BoxFuture<'_, Result<Called<Vec<Document>>, NotServed>> {
        async move {
            let name = call.plugin.name.clone();
            let word = self.state().mapper_word(&name);
            let told = format!("map {name} {}", call.event.id);
            let word = self.answer(format!("{}.{name}", call.event.id), told, word).await;
            let documents = match word.split_once(' ') {
                _ if word == "ok" => Ok(vec![call.input]),
                _ if word == "none" => Ok(Vec::new()),
                Some((count, "documents")) => {
                    let document = |index: usize| Document::json(format!(r#"{{"index":{index}}}"#).into_bytes());
                    Ok((0..count.parse().unwrap()).map(document).collect())
                }
                _ => Err(word),
            };
            answered(&name, documents)
        }
        .boxed()
    }

    fn invoke(&self, call: ActionCall) -> BoxFuture<'_, Result<Called<Receipt>, NotServed>> {
        async move {
            let name = call.plugin.name.clone();
            let word = self.connector(call, false).await;
            answered(&name, if word == "ok" { Ok(receipt()) } else { Err(word) })
        }
        .boxed()
    }

    fn verify(&self, call: ActionCall) -> BoxFuture<'_, Result<Called<Settlement>, NotServed>> {
        async move {
            let name = call.plugin.name.clone();
            let word = self.connector(call, true).await;
            let settlement = match word.as_str() {
                "happened" => Ok(Settlement::Happened(receipt())),
                "absent" => Ok(Settlement::Absent),
                "undecided" => Ok(Settlement::Undecided(None)),
                "cannot" => Err("lacking".to_owned()),
                _ => Err(word),
            };
            answered(&name, settlement)
        }
        .boxed()
    }
}

fn receipt() -> Receipt {
    let output = Document::json(br#"{"id":"c-1"}"#.as_slice());
    Receipt { output, external_id: Some("c-1".to_owned()), next: None, metadata: Vec::new() }
}

fn answered<T>(plugin: &str, answer: Result<T, String>) -> Result<Called<T>, NotServed> {
    let name = plugin.to_owned();
    let answer = match answer {
        Err(word) if word == "gone" => {
            return Err(NotServed::Unavailable { name, reason: "it is being looked at".to_owned() });
        }
        Err(word) if word == "lacking" => return Err(NotServed::Lacks { name, what: "that".to_owned() }),
        Err(word) => Err(fault(&word)),
        Ok(given) => Ok(given),
    };
    let plugin = PluginRef { name, version: "1.0.0".to_owned(), digest: String::new() };
    let report = CallReport {
        plugin,
        duration_us: 1,
        cpu_us: 1,
        memory_bytes: 1,
        requests: Vec::new(),
        logs: Vec::new(),
        logs_dropped: 0,
    };
    Ok(Called { answer, report, host_calls: 0 })
}

fn fault(word: &str) -> Fault {
    let (kind, after) = match word.split_once(" after ") {
        Some((kind, after)) => (kind, Some(after.parse().unwrap())),
        None => (word, None),
    };
    let kind: FaultKind = serde_json::from_value(kind.into()).unwrap_or_else(|_| panic!("`{kind}` is no answer"));
    Fault { retry_after_ms: after, ..Fault::new(kind, "test", "as scripted") }
}
