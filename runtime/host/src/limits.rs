use std::time::Duration;

use model::Document;
use serde::{Deserialize, Serialize};

const MIB: u64 = 1024 * 1024;

/// What one plugin may use. Every limit is on by default; the fault that tells of it bears its name, `weir.limit.…`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// `memory`: bytes of linear memory of one call, over all its memories.
    pub memory_bytes: u64,
    /// `cpu`: time of the guest on a core in one call.
    pub cpu: Duration,
    /// `wall`: time of one call, waiting included. A shorter deadline of the call itself comes first.
    pub wall: Duration,
    /// `concurrency`: calls of the plugin side by side. None: 64.
    pub concurrency: Option<u32>,
    /// `output`: bytes that one call gives back.
    pub output_bytes: u64,
    /// `documents`: documents that one call of a mapper gives back.
    pub documents: u32,
    /// `request-body`: bytes of the body of one request.
    pub request_body_bytes: u64,
    /// `response-body`: bytes of the body of one response, decompressed.
    pub response_body_bytes: u64,
    /// `http-requests`: requests of one call.
    pub http_requests: u32,
    /// `host-calls`: calls of the host in one call of the plugin, WASI included.
    pub host_calls: u32,
    /// `log`: lines that one call may log; more are counted and dropped.
    pub log_lines: u32,
    /// `log`: bytes that one call may log; lines beyond are counted and dropped.
    pub log_bytes: u32,
}

impl Limits {
    /// Fails if a call gives, or is given, too much at once.
    pub(crate) fn check_output(&self, bytes: usize) -> Result<(), Exceeded> {
        if bytes as u64 > self.output_bytes { Err(Exceeded::Output(self.output_bytes)) } else { Ok(()) }
    }

    /// Fails if a mapper gives too many documents, or too large ones.
    pub(crate) fn check_documents(&self, documents: &[Document]) -> Result<(), Exceeded> {
        if documents.len() > self.documents as usize {
            return Err(Exceeded::Documents(self.documents));
        }
        self.check_output(documents.iter().map(|document| document.data.len()).sum())
    }

    /// Fails if the host has been called too often.
    pub(crate) fn check_host_calls(&self, host_calls: u32) -> Result<(), Exceeded> {
        if host_calls > self.host_calls { Err(Exceeded::HostCalls(self.host_calls)) } else { Ok(()) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 64 * MIB,
            cpu: Duration::from_millis(500),
            wall: Duration::from_secs(30),
            concurrency: None,
            output_bytes: 8 * MIB,
            documents: 10_000,
            request_body_bytes: 8 * MIB,
            response_body_bytes: 8 * MIB,
            http_requests: 50,
            host_calls: 10_000,
            log_lines: 200,
            log_bytes: 64 * 1024,
        }
    }
}

/// A limit that a call has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exceeded {
    #[error("the call reached the limit of memory, {0} bytes; raise `memory` in the plugin's limits or use less")]
    Memory(u64),
    #[error("the call reached the limit of table elements, {0}")]
    Tables(u64),
    #[error("the call used its CPU time, {} ms; raise `cpu` in the plugin's limits or do less in one call", .0.as_millis())]
    Cpu(Duration),
    #[error("the call took its whole time, {} ms; raise `wall` in the plugin's limits or the step's timeout", .0.as_millis())]
    Wall(Duration),
    #[error("the call gave more than {0} bytes; raise `output` in the plugin's limits or give less")]
    Output(u64),
    #[error("the call gave more than {0} documents; raise `documents` in the plugin's limits or give fewer")]
    Documents(u32),
    #[error(
        "the call made more than {0} requests; raise `http_requests` in the plugin's limits or page through `next`"
    )]
    HttpRequests(u32),
    #[error("the call called the host more than {0} times; raise `host_calls` in the plugin's limits or call it less")]
    HostCalls(u32),
    #[error("the call used up its stack; recursion is too deep")]
    Stack,
}

impl Exceeded {
    /// The code of the fault.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Memory(_) => "weir.limit.memory",
            Self::Tables(_) => "weir.limit.tables",
            Self::Cpu(_) => "weir.limit.cpu",
            Self::Wall(_) => "weir.limit.wall",
            Self::Output(_) => "weir.limit.output",
            Self::Documents(_) => "weir.limit.documents",
            Self::HttpRequests(_) => "weir.limit.http-requests",
            Self::HostCalls(_) => "weir.limit.host-calls",
            Self::Stack => "weir.limit.stack",
        }
    }
}
