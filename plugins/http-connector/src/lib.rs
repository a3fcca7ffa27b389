//! Sends a request to any HTTP API, as the flow describes it. Start at [`send`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use weir_sdk::http::encode;
use weir_sdk::{Call, Document, Fault, FaultKind, Http, IntoReceipt, Receipt, Request, Response};

/// What the flow describes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    #[serde(default)]
    method: Method,
    path: String,
    #[serde(default)]
    variables: BTreeMap<String, Scalar>,
    #[serde(default)]
    query: BTreeMap<String, Scalar>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    // As it was written: no digit of a number is lost on the way.
    body: Option<Box<RawValue>>,
    #[serde(default)]
    faults: BTreeMap<String, Meaning>,
    #[serde(default)]
    output: Output,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Get,
    Head,
    #[default]
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What can stand in a URL.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
}

impl Scalar {
    fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

/// What a status means for the flow. `internal` is not among them: no answer is a fault of this plugin.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Meaning {
    None,
    InvalidInput,
    Unauthorized,
    Forbidden,
    NotFound,
    Conflict,
    RateLimited,
    Unavailable,
    Timeout,
    Rejected,
    UnknownOutcome,
}

impl Meaning {
    fn kind(self) -> Option<FaultKind> {
        Some(match self {
            Self::None => return None,
            Self::InvalidInput => FaultKind::InvalidInput,
            Self::Unauthorized => FaultKind::Unauthorized,
            Self::Forbidden => FaultKind::Forbidden,
            Self::NotFound => FaultKind::NotFound,
            Self::Conflict => FaultKind::Conflict,
            Self::RateLimited => FaultKind::RateLimited,
            Self::Unavailable => FaultKind::Unavailable,
            Self::Timeout => FaultKind::Timeout,
            Self::Rejected => FaultKind::Rejected,
            Self::UnknownOutcome => FaultKind::UnknownOutcome,
        })
    }
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Output {
    #[default]
    Body,
    Answer,
}

/// The actions `send` and `send-once`, which differ in what Weir does when an answer is lost: it repeats the one under the
/// same key, and parks the other.
///
/// # Errors
/// What the status means, by the description's own table and then by the SDK's.
pub fn send(call: Call<Description>, http: &Http) -> Result<Receipt, Fault> {
    let description = call.input;
    let mut request = Request::new(description.method.as_str(), expand(&description.path, &description.variables)?);
    for (name, value) in &description.query {
        request = request.query(name, &value.to_text());
    }
    request = add_body(request, &description)?;
    let has = |name: &str| description.headers.keys().any(|field| field.eq_ignore_ascii_case(name));
    if !has("idempotency-key") && !matches!(description.method, Method::Get | Method::Head) {
        request = request.idempotency_key(&call.context);
    }
    for (name, value) in &description.headers {
        request = request.header(name, value);
    }
    let response = http.send(request)?;
    judge(&response, &description.faults)?;
    match description.output {
        Output::Body => Ok(Receipt { output: body_of(response), external_id: None, next: None, metadata: Vec::new() }),
        Output::Answer => describe(&response)?.into_receipt(),
    }
}

/// The path with its `{names}` replaced. `{{slot}}` is left for Weir, which puts the secret there.
fn expand(path: &str, variables: &BTreeMap<String, Scalar>) -> Result<String, Fault> {
    let refuse = |message: String| Err(Fault::invalid_input("the path cannot be used").field("/path", message));
    if !path.starts_with('/') {
        return refuse("does not begin with `/`".to_owned());
    }
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let slot = rest.starts_with("{{");
        let (opening, closing) = if slot { ("{{", "}}") } else { ("{", "}") };
        let Some((name, behind)) = rest[opening.len()..].split_once(closing) else {
            return refuse(format!("has a `{opening}` without `{closing}`"));
        };
        match variables.get(name) {
            _ if slot => out.push_str(&rest[..rest.len() - behind.len()]),
            Some(value) => out.push_str(&encode(&value.to_text())),
            None => return refuse(format!("names `{name}`, which is not among the variables")),
        }
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn add_body(request: Request, description: &Description) -> Result<Request, Fault> {
    let Some(body) = &description.body else { return Ok(request) };
    if !body.get().starts_with('"') {
        return request.json(body);
    }
    let refuse = |message: &str| Fault::invalid_input("the body cannot be sent as text").field("/body", message);
    // Half a surrogate pair can be written in JSON, and is no text.
    let text: String = serde_json::from_str(body.get()).map_err(|error| refuse(&format!("is no text: {error}")))?;
    // Weir would take it for the place of a secret, and in a text there is no other way to write it.
    if text.contains("{{") {
        return Err(refuse("contains `{{`"));
    }
    let is_typed = description.headers.keys().any(|field| field.eq_ignore_ascii_case("content-type"));
    let mut request = request;
    if !is_typed {
        request = request.header("Content-Type", "text/plain; charset=utf-8");
    }
    request.body = text.into_bytes();
    Ok(request)
}

/// Finds what the status means: by itself, by its class, by the SDK's table.
fn judge(response: &Response, faults: &BTreeMap<String, Meaning>) -> Result<(), Fault> {
    let status = response.status.to_string();
    let class = format!("{}xx", response.status / 100);
    match faults.get(&status).or_else(|| faults.get(&class)) {
        Some(meaning) => match meaning.kind() {
            None => Ok(()),
            Some(kind) => {
                let mut fault = response.to_fault();
                fault.kind = kind;
                fault.retry_after = response.retry_after();
                Err(fault)
            }
        },
        None if response.is_success() => Ok(()),
        None => Err(response.to_fault()),
    }
}

fn body_of(response: Response) -> Document {
    let content_type = response.header("content-type").unwrap_or("application/octet-stream").to_owned();
    Document::new(content_type, response.body)
}

/// An answer as a document.
#[derive(Serialize)]
struct Answer<'a> {
    status: u16,
    headers: BTreeMap<&'a str, &'a str>,
    body: Box<RawValue>,
}

fn describe(response: &Response) -> Result<Answer<'_>, Fault> {
    let body = match serde_json::from_slice(&response.body) {
        Ok(body) => body,
        Err(_) => to_raw_value(&String::from_utf8_lossy(&response.body))?,
    };
    let headers = response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Ok(Answer { status: response.status, headers, body })
}

weir_sdk::connector! {
    actions: { "send" => send, "send-once" => send },
}
