//! A connector that keeps to everything but one thing: the name of the action says to what it does not. The violators in
//! `tests/conformance` are made of it. What ends in `-honestly` keeps to everything in an unusual way.

use std::time::{SystemTime, UNIX_EPOCH};

use guests::connector::exports::weir::plugin::{actions, verification};
use guests::connector::weir::plugin::http::{Auth, HttpFault, HttpFaultKind, Request, Response, send};
use guests::connector::weir::plugin::log::{Level, write};
use guests::connector::weir::plugin::types::{Document, Fault, FaultKind};
use guests::{Call, Receipt, Settlement};

struct Plugin;

guests::connector::export!(Plugin with_types_in guests::connector);

impl actions::Guest for Plugin {
    fn invoke(call: Call) -> Result<Receipt, Fault> {
        let vice = call.action.as_str();
        match vice {
            "trap-at-large-input" => assert!(call.input.data.len() < 1_000_000, "too large"),
            "trap-at-bad-text" => drop(String::from_utf8(call.input.data.clone()).expect("text")),
            "log-too-much" => (0..150).for_each(|_| write(Level::Debug, "still here", &[])),
            "ask-elsewhere" => drop(send(&request("GET", "https://elsewhere.example.com/things"))),
            _ => {}
        }
        if vice == "need-settings-honestly" && !call.context.settings.contains("tenant") {
            return Err(Fault { code: "settings".to_owned(), ..fault(FaultKind::InvalidInput, "there is no tenant") });
        }
        let request = ask(&call);
        let mut answer = send(&request);
        if vice == "try-again" {
            for _ in 0..2 {
                if answer.as_ref().is_ok_and(|answer| answer.status < 500) {
                    break;
                }
                answer = send(&request);
            }
        }
        let answer = checked(vice, &request.method, answer)?;
        if vice == "trap-at-bad-answer" {
            drop(String::from_utf8(answer.body.clone()).expect("text"));
        }
        let output = if vice == "give-a-list" { "[]" } else { r#"{"id":"1"}"# };
        let next = match vice {
            "list-without-end" => Some("again".to_owned()),
            "list-honestly" => text_in(&answer.body, "next_cursor"),
            _ => None,
        };
        Ok(Receipt { next, ..receipt(output) })
    }
}

impl verification::Guest for Plugin {
    fn verify(call: Call) -> Result<Settlement, Fault> {
        match call.action.as_str() {
            "guess" => return Ok(Settlement::Absent),
            "settle-nothing" => return Err(fault(FaultKind::UnknownOutcome, "cannot be verified")),
            "verify-by-doing" => drop(send(&request("POST", "/things"))),
            "verify-with-large-input" => assert!(call.input.data.len() < 1_000_000, "too large"),
            "verify-with-bad-text" => drop(String::from_utf8(call.input.data.clone()).expect("text")),
            "verify-and-log" => (0..150).for_each(|_| write(Level::Debug, "still here", &[])),
            "need-settings-honestly" if !call.context.settings.contains("tenant") => {
                return Err(Fault {
                    code: "settings".to_owned(),
                    ..fault(FaultKind::InvalidInput, "there is no tenant")
                });
            }
            _ => {}
        }
        let answer = send(&request("GET", "/things"));
        if let ("verify-bad-answer", Ok(answer)) = (call.action.as_str(), &answer) {
            drop(String::from_utf8(answer.body.clone()).expect("text"));
        }
        if answer.as_ref().is_ok_and(|answer| answer.status == 404) {
            return Ok(Settlement::Absent);
        }
        let answer = checked("", "GET", answer)?;
        let is_there = String::from_utf8_lossy(&answer.body).contains("\"id\"");
        Ok(if is_there { Settlement::Happened(receipt(r#"{"id":"1"}"#)) } else { Settlement::Absent })
    }
}

fn request(method: &str, url: &str) -> Request {
    let (method, url) = (method.to_owned(), url.to_owned());
    Request { method, url, headers: Vec::new(), body: Vec::new(), auth: Auth::Default }
}

fn ask(call: &Call) -> Request {
    let context = &call.context;
    let mut ask = match call.action.as_str() {
        "read-by-deleting" => request("DELETE", "/things"),
        "list-without-end" | "list-honestly" => {
            request("GET", &format!("/things?after={}", call.cursor.as_deref().unwrap_or_default()))
        }
        "send-the-time" => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Request { body: format!("{{\"at\":{}}}", now.as_secs()).into_bytes(), ..request("POST", "/things") }
        }
        _ => Request { body: b"{}".to_vec(), ..request("POST", "/things") },
    };
    let mut add = |name: &str, value: &str| ask.headers.push((name.to_owned(), value.to_owned()));
    match call.action.as_str() {
        "leave-the-key-out" => {}
        // Some destinations ask for a number, or for so many characters.
        "derive-a-key-honestly" => {
            let sum = context.idempotency_key.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
            add("idempotency-key", &format!("{sum:x}"));
        }
        _ => add("idempotency-key", &context.idempotency_key),
    }
    match call.action.as_str() {
        "count-attempts" => add("x-attempt", &context.attempt.to_string()),
        "bring-a-key" => add("x-api-key", "0123456789"),
        _ => {}
    }
    ask
}

/// The table of the SDKs.
fn checked(vice: &str, method: &str, answer: Result<Response, HttpFault>) -> Result<Response, Fault> {
    let changes = method == "POST";
    let answer = answer.map_err(|lost| {
        let kind = match lost.kind {
            _ if vice == "take-loss-for-refusal" && lost.request_sent => FaultKind::Rejected,
            _ if lost.request_sent && changes => FaultKind::UnknownOutcome,
            HttpFaultKind::Unreachable if vice == "take-silence-for-refusal" => FaultKind::Rejected,
            HttpFaultKind::Denied => FaultKind::Forbidden,
            HttpFaultKind::Timeout => FaultKind::Timeout,
            HttpFaultKind::TooLarge => FaultKind::Rejected,
            _ => FaultKind::Unavailable,
        };
        fault(kind, &lost.message)
    })?;
    let kind = match answer.status {
        200..300 => return Ok(answer),
        401 if vice == "take-401-for-refusal" => FaultKind::Rejected,
        401 => FaultKind::Unauthorized,
        403 => FaultKind::Forbidden,
        404 | 410 => FaultKind::NotFound,
        409 => FaultKind::Conflict,
        422 => FaultKind::InvalidInput,
        429 => FaultKind::RateLimited,
        502 | 504 if changes => FaultKind::UnknownOutcome,
        500.. => FaultKind::Unavailable,
        _ => FaultKind::Rejected,
    };
    let mut fault = fault(kind, &format!("the destination answered {}", answer.status));
    if vice != "forget-the-wait" {
        fault.retry_after_ms = wait(&answer);
    }
    Err(fault)
}

/// `Retry-After` in milliseconds. Of dates it takes the seconds alone: they lie within a minute in the suite.
fn wait(answer: &Response) -> Option<u32> {
    let field = |name: &str| answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let after = field("retry-after")?;
    let seconds = |date: &str| date.split(':').nth(2)?.split(' ').next()?.parse::<u32>().ok();
    let wait = after.parse().ok().or_else(|| seconds(after)?.checked_sub(seconds(field("date")?)?))?;
    Some(wait * 1000)
}

/// The text under a name in JSON without blanks.
fn text_in(body: &[u8], name: &str) -> Option<String> {
    let body = String::from_utf8_lossy(body);
    let (_, value) = body.split_once(&format!("\"{name}\":\""))?;
    Some(value.split('"').next()?.to_owned())
}

fn receipt(output: &str) -> Receipt {
    let (content_type, data) = ("application/json".to_owned(), output.as_bytes().to_vec());
    let output = Document { content_type, data, metadata: Vec::new() };
    Receipt { output, external_id: None, next: None, metadata: Vec::new() }
}

fn fault(kind: FaultKind, message: &str) -> Fault {
    let (code, message) = ("conduct".to_owned(), message.to_owned());
    Fault { kind, code, message, retry_after_ms: None, fields: Vec::new(), details: Vec::new() }
}
