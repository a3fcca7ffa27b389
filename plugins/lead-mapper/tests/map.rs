//! Leads as people send them, and what becomes of them.

use lead_mapper::Plugin;
use serde_json::{Value, json};
use weir_sdk::testing::{origin, transform_json};
use weir_sdk::{Document, FaultKind, Mapper};

#[track_caller]
fn check(lead: Value, contact: Value) {
    assert_eq!(transform_json::<Plugin>(&lead).expect("a contact"), [contact], "{lead}");
}

#[test]
fn leads_become_contacts() {
    check(
        json!({ "email": " Ada@Example.COM ", "first_name": "Ada", "last_name": " Lovelace", "company": "", "utm": "x" }),
        json!({ "email": "ada@example.com", "name": "Ada Lovelace", "source": "web form" }),
    );
    check(
        json!({ "email": "g@h.example", "name": "Grace   Hopper", "phone": "+49 (30) 123-456", "message": " Call me\n" }),
        json!({ "email": "g@h.example", "name": "Grace Hopper", "phone": "+4930123456", "note": "Call me",
                "source": "web form" }),
    );
    check(
        json!({ "email": "ö@müller.example", "phone": "n/a" }),
        json!({ "email": "ö@müller.example", "name": "ö@müller.example", "source": "web form" }),
    );
}

#[test]
fn a_lead_that_cannot_be_written_to_names_its_field() {
    for email in
        ["", "  ", "ada", "@example.com", "ada@", "ada@example", "a b@example.com", "a@b@example.com", "a@b..c"]
    {
        let fault = transform_json::<Plugin>(&json!({ "email": email })).expect_err(email);
        assert_eq!((fault.kind, fault.fields[0].pointer.as_str()), (FaultKind::InvalidInput, "/email"), "{email}");
    }
    let fault = transform_json::<Plugin>(&json!({ "email": ["ada@example.com"] })).expect_err("a list");
    assert_eq!((fault.kind, fault.fields[0].pointer.as_str()), (FaultKind::InvalidInput, "/email"));
}

#[test]
fn a_budget_is_carried_as_it_was_written() {
    let map = |budget: &str| {
        let lead = Document::new("application/json", format!(r#"{{"email":"a@b.example","budget":{budget}}}"#));
        Plugin::transform(origin("lead"), lead, "").map(|mut contacts| contacts.remove(0).data)
    };
    let contact =
        |budget: String| format!(r#"{{"email":"a@b.example","name":"a@b.example",{budget}"source":"web form"}}"#);
    for budget in ["5", "-0", "1.10", "1E400", "9007199254740993", "12345678901234567890.123456789"] {
        let expected = contact(format!(r#""budget":{budget},"#));
        assert_eq!(map(budget).map(String::from_utf8), Ok(Ok(expected)));
    }
    assert_eq!(map("null").map(String::from_utf8), Ok(Ok(contact(String::new()))));
    for budget in [r#""5""#, "true", "[5]", "{}"] {
        let fault = map(budget).expect_err(budget);
        assert_eq!((fault.kind, fault.fields[0].pointer.as_str()), (FaultKind::InvalidInput, "/budget"), "{budget}");
    }
}

#[test]
fn the_flow_chooses_the_source() {
    let lead = Document::json(&json!({ "email": "a@b.example" })).expect("JSON");
    let map = |options| Plugin::transform(origin("lead"), lead.clone(), options);
    let contact: Value = map(r#"{"source": "fair"}"#).expect("a contact")[0].read().expect("JSON");
    assert_eq!(contact["source"], "fair");
    let fault = map(r#"{"sorce": "fair"}"#).expect_err("an unknown option");
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::InvalidInput, "options"));
}
