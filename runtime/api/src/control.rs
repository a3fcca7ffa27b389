use std::path::PathBuf;

use engine::{AdminError, Engine, GenerationStatus, OrderError, PluginAdmin};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::types::ConnectionDetail;

/// What the admin API can do beyond what the engine offers: everything that touches the project's files. The server
/// implements it.
pub trait Control: Send + Sync + 'static {
    /// The engine, for executions.
    fn engine(&self) -> &Engine;

    /// The plugins.
    fn plugins(&self) -> &dyn PluginAdmin;

    /// How everything is.
    fn status(&self) -> BoxFuture<'_, Result<Status, ControlError>>;

    /// Reads the project's files anew and brings what runs into line with them. If one file has a fault, nothing changes.
    fn apply(&self) -> BoxFuture<'_, Result<Applied, ControlError>>;

    /// Puts a component into the project, under this name or that of its manifest, and brings it into service if it asks
    /// for nothing beyond its grant.
    fn install(&self, name: Option<String>, component: bytes::Bytes) -> BoxFuture<'_, Result<Deployed, ControlError>>;

    /// Writes what a staged plugin asks for into its grant in `plugins.toml`, and brings it into service.
    fn grant<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Deployed, ControlError>>;

    /// Brings the generation before back, at once, and holds the one that is left until something else is installed.
    fn rollback<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Deployed, ControlError>>;

    /// Keeps a secret, sealed; none removes it.
    fn set_secret<'a>(&'a self, name: &'a str, secret: Option<String>) -> BoxFuture<'a, Result<(), ControlError>>;

    /// The names of the secrets in the store.
    fn secret_names(&self) -> Vec<String>;

    /// How a connection is set up, with made-up texts in place of its secrets; none if there is none of that name.
    fn connection(&self, name: &str) -> Option<ConnectionDetail>;

    /// Hides the secrets of every connection in a text.
    fn redacted(&self, text: String) -> String;

    /// Metrics in the text format of Prometheus.
    fn metrics(&self) -> String;
}

/// How everything is, the worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version of Weir.
    pub version: String,
    /// The process.
    pub pid: u32,
    /// The folder of the project.
    pub project: PathBuf,
    /// The address and port at which events come in, with the scheme.
    pub listen: String,
    /// Whether events are taken in.
    pub accepting: bool,
    /// Whether work on events is held back by `pause`.
    pub paused: bool,
    /// What is wrong now, the most harmful first, each with what to do.
    pub troubles: Vec<String>,
    /// The flows.
    pub flows: Vec<FlowStatus>,
    /// Counts since the start.
    pub counts: Counts,
}

/// How one flow is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowStatus {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Who answers for it.
    pub owner: String,
    /// Where its events come in.
    pub path: String,
    /// The ids of its steps.
    pub steps: Vec<String>,
    /// Executions that go on by themselves.
    pub open: u64,
    /// Executions that wait for a person.
    pub parked: u64,
    /// Dead letters.
    pub dead: u64,
}

/// Counts since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Events taken in.
    pub accepted: u64,
    /// Events that had been taken in before.
    pub repeated: u64,
    /// Calls of actions.
    pub attempts: u64,
    /// Executions that were put off because an attempt will be repeated.
    pub retried: u64,
    /// Executions that finished.
    pub finished: u64,
    /// Executions that were parked.
    pub parked: u64,
    /// Executions that became dead letters.
    pub dead: u64,
    /// Executions in memory.
    pub queued: u64,
    /// Executions that are being worked on.
    pub running: u64,
}

/// What `apply` did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Each plugin, and what became of it.
    pub plugins: Vec<Deployed>,
    /// The flows that take events now, as `name@version`.
    pub flows: Vec<String>,
    /// What could not be brought into service, and what to do.
    pub troubles: Vec<String>,
}

/// A plugin, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest of its component.
    pub digest: String,
    /// `active`, `staged` or another state of a generation.
    pub state: String,
    /// What it asks for beyond its grant, in words.
    pub missing: Vec<String>,
    /// What happened, in a sentence.
    pub message: String,
}

/// Why something was not done. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// A file has faults: each as `file:line:column: message; fix`.
    #[error("the project has {} faults", .0.len())]
    Faults(Vec<String>),
    /// An order about plugins was refused.
    #[error(transparent)]
    Plugin(#[from] AdminError),
    /// An order about executions was refused.
    #[error(transparent)]
    Order(#[from] OrderError),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Refused(String),
    /// A file cannot be read or written.
    #[error("cannot {what} `{}`", file.display())]
    File {
        /// Read or write.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A fault of the store or of the system.
    #[error("{0}")]
    Failed(String),
}

impl Deployed {
    /// What a generation's status says, with a sentence about it.
    pub fn new(status: &GenerationStatus, message: impl Into<String>) -> Self {
        Self {
            name: status.plugin.name.clone(),
            version: status.plugin.version.clone(),
            digest: status.plugin.digest.clone(),
            state: status.state.as_str().to_owned(),
            missing: status.missing.clone(),
            message: message.into(),
        }
    }
}
