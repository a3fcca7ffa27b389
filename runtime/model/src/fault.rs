use serde::{Deserialize, Serialize};

use crate::Pairs;

/// What went wrong, as far as the engine must tell cases apart. The same words as in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The data cannot be processed; somebody has to mend it.
    InvalidInput,
    /// The destination does not accept the credential.
    Unauthorized,
    /// The credential is accepted and not sufficient.
    Forbidden,
    /// What the call is about does not exist.
    NotFound,
    /// The state of the destination contradicts the call.
    Conflict,
    /// Too many calls.
    RateLimited,
    /// The destination cannot be reached or cannot answer now.
    Unavailable,
    /// No answer in time, and the request had no effect or may be repeated.
    Timeout,
    /// The destination understood and declined.
    Rejected,
    /// A request was sent and its answer lost: it may or may not have had its effect.
    UnknownOutcome,
    /// A fault in the plugin: an exception, a trap, a limit.
    Internal,
}

impl FaultKind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 11] = [
        Self::InvalidInput,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::RateLimited,
        Self::Unavailable,
        Self::Timeout,
        Self::Rejected,
        Self::UnknownOutcome,
        Self::Internal,
    ];

    /// The word that the contract, the output and the configuration use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid-input",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::RateLimited => "rate-limited",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
            Self::UnknownOutcome => "unknown-outcome",
            Self::Internal => "internal",
        }
    }
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One field at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldFault {
    /// A JSON Pointer (RFC 6901) into the document.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

/// How a call failed: said by the plugin, or by the host about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Decides what the engine does.
    pub kind: FaultKind,
    /// A stable word for machines. Codes that the host makes begin with `weir.`, such as `weir.limit.cpu`.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// Milliseconds that the destination asked to wait.
    pub retry_after_ms: Option<u32>,
    /// The fields at fault.
    pub fields: Vec<FieldFault>,
    /// Anything else worth knowing: a traceback, the source line.
    pub details: Pairs,
}

impl Fault {
    /// A fault with nothing but kind, code and message.
    pub fn new(kind: FaultKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.into(),
            message: message.into(),
            retry_after_ms: None,
            fields: Vec::new(),
            details: Vec::new(),
        }
    }

    /// The same with one more detail.
    pub fn with_detail(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.details.push((name.into(), value.into()));
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.kind, self.code, self.message)
    }
}
