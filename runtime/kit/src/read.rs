//! From the text of a case to the case. A reader made by `serde` would stop at the first fault; this one gathers them all.

mod expect;
mod http;

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use connection::{Credential, SecretRef};
use model::{Document, Event, Origin, Timestamp};
use serde_json::Value;
use written::duration;
use written::yaml::{Kind, Problem, Problems, Yaml, parse};

use crate::case::{Call, Case, ConnectionText, base_of, default_context, default_event};
use crate::fields::{Fields, Reader};
use crate::judge::is_json;
use crate::numbers::exact_text;

/// Bytes of a case's text: recorded bodies may be long.
const TEXT_BYTES_MAX: usize = 4 << 20;

const CASE_FILE: Kind =
    Kind { noun: "one case", begin: "begin with `transform:` or `call:`; `weir plugin new` writes an example" };
const CALLS: [&str; 3] = ["transform", "call", "verify"];
const INPUTS: [&str; 3] = ["input", "input_base64", "content_type"];
const EVENT: [&str; 9] = ["id", "source", "type", "subject", "time", "received", "schema", "extensions", "transport"];

/// Reads the case `name`.
///
/// # Errors
/// Every fault of the text, in its order.
pub fn read(name: &str, text: &str) -> Result<Case, Vec<Problem>> {
    let mut reader = Reader { problems: Problems::default() };
    let case = if text.len() > TEXT_BYTES_MAX {
        let place = written::yaml::Place { line: 1, column: 1 };
        reader.add(place, "the file is too large", format!("keep it within {TEXT_BYTES_MAX} bytes"));
        None
    } else {
        parse(text, CASE_FILE, &mut reader.problems).and_then(|tree| reader.case(name, &tree))
    };
    match case {
        Some(case) if reader.problems.is_empty() => Ok(case),
        _ => Err(reader.problems.into_sorted()),
    }
}

impl Reader {
    fn case(&mut self, name: &str, tree: &Yaml) -> Option<Case> {
        let fields = self.fields(tree, "a case", &["transform", "call", "verify", "http", "expect", "about"])?;
        self.text_of(fields, "about");
        let calls = fields.present(&CALLS);
        let call = match calls[..] {
            ["transform"] => self.transform(name, fields.get("transform")?),
            [key] => self.action(fields.get(key)?, key),
            [] => {
                let fix =
                    "add one of `transform:` (a mapper), `call:` (an action) or `verify:` (what became of a call)";
                self.add(fields.place, "the case calls nothing", fix);
                None
            }
            [_, second, ..] => {
                self.add(fields.place_of(second), "a case makes one call", "put this one into a file of its own");
                None
            }
        };
        let base_url = match &call {
            Some(Call::Action { connection: Some(connection), .. }) => connection.base_url.clone(),
            _ => None,
        };
        let http = fields.get("http").map(|yaml| self.exchanges(yaml, base_url.as_deref())).unwrap_or_default();
        if let (false, ["transform"]) = (http.is_empty(), &calls[..]) {
            self.add(fields.place_of("http"), "a mapper makes no requests", "leave `http` out");
        }
        let expect = fields.get("expect").and_then(|yaml| self.expectation(yaml, calls.first()?));
        Some(Case { name: name.to_owned(), call: call?, http, expect })
    }

    fn transform(&mut self, name: &str, yaml: &Yaml) -> Option<Call> {
        let known = ["event", "input", "input_base64", "content_type", "metadata", "options"];
        let fields = self.fields(yaml, "`transform`", &known)?;
        let input = self.document(fields);
        let options = self.object_of(fields, "options");
        // Read without an input too, so that faults of both are told.
        let mut event = default_event(name, input.as_ref().unwrap_or(&Document::json("{}")));
        if let Some(yaml) = fields.get("event") {
            self.event(yaml, &mut event);
        }
        let input = input?;
        Some(Call::Transform { event: Box::new(event), input, options })
    }

    fn event(&mut self, yaml: &Yaml, event: &mut Event) {
        let Some(fields) = self.fields(yaml, "`event`", &EVENT) else { return };
        let attributes = &mut event.attributes;
        let texts = [("id", &mut attributes.id), ("source", &mut attributes.source), ("type", &mut attributes.kind)];
        for (key, place) in texts {
            if let Some(text) = self.text_of(fields, key) {
                *place = text;
            }
        }
        attributes.subject = self.text_of(fields, "subject");
        attributes.time = self.text_of(fields, "time");
        attributes.schema = self.text_of(fields, "schema");
        attributes.extensions = self.pairs_of(fields, "extensions");
        event.transport = self.pairs_of(fields, "transport");
        if let Some(text) = self.text_of(fields, "received") {
            match humantime::parse_rfc3339(&text) {
                Ok(time) => event.received = Timestamp::from(time),
                Err(_) => {
                    let place = fields.place_of("received");
                    self.add(place, format!("`{text}` is no time"), "write it as `2026-01-01T00:00:00Z`");
                }
            }
        }
    }

    fn action(&mut self, yaml: &Yaml, key: &str) -> Option<Call> {
        let known = ["action", "input", "input_base64", "content_type", "metadata", "cursor", "context", "connection"];
        let fields = self.fields(yaml, &format!("`{key}`"), &known)?;
        let action = self.required_text(fields, "action", "name one of the manifest's actions");
        let input = self.document(fields);
        let cursor = self.text_of(fields, "cursor");
        let mut context = default_context();
        if let Some(yaml) = fields.get("context") {
            self.context(yaml, &mut context);
        }
        let connection = fields.get("connection").and_then(|yaml| self.connection(yaml)).map(Box::new);
        Some(Call::Action { action: action?, verify: key == "verify", input: input?, cursor, context, connection })
    }

    fn context(&mut self, yaml: &Yaml, context: &mut engine::CallContext) {
        let known = ["execution", "step", "idempotency_key", "attempt", "remaining"];
        let Some(fields) = self.fields(yaml, "`context`", &known) else { return };
        let texts = [
            ("execution", &mut context.execution),
            ("step", &mut context.step),
            ("idempotency_key", &mut context.idempotency_key),
        ];
        for (key, place) in texts {
            if let Some(text) = self.text_of(fields, key) {
                *place = text;
            }
        }
        let attempt = fields.get("attempt").and_then(|yaml| self.number(yaml, "`attempt`", 1, u32::MAX.into()));
        context.attempt = attempt.and_then(|attempt| u32::try_from(attempt).ok()).unwrap_or(context.attempt);
        if let Some(text) = self.text_of(fields, "remaining") {
            context.deadline = self.duration(fields, "remaining", &text).unwrap_or(context.deadline);
        }
    }

    fn duration(&mut self, fields: Fields<'_>, key: &str, text: &str) -> Option<Duration> {
        let read = duration::parse(text);
        if read.is_none() {
            self.add(fields.place_of(key), format!("`{text}` is no length of time"), "write it as `500ms` or `30s`");
        }
        read
    }

    /// The input: JSON, unless another content type says that it is a text; or bytes.
    fn document(&mut self, fields: Fields<'_>) -> Option<Document> {
        let content_type = self.text_of(fields, "content_type").unwrap_or_else(|| "application/json".to_owned());
        let metadata = self.pairs_of(fields, "metadata");
        let data: Bytes = match fields.present(&INPUTS[..2])[..] {
            ["input"] if is_json(&content_type) => exact_text(fields.get("input")?).into(),
            ["input"] => self.text(fields.get("input")?, "`input` of a content type that is not JSON")?.into(),
            ["input_base64"] => {
                let text = self.text_of(fields, "input_base64")?;
                self.base64(fields, "input_base64", &text)?
            }
            [] => {
                self.add(fields.place, "`input` is missing", "add `input:` with the document that goes in");
                return None;
            }
            _ => {
                self.add(fields.place_of("input_base64"), "there are two inputs", "keep `input` or `input_base64`");
                return None;
            }
        };
        Some(Document { content_type, data, metadata })
    }

    fn base64(&mut self, fields: Fields<'_>, key: &str, text: &str) -> Option<Bytes> {
        let bytes = STANDARD.decode(text.split_whitespace().collect::<String>());
        if bytes.is_err() {
            self.add(fields.place_of(key), format!("`{key}` is not base 64"), "encode the bytes, with padding");
        }
        bytes.ok().map(Bytes::from)
    }

    fn connection(&mut self, yaml: &Yaml) -> Option<ConnectionText> {
        let known = ["base_url", "origins", "settings", "account", "credential", "credentials"];
        let fields = self.fields(yaml, "`connection`", &known)?;
        let base_url = self.text_of(fields, "base_url");
        let mut origins = Vec::new();
        if let Some(url) = &base_url {
            origins.extend(self.origin(fields.get("base_url")?, base_of(url)));
        }
        for item in fields.get("origins").map(|yaml| self.list(yaml, "`origins`")).unwrap_or_default() {
            if let Some(text) = self.text(item, "an origin") {
                origins.extend(self.origin(item, &text));
            }
        }
        let credential = fields.get("credential").and_then(|yaml| self.credential(yaml)).unwrap_or_default();
        let mut named = BTreeMap::new();
        for entry in fields.get("credentials").map(|yaml| self.entries(yaml, "`credentials`")).unwrap_or_default() {
            named.extend(self.credential(&entry.value).map(|credential| (entry.key.clone(), credential)));
        }
        let (settings, account) = (self.object_of(fields, "settings"), self.text_of(fields, "account"));
        Some(ConnectionText { base_url, origins, settings, account, credential, named })
    }

    fn origin(&mut self, yaml: &Yaml, text: &str) -> Option<Origin> {
        let origin = text.parse::<Origin>();
        if let Err(error) = &origin {
            self.add(yaml.place, error.to_string(), "write it as `https://api.example.com`");
        }
        origin.ok()
    }

    /// Written as in `connections.toml`, but that a secret may be a text: one that is made up for the case.
    fn credential(&mut self, yaml: &Yaml) -> Option<Credential<SecretRef>> {
        let mut json = yaml.to_json();
        wrap_secrets(&mut json);
        let credential = serde_json::from_value(json);
        if let Err(error) = &credential {
            let fix = "write it as in connections.toml, such as { scheme: bearer, secret: made-up }";
            self.add(yaml.place, format!("this is no credential: {error}"), fix);
        }
        credential.ok()
    }
}

fn wrap_secrets(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if key == "secret" => *value = serde_json::json!({ "store": text }),
                    value => wrap_secrets(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(wrap_secrets),
        _ => {}
    }
}
