//! `weir execution export ID --case`: a step's call as a case of its plugin. The case says what was seen to happen; what
//! was not recorded is marked, to be filled in by whoever knows.

use api::types::{ConnectionDetail, DocumentDetail, Payload, StepCallDetail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kit::{is_json, keeps_numbers};
use model::{Attempt, Document, Exchange, Fault, Outcome, Pairs, Reply, RequestRecord};
use serde_json::{Map, Value, json};

use super::mask::Mask;
use crate::stop::Stop;

/// Parts of a case in which what is hidden must not stand; the others are words of the case itself.
const MASKED: [&str; 14] = [
    "/about",
    "/transform/event",
    "/transform/input",
    "/transform/metadata",
    "/transform/options",
    "/call/input",
    "/call/metadata",
    "/call/connection/account",
    "/call/connection/settings",
    "/expect/output",
    "/expect/outputs",
    "/expect/metadata",
    "/expect/external_id",
    "/expect/fault/fields",
];

/// How deep a document may lie in itself: a case is read no deeper than 32, and the document lies within it.
const DEPTH_MAX: usize = 26;

/// A case, and what whoever gets it must know.
pub(super) struct Written {
    /// As one value.
    pub(super) value: Value,
    /// Of each exchange: what must be filled in.
    pub(super) gaps: Vec<Option<String>>,
    /// Lines at its beginning.
    notes: Vec<String>,
}

/// Writes the call as a case; what the pointers into its input name is hidden.
pub(super) fn write(call: &StepCallDetail, pointers: &[String]) -> anyhow::Result<Written> {
    let mut mask = Mask::default();
    let mut notes = vec![format!("Exported from {}.", call.execution)];
    let mut case = Map::new();
    case.insert("about".to_owned(), about(call).into());
    let (key, mut written) = match &call.action {
        None => ("transform", transform(call, &mut mask)),
        Some(action) => ("call", action_call(call, action, &mut mask)),
    };
    document(&call.input, pointers, &mut written, &mut mask, &mut notes)?;
    case.insert(key.to_owned(), written.into());
    let (exchanges, gaps) = exchanges(call, &mut mask, &mut notes);
    if !exchanges.is_empty() {
        case.insert("http".to_owned(), exchanges.into());
    }
    match expectation(call, &mut mask, &mut notes) {
        Some(expected) => drop(case.insert("expect".to_owned(), expected.into())),
        None => notes.push("What it gave is not known; `weir plugin test --update` writes it.".to_owned()),
    }
    let mut value = Value::Object(case);
    apply(&mask, &mut value);
    let notes = notes.iter().map(|note| mask.applied(note)).collect();
    Ok(Written { value, gaps, notes })
}

impl Written {
    /// The file's text.
    pub(super) fn text(&self) -> anyhow::Result<String> {
        let mut text: String = self.notes.iter().map(|note| comment(note)).collect();
        for (key, value) in self.value.as_object().into_iter().flatten() {
            let (Value::Array(items), "http") = (value, key.as_str()) else {
                text.push_str(&kit::to_yaml(&json!({ key: value }), 0));
                continue;
            };
            text.push_str("http:\n");
            for (item, gap) in items.iter().zip(&self.gaps) {
                gap.iter().for_each(|gap| text.push_str(&comment(gap)));
                let item = kit::to_yaml(item, 1);
                text.push_str(&format!("- {}", item.trim_start()));
            }
        }
        match kit::read("export", &text) {
            Ok(_) => Ok(text),
            Err(problems) => {
                let faults = problems.iter().map(|problem| problem.to_line("the case")).collect();
                let title = "this call cannot be written as a case".to_owned();
                Err(Stop { exit: crate::stop::Exit::Failed, title, faults }.into())
            }
        }
    }
}

fn comment(line: &str) -> String {
    format!("# {}\n", crate::screen::clean(line))
}

fn about(call: &StepCallDetail) -> String {
    let StepCallDetail { flow, step, plugin, .. } = call;
    let what = match call.attempt.as_ref().map(|attempt| &attempt.outcome) {
        Some(Some(Outcome::Failed { fault })) => fault.to_string(),
        Some(Some(Outcome::Lost)) => "its answer was lost".to_owned(),
        Some(Some(_)) => "as it succeeded".to_owned(),
        Some(None) | None => "as it is about to be called".to_owned(),
    };
    format!("Step {step} of flow {flow}, which calls {plugin}: {what}")
}

fn transform(call: &StepCallDetail, mask: &mut Mask) -> Map<String, Value> {
    let event = &call.event;
    let mut said = Map::from_iter([
        ("id".to_owned(), event.sender_id.as_str().into()),
        ("source".to_owned(), event.source.as_str().into()),
        ("type".to_owned(), event.kind.as_str().into()),
    ]);
    for (key, text) in [("subject", &event.subject), ("time", &event.time), ("schema", &event.schema)] {
        said.extend(text.iter().map(|text| (key.to_owned(), text.as_str().into())));
    }
    said.insert("received".to_owned(), event.received.as_str().into());
    let transport = event.transport.iter().map(|(name, value)| {
        let clean = match name.strip_prefix("header.") {
            _ if name == "query" => mask.of_query(value),
            Some(header) => hidden(header, value, mask),
            None => value.clone(),
        };
        (name.clone(), clean)
    });
    let transport: Pairs = transport.collect();
    let extensions = event.extensions.iter().map(|(name, value)| (name.clone(), hidden(name, value, mask))).collect();
    for (key, pairs) in [("extensions", extensions), ("transport", transport)] {
        if !pairs.is_empty() {
            said.insert(key.to_owned(), written_pairs(&pairs));
        }
    }
    let mut written = Map::from_iter([("event".to_owned(), said.into())]);
    let options = call.options.as_deref().and_then(|options| serde_json::from_str::<Value>(options).ok());
    if let Some(mut options) = options.filter(|options| *options != json!({})) {
        mask.hide_proofs(&mut options);
        written.insert("options".to_owned(), options);
    }
    written
}

fn action_call(call: &StepCallDetail, action: &str, mask: &mut Mask) -> Map<String, Value> {
    let mut written = Map::from_iter([("action".to_owned(), action.into())]);
    if let Some(context) = &call.context {
        let said = json!({
            "execution": call.execution,
            "step": call.step,
            "idempotency_key": context.idempotency_key,
            "attempt": context.attempt.max(1),
            "remaining": format!("{}ms", context.remaining_ms),
        });
        written.insert("context".to_owned(), said);
    }
    written.extend(call.connection.as_ref().map(|account| ("connection".to_owned(), connection(account, mask))));
    written
}

/// Its credentials are made up already.
fn connection(account: &ConnectionDetail, mask: &mut Mask) -> Value {
    let ConnectionDetail { base_url, origins, settings, account, credential, credentials } = account;
    let mut settings = settings.clone();
    mask.hide_proofs(&mut settings);
    let parts = [
        ("base_url", json!(base_url)),
        ("origins", json!(origins)),
        ("settings", settings),
        ("account", json!(account)),
        ("credential", credential.clone()),
        ("credentials", credentials.clone()),
    ];
    let says_something = |value: &Value| !value.is_null() && *value != json!([]) && *value != json!({});
    parts.into_iter().filter(|(_, value)| says_something(value)).map(|(key, value)| (key.to_owned(), value)).collect()
}

/// The input, as a value where it is one.
fn document(
    input: &DocumentDetail,
    pointers: &[String],
    written: &mut Map<String, Value>,
    mask: &mut Mask,
    notes: &mut Vec<String>,
) -> anyhow::Result<()> {
    let json = match &input.data {
        Payload::Text(text) if is_json(&input.content_type) => serde_json::from_str::<Value>(text).ok(),
        _ => None,
    };
    if let (None, [pointer, ..]) = (&json, pointers) {
        return Err(Stop::usage(format!("the input is no JSON, so there is nothing at `{pointer}` to redact")).into());
    }
    let (key, value) = match (json, &input.data) {
        (Some(original), Payload::Text(text)) => {
            let mut value = original.clone();
            mask.hide_proofs(&mut value);
            for pointer in pointers {
                let missing = || Stop::usage(format!("the input has nothing at `{pointer}`: {}", places(&original)));
                mask.hide(value.pointer_mut(pointer).ok_or_else(missing)?);
            }
            of_json(&original, value, text, notes)
        }
        (_, Payload::Text(text)) => {
            let text = of_text("The input", &input.content_type, text, mask, notes);
            match is_json(&input.content_type) {
                // A text that says it is JSON and is none is what it was.
                true => ("input_base64", STANDARD.encode(text).into()),
                false => ("input", text.into()),
            }
        }
        (_, Payload::Base64(text)) => {
            notes.push(
                "The input is no text, and whatever is secret in it is in here too: look before you share it."
                    .to_owned(),
            );
            ("input_base64", text.as_str().into())
        }
        (_, Payload::Json(value)) => {
            let mut value = value.clone();
            mask.hide_proofs(&mut value);
            ("input", value)
        }
    };
    written.insert(key.to_owned(), value);
    if input.content_type != "application/json" {
        written.insert("content_type".to_owned(), input.content_type.as_str().into());
    }
    if !input.metadata.is_empty() {
        let metadata = input.metadata.iter().map(|(name, value)| (name.clone(), hidden(name, value, mask))).collect();
        written.insert("metadata".to_owned(), written_pairs(&metadata));
    }
    Ok(())
}

/// JSON as a value, or byte by byte where a case would not keep it. `value` is what is left of the original.
fn of_json(original: &Value, value: Value, text: &str, notes: &mut Vec<String>) -> (&'static str, Value) {
    let is_kept = keeps_numbers(text);
    if value == *original && !is_kept {
        notes.push("The input holds numbers of more digits than YAML would keep.".to_owned());
        return ("input_base64", STANDARD.encode(text).into());
    }
    if !is_kept {
        let note = "Something in the input is hidden, and numbers of more than 64 bits beside it were rounded: the call may \
                    go otherwise than it went.";
        notes.push(note.to_owned());
    }
    match depth(&value) > DEPTH_MAX {
        true => ("input_base64", STANDARD.encode(value.to_string()).into()),
        false => ("input", value),
    }
}

/// A text that is no JSON, with what can be told to be secret hidden.
fn of_text(what: &str, content_type: &str, text: &str, mask: &mut Mask, notes: &mut Vec<String>) -> String {
    let is_strange = |char: char| char.is_whitespace() || "<>{}\"".contains(char);
    if content_type.starts_with("application/x-www-form-urlencoded")
        || (text.contains('=') && !text.contains(is_strange))
    {
        return mask.of_query(text);
    }
    if !is_json(content_type) && !text.is_empty() {
        let kind = if content_type.is_empty() { "of no type" } else { content_type };
        notes.push(format!("{what} is {kind}, in which no secrets are looked for: look before you share it."));
    }
    mask.of_cut_json(text)
}

/// How many lists and maps lie in each other.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The first level of a document as pointers, for whoever mistyped one.
fn places(value: &Value) -> String {
    let keys = value.as_object().into_iter().flatten().map(|(key, _)| format!("`/{key}`"));
    format!("it has {}", keys.take(12).collect::<Vec<_>>().join(", "))
}

/// What the latest attempt exchanged, with what is missing of each.
fn exchanges(call: &StepCallDetail, mask: &mut Mask, notes: &mut Vec<String>) -> (Vec<Value>, Vec<Option<String>>) {
    let Some(Attempt { outcome, report: Some(report), .. }) = &call.attempt else { return Default::default() };
    let kept = match outcome {
        Some(Outcome::Failed { fault }) => kept(fault),
        _ => Vec::new(),
    };
    let base_url = call.connection.as_ref().and_then(|connection| connection.base_url.as_deref());
    let mut kept = kept.into_iter().peekable();
    let (mut exchanges, mut gaps) = (Vec::new(), Vec::new());
    for request in &report.requests {
        let url = format!("{}{}", request.origin, request.path);
        let is_of = |exchange: &Exchange| exchange.method == request.method && exchange.url.starts_with(&url);
        let exchange = kept.next_if(is_of);
        if request.status.is_none() && exchange.as_ref().is_none_or(is_denied) {
            let why = request.fault.as_deref().unwrap_or("there was no answer");
            notes.push(format!("Not among the exchanges: {} {url}: {why}", request.method));
            continue;
        }
        let (value, gap) = match exchange {
            Some(exchange) => recorded(exchange, base_url, mask, notes),
            None => unrecorded(request, &url, base_url),
        };
        exchanges.push(value);
        gaps.push(gap);
    }
    (exchanges, gaps)
}

/// The exchanges that a fault keeps.
pub(super) fn kept(fault: &Fault) -> Vec<Exchange> {
    let text = fault.details.iter().find(|(name, _)| name == Exchange::DETAIL);
    text.and_then(|(_, text)| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The gate refused it: nothing was exchanged.
fn is_denied(exchange: &Exchange) -> bool {
    matches!(&exchange.reply, Reply::Fault { fault, .. } if fault == "denied")
}

fn recorded(
    exchange: Exchange,
    base_url: Option<&str>,
    mask: &mut Mask,
    notes: &mut Vec<String>,
) -> (Value, Option<String>) {
    let is_whole = exchange.is_whole();
    let url = match exchange.url.split_once('?') {
        Some((path, query)) => format!("{path}?{}", mask.of_query(query)),
        None => exchange.url.clone(),
    };
    let request = json!({ "method": exchange.method, "url": below(&url, base_url) });
    let (response, gap) = match exchange.reply {
        Reply::Fault { fault, sent } => (json!({ "fault": fault, "sent": sent }), None),
        Reply::Answer { status, headers, body, body_bytes } => {
            let mut response = json!({ "status": status });
            let headers: Pairs =
                headers.into_iter().map(|(name, value)| (name.clone(), hidden(&name, &value, mask))).collect();
            if !headers.is_empty() {
                response["headers"] = written_pairs(&headers);
            }
            let content_type = headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
            let content_type = content_type.unwrap_or_default();
            let text = body.unwrap_or_default();
            let read = serde_json::from_str::<Value>(&text).ok().filter(|_| is_json(content_type));
            match read.filter(|read| is_whole && keeps_numbers(&text) && depth(read) <= DEPTH_MAX) {
                Some(mut value) => {
                    mask.hide_proofs(&mut value);
                    response["json"] = value;
                }
                None if text.is_empty() => {}
                None => {
                    let what = format!("The answer to {} {}", exchange.method, below(&url, base_url));
                    response["body"] = of_text(&what, content_type, &text, mask, notes).into();
                }
            }
            let kept = text.len();
            let cut = format!("FILL IN: of the body of {body_bytes} bytes the first {kept} are recorded.");
            (response, (!is_whole).then_some(cut))
        }
    };
    (json!({ "request": request, "response": response }), gap)
}

fn unrecorded(request: &RequestRecord, url: &str, base_url: Option<&str>) -> (Value, Option<String>) {
    let written = json!({
        "request": { "method": request.method, "url": below(url, base_url) },
        "response": { "status": request.status.unwrap_or(200) },
    });
    let gap = "FILL IN: of a call that did not fail, neither the query of a request nor the headers and the body of its \
               answer are recorded.";
    (written, Some(gap.to_owned()))
}

/// What the latest attempt came to.
fn expectation(call: &StepCallDetail, mask: &mut Mask, notes: &mut Vec<String>) -> Option<Map<String, Value>> {
    match &call.attempt.as_ref()?.outcome {
        Some(Outcome::Failed { fault }) => Some(kit::expected(Err(fault))),
        Some(Outcome::Succeeded | Outcome::Verified) => {
            let documents = call.output.as_ref()?.iter().map(to_document).collect::<Option<Vec<_>>>()?;
            let mut expected = kit::expected(Ok(&documents));
            for (key, part) in &mut expected {
                let parts: Vec<_> = match part {
                    Value::Array(outputs) if key == "outputs" => outputs.iter_mut().collect(),
                    part => vec![part],
                };
                for (part, document) in parts.into_iter().zip(&documents) {
                    match part {
                        Value::String(text) if key.starts_with("output") => {
                            *text = of_text("What it gave", &document.content_type, text, mask, notes);
                        }
                        part => mask.hide_proofs(part),
                    }
                }
            }
            if expected.values().any(|value| depth(value) > DEPTH_MAX) {
                return None;
            }
            expected.extend(call.external_id.iter().map(|id| ("external_id".to_owned(), id.as_str().into())));
            Some(expected)
        }
        _ => None,
    }
}

/// The document byte by byte; none if it came as something else.
pub(crate) fn to_document(detail: &DocumentDetail) -> Option<Document> {
    let data = match &detail.data {
        Payload::Text(text) => text.clone().into_bytes(),
        Payload::Base64(text) => STANDARD.decode(text).ok()?,
        Payload::Json(_) => return None,
    };
    let (content_type, metadata) = (detail.content_type.clone(), detail.metadata.clone());
    Some(Document { content_type, data: data.into(), metadata })
}

fn apply(mask: &Mask, value: &mut Value) {
    if mask.is_empty() {
        return;
    }
    let exchanges = value.get("http").and_then(Value::as_array).map_or(0, Vec::len);
    let of_exchange = |index: usize| {
        ["request/url", "response/headers", "response/json", "response/body"]
            .map(|part| format!("/http/{index}/{part}"))
    };
    let pointers = MASKED.iter().map(|pointer| (*pointer).to_owned()).chain((0..exchanges).flat_map(of_exchange));
    for pointer in pointers {
        value.pointer_mut(&pointer).into_iter().for_each(|part| mask.apply(part));
    }
    for pointer in ["/transform/input_base64", "/call/input_base64"] {
        let Some(Value::String(encoded)) = value.pointer_mut(pointer) else { continue };
        if let Some(text) = STANDARD.decode(&*encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
            *encoded = STANDARD.encode(mask.applied(&text));
        }
    }
}

/// The value, hidden if the name says that it proves something.
fn hidden(name: &str, value: &str, mask: &mut Mask) -> String {
    let mut pair = json!({ name: value });
    mask.hide_proofs(&mut pair);
    pair[name].as_str().unwrap_or_default().to_owned()
}

/// A URL below the connection's base URL as a path.
fn below<'u>(url: &'u str, base_url: Option<&str>) -> &'u str {
    let base = base_url.map(|base| base.trim_end_matches('/'));
    base.and_then(|base| url.strip_prefix(base)).filter(|path| path.starts_with('/')).unwrap_or(url)
}

/// Several values of one name are a list.
fn written_pairs(pairs: &Pairs) -> Value {
    let mut written = Map::new();
    for (name, value) in pairs {
        match written.get_mut(name) {
            None => drop(written.insert(name.clone(), value.as_str().into())),
            Some(Value::Array(values)) => values.push(value.as_str().into()),
            Some(first) => *first = json!([first.take(), value]),
        }
    }
    written.into()
}

#[cfg(test)]
mod tests;
