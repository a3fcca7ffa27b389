//! What this mapper gives for the events of `tests/same-output`, which the mappers of the other languages are held to.
//! `UPDATE_EXPECT=1` writes `expected.jsonl` anew.

use std::fs;
use std::path::Path;

use lead_mapper::Plugin;
use serde_json::{Value, json};
use weir_sdk::testing::origin;
use weir_sdk::{Document, Fault, FaultKind, Mapper};

#[test]
fn the_events_give_what_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/same-output");
    let events = fs::read_to_string(folder.join("events.jsonl")).expect("the events");
    let found: String = events.lines().map(|line| outcome(line) + "\n").collect();
    let file = folder.join("expected.jsonl");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&file, &found).expect("the file can be written");
    }
    let expected = fs::read_to_string(&file).expect("the file that UPDATE_EXPECT=1 writes");
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

/// The documents as text, or what of a fault a flow can see: the words of messages are each language's own.
fn outcome(line: &str) -> String {
    let event: Value = serde_json::from_str(line).expect("JSON");
    let text = |key: &str| event[key].as_str().expect("text");
    let outcome =
        match Plugin::transform(origin("lead"), Document::new(text("content_type"), text("data")), text("options")) {
            Ok(documents) => {
                let documents = documents.into_iter().map(|document| String::from_utf8(document.data).expect("UTF-8"));
                json!({ "name": event["name"], "documents": documents.collect::<Vec<_>>() })
            }
            Err(Fault { kind, code, fields, .. }) => {
                assert_eq!(kind, FaultKind::InvalidInput, "nothing that a lead says is a fault of the mapper");
                let pointers: Vec<String> = fields.into_iter().map(|field| field.pointer).collect();
                json!({ "name": event["name"], "fault": "invalid-input", "code": code, "pointers": pointers })
            }
        };
    outcome.to_string()
}
