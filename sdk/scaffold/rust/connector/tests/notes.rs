//! The connector's functions, called natively, with the destination's answers scripted. Run with `cargo test`.

use {{module}}::Plugin;

use serde_json::{Value, json};
use weir_sdk::http::HttpFaultKind;
use weir_sdk::testing::{Reply, Script, call};
use weir_sdk::{FaultKind, Request, Settlement};

fn note() -> Value {
    json!({ "title": "Shopping", "text": "Milk" })
}

fn creation() -> Request {
    Request::post("/notes")
        .json(&note())
        .expect("JSON")
        .header("Idempotency-Key", "key-1")
}

#[test]
fn a_note_is_created_under_the_key_of_the_step() {
    let script = Script::new().on(creation(), Reply::json(201, &json!({ "id": "n1" })));
    let receipt = script
        .invoke::<Plugin>(call("create-note", &note()))
        .expect("a receipt");
    assert_eq!(receipt.external_id.as_deref(), Some("n1"));
}

#[test]
fn a_lost_answer_is_settled() {
    let lost = Script::new().on(creation(), Reply::fault(HttpFaultKind::Broken, true));
    let fault = lost
        .invoke::<Plugin>(call("create-note", &note()))
        .expect_err("no answer");
    assert_eq!(fault.kind, FaultKind::UnknownOutcome);

    let verify = |found: Value| {
        let script = Script::new().on(
            Request::get("/notes").query("title", "Shopping"),
            Reply::json(200, &found),
        );
        script
            .verify::<Plugin>(call("create-note", &note()))
            .expect("settled")
    };
    assert!(matches!(
        verify(json!([{ "id": "n7" }])),
        Settlement::Happened(_)
    ));
    assert_eq!(verify(json!([])), Settlement::Absent);
}

#[test]
fn a_connection_says_whose_it_is() {
    let script = Script::new().on(
        Request::get("/me"),
        Reply::json(200, &json!({ "name": "Ada" })),
    );
    assert_eq!(script.check::<Plugin>().expect("an identity").label, "Ada");
    let script = Script::new().on(Request::get("/me"), Reply::status(401));
    assert_eq!(
        script.check::<Plugin>().expect_err("refused").kind,
        FaultKind::Unauthorized
    );
}
