use serde::{Deserialize, Serialize};

use crate::{Exchange, Fault, FaultKind, Pairs, Timestamp};

/// Which plugin, and which bytes of it, handled a call.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PluginRef {
    /// The name in `plugins.toml`.
    pub name: String,
    /// The version its manifest gives.
    pub version: String,
    /// SHA-256 of the component, `sha256:` and 64 hexadecimal digits.
    pub digest: String,
}

/// One HTTP request that a plugin made, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// The method.
    pub method: String,
    /// Scheme, host and port: `https://api.example.com:443` with the default port left out.
    pub origin: String,
    /// The path of the template, `{{slot}}` unfilled, without the query.
    pub path: String,
    /// The status of the answer; none if there was no answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub fault: Option<String>,
    /// Microseconds from the gate to the last byte.
    pub duration_us: u64,
    /// More of it, until it is known how the call ended: if it failed, its fault keeps them.
    #[serde(skip)]
    pub exchange: Option<Box<Exchange>>,
}

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For the author.
    Debug,
    /// For whoever looks at one execution.
    Info,
    /// Something is off.
    Warn,
    /// Something failed.
    Error,
}

/// One line that a plugin logged, control characters removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The line.
    pub message: String,
    /// Structured fields.
    pub fields: Pairs,
}

/// What the host saw of one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallReport {
    /// Which plugin answered.
    pub plugin: PluginRef,
    /// Microseconds of the call, waiting included.
    pub duration_us: u64,
    /// Microseconds of the guest on a core.
    pub cpu_us: u64,
    /// The most linear memory that the guest had, in bytes.
    pub memory_bytes: u64,
    /// The requests it made, in order.
    pub requests: Vec<RequestRecord>,
    /// What it logged, in order, as far as the limit allows.
    pub logs: Vec<LogLine>,
    /// Lines beyond the limit.
    pub logs_dropped: u32,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it should.
    Succeeded,
    /// `verify` found that an attempt whose answer was lost had had its effect.
    Verified,
    /// `verify` found that it had had none, so that it may be repeated.
    Absent,
    /// With a fault.
    Failed {
        /// Which.
        fault: Fault,
    },
    /// Weir stopped while the attempt was under way, and its outcome is not known.
    Lost,
}

/// One call for one step of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counts from 1 within the step, over retries by hand too.
    pub number: u32,
    /// When it began.
    pub started: Timestamp,
    /// How it ended; none while it is under way, and for ever if Weir was killed then.
    pub outcome: Option<Outcome>,
    /// What the host saw; none for steps that need no plugin, and before the end.
    pub report: Option<CallReport>,
}

impl Attempt {
    /// Whether it has ended and nobody knows what it came to: it may or may not have had its effect.
    pub fn is_lost(&self) -> bool {
        match &self.outcome {
            Some(Outcome::Lost) => true,
            Some(Outcome::Failed { fault }) => fault.kind == FaultKind::UnknownOutcome,
            _ => false,
        }
    }
}
