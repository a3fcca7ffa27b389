//! Slack's answers, and what they mean.

use chat_connector::Plugin;
use serde_json::{Value, json};
use weir_sdk::http::HttpFaultKind;
use weir_sdk::testing::{Reply, Script, call};
use weir_sdk::{FaultKind, Request};

fn webhook(body: &Value) -> Request {
    Request::post("/services/{{webhook}}").json(body).expect("JSON")
}

fn api(body: &Value) -> Request {
    Request::post("/api/chat.postMessage").json(body).expect("JSON")
}

#[test]
fn the_path_of_a_webhook_is_the_secret_and_data_is_not() {
    let message = json!({ "text": "the secret is {{webhook}}" });
    assert!(!String::from_utf8_lossy(&webhook(&message).body).contains("{{"));
    let script = Script::new().on(webhook(&message), Reply::status(200).body("ok"));
    script.invoke::<Plugin>(call("post-webhook", &message)).expect("posted");
}

#[test]
fn a_webhook_says_in_a_word_what_it_refuses() {
    let message = json!({ "text": "Hello" });
    for (status, word, kind) in [
        (400, "no_text", FaultKind::InvalidInput),
        (400, "something_new", FaultKind::Rejected),
        (403, "invalid_token", FaultKind::Unauthorized),
        (403, "action_prohibited", FaultKind::Forbidden),
        (404, "no_service", FaultKind::NotFound),
        (410, "channel_is_archived", FaultKind::Conflict),
        (500, "", FaultKind::Unavailable),
    ] {
        let script = Script::new().on(webhook(&message), Reply::status(status).body(word));
        let fault = script.invoke::<Plugin>(call("post-webhook", &message)).expect_err(word);
        assert_eq!(fault.kind, kind, "{status} {word}");
    }
}

#[test]
fn a_message_is_posted_and_has_a_name() {
    let message = json!({ "channel": "#code", "text": "Hello", "thread_ts": "1.2" });
    let answer = json!({ "ok": true, "channel": "C1", "ts": "1.3" });
    let script = Script::new().on(api(&message), Reply::json(200, &answer));
    let receipt = script.invoke::<Plugin>(call("post-message", &message)).expect("posted");
    assert_eq!(receipt.external_id.as_deref(), Some("C1/1.3"));
    assert_eq!(receipt.output.read::<Value>().expect("JSON"), json!({ "channel": "C1", "ts": "1.3" }));
}

#[test]
fn an_answer_that_is_not_ok_is_a_fault() {
    let message = json!({ "channel": "#code", "text": "Hello" });
    for (word, kind) in [
        ("invalid_auth", FaultKind::Unauthorized),
        ("missing_scope", FaultKind::Forbidden),
        ("channel_not_found", FaultKind::NotFound),
        ("is_archived", FaultKind::Conflict),
        ("msg_too_long", FaultKind::InvalidInput),
        ("internal_error", FaultKind::Unavailable),
        ("something_new", FaultKind::Rejected),
    ] {
        let script = Script::new().on(api(&message), Reply::json(200, &json!({ "ok": false, "error": word })));
        let fault = script.invoke::<Plugin>(call("post-message", &message)).expect_err(word);
        assert_eq!((fault.kind, fault.code.as_str()), (kind, word));
    }
    for (reply, seconds) in [
        (Reply::status(429).header("Retry-After", "30"), 30),
        (Reply::json(200, &json!({ "ok": false, "error": "ratelimited" })), 1),
    ] {
        let script = Script::new().on(api(&message), reply);
        let fault = script.invoke::<Plugin>(call("post-message", &message)).expect_err("too many");
        assert_eq!((fault.kind, fault.retry_after.map(|t| t.as_secs())), (FaultKind::RateLimited, Some(seconds)));
    }
    let script = Script::new().on(api(&message), Reply::fault(HttpFaultKind::Broken, true));
    let fault = script.invoke::<Plugin>(call("post-message", &message)).expect_err("no answer");
    assert_eq!(fault.kind, FaultKind::UnknownOutcome);
}

#[test]
fn a_message_without_content_or_channel_is_not_sent() {
    for (message, pointer) in [
        (json!({ "channel": "#code" }), "/text"),
        (json!({ "channel": "#code", "text": " ", "blocks": [] }), "/text"),
        (json!({ "text": "Hello" }), "/channel"),
    ] {
        let fault = Script::new().invoke::<Plugin>(call("post-message", &message)).expect_err("not sent");
        assert_eq!((fault.kind, fault.fields[0].pointer.as_str()), (FaultKind::InvalidInput, pointer));
    }
}
