use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Called, NotServed, Receipt, Settlement};
use model::{Document, Fault, LogLine, RequestRecord};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::compare::{Difference, below, compare};
use crate::kit::Output;
use crate::numbers::exact;

/// How a case went.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is not as it was expected; empty: the case is green.
    pub differences: Vec<Difference>,
    /// What the call gave, as it would stand under `expect` in full.
    pub actual: Map<String, Value>,
    /// Microseconds of the call.
    pub duration_us: u64,
    /// Microseconds of the plugin on a core.
    pub cpu_us: u64,
    /// The most linear memory that the plugin had, in bytes.
    pub memory_bytes: u64,
    /// How often it called the host.
    pub host_calls: u32,
    /// The requests it made, those that were denied among them.
    pub requests: Vec<RequestRecord>,
    /// What it logged.
    pub logs: Vec<LogLine>,
    /// For each request that its manifest does not ask for: what to add to `weir-plugin.toml`.
    pub manifest_lines: Vec<String>,
}

impl Report {
    /// Of a call that was made.
    pub(crate) fn of(called: Called<Output>) -> Self {
        let actual = match called.answer {
            Ok(Output::Documents(documents)) => say_documents(&documents),
            Ok(Output::Receipt(receipt)) => say_receipt(&receipt),
            Ok(Output::Settlement(settlement)) => say_settlement(&settlement),
            Err(fault) => said(Err(&fault)),
        };
        let report = called.report;
        Self {
            actual,
            duration_us: report.duration_us,
            cpu_us: report.cpu_us,
            memory_bytes: report.memory_bytes,
            host_calls: called.host_calls,
            requests: report.requests,
            logs: report.logs,
            ..Self::default()
        }
    }

    /// Of a call that the host did not make.
    pub(crate) fn not_served(reason: &NotServed) -> Self {
        let difference = Difference::texts("/call", "an answer", reason.to_string());
        Self { differences: vec![difference], ..Self::default() }
    }

    /// Whether everything is as it was expected.
    pub fn is_green(&self) -> bool {
        self.differences.is_empty()
    }

    /// Adds what differs from what is expected. What is not written may be anything.
    pub(crate) fn judge(&mut self, expected: Option<&Map<String, Value>>) {
        if self.actual.is_empty() {
            // The call was not made, which has been told.
            return;
        }
        let Some(expected) = expected else {
            let actual = Value::Object(self.expectation(None));
            self.differences.push(Difference::new("/expect", None, Some(&actual)));
            return;
        };
        // A fault where an output was expected says more than an output that is missing, and the reverse.
        let kinds = |map: &Map<String, Value>| map.contains_key("fault");
        if kinds(expected) != kinds(&self.actual) {
            let (expected, actual) = (Value::Object(expected.clone()), Value::Object(self.expectation(None)));
            self.differences.push(Difference::new("/expect", Some(&expected), Some(&actual)));
            return;
        }
        for (key, value) in expected {
            let pointer = below("/expect", key);
            match (value, self.actual.get(key)) {
                (Value::Object(fault), Some(actual)) if key == "fault" => {
                    for (key, value) in fault {
                        one(&below(&pointer, key), value, actual.get(key), &mut self.differences);
                    }
                }
                (value, actual) => one(&pointer, value, actual, &mut self.differences),
            }
        }
    }

    /// What the call gave, as `--update` writes it: of what goes without saying only what stood there before.
    pub fn expectation(&self, before: Option<&Map<String, Value>>) -> Map<String, Value> {
        expectation(self.actual.clone(), before)
    }
}

/// What a call gave without what goes without saying, unless it stood there before.
fn expectation(mut expectation: Map<String, Value>, before: Option<&Map<String, Value>>) -> Map<String, Value> {
    let stood = |key: &str| before.is_some_and(|before| before.contains_key(key));
    expectation.retain(|key, value| {
        let goes_without_saying = match key.as_str() {
            "content_type" => value == "application/json",
            "metadata" => value.as_object().is_some_and(Map::is_empty),
            "external_id" | "next" => value.is_null(),
            _ => false,
        };
        !goes_without_saying || stood(key)
    });
    let stood_in_fault =
        |key: &str| before.is_some_and(|before| before.get("fault").is_some_and(|fault| fault.get(key).is_some()));
    if let Some(Value::Object(fault)) = expectation.get_mut("fault") {
        fault.retain(|key, value| match key.as_str() {
            "kind" | "code" => true,
            "fields" => value.as_object().is_some_and(|fields| !fields.is_empty()) || stood_in_fault(key),
            "retry_after_ms" => !value.is_null() || stood_in_fault(key),
            _ => stood_in_fault(key),
        });
    }
    expectation
}

/// What a call gave, in full, as it would stand under `expect`.
pub(crate) fn said(answer: Result<&[Document], &Fault>) -> Map<String, Value> {
    match answer {
        Ok(documents) => say_documents(documents),
        Err(fault) => Map::from_iter([("fault".to_owned(), say_fault(fault))]),
    }
}

/// The same as a case would expect it: without what goes without saying.
pub fn expected(answer: Result<&[Document], &Fault>) -> Map<String, Value> {
    expectation(said(answer), None)
}

fn one(pointer: &str, expected: &Value, actual: Option<&Value>, into: &mut Vec<Difference>) {
    match actual {
        Some(actual) => compare(pointer, expected, actual, into),
        None => into.push(Difference::new(pointer, Some(expected), None)),
    }
}

/// The documents of a mapper: one is an `output`, none or several are `outputs`.
fn say_documents(documents: &[Document]) -> Map<String, Value> {
    match documents {
        [document] => say_document(document),
        documents => Map::from_iter([("outputs".to_owned(), documents.iter().map(value_of).collect())]),
    }
}

/// What an action gave.
fn say_receipt(receipt: &Receipt) -> Map<String, Value> {
    let mut said = say_document(&receipt.output);
    said.insert("external_id".to_owned(), json!(receipt.external_id));
    said.insert("next".to_owned(), json!(receipt.next));
    said
}

/// What became of an attempt.
fn say_settlement(settlement: &Settlement) -> Map<String, Value> {
    let (word, mut said) = match settlement {
        Settlement::Happened(receipt) => ("happened", say_receipt(receipt)),
        Settlement::Absent => ("absent", Map::new()),
        Settlement::Undecided(_) => ("undecided", Map::new()),
    };
    said.insert("settlement".to_owned(), word.into());
    said
}

fn say_document(document: &Document) -> Map<String, Value> {
    let metadata: Map<String, Value> =
        document.metadata.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    Map::from_iter([
        ("output".to_owned(), value_of(document)),
        ("content_type".to_owned(), document.content_type.as_str().into()),
        ("metadata".to_owned(), metadata.into()),
    ])
}

/// JSON as it is, any other text as a text, and what is neither in base 64.
fn value_of(document: &Document) -> Value {
    match std::str::from_utf8(&document.data) {
        Ok(text) if is_json(&document.content_type) => exact(text).unwrap_or_else(|_| text.into()),
        Ok(text) => text.into(),
        Err(_) => json!({ "base64": STANDARD.encode(&document.data) }),
    }
}

/// `application/json`, or anything whose suffix says that it is JSON (RFC 6839).
pub fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json" || media_type.ends_with("+json")
}

fn say_fault(fault: &Fault) -> Value {
    let fields: Map<String, Value> =
        fault.fields.iter().map(|field| (field.pointer.clone(), field.message.as_str().into())).collect();
    let details: Map<String, Value> =
        fault.details.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    json!({
        "kind": fault.kind.as_str(),
        "code": fault.code,
        "message": fault.message,
        "retry_after_ms": fault.retry_after_ms,
        "fields": fields,
        "details": details,
    })
}

/// The report as JSON, for tools.
impl Serialize for Report {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let difference = |difference: &Difference| json!({ "pointer": difference.pointer, "expected": difference.expected, "actual": difference.actual });
        let report = json!({
            "green": self.is_green(),
            "differences": self.differences.iter().map(difference).collect::<Vec<_>>(),
            "actual": self.actual,
            "duration_us": self.duration_us,
            "cpu_us": self.cpu_us,
            "memory_bytes": self.memory_bytes,
            "host_calls": self.host_calls,
            "requests": self.requests,
            "logs": self.logs,
            "manifest_lines": self.manifest_lines,
        });
        report.serialize(serializer)
    }
}
