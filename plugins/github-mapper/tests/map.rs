//! Shapes of GitHub's events, and shapes that are not.

use github_mapper::Plugin;
use serde_json::{Value, json};
use weir_sdk::testing::origin;
use weir_sdk::{Document, Fault, FaultKind, Mapper};

fn map(kind: &str, data: impl Into<Vec<u8>>) -> Result<Value, Fault> {
    let mut origin = origin("/hooks/github");
    origin.transport.push(("header.x-github-event".to_owned(), kind.to_owned()));
    let documents = Plugin::transform(origin, Document::new("application/json", data), "{}")?;
    assert_eq!(documents.len(), 1);
    documents[0].read()
}

#[track_caller]
fn check(kind: &str, event: Value, expected: Value) {
    let notification = map(kind, event.to_string()).expect("a notification");
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&notification[key], value, "{key} of {notification:#}");
    }
}

#[test]
fn a_comment_has_the_title_of_what_it_is_about() {
    check(
        "issue_comment",
        json!({
            "action": "created",
            "issue": { "title": "It leaks", "html_url": "https://github.example/i/1", "body": "Water." },
            "comment": { "body": "Mended.", "html_url": "https://github.example/i/1#c" },
            "repository": { "full_name": "acme/weir" },
            "sender": { "login": "ada" },
        }),
        json!({
            "kind": "issue_comment", "action": "created", "repository": "acme/weir", "sender": "ada",
            "title": "It leaks", "url": "https://github.example/i/1#c", "text": "Mended.",
        }),
    );
}

#[test]
fn events_without_a_subject_are_told_in_their_own_words() {
    check(
        "push",
        json!({ "ref": "refs/heads/main", "commits": [{}], "head_commit": { "message": "Mend it" }, "compare": "https://c",
                "pusher": { "name": "ada" } }),
        json!({ "title": "1 commit to main", "url": "https://c", "text": "Mend it", "sender": "ada", "action": "" }),
    );
    check("create", json!({ "ref": "v1", "ref_type": "tag" }), json!({ "title": "tag v1" }));
    check("star", json!({ "action": "created", "starred_at": null }), json!({ "title": "star created" }));
    check("brand_new", json!({ "brand_new": { "name": "N" } }), json!({ "kind": "brand_new", "title": "N" }));
}

#[test]
fn any_json_gives_a_notification() {
    for event in ["null", "7", "\"text\"", "[]", "[{\"issue\":{}}]", "{}", "{\"issue\":[],\"sender\":7,\"commits\":{}}"]
    {
        for kind in ["push", "gollum", "status", "issues", ""] {
            let notification = map(kind, event).expect("a notification");
            assert_eq!(notification.as_object().map(|fields| fields.values().all(Value::is_string)), Some(true));
        }
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for broken in ["", "{", "\u{0}", &deep] {
        assert_eq!(map("push", broken).expect_err("no JSON").kind, FaultKind::InvalidInput);
    }
}

#[test]
fn long_texts_are_shortened_between_characters() {
    let body = "ö".repeat(3_000);
    let notification = map("issues", json!({ "issue": { "title": "t", "body": body } }).to_string()).expect("one");
    let text = notification["text"].as_str().expect("text");
    assert_eq!(text.chars().count(), 2_000);
    assert!(text.ends_with("ö…"));
}
