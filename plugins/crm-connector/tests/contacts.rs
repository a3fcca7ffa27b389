//! What the connector asks of the CRM, and what it makes of the answers.

use crm_connector::Plugin;
use serde_json::{Value, json};
use weir_sdk::http::HttpFaultKind;
use weir_sdk::testing::{Reply, Script, call};
use weir_sdk::{FaultKind, Receipt, Request, Settlement};

fn ada() -> Value {
    json!({ "email": "ada@example.com", "name": "Ada Lovelace" })
}

fn stored(id: &str) -> Value {
    json!({ "id": id, "email": "ada@example.com", "name": "Ada Lovelace" })
}

fn creation() -> Request {
    Request::post("/crm/v3/contacts").header("Idempotency-Key", "key-1").json(&ada()).expect("JSON")
}

fn search() -> Request {
    Request::get("/crm/v3/contacts?email=ada%40example.com")
}

fn output(receipt: &Receipt) -> Value {
    receipt.output.read().expect("JSON")
}

#[test]
fn a_contact_is_created_under_the_key_of_the_step() {
    let script = Script::new().on(creation(), Reply::json(201, &stored("c1")));
    let receipt = script.invoke::<Plugin>(call("create-contact", &ada())).expect("a receipt");
    assert_eq!((receipt.external_id.as_deref(), output(&receipt)), (Some("c1"), stored("c1")));
}

#[test]
fn a_lost_answer_is_settled_by_looking_the_contact_up() {
    let lost = Script::new().on(creation(), Reply::fault(HttpFaultKind::Broken, true));
    let fault = lost.invoke::<Plugin>(call("create-contact", &ada())).expect_err("no answer");
    assert_eq!(fault.kind, FaultKind::UnknownOutcome);

    let verify = |found: Value| {
        let script = Script::new().on(search(), Reply::json(200, &json!({ "results": found })));
        script.verify::<Plugin>(call("create-contact", &ada())).expect("settled")
    };
    let Settlement::Happened(receipt) = verify(json!([stored("c7")])) else { panic!("it happened") };
    assert_eq!(receipt.external_id.as_deref(), Some("c7"));
    assert_eq!(verify(json!([])), Settlement::Absent);
    let another = json!([{ "id": "c7", "email": "ada@example.com", "name": "Another" }]);
    assert_eq!(verify(another), Settlement::Absent);
}

#[test]
fn an_update_is_settled_by_reading_the_contact() {
    let change = json!({ "id": "c/1", "changes": { "phone": "1" } });
    let request = Request::patch("/crm/v3/contacts/c%2F1").json(&json!({ "phone": "1" })).expect("JSON");
    let script = Script::new().on(request, Reply::json(200, &stored("c/1")));
    assert_eq!(output(&script.invoke::<Plugin>(call("update-contact", &change)).expect("a receipt")), stored("c/1"));

    let verify = |phone: &str| {
        let now = json!({ "id": "c/1", "phone": phone });
        let script = Script::new().on(Request::get("/crm/v3/contacts/c%2F1"), Reply::json(200, &now));
        script.verify::<Plugin>(call("update-contact", &change)).expect("settled")
    };
    assert!(matches!(verify("1"), Settlement::Happened(_)));
    assert_eq!(verify("2"), Settlement::Absent);
}

#[test]
fn a_contact_that_is_not_there_is_an_answer() {
    for (results, found) in [(json!([]), false), (json!([stored("c1")]), true)] {
        let script = Script::new().on(search(), Reply::json(200, &json!({ "results": results })));
        let receipt =
            script.invoke::<Plugin>(call("find-contact", &json!({ "email": "ada@example.com" }))).expect("one");
        assert_eq!(output(&receipt)["found"], found);
    }
}

#[test]
fn pages_follow_one_another_by_cursor() {
    let script = Script::new()
        .on(
            Request::get("/crm/v3/contacts?limit=1"),
            Reply::json(200, &json!({ "results": [stored("c1")], "next": "c1" })),
        )
        .on(
            Request::get("/crm/v3/contacts?limit=1&after=c1"),
            Reply::json(200, &json!({ "results": [], "next": null })),
        );
    let mut listing = call("list-contacts", &json!({ "limit": 1 }));
    let first = script.invoke::<Plugin>(listing.clone()).expect("a page");
    assert_eq!((output(&first), first.next.as_deref()), (json!([stored("c1")]), Some("c1")));
    listing.cursor = first.next;
    let last = script.invoke::<Plugin>(listing).expect("a page");
    assert_eq!((output(&last), last.next), (json!([]), None));
}

#[test]
fn refusals_name_what_the_crm_names() {
    let refusal =
        json!({ "code": "invalid", "message": "not valid", "fields": [{ "pointer": "/email", "message": "no" }] });
    let script = Script::new().on(creation(), Reply::json(422, &refusal));
    let fault = script.invoke::<Plugin>(call("create-contact", &ada())).expect_err("refused");
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::InvalidInput, "invalid"));
    assert_eq!(fault.fields[0].pointer, "/email");

    let script = Script::new().on(Request::get("/crm/v3/contacts?limit=1"), Reply::status(401));
    assert_eq!(script.check::<Plugin>().expect_err("refused").kind, FaultKind::Unauthorized);
    let script =
        Script::new().on(Request::get("/crm/v3/contacts?limit=1"), Reply::json(200, &json!({ "results": [] })));
    assert_eq!(script.check::<Plugin>().expect("an identity").label, "test");
}

#[test]
fn calls_that_the_plugin_does_not_know_are_faults() {
    let script = Script::new();
    assert_eq!(
        script.invoke::<Plugin>(call("delete-contact", &json!({}))).expect_err("unknown").kind,
        FaultKind::Internal
    );
    let fault = script.verify::<Plugin>(call("find-contact", &json!({}))).expect_err("nothing to settle");
    assert_eq!(fault.kind, FaultKind::UnknownOutcome);
}
