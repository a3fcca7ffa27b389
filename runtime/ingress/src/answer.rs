use std::fmt::Write as _;

use bytes::Bytes;
use engine::Acceptance;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use model::{Document, StateKind};

use crate::problem::{Answer, Refusal};

/// An event was taken in.
pub(crate) fn accepted(acceptance: Acceptance) -> Answer {
    event_id(StatusCode::ACCEPTED, acceptance)
}

/// All events of a batch were taken in.
pub(crate) fn batch_accepted(acceptances: &[Acceptance]) -> Answer {
    let mut json = String::from(r#"{"events":["#);
    for (index, acceptance) in acceptances.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        write_acceptance(&mut json, *acceptance);
    }
    json.push_str("]}");
    respond(StatusCode::ACCEPTED, HeaderValue::from_static("application/json"), json)
}

/// A flow has ended, or is known to need a person, while its sender waited.
pub(crate) fn settled(acceptance: Acceptance, answer: engine::Answer) -> Result<Answer, Refusal> {
    match (answer.state, answer.fault) {
        (StateKind::Finished, _) => Ok(match answer.output {
            Some(output) => document(output),
            None => event_id(StatusCode::OK, acceptance),
        }),
        (StateKind::Ready | StateKind::Waiting, _) => Ok(accepted(acceptance)),
        (_, Some(fault)) => Err(Refusal::FlowFailed(fault)),
        (_, None) => Err(Refusal::FlowEnded),
    }
}

/// Words for the sender itself, such as an echoed challenge.
pub(crate) fn text(text: String) -> Answer {
    respond(StatusCode::OK, HeaderValue::from_static("text/plain; charset=utf-8"), text)
}

fn event_id(status: StatusCode, acceptance: Acceptance) -> Answer {
    let mut json = String::with_capacity(64);
    write_acceptance(&mut json, acceptance);
    respond(status, HeaderValue::from_static("application/json"), json)
}

fn document(document: Document) -> Answer {
    // What a plugin calls a content type may be no header value.
    let content_type = HeaderValue::try_from(document.content_type);
    let content_type = content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    respond(StatusCode::OK, content_type, document.data)
}

// The names need no escaping, and ids consist of letters, digits and `_`.
fn write_acceptance(json: &mut String, acceptance: Acceptance) {
    let repeat = if acceptance.repeat { r#","repeat":true"# } else { "" };
    let _ = write!(json, r#"{{"event":"{}"{repeat}}}"#, acceptance.event);
}

fn respond(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer
}
