//! The published JSON Schema of a flow's text, and the schemas that flows put on documents.

use expect_test::{Expect, expect};
use flow::{Flow, Permissive, check};
use model::Document;
use serde_json::{Value, json};

fn schema() -> Value {
    serde_json::from_str(Flow::schema()).expect("the schema is JSON")
}

fn example(name: &str) -> Value {
    let path = format!("{}/examples/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{path}: {fault}"));
    yaml(&text)
}

/// YAML to JSON by the way of a flow's own reader: what `set` makes of it.
fn yaml(text: &str) -> Value {
    let indented: String = text.replace("${", "$${").lines().map(|line| format!("      {line}\n")).collect();
    let flow = format!(
        "flow: x\nowner: a@example.com\nsource: {{ webhook: {{ path: /x, verify: none }} }}\nsteps:\n  - id: a\n    set:\n{indented}"
    );
    let flow = check("x", &flow, &|_| None, &Permissive).unwrap_or_else(|problems| panic!("{flow}{problems:?}"));
    let Some(flow::StepKind::Set(set)) = flow.steps.first().map(|step| &step.kind) else { panic!("no set") };
    let event = model::Event {
        id: model::EventId::from_bytes([0; 16]),
        received: model::Timestamp::default(),
        attributes: model::Attributes::default(),
        transport: Vec::new(),
        data: "null".into(),
    };
    let document = set.apply(&flow::Scope::new(&event)).expect("nothing in it can fail");
    serde_json::from_slice(&document.data).expect("JSON")
}

#[test]
fn examples_are_valid() {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is one");
    for name in ["leads-to-crm", "orders"] {
        let faults: Vec<_> = validator.iter_errors(&example(name)).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, [""; 0], "{name}");
    }
}

/// Each changes one thing of the example, which both the schema and the check must refuse.
#[test]
fn bad_examples_are_refused_by_schema_and_check() {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is one");
    for (pointer, value) in [
        ("/flow", json!("Leads To CRM")),
        ("/owner", json!("nobody")),
        ("/ownr", json!("a@example.com")),
        ("/when", json!("${event.data.x}")),
        ("/concurrency", json!(0)),
        ("/source", json!({})),
        ("/source/webhook/path", json!("leads")),
        ("/source/webhook/path", json!("/a/../b")),
        ("/source/webhook/methods", json!(["FETCH"])),
        ("/source/webhook/verify", json!("anybody")),
        ("/source/webhook/verify", json!({"github": {"secret": "a"}, "slack": {"secret": "a"}})),
        ("/source/webhook/verify", json!({"github": {}})),
        ("/source/webhook/verify", json!({"hmac": {"secret": "a"}})),
        ("/source/webhook/verify", json!({"bearer": {"secret": "S3cret!"}})),
        ("/source/webhook/decode", json!("xml")),
        ("/source/webhook/reply", json!({"sync": {}})),
        ("/source/webhook/body_limit", json!("1MB")),
        ("/source/dedupe", json!({"window": "0s"})),
        ("/steps/0", json!({"id": "a"})),
        ("/steps/0", json!({"id": "a", "set": {}, "mapper": "m@1"})),
        ("/steps/0", json!({"id": "a", "set": {}, "retry": {"attempts": 1}})),
        ("/steps/0/id", json!("a-b")),
        ("/steps/0/id", json!("in")),
        ("/steps/0/mapper", json!("lead-mapper")),
        ("/steps/0/connection", json!("crm")),
        ("/steps/1/action", json!("crm@1")),
        ("/steps/1/retry/attempts", json!(0)),
        ("/steps/1/retry/within", json!("soon")),
        ("/steps/1/timeout", json!(30)),
        ("/on_failure/park", json!("maybe")),
        ("/on_failure/alert", json!("me")),
    ] {
        let mut flow = example("leads-to-crm");
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        match flow.pointer_mut(parent).expect("the example has it") {
            Value::Object(fields) => drop(fields.insert(key.to_owned(), value.clone())),
            Value::Array(items) => items[key.parse::<usize>().expect("a place")] = value.clone(),
            other => panic!("{other}"),
        }
        assert!(!validator.is_valid(&flow), "the schema takes {pointer}: {value}");
        // JSON is YAML.
        let schema_file = |_: &str| Some("{}".to_owned());
        check("leads-to-crm", &flow.to_string(), &schema_file, &Permissive).expect_err(&format!("{pointer}: {value}"));
    }
}

#[test]
fn every_key_has_a_description() {
    fn keys<'s>(schema: &'s Value, root: &'s Value, path: &str, missing: &mut Vec<String>) {
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (key, value) in properties.iter().filter(|(_, value)| !value.is_boolean()) {
                let referred = value.get("$ref").and_then(Value::as_str).and_then(|target| root.pointer(&target[1..]));
                let described = [Some(value), referred].into_iter().flatten().any(|at| at.get("description").is_some());
                if !described {
                    missing.push(format!("{path}/{key}"));
                }
            }
        }
        match schema {
            Value::Object(fields) => {
                fields.iter().for_each(|(key, value)| keys(value, root, &format!("{path}/{key}"), missing));
            }
            Value::Array(items) => items.iter().for_each(|item| keys(item, root, path, missing)),
            _ => {}
        }
    }
    let (schema, mut missing) = (schema(), Vec::new());
    keys(&schema, &schema, "", &mut missing);
    assert_eq!(missing, [""; 0]);
}

/// Prints the faults of a document by a schema.
#[track_caller]
fn check_document(document: &Document, expected: Expect) {
    let schema = json!({
        "type": "object",
        "required": ["name", "lines"],
        "properties": {
            "name": { "type": "string", "minLength": 2 },
            "lines": { "type": "array", "items": { "$ref": "#/$defs/line" } },
            "code": { "type": "string", "pattern": "^(a+)+$" }
        },
        "$defs": { "line": { "type": "object", "properties": { "n": { "type": "integer", "minimum": 1 } } } }
    });
    let expect = flow::Expect::new(&schema).expect("a schema");
    let shown = match expect.check(document) {
        Ok(()) => "valid\n".to_owned(),
        Err(faults) => faults.iter().map(|fault| format!("{}: {}\n", fault.pointer, fault.message)).collect(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn documents_are_checked_field_by_field() {
    let json = |value: Value| Document::json(value.to_string());
    check_document(
        &json(json!({"name": "Ada", "lines": [{"n": 1}]})),
        expect![[r#"
        valid
    "#]],
    );
    check_document(
        &json(json!({"name": "A", "lines": [{"n": 1}, {"n": 0}, {"n": "x"}, 5]})),
        expect![[r#"
        /name: the value is shorter than 2 characters
        /lines/1/n: the value is less than the minimum of 1
        /lines/2/n: the value is not of type "integer"
        /lines/3: the value is not of type "object"
    "#]],
    );
    check_document(
        &json(json!([])),
        expect![[r#"
        : the value is not of type "object"
    "#]],
    );
    check_document(
        &Document::json("{"),
        expect![[r#"
        : is not valid JSON: EOF while parsing an object at line 1 column 1
    "#]],
    );
    let csv = Document { content_type: "text/csv".to_owned(), ..Document::json("a;b") };
    check_document(
        &csv,
        expect![[r#"
        : is `text/csv`, not JSON
    "#]],
    );
    // Values are not repeated in messages: they may be personal.
    check_document(
        &json(json!({"name": 5, "lines": "4111 1111 1111 1111"})),
        expect![[r#"
        /name: the value is not of type "string"
        /lines: the value is not of type "array"
    "#]],
    );
    // A pattern that takes other engines for ever.
    let trap = format!("{}b", "a".repeat(100_000));
    check_document(
        &json(json!({"name": "Ada", "lines": [], "code": trap})),
        expect![[r#"
        /code: the value does not match "^(a+)+$"
    "#]],
    );
    let many: Vec<_> = (0..1000).map(|_| json!(5)).collect();
    let faults = flow::Expect::new(&json!({"items": {"type": "string"}}))
        .expect("a schema")
        .check(&json(json!(many)))
        .expect_err("there are faults");
    assert_eq!(faults.len(), 50);
}
