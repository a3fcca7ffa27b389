use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use egress::{HttpFaultKind, NoAnswer, SentRequest, SentResponse, Transport};
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::case::{Exchange, ExpectedBody, ExpectedRequest, Reply};
use crate::compare::{Difference, compare};
use crate::numbers::exact;

/// The exchanges of the case that runs, in place of the network.
#[derive(Debug, Default)]
pub(crate) struct Recordings(Mutex<Played>);

#[derive(Debug, Default)]
struct Played {
    left: VecDeque<Exchange>,
    /// Requests that have been made.
    made: usize,
    differences: Vec<Difference>,
}

impl Recordings {
    /// Begins a case.
    pub(crate) fn begin(&self, exchanges: &[Exchange]) {
        *self.played() = Played { left: exchanges.iter().cloned().collect(), ..Played::default() };
    }

    /// Ends it: what was not as it is recorded, what was not recorded, and what was recorded and not asked for.
    pub(crate) fn end(&self) -> Vec<Difference> {
        let mut played = std::mem::take(&mut *self.played());
        let unused = played.left.iter().enumerate().map(|(index, exchange)| {
            let ExpectedRequest { method, url, .. } = &exchange.request;
            let pointer = format!("/http/{}/request", played.made + index);
            Difference { pointer, expected: Some(format!("{method} {url}")), actual: None }
        });
        played.differences.extend(unused);
        played.differences
    }

    fn played(&self) -> MutexGuard<'_, Played> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Played {
    fn answer(&mut self, sent: &SentRequest) -> Result<SentResponse, NoAnswer> {
        let place = format!("/http/{}/request", self.made);
        let Some(exchange) = self.left.pop_front() else {
            let actual = Some(format!("{} {}", sent.method, sent.asked_url));
            self.differences.push(Difference { pointer: place, expected: None, actual });
            self.made += 1;
            return Err(unexpected());
        };
        self.made += 1;
        let known = self.differences.len();
        let is_meant = check(&place, &exchange.request, sent, &mut self.differences);
        debug_assert!(is_meant || self.differences.len() > known);
        match exchange.reply {
            // Going on with what answers another request would only confuse.
            _ if !is_meant => Err(unexpected()),
            Reply::Answer(answer) => Ok(answer),
            Reply::Fault(fault) => Err(fault),
        }
    }
}

fn unexpected() -> NoAnswer {
    NoAnswer {
        kind: HttpFaultKind::Unreachable,
        code: "weir.case.unexpected",
        message: "the case has no such exchange here".to_owned(),
        request_sent: false,
    }
}

/// Compares a request with the one that is expected; gives whether it is that one at all, by method and URL.
fn check(place: &str, expected: &ExpectedRequest, sent: &SentRequest, into: &mut Vec<Difference>) -> bool {
    if expected.method != sent.method || (expected.url != sent.url && expected.url != sent.asked_url) {
        let (expected, actual) =
            (format!("{} {}", expected.method, expected.url), format!("{} {}", sent.method, sent.asked_url));
        into.push(Difference::texts(place, expected, actual));
        return false;
    }
    for (name, value) in &expected.headers {
        let found: Vec<_> = sent.headers.iter().filter(|(sent, _)| sent == name).map(|(_, value)| value).collect();
        if found.contains(&value) {
            continue;
        }
        let actual = found.first().map(|actual| Value::from(actual.as_str()));
        into.push(Difference::new(format!("{place}/headers/{name}"), Some(&value.as_str().into()), actual.as_ref()));
    }
    match &expected.body {
        ExpectedBody::Any => {}
        ExpectedBody::Json(value) => match std::str::from_utf8(&sent.body).ok().and_then(|text| exact(text).ok()) {
            Some(actual) => compare(&format!("{place}/json"), value, &actual, into),
            None => into.push(Difference::new(format!("{place}/json"), Some(value), Some(&text(&sent.body)))),
        },
        ExpectedBody::Bytes(bytes) if *bytes == sent.body => {}
        ExpectedBody::Bytes(bytes) => {
            into.push(Difference::new(format!("{place}/body"), Some(&text(bytes)), Some(&text(&sent.body))));
        }
    }
    true
}

fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into()
}

impl Transport for Recordings {
    fn answer<'a>(&'a self, request: &'a SentRequest) -> BoxFuture<'a, Result<SentResponse, NoAnswer>> {
        let answer = self.played().answer(request);
        Box::pin(std::future::ready(answer))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    fn exchange(method: &str, url: &str) -> Exchange {
        let request = ExpectedRequest {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: vec![("idempotency-key".to_owned(), "key-1".to_owned())],
            body: ExpectedBody::Json(json!({ "name": "Ada", "age": 36 })),
        };
        let answer = SentResponse { status: 201, headers: Vec::new(), body: Bytes::new() };
        Exchange { request, reply: Reply::Answer(answer) }
    }

    fn sent(method: &str, url: &str, key: &str, body: &'static str) -> SentRequest {
        SentRequest {
            method: method.to_owned(),
            url: url.to_owned(),
            asked_url: url.to_owned(),
            headers: vec![("idempotency-key".to_owned(), key.to_owned()), ("accept".to_owned(), "*/*".to_owned())],
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn what_is_not_as_it_is_recorded_is_told_request_by_request() {
        let recordings = Recordings::default();
        recordings.begin(&["/a", "/b", "/c", "/d"].map(|url| exchange("POST", url)));
        let play = |sent: SentRequest| recordings.played().answer(&sent);
        assert!(play(sent("POST", "/a", "key-1", r#"{"age":36.0,"name":"Ada"}"#)).is_ok(), "the same by value");
        assert!(play(sent("POST", "/b", "key-2", r#"{"name":"ada"}"#)).is_ok(), "the same request, made otherwise");
        assert!(play(sent("GET", "/c", "key-1", "")).is_err(), "another request");
        let differences: Vec<_> = recordings.end().iter().map(ToString::to_string).collect();
        expect![[r#"
            /http/1/request/headers/idempotency-key: expected "key-1", got "key-2"
            /http/1/request/json/name: expected "Ada", got "ada"
            /http/1/request/json/age: expected 36, got nothing
            /http/2/request: expected POST /c, got GET /c
            /http/3/request: expected POST /d, got nothing"#]]
        .assert_eq(&differences.join("\n"));

        recordings.begin(&[]);
        assert!(recordings.played().answer(&sent("GET", "/x", "key-1", "")).is_err());
        let differences: Vec<_> = recordings.end().iter().map(ToString::to_string).collect();
        assert_eq!(differences, ["/http/0/request: expected nothing, got GET /x"]);
    }
}
