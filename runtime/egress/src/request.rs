use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use capability::Grant;
use connection::Connection;

/// A request as a plugin asks for it, with all that the gate needs to judge it.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the plugin may do; it names the plugin.
    pub grant: Arc<Grant>,
    /// The connection in use.
    pub connection: Option<Arc<Connection>>,
    /// The method.
    pub method: String,
    /// Absolute, or a path with a leading slash that is appended to the connection's base URL. May hold `{{slot}}`.
    pub url: String,
    /// The header fields. Values may hold `{{slot}}`.
    pub headers: Vec<(String, String)>,
    /// The whole body; empty for none.
    pub body: Bytes,
    /// Which credential is added.
    pub auth: Auth,
    /// What the request may cost.
    pub limits: Limits,
}

/// Which credential is added to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// The connection's, wherever the connection covers the origin.
    #[default]
    Default,
    /// Another of the connection's, by its name.
    Named(String),
    /// None.
    Anonymous,
}

/// What a request may cost. Each limit has its own fault code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the request's body.
    pub request_body_bytes: usize,
    /// Bytes of the answer's body, before and after decompression.
    pub response_body_bytes: usize,
    /// From the gate to the last byte, redirects and waiting included.
    pub total: Duration,
    /// Resolving the name, connecting, and the TLS handshake.
    pub connect: Duration,
    /// From the connection to the head of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the answer's body.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_body_bytes: 8 << 20,
            response_body_bytes: 8 << 20,
            total: Duration::from_secs(30),
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(15),
            idle: Duration::from_secs(10),
        }
    }
}

/// An answer, after redirects. Where the destination echoed a secret of the connection, `[redacted]` stands instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Where it came from, without anything secret.
    pub url: String,
    /// The header fields, names in lower case, without those of the transport.
    pub headers: Vec<(String, String)>,
    /// The body; gzip is undone, any other content coding is left as it is and named in `content-encoding`.
    pub body: Bytes,
}

/// Why there is no answer, in words that a plugin may see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HttpFault {
    /// What kind of fault.
    pub kind: HttpFaultKind,
    /// A stable word for machines, such as `weir.http.not-granted`.
    pub code: &'static str,
    /// What happened, with the cure where there is one.
    pub message: String,
    /// Whether any byte of the request may have reached the destination.
    pub request_sent: bool,
}

/// What kind of fault. The same words as in the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFaultKind {
    /// The gate refused the request.
    Denied,
    /// No connection could be made.
    Unreachable,
    /// The certificate is not trusted, or the handshake failed.
    Tls,
    /// No complete answer in time.
    Timeout,
    /// The request or the answer exceeds a limit.
    TooLarge,
    /// The connection broke, or the answer is no HTTP.
    Broken,
}

impl HttpFaultKind {
    /// The contract's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Unreachable => "unreachable",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::TooLarge => "too-large",
            Self::Broken => "broken",
        }
    }
}
