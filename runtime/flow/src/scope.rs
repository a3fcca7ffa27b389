use std::sync::OnceLock;

use model::{Document, Event};
use serde_json::{Map, Value};

/// What an expression can see: `event`, and `steps` that have ended. Payloads are parsed when they are first asked for,
/// and once.
#[derive(Debug)]
pub struct Scope<'e> {
    pub(crate) event: &'e Event,
    data: Lazy,
    headers: OnceLock<Value>,
    query: OnceLock<Value>,
    extensions: OnceLock<Value>,
    steps: Vec<(&'e str, StepView<'e>)>,
}

#[derive(Debug)]
enum StepView<'e> {
    Skipped,
    Ended(&'e Document, Lazy),
}

/// A parsed payload, or why it could not be parsed.
type Lazy = OnceLock<Result<Value, String>>;

impl<'e> Scope<'e> {
    /// A scope with the event alone.
    pub fn new(event: &'e Event) -> Self {
        Self {
            event,
            data: OnceLock::new(),
            headers: OnceLock::new(),
            query: OnceLock::new(),
            extensions: OnceLock::new(),
            steps: Vec::new(),
        }
    }

    /// The same with the output of one more step.
    pub fn with_output(mut self, id: &'e str, output: &'e Document) -> Self {
        self.steps.push((id, StepView::Ended(output, OnceLock::new())));
        self
    }

    /// The same with one more step, which was skipped.
    pub fn with_skipped(mut self, id: &'e str) -> Self {
        self.steps.push((id, StepView::Skipped));
        self
    }

    pub(crate) fn data(&self) -> Result<&Value, String> {
        let attributes = &self.event.attributes;
        let parsed = self.data.get_or_init(|| parse(&attributes.content_type, &self.event.data));
        parsed.as_ref().map_err(|why| format!("the data of the event {why}"))
    }

    /// Header fields by their names in lower case; several of one name joined as RFC 9110, section 5.3 says.
    pub(crate) fn headers(&self) -> &Value {
        self.headers.get_or_init(|| {
            let mut headers = Map::new();
            for (name, value) in &self.event.transport {
                let Some(name) = name.strip_prefix("header.") else { continue };
                match headers.get_mut(name) {
                    Some(Value::String(joined)) => *joined = format!("{joined}, {value}"),
                    _ => drop(headers.insert(name.to_owned(), value.as_str().into())),
                }
            }
            Value::Object(headers)
        })
    }

    /// Query parameters by name; of several with one name the first.
    pub(crate) fn query(&self) -> &Value {
        self.query.get_or_init(|| {
            let mut query = Map::new();
            for (name, value) in form_urlencoded::parse(self.transport("query").unwrap_or_default().as_bytes()) {
                query.entry(name).or_insert_with(|| value.into_owned().into());
            }
            Value::Object(query)
        })
    }

    pub(crate) fn extensions(&self) -> &Value {
        self.extensions.get_or_init(|| {
            let pairs = self.event.attributes.extensions.iter();
            Value::Object(pairs.map(|(name, value)| (name.clone(), value.as_str().into())).collect())
        })
    }

    pub(crate) fn transport(&self, name: &str) -> Option<&str> {
        self.event.transport.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has_ended(&self, id: &str) -> bool {
        self.steps.iter().any(|(known, _)| *known == id)
    }

    /// The output of a step; none if it was skipped.
    pub(crate) fn output(&self, id: &str) -> Result<Option<&Value>, String> {
        match self.steps.iter().find(|(known, _)| *known == id) {
            None => Err(format!("step `{id}` has not ended yet")),
            Some((_, StepView::Skipped)) => Ok(None),
            Some((_, StepView::Ended(document, parsed))) => {
                let parsed = parsed.get_or_init(|| parse(&document.content_type, &document.data));
                parsed.as_ref().map(Some).map_err(|why| format!("the output of step `{id}` {why}"))
            }
        }
    }
}

fn parse(content_type: &str, data: &[u8]) -> Result<Value, String> {
    if is_json(content_type) {
        return serde_json::from_slice(data).map_err(|fault| format!("is not valid JSON: {fault}"));
    }
    if content_type.trim_start().to_ascii_lowercase().starts_with("text/") {
        let text = std::str::from_utf8(data).map_err(|_| format!("is `{content_type}` and not valid UTF-8"))?;
        return Ok(text.into());
    }
    Err(format!("is `{content_type}`, and only JSON and text can be looked into"))
}

/// Whether a media type is JSON: `application/json`, `text/json`, or anything with the suffix `+json` (RFC 6839).
pub(crate) fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "text/json") || essence.ends_with("+json")
}
