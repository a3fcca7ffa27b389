use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use model::{CallReport, Document, Event, Fault, Pairs};

/// Calls plugins. The host implements it; tests script it.
pub trait PluginCaller: Send + Sync + 'static {
    /// Runs a mapper.
    fn transform(&self, call: TransformCall) -> BoxFuture<'_, Result<Called<Vec<Document>>, NotServed>>;

    /// Runs an action. If a request was in flight when the call ended badly, the fault's kind is
    /// [`UnknownOutcome`](model::FaultKind::UnknownOutcome), whatever the plugin said.
    fn invoke(&self, call: ActionCall) -> BoxFuture<'_, Result<Called<Receipt>, NotServed>>;

    /// Asks what became of an attempt whose answer was lost.
    fn verify(&self, call: ActionCall) -> BoxFuture<'_, Result<Called<Settlement>, NotServed>>;
}

/// A plugin as flows name it: `crm@1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PluginSelector {
    /// The name in `plugins.toml`.
    pub name: String,
    /// The major version.
    pub major: u64,
}

/// A call of a mapper.
#[derive(Clone, Debug)]
pub struct TransformCall {
    /// Which.
    pub plugin: PluginSelector,
    /// The event that is being carried: where the document comes from.
    pub event: Arc<Event>,
    /// What to map.
    pub input: Document,
    /// The flow's options for this step: JSON.
    pub options: Arc<str>,
}

/// A call of an action.
#[derive(Clone, Debug)]
pub struct ActionCall {
    /// Which plugin.
    pub plugin: PluginSelector,
    /// Which of its actions.
    pub action: String,
    /// What to send.
    pub input: Document,
    /// For a listing action: where the next page begins.
    pub cursor: Option<String>,
    /// The circumstances.
    pub context: CallContext,
}

/// The circumstances of a call.
#[derive(Clone, Debug)]
pub struct CallContext {
    /// The execution.
    pub execution: String,
    /// The step.
    pub step: String,
    /// The same for every attempt of the step.
    pub idempotency_key: String,
    /// Counts from 1.
    pub attempt: u32,
    /// How long the call may take.
    pub deadline: Duration,
    /// The connection to use; empty if none.
    pub connection: String,
}

/// What an action gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its output.
    pub output: Document,
    /// The id that the destination gave.
    pub external_id: Option<String>,
    /// For a listing action: where the next page begins.
    pub next: Option<String>,
    /// Anything else.
    pub metadata: Pairs,
}

/// What became of an attempt whose answer was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It had its effect.
    Happened(Receipt),
    /// It had none.
    Absent,
    /// Ask again, after this time if one is given.
    Undecided(Option<Duration>),
}

/// A call that reached a plugin.
#[derive(Clone, Debug)]
pub struct Called<T> {
    /// What it gave: a fault may be the plugin's own or one that the host made of a trap or a limit.
    pub answer: Result<T, Fault>,
    /// What the host saw.
    pub report: CallReport,
    /// How often the plugin called the host, WASI included. Of use to whoever tests a plugin; not kept.
    pub host_calls: u32,
}

/// No plugin could be called: the execution waits, no attempt is counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// Nothing of that name and major version is installed.
    #[error("plugin `{0}` is not installed")]
    NotInstalled(String),
    /// It is installed, and no generation serves.
    #[error("plugin `{name}` serves no calls: {reason}")]
    Unavailable {
        /// The plugin.
        name: String,
        /// Why, and what to do.
        reason: String,
    },
    /// It lacks the role or the action.
    #[error("plugin `{name}` has no {what}")]
    Lacks {
        /// The plugin.
        name: String,
        /// The role or the action.
        what: String,
    },
    /// The connection is not there, or this plugin may not use it.
    #[error("{0}")]
    Connection(String),
}
