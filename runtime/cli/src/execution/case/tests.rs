use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;

/// A call of a mapper that gave this.
fn mapping(content_type: &str, input: &str, output: &Value) -> StepCallDetail {
    let document = |content_type: &str, text: &str| json!({ "content_type": content_type, "data": { "text": text }, "metadata": [["x-token", "T0ken-beside"], ["file", "a.txt"]] });
    let call = json!({
        "execution": "exe_1", "flow": "f@1", "step": "s", "plugin": "p@1",
        "event": {
            "id": "evt_1", "sender_id": "e1", "source": "/s", "received": "2026-01-01T00:00:00Z", "kind": "k",
            "content_type": content_type, "extensions": [], "transport": [], "data": { "text": input },
        },
        "input": document(content_type, input),
        "options": r#"{"api_key":"K3y-in-options"}"#,
        "attempt": { "number": 1, "started": 0, "outcome": "succeeded", "report": null },
        "output": [document("application/json", &output.to_string())],
    });
    serde_json::from_value(call).expect("a call")
}

/// A call of an action that failed after this exchange.
fn sending(content_type: &str, body: &str, url: &str) -> StepCallDetail {
    let exchange = json!([{
        "method": "GET", "url": url, "status": 400, "headers": [["content-type", content_type]], "body": body,
        "body_bytes": body.len(),
    }]);
    let request = |path: &str, status: Option<u16>| json!({ "method": "GET", "origin": "https://a.example.com", "path": path, "status": status, "fault": null, "duration_us": 1 });
    let fault = json!({
        "kind": "rejected", "code": "c", "message": "it knows no Ada Lovelace", "retry_after_ms": null, "fields": [],
        "details": [[Exchange::DETAIL, exchange.to_string()]],
    });
    let plugin = json!({ "name": "p", "version": "1.0.0", "digest": "sha256:0" });
    let call = json!({
        "execution": "exe_1", "flow": "f@1", "step": "s", "plugin": "p@1", "action": "a",
        "event": serde_json::to_value(&mapping("application/json", "{}", &json!({})).event).expect("an event"),
        "input": { "content_type": "application/json", "data": { "text": r#"{"who":"Ada Lovelace","id":47110815}"# }, "metadata": [] },
        "attempt": { "number": 1, "started": 0, "outcome": { "failed": { "fault": fault } }, "report": {
            "plugin": plugin, "duration_us": 1, "cpu_us": 1, "memory_bytes": 1, "logs": [], "logs_dropped": 0,
            "requests": [request("/find", Some(400)), request("/47110815", None)],
        } },
    });
    serde_json::from_value(call).expect("a call")
}

#[track_caller]
fn text_of(call: &StepCallDetail, pointers: &[&str]) -> String {
    let pointers: Vec<_> = pointers.iter().map(|pointer| (*pointer).to_owned()).collect();
    let written = write(call, &pointers).expect("is written");
    written.text().expect("is a case")
}

#[track_caller]
fn assert_hidden(text: &str, hidden: &[&str]) {
    for part in hidden {
        assert!(!text.contains(part), "{part} in\n{text}");
    }
}

#[test]
fn proofs_are_hidden_wherever_a_case_has_them() {
    let input = r#"{"Authorization":["Bearer T0ken"],"pin":{"secret":1234567},"n":1}"#;
    let text = text_of(&mapping("application/json", input, &json!({ "password": "Pa55word", "n": 1 })), &[]);
    assert_hidden(&text, &["T0ken", "1234567", "Pa55word", "K3y-in"]);
    assert!(text.contains("a.txt"), "{text}");

    let text = text_of(
        &sending("application/x-www-form-urlencoded", "error=x&access_token=T0ken", "https://a.example.com/find"),
        &[],
    );
    assert_hidden(&text, &["T0ken"]);
    assert!(text.contains("error=x&access_token=A1aaa"), "{text}");
}

#[test]
fn what_is_redacted_stands_in_no_url_no_note_and_no_number() {
    let url = "https://a.example.com/find?who=Ada+Lovelace&or=ada%20lovelace&id=47110815";
    let call = sending("application/json", r#"{"id":47110815,"Ada Lovelace":[47110815]}"#, url);
    let text = text_of(&call, &["/who", "/id"]);
    assert_hidden(&text, &["Ada", "ada", "Lovelace", "lovelace", "4711"]);
    assert!(text.contains("who=Aaa+Aaaaaaaa&or=aaa%20aaaaaaaa&id=11111111"), "{text}");
    assert!(text.contains("# Not among the exchanges: GET https://a.example.com/11111111"), "{text}");
}

#[test]
fn what_cannot_be_looked_through_is_said_and_damaged_json_is_looked_through() {
    let text = text_of(&mapping("text/csv", "name,token\nAda,T0ken\n", &json!({})), &[]);
    assert!(text.contains("# The input is text/csv, in which no secrets are looked for"), "{text}");

    let call = mapping("application/json", r#"{"token":"T0ken","n":"#, &json!({}));
    let written = write(&call, &[]).expect("is written");
    let encoded = written.value["transform"]["input_base64"].as_str().expect("base 64");
    assert_eq!(STANDARD.decode(encoded).expect("base 64"), br#"{"token":"A1aaa","n":"#);
}

#[test]
fn long_numbers_and_deep_documents_are_kept_and_a_loss_is_said() {
    let long = r#"{"n":123456789012345678901,"token":"T0ken"}"#;
    let text = text_of(&mapping("application/json", long, &json!({})), &[]);
    assert!(text.contains("numbers of more than 64 bits beside it were rounded"), "{text}");
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let written = write(&mapping("application/json", &deep, &json!({})), &[]).expect("is written");
    let encoded = written.value["transform"]["input_base64"].as_str().expect("base 64");
    assert_eq!(STANDARD.decode(encoded).expect("base 64"), deep.as_bytes());
    written.text().expect("is a case");
}
