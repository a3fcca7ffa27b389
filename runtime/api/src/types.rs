//! What the API says. Every type here is part of the published interface.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Call, CallContext, GenerationStatus, Inspected, RepeatedEffect, StepCall};
use model::{Attempt, Document, Event, Execution, ExecutionId, State, StateKind, StepState};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One execution in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExecutionRow {
    /// Its id.
    pub id: String,
    /// The event's id.
    pub event: String,
    /// `name@version` of its flow.
    pub flow: String,
    /// The source of its event.
    pub source: String,
    /// The kind of its event.
    pub kind: String,
    /// Where it stands.
    pub state: StateKind,
    /// Why it waits, is parked or died, in a sentence.
    pub reason: Option<String>,
    /// When its event was received: RFC 3339.
    pub received: String,
    /// When it last changed: RFC 3339.
    pub updated: String,
    /// Attempts made, over all steps.
    pub attempts: u32,
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExecutionPage {
    /// The executions, the newest first.
    pub executions: Vec<ExecutionRow>,
    /// What to ask for as `after` to get the next page; none if this is the last.
    pub next: Option<String>,
}

/// All that is known of an execution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExecutionDetail {
    /// As in a list.
    #[serde(flatten)]
    pub row: ExecutionRow,
    /// The whole state.
    pub state_detail: State,
    /// Its lane, if its flow asks for order.
    pub lane: Option<String>,
    /// The execution that this one repeats.
    pub replay_of: Option<String>,
    /// How often its record was committed.
    pub revision: u64,
    /// The event; none if it is gone.
    pub event_detail: Option<EventDetail>,
    /// The steps in the order of the flow.
    pub steps: Vec<StepDetail>,
}

/// An event and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventPage {
    /// The event; none if its payload is gone.
    pub event: Option<EventDetail>,
    /// Its executions, the newest first.
    pub executions: Vec<ExecutionRow>,
}

/// An event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventDetail {
    /// Weir's id.
    pub id: String,
    /// The sender's id.
    pub sender_id: String,
    /// The source: a URI reference.
    pub source: String,
    /// When its last byte had been read: RFC 3339.
    pub received: String,
    /// The kind.
    pub kind: String,
    /// The subject.
    pub subject: Option<String>,
    /// The time that the sender gave.
    pub time: Option<String>,
    /// The media type.
    pub content_type: String,
    /// The schema of the data: a URI.
    pub schema: Option<String>,
    /// The extension attributes of CloudEvents.
    pub extensions: Vec<(String, String)>,
    /// What the transport said.
    pub transport: Vec<(String, String)>,
    /// The data.
    pub data: Payload,
}

/// Bytes: as JSON or text where they are, else in base 64.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// JSON.
    Json(Value),
    /// UTF-8.
    Text(String),
    /// Base 64 with padding.
    Base64(String),
}

/// One step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepDetail {
    /// Its id; its place if the flow can no longer be read.
    pub id: String,
    /// Where it stands.
    pub state: StepState,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// Attempts that are no longer listed.
    pub attempts_dropped: u32,
    /// What it gave.
    pub output: Option<Payload>,
    /// The id that the destination gave.
    pub external_id: Option<String>,
}

/// What a step was called with, made again from the pinned flow and the outputs before it, and what it gave. Secrets of
/// connections are hidden wherever they stand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepCallDetail {
    /// The execution.
    pub execution: String,
    /// `name@version` of its flow.
    pub flow: String,
    /// The step.
    pub step: String,
    /// The plugin as the flow names it: `name@major`.
    pub plugin: String,
    /// The action; none: it is a mapper.
    pub action: Option<String>,
    /// The event, its data byte by byte.
    pub event: EventDetail,
    /// What goes in.
    pub input: DocumentDetail,
    /// The flow's options for a mapper: a JSON object as a text.
    pub options: Option<String>,
    /// The circumstances of an action.
    pub context: Option<ContextDetail>,
    /// The account that an action uses.
    pub connection: Option<ConnectionDetail>,
    /// The latest attempt; none if there was none.
    pub attempt: Option<Attempt>,
    /// The documents that it gave; none if it has given nothing yet.
    pub output: Option<Vec<DocumentDetail>>,
    /// The id that the destination gave.
    pub external_id: Option<String>,
}

/// A document, byte by byte.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DocumentDetail {
    /// The media type.
    pub content_type: String,
    /// The bytes: as a text or in base 64, never as JSON, which would not keep how numbers are written.
    pub data: Payload,
    /// What the format cannot say.
    pub metadata: Vec<(String, String)>,
}

/// The circumstances of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ContextDetail {
    /// The same for every attempt of the step.
    pub idempotency_key: String,
    /// The latest attempt; counts from 1.
    pub attempt: u32,
    /// Milliseconds that the call may take.
    pub remaining_ms: u64,
}

/// A connection, with made-up texts in place of its secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConnectionDetail {
    /// What paths are appended to.
    pub base_url: Option<String>,
    /// Other origins that its credential may go to.
    pub origins: Vec<String>,
    /// What plugins are given.
    pub settings: Value,
    /// Whose account it is.
    pub account: Option<String>,
    /// How requests prove whose they are, as `connections.toml` writes it.
    pub credential: Value,
    /// Credentials by name: an object.
    pub credentials: Value,
}

/// How to replay.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayOrder {
    /// Begin with this step.
    #[serde(default)]
    pub from: Option<String>,
    /// On the flow's current version.
    #[serde(default)]
    pub current_version: bool,
    /// The effects that it would have again are meant to happen again.
    #[serde(default)]
    pub repeat_effects: bool,
}

/// An execution that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Replayed {
    /// Its id.
    pub id: String,
}

/// An effect that a replay would have again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EffectRow {
    /// The step.
    pub step: String,
    /// The action.
    pub action: String,
    /// The account at which it would happen.
    pub connection: Option<String>,
    /// What the destination called what it made the first time.
    pub external_id: Option<String>,
}

/// A generation of a plugin.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PluginRow {
    /// The name in `plugins.toml`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest of its component.
    pub digest: String,
    /// Where it stands.
    pub state: String,
    /// What it exports.
    pub roles: Vec<String>,
    /// Its actions.
    pub actions: Vec<String>,
    /// What it imports.
    pub imports: Vec<String>,
    /// What it asks to reach, as lines for `plugins.toml`.
    pub asks: Vec<String>,
    /// What it asks for beyond its grant, in words.
    pub missing: Vec<String>,
    /// What it does.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// Its licence.
    pub licence: String,
    /// Calls under way.
    pub in_flight: u64,
    /// Calls taken.
    pub calls: u64,
    /// Those that ended in a trap or at a limit.
    pub traps: u64,
}

/// An error (RFC 9457).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// The same as `title`'s page would be; `about:blank`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What failed, in a sentence, with the cure.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable word for machines.
    pub code: String,
    /// Everything that is wrong, where there is more than one thing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

impl From<&Execution> for ExecutionRow {
    fn from(execution: &Execution) -> Self {
        Self {
            id: execution.id.to_string(),
            event: execution.id.event().to_string(),
            flow: execution.flow.to_string(),
            source: execution.source.clone(),
            kind: execution.kind.clone(),
            state: execution.state.kind(),
            reason: reason(&execution.state),
            received: execution.received.to_string(),
            updated: execution.updated.to_string(),
            attempts: execution.steps.iter().map(model::Step::attempts_made).sum(),
        }
    }
}

fn reason(state: &State) -> Option<String> {
    match state {
        State::Waiting { reason: model::WaitReason::Retry { fault }, until, .. } => {
            Some(format!("again at {until} after {fault}"))
        }
        State::Waiting { reason, until, .. } => {
            let word = serde_json::to_value(reason).ok().and_then(|reason| reason.as_str().map(str::to_owned));
            Some(format!("{} until {until}", word.unwrap_or_default()))
        }
        State::Parked { message, .. } => Some(message.clone()),
        State::Dead { fault } => Some(fault.to_string()),
        State::Finished { filtered: true } => Some("filtered".to_owned()),
        _ => None,
    }
}

impl From<Inspected> for ExecutionDetail {
    fn from(inspected: Inspected) -> Self {
        let Inspected { execution, step_ids, event, outputs } = inspected;
        let steps = execution.steps.iter().zip(outputs).enumerate().map(|(index, (step, output))| StepDetail {
            id: step_ids.get(index).cloned().unwrap_or_else(|| index.to_string()),
            state: step.state,
            attempts: step.attempts.clone(),
            attempts_dropped: step.attempts_dropped,
            output: output.as_ref().map(Payload::from),
            external_id: step.external_id.clone(),
        });
        Self {
            row: ExecutionRow::from(&execution),
            state_detail: execution.state.clone(),
            lane: execution.lane.clone(),
            replay_of: execution.replay_of.as_ref().map(ToString::to_string),
            revision: execution.revision,
            event_detail: event.as_ref().map(EventDetail::from),
            steps: steps.collect(),
        }
    }
}

impl From<&Event> for EventDetail {
    fn from(event: &Event) -> Self {
        let attributes = &event.attributes;
        Self {
            id: event.id.to_string(),
            sender_id: attributes.id.clone(),
            source: attributes.source.clone(),
            received: event.received.to_string(),
            kind: attributes.kind.clone(),
            subject: attributes.subject.clone(),
            time: attributes.time.clone(),
            content_type: attributes.content_type.clone(),
            schema: attributes.schema.clone(),
            extensions: attributes.extensions.clone(),
            transport: event.transport.clone(),
            data: Payload::of(&attributes.content_type, &event.data),
        }
    }
}

impl From<&Document> for DocumentDetail {
    fn from(document: &Document) -> Self {
        Self {
            content_type: document.content_type.clone(),
            data: Payload::exact(&document.data),
            metadata: document.metadata.clone(),
        }
    }
}

impl StepCallDetail {
    /// Of a call whose connection is known.
    pub fn new(execution: &ExecutionId, call: &StepCall, connection: Option<ConnectionDetail>) -> Self {
        let (plugin, action, input) = match &call.call {
            Call::Transform(call) => (&call.plugin, None, &call.input),
            Call::Action(call) => (&call.plugin, Some(call.action.clone()), &call.input),
        };
        let (options, context) = match &call.call {
            Call::Transform(call) => (Some(call.options.to_string()), None),
            Call::Action(call) => (None, Some(ContextDetail::from(&call.context))),
        };
        Self {
            execution: execution.to_string(),
            flow: call.flow.to_string(),
            step: call.step.clone(),
            plugin: format!("{}@{}", plugin.name, plugin.major),
            action,
            event: EventDetail { data: Payload::exact(&call.event.data), ..EventDetail::from(&*call.event) },
            input: DocumentDetail::from(input),
            options,
            context,
            connection,
            attempt: call.attempt.clone(),
            output: call.output.as_ref().map(|output| output.iter().map(DocumentDetail::from).collect()),
            external_id: call.external_id.clone(),
        }
    }
}

impl From<&CallContext> for ContextDetail {
    fn from(context: &CallContext) -> Self {
        Self {
            idempotency_key: context.idempotency_key.clone(),
            attempt: context.attempt,
            remaining_ms: u64::try_from(context.deadline.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl From<&Document> for Payload {
    fn from(document: &Document) -> Self {
        Self::of(&document.content_type, &document.data)
    }
}

impl Payload {
    fn of(content_type: &str, data: &[u8]) -> Self {
        if content_type.contains("json")
            && let Ok(value) = serde_json::from_slice(data)
        {
            return Self::Json(value);
        }
        Self::exact(data)
    }

    /// The bytes from which these can be had again as they are.
    fn exact(data: &[u8]) -> Self {
        match std::str::from_utf8(data) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(STANDARD.encode(data)),
        }
    }
}

impl From<RepeatedEffect> for EffectRow {
    fn from(effect: RepeatedEffect) -> Self {
        let RepeatedEffect { step, action, connection, external_id } = effect;
        Self { step, action, connection, external_id }
    }
}

impl From<GenerationStatus> for PluginRow {
    fn from(status: GenerationStatus) -> Self {
        let about = status.about;
        Self {
            name: status.plugin.name,
            version: status.plugin.version,
            digest: status.plugin.digest,
            state: status.state.as_str().to_owned(),
            roles: about.roles,
            actions: about.actions,
            imports: about.imports,
            asks: about.asks.iter().map(ToString::to_string).collect(),
            missing: status.missing,
            description: about.description,
            owner: about.owner,
            licence: about.licence,
            in_flight: status.in_flight,
            calls: status.calls,
            traps: status.traps,
        }
    }
}
