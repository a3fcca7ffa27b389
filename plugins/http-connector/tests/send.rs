//! Requests as flows describe them, and what their answers become.

use http_connector::Plugin;
use serde_json::{Value, json};
use weir_sdk::http::HttpFaultKind;
use weir_sdk::testing::{Reply, Script, call};
use weir_sdk::{Fault, FaultKind, Receipt, Request};

fn send(description: Value, request: Request, reply: Reply) -> Result<Receipt, Fault> {
    Script::new().on(request, reply).invoke::<Plugin>(call("send", &description))
}

#[test]
fn a_description_becomes_a_request() {
    let description = json!({
        "method": "PUT", "path": "/a/{id}/{{token}}", "variables": { "id": "x/ü{{token}}" }, "query": { "n": 7, "q": "a&b" },
        "headers": { "X-Kind": "lead" }, "body": { "text": "{{token}}" },
    });
    let request = Request::put("/a/x%2F%C3%BC%7B%7Btoken%7D%7D/{{token}}?n=7&q=a%26b")
        .header("x-kind", "lead")
        .header("content-type", "application/json")
        .header("idempotency-key", "key-1")
        .json(&json!({ "text": "{{token}}" }))
        .expect("JSON");
    assert!(!String::from_utf8_lossy(&request.body).contains("{{"), "data is never taken for the place of a secret");
    let receipt = send(description, request, Reply::json(201, &json!({ "id": 1 }))).expect("a receipt");
    assert_eq!(receipt.output.read::<Value>().expect("JSON"), json!({ "id": 1 }));
}

#[test]
fn a_text_goes_out_as_it_is() {
    let description =
        json!({ "path": "/", "body": "a,b\n1,2", "headers": { "Content-Type": "text/csv" }, "output": "answer" });
    let mut request = Request::post("/").header("content-type", "text/csv");
    request.body = b"a,b\n1,2".to_vec();
    let receipt = send(description, request, Reply::status(200).body("thanks")).expect("a receipt");
    let answer: Value = receipt.output.read().expect("JSON");
    assert_eq!(answer, json!({ "status": 200, "headers": {}, "body": "thanks" }));
}

#[test]
fn statuses_mean_what_the_description_says_and_then_what_the_table_says() {
    for (status, faults, kind) in [
        (200, json!({}), None),
        (409, json!({}), Some(FaultKind::Conflict)),
        (409, json!({ "409": "none" }), None),
        (409, json!({ "4xx": "rejected", "409": "none" }), None),
        (418, json!({ "4xx": "invalid-input" }), Some(FaultKind::InvalidInput)),
        (202, json!({ "202": "unavailable" }), Some(FaultKind::Unavailable)),
        (503, json!({}), Some(FaultKind::Unavailable)),
        (504, json!({}), Some(FaultKind::UnknownOutcome)),
    ] {
        let sent = send(json!({ "path": "/", "faults": faults }), Request::post("/"), Reply::status(status));
        assert_eq!(sent.err().map(|fault| fault.kind), kind, "{status} with {faults}");
    }
    let reply = Reply::status(429).header("retry-after", "7");
    let fault = send(json!({ "path": "/" }), Request::post("/"), reply).expect_err("too many");
    assert_eq!((fault.kind, fault.retry_after.map(|after| after.as_secs())), (FaultKind::RateLimited, Some(7)));
}

#[test]
fn a_lost_answer_is_an_unknown_outcome_only_where_the_effect_may_be_there() {
    for (method, sent, kind) in [
        ("POST", true, FaultKind::UnknownOutcome),
        ("POST", false, FaultKind::Timeout),
        ("GET", true, FaultKind::Timeout),
        ("DELETE", true, FaultKind::Timeout),
    ] {
        let reply = Reply::fault(HttpFaultKind::Timeout, sent);
        let fault = send(json!({ "path": "/", "method": method }), Request::new(method, "/"), reply).expect_err(method);
        assert_eq!(fault.kind, kind, "{method} sent: {sent}");
    }
}

#[test]
fn a_description_that_cannot_be_sent_names_its_field() {
    for (description, pointer) in [
        (json!({}), "/path"),
        (json!({ "path": "items" }), "/path"),
        (json!({ "path": "/{id}" }), "/path"),
        (json!({ "path": "/{id" }), "/path"),
        (json!({ "path": "/", "method": "BREW" }), "/method"),
        (json!({ "path": "/", "faults": { "409": "internal" } }), "/faults/409"),
        (json!({ "path": "/", "body": "Hello {{token}}" }), "/body"),
    ] {
        let fault = Script::new().invoke::<Plugin>(call("send", &description)).expect_err("cannot be sent");
        assert_eq!(fault.kind, FaultKind::InvalidInput, "{description}");
        assert_eq!(fault.fields[0].pointer, pointer, "{description}");
    }
}
