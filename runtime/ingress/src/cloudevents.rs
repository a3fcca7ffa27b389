//! CloudEvents 1.0 in the three modes of its HTTP binding.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use model::Attributes;
use serde_json::value::RawValue;

use crate::Decode;
use crate::decode::{JSON, check_json, decode, essence, is_json};
use crate::event::Draft;
use crate::problem::Refusal;

const EVENT: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// A batch is answered as a whole, so that its end must be near.
const BATCH_EVENTS_MAX: usize = 1000;

/// How a request carries CloudEvents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Attributes in `ce-` headers, the data in the body.
    Binary,
    /// All of one event in the body.
    Structured,
    /// An array of events in the body.
    Batched,
}

impl Mode {
    /// None: the request carries none.
    pub(crate) fn of(headers: &HeaderMap, content_type: Option<&str>) -> Result<Option<Self>, Refusal> {
        let essence = content_type.map(essence).unwrap_or_default().to_ascii_lowercase();
        match essence.as_str() {
            EVENT => Ok(Some(Self::Structured)),
            BATCH => Ok(Some(Self::Batched)),
            other if other.starts_with("application/cloudevents") => Err(Refusal::ContentType {
                found: other.to_owned(),
                expected: "CloudEvents in JSON: `application/cloudevents+json` or `application/cloudevents-batch+json`",
            }),
            _ => Ok(headers.contains_key("ce-specversion").then_some(Self::Binary)),
        }
    }
}

/// An event whose attributes are header fields.
pub(crate) fn binary(
    headers: &HeaderMap,
    content_type: Option<&str>,
    body: Bytes,
    rule: Decode,
) -> Result<Draft, Refusal> {
    let mut draft = AttributesDraft::default();
    for (name, value) in headers {
        if let Some(name) = name.as_str().strip_prefix("ce-") {
            draft.set(name, percent_decode(value.as_bytes(), name)?)?;
        }
    }
    if let Some(content_type) = content_type {
        draft.attributes.content_type = content_type.to_owned();
    }
    // CloudEvents need no data.
    let data = if body.is_empty() { None } else { Some(body) };
    draft.finish(data, rule)
}

/// An event that is a JSON object.
pub(crate) fn structured(body: &Bytes, rule: Decode) -> Result<Draft, Refusal> {
    event(body, check_json(body)?, rule)
}

/// Events that are an array of JSON objects. One that is refused refuses all.
pub(crate) fn batched(body: &Bytes, rule: Decode) -> Result<Vec<Draft>, Refusal> {
    let events: Vec<&RawValue> = serde_json::from_str(check_json(body)?)
        .map_err(|_| Refusal::malformed("a batch of CloudEvents is a JSON array of objects"))?;
    if events.len() > BATCH_EVENTS_MAX {
        return Err(Refusal::BatchTooLong { max: BATCH_EVENTS_MAX });
    }
    let in_batch = |(index, json): (usize, &&RawValue)| {
        event(body, json.get(), rule).map_err(|cause| Refusal::InBatch { index, cause: Box::new(cause) })
    };
    events.iter().enumerate().map(in_batch).collect()
}

/// Reads one event, `json` being a part of `body`, so that its data are one too.
fn event(body: &Bytes, json: &str, rule: Decode) -> Result<Draft, Refusal> {
    let members: BTreeMap<String, &RawValue> =
        serde_json::from_str(json).map_err(|_| Refusal::malformed("a CloudEvent in JSON is an object"))?;
    let mut draft = AttributesDraft::default();
    let (mut value, mut base64) = (None, None);
    for (name, raw) in members {
        match (name.as_str(), raw.get()) {
            // An attribute that is null is not set.
            ("data", _) => value = Some(raw),
            (_, "null") => {}
            ("data_base64", text) => base64 = Some(text),
            (name, json) => draft.set(name, scalar(name, json)?)?,
        }
    }
    let data = match (value, base64) {
        (Some(_), Some(_)) => return Err(Refusal::malformed("a CloudEvent has `data` or `data_base64`, not both")),
        (None, None) => None,
        (None, Some(text)) => Some(from_base64(text)?),
        (Some(raw), None) => Some(draft.data_of(body, raw)),
    };
    if draft.attributes.content_type.is_empty() {
        draft.attributes.content_type = JSON.to_owned();
    }
    draft.finish(data, rule)
}

fn from_base64(json: &str) -> Result<Bytes, Refusal> {
    let text: Option<String> = serde_json::from_str(json).ok();
    let bytes = text.and_then(|text| STANDARD.decode(text).ok());
    Ok(bytes.ok_or_else(|| Refusal::malformed("`data_base64` is not a string of base64"))?.into())
}

/// The value of an attribute in its canonical text form.
fn scalar(name: &str, json: &str) -> Result<String, Refusal> {
    match serde_json::from_str(json) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        Ok(serde_json::Value::Bool(value)) => Ok(value.to_string()),
        Ok(serde_json::Value::Number(number)) if number.is_i64() => Ok(number.to_string()),
        _ => Err(Refusal::malformed(format!("attribute `{name}` is neither a string nor a boolean nor an integer"))),
    }
}

/// Header values hold all but visible ASCII percent-encoded.
fn percent_decode(value: &[u8], name: &str) -> Result<String, Refusal> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&byte, behind)) = rest.split_first() {
        let hex = behind.first_chunk::<2>().filter(|_| byte == b'%');
        let escaped = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { &behind[2..] } else { behind };
    }
    String::from_utf8(decoded).map_err(|_| Refusal::malformed(format!("header `ce-{name}` is not UTF-8 once decoded")))
}

/// The attributes as they are found, not yet known to be complete.
#[derive(Default)]
struct AttributesDraft {
    attributes: Attributes,
    version: String,
}

impl AttributesDraft {
    fn set(&mut self, name: &str, value: String) -> Result<(), Refusal> {
        if value.chars().any(char::is_control) {
            return Err(Refusal::malformed(format!("attribute `{name}` has control characters")));
        }
        let attributes = &mut self.attributes;
        let already_there = match name {
            "specversion" => !std::mem::replace(&mut self.version, value).is_empty(),
            "id" => !std::mem::replace(&mut attributes.id, value).is_empty(),
            "source" => !std::mem::replace(&mut attributes.source, value).is_empty(),
            "type" => !std::mem::replace(&mut attributes.kind, value).is_empty(),
            "datacontenttype" => !std::mem::replace(&mut attributes.content_type, value).is_empty(),
            "subject" => attributes.subject.replace(value).is_some(),
            "dataschema" => attributes.schema.replace(value).is_some(),
            "time" if !is_rfc_3339(&value) => {
                return Err(Refusal::malformed(format!("attribute `time` is not a time of RFC 3339: `{value}`")));
            }
            "time" => attributes.time.replace(value).is_some(),
            extension if extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) => {
                let is_twice = attributes.extensions.iter().any(|(other, _)| other == extension);
                attributes.extensions.push((extension.to_owned(), value));
                is_twice
            }
            other => {
                return Err(Refusal::malformed(format!(
                    "attribute `{other}`: names of attributes are lower-case letters and digits"
                )));
            }
        };
        if already_there { Err(Refusal::malformed(format!("attribute `{name}` is there twice"))) } else { Ok(()) }
    }

    /// The bytes that a `data` member stands for: its JSON, or the text of a string that is declared to be another format.
    fn data_of(&self, body: &Bytes, raw: &RawValue) -> Bytes {
        let content_type = &self.attributes.content_type;
        if !content_type.is_empty()
            && !is_json(content_type)
            && let Ok(text) = serde_json::from_str::<String>(raw.get())
        {
            return text.into();
        }
        body.slice_ref(raw.get().as_bytes())
    }

    fn finish(mut self, data: Option<Bytes>, rule: Decode) -> Result<Draft, Refusal> {
        if self.version != "1.0" {
            let found = if self.version.is_empty() { "missing" } else { self.version.as_str() };
            return Err(Refusal::malformed(format!("attribute `specversion` must be `1.0` and is `{found}`")));
        }
        for (name, value) in
            [("id", &self.attributes.id), ("source", &self.attributes.source), ("type", &self.attributes.kind)]
        {
            if value.is_empty() {
                return Err(Refusal::malformed(format!("attribute `{name}` is missing")));
            }
        }
        let mut body = Bytes::new();
        if let Some(data) = data {
            let declared = Some(self.attributes.content_type.as_str()).filter(|text| !text.is_empty());
            (self.attributes.content_type, body) = decode(rule, declared, data)?;
        }
        // The id is unique within its source only.
        let sender_id = Some(format!("{} {}", self.attributes.source, self.attributes.id));
        Ok(Draft { attributes: self.attributes, data: body, sender_id })
    }
}

/// `2026-11-23T01:34:32.118+01:00`: the form of RFC 3339, not whether the day exists.
fn is_rfc_3339(text: &str) -> bool {
    const DATE_AND_TIME: &[u8] = b"0000-00-00T00:00:00";
    let fits = |bytes: &[u8], form: &[u8]| {
        bytes.len() == form.len()
            && bytes.iter().zip(form).all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                other => byte.eq_ignore_ascii_case(other),
            })
    };
    let Some((start, rest)) = text.as_bytes().split_at_checked(DATE_AND_TIME.len()) else { return false };
    let zone = match rest.strip_prefix(b".") {
        None => rest,
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &fraction[digits..]
        }
    };
    fits(start, DATE_AND_TIME) && (fits(zone, b"Z") || fits(zone, b"+00:00") || fits(zone, b"-00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_known_by_their_form() {
        for good in ["2026-11-23T01:34:32Z", "2026-11-23t01:34:32.1z", "2026-11-23T01:34:32.118999999+01:00"] {
            assert!(is_rfc_3339(good), "{good}");
        }
        for bad in
            ["", "2026-11-23", "2026-11-23T01:34:32", "2026-11-23T01:34:32.Z", "2026-11-23 01:34:32Z", "yesterday"]
        {
            assert!(!is_rfc_3339(bad), "{bad}");
        }
    }

    #[test]
    fn header_values_are_percent_decoded() {
        for (header, value) in [("Euro%20%E2%82%AC", "Euro €"), ("100%", "100%"), ("%zz%4", "%zz%4"), ("%25zz", "%zz")]
        {
            assert_eq!(percent_decode(header.as_bytes(), "a").unwrap(), value);
        }
        percent_decode(b"%FF", "a").unwrap_err();
    }
}
