use serde_json::{Map, Value};
use written::yaml::{Entry, Yaml, YamlKind, suggest};

use crate::fields::Reader;
use crate::numbers::exact_value;

const KINDS: [&str; 11] = [
    "invalid-input",
    "unauthorized",
    "forbidden",
    "not-found",
    "conflict",
    "rate-limited",
    "unavailable",
    "timeout",
    "rejected",
    "unknown-outcome",
    "internal",
];
const FAULT: [&str; 6] = ["kind", "code", "message", "fields", "retry_after_ms", "details"];
const SETTLEMENTS: [&str; 3] = ["happened", "absent", "undecided"];

impl Reader {
    /// What is expected, as it is written, its keys judged by the key under which the call stands.
    pub(super) fn expectation(&mut self, yaml: &Yaml, call: &str) -> Option<Map<String, Value>> {
        let known: &[&str] = match call {
            "transform" => &["output", "outputs", "content_type", "metadata", "fault"],
            "verify" => &["settlement", "output", "content_type", "metadata", "external_id", "next", "fault"],
            _ => &["output", "content_type", "metadata", "external_id", "next", "fault"],
        };
        let fields = self.fields(yaml, "`expect`", known)?;
        if fields.present(known).is_empty() {
            let fix = "write what the call gives, such as `output:`; `weir plugin test --update` fills it in";
            self.add(fields.place, "nothing is expected", fix);
        }
        if let [_, second, ..] = fields.present(&["output", "outputs", "fault"])[..] {
            let fix = "keep one of `output`, `outputs`, `fault`";
            self.add(fields.place_of(second), "these exclude each other", fix);
        }
        if let Some(yaml) = fields.get("outputs") {
            self.list(yaml, "`outputs`");
        }
        if let Some(yaml) = fields.get("settlement") {
            self.word(yaml, "`settlement`", &SETTLEMENTS);
        }
        if let Some(yaml) = fields.get("fault") {
            self.expected_fault(yaml);
        }
        match exact_value(yaml) {
            Value::Object(expected) => Some(expected),
            _ => None,
        }
    }

    fn expected_fault(&mut self, yaml: &Yaml) {
        let Some(fields) = self.fields(yaml, "`fault`", &FAULT) else { return };
        if let Some(kind) = fields.get("kind") {
            self.word(kind, "`kind`", &KINDS);
        }
        let Some(Yaml { kind: YamlKind::Map(entries), .. }) = fields.get("fields") else { return };
        for Entry { key, key_place, .. } in entries.iter().filter(|entry| !entry.key.starts_with('/')) {
            let fix = suggest(key, &[format!("/{key}")]);
            self.problems.add(*key_place, format!("`{key}` is no JSON Pointer"), fix);
        }
    }
}
