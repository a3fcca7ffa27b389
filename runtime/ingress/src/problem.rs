use std::time::Duration;

use engine::Refused;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use model::{Fault, FaultKind};
use serde::Serialize;

/// A body that is there as a whole.
pub(crate) type Answer = Response<Full<bytes::Bytes>>;

/// Why a request brought no event. The text goes to the sender.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{}", unreadable(*status))]
    Unreadable { status: StatusCode },
    #[error("nothing is received at this path: `weir status` lists the paths that are")]
    UnknownPath,
    #[error("this path takes {allowed} only")]
    Method { allowed: String },
    #[error("the request has more than {max} header fields (limit `header_fields_max`)")]
    HeaderFields { max: usize },
    #[error("the body has more than {max} bytes (limit `body_bytes_max` of this path)")]
    BodyTooLarge { max: usize },
    #[error(
        "the body came too slowly: at least {rate_min} bytes a second are expected, and all of it within {} s",
        .total.as_secs()
    )]
    BodyTooSlow { rate_min: u32, total: Duration },
    #[error("the body cannot be read: {reason}")]
    BodyBroken { reason: String },
    #[error("the request does not prove who sent it; the log of the receiver says why")]
    Unproven { challenge: &'static str },
    #[error("the content type is `{found}`; this path takes {expected}")]
    ContentType { found: String, expected: &'static str },
    #[error("the body is encoded as `{0}`: send it without a content encoding")]
    ContentEncoding(String),
    #[error("{0}")]
    Malformed(String),
    #[error("event {index} of the batch is refused, and all others with it: {cause}")]
    InBatch { index: usize, cause: Box<Refusal> },
    #[error("the batch has more than {max} events")]
    BatchTooLong { max: usize },
    #[error("{0}")]
    NotAccepted(Refused),
    #[error("the flow ended with a fault: {}", .0.message)]
    FlowFailed(Fault),
    #[error("the flow was ended by a person before it gave an answer")]
    FlowEnded,
}

/// Problem details (RFC 9457).
#[derive(Serialize)]
struct Problem {
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

impl Refusal {
    /// Malformed in this way.
    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }

    /// The only place where a reason becomes a status. The code is stable.
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unreadable { status } => (*status, "unreadable-request"),
            Self::UnknownPath => (StatusCode::NOT_FOUND, "unknown-path"),
            Self::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
            Self::HeaderFields { .. } => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too-many-header-fields"),
            Self::BodyTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "body-too-large"),
            Self::BodyTooSlow { .. } => (StatusCode::REQUEST_TIMEOUT, "body-too-slow"),
            Self::BodyBroken { .. } => (StatusCode::BAD_REQUEST, "body-broken"),
            Self::Unproven { .. } => (StatusCode::UNAUTHORIZED, "unproven-sender"),
            Self::ContentType { .. } => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-content-type"),
            Self::ContentEncoding(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-content-encoding"),
            Self::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed"),
            Self::InBatch { cause, .. } => cause.status_and_code(),
            Self::BatchTooLong { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "batch-too-long"),
            Self::NotAccepted(Refused::Differs { .. }) => (StatusCode::CONFLICT, "same-id-other-data"),
            Self::NotAccepted(Refused::Busy { .. }) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::NotAccepted(Refused::NoFlow(_)) => (StatusCode::SERVICE_UNAVAILABLE, "no-flow"),
            Self::NotAccepted(Refused::Store(_)) => (StatusCode::SERVICE_UNAVAILABLE, "store-failed"),
            Self::FlowFailed(fault) if is_senders(fault.kind) => (StatusCode::UNPROCESSABLE_ENTITY, "flow-declined"),
            Self::FlowFailed(_) => (StatusCode::BAD_GATEWAY, "flow-failed"),
            Self::FlowEnded => (StatusCode::BAD_GATEWAY, "flow-ended"),
        }
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Method { allowed } => HeaderValue::from_str(allowed).ok().map(|allowed| (ALLOW, allowed)),
            Self::Unproven { challenge } => Some((WWW_AUTHENTICATE, HeaderValue::from_static(challenge))),
            Self::InBatch { cause, .. } => cause.header(),
            Self::NotAccepted(refused) => retry_after(refused).map(|after| (RETRY_AFTER, after.into())),
            _ => None,
        }
    }

    pub(crate) fn respond(&self) -> Answer {
        let (parts, body) = self.problem();
        Response::from_parts(parts, Full::from(body))
    }

    /// The head and the body of the answer.
    pub(crate) fn problem(&self) -> (http::response::Parts, Vec<u8>) {
        let (status, code) = self.status_and_code();
        let problem = Problem {
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            code,
            detail: self.to_string(),
            index: match self {
                Self::InBatch { index, .. } => Some(*index),
                _ => None,
            },
            event: match self {
                Self::NotAccepted(Refused::Differs { first }) => Some(first.to_string()),
                _ => None,
            },
            fault: match self {
                Self::FlowFailed(fault) => Some(fault.code.clone()),
                _ => None,
            },
        };
        let body = serde_json::to_vec(&problem).expect("a problem is serialisable");
        let (mut parts, ()) = Response::new(()).into_parts();
        parts.status = status;
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        parts.headers.extend(self.header());
        (parts, body)
    }
}

fn unreadable(status: StatusCode) -> &'static str {
    match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "the header is too long, or has too many fields (limits `header_bytes_max`, `header_fields_max`)"
        }
        StatusCode::URI_TOO_LONG => "the path is too long",
        _ => {
            "this is no request of HTTP/1.1 (RFC 9112): its first line, a header field or the length of its body is not \
             what is written there"
        }
    }
}

/// Whether the fault lies in what was sent, so that sending it again will not help.
fn is_senders(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::InvalidInput
            | FaultKind::Forbidden
            | FaultKind::NotFound
            | FaultKind::Conflict
            | FaultKind::Rejected
    )
}

/// Seconds, rounded up, until the sender should try again.
fn retry_after(refused: &Refused) -> Option<u64> {
    match refused {
        Refused::Busy { retry_after, .. } => Some((retry_after.as_millis() as u64).div_ceil(1000).max(1)),
        // Routes and flows are replaced one after the other: a moment later both are there or both are gone.
        Refused::NoFlow(_) => Some(1),
        Refused::Store(_) => Some(10),
        Refused::Differs { .. } => None,
    }
}
