use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::Decode;
use crate::problem::Refusal;

/// Deeper nesting is nobody's data, and costs whoever walks through it a stack.
const JSON_DEPTH_MAX: usize = 64;

pub(crate) const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const BYTES: &str = "application/octet-stream";

/// Checks that a body of this content type is what the route takes, and gives the event's content type and data. A
/// sender that names no content type is believed to send what is taken.
pub(crate) fn decode(decode: Decode, content_type: Option<&str>, body: Bytes) -> Result<(String, Bytes), Refusal> {
    let wrong = |found: &str, expected| Err(Refusal::ContentType { found: found.to_owned(), expected });
    match (decode, content_type) {
        (Decode::Json, Some(other)) if !is_json(other) => wrong(other, "`application/json` or another `+json`"),
        (Decode::Form, Some(other)) if !essence(other).eq_ignore_ascii_case(FORM) => {
            wrong(other, "`application/x-www-form-urlencoded`")
        }
        (Decode::Json, _) => {
            check_json(&body)?;
            Ok((content_type.unwrap_or(JSON).to_owned(), body))
        }
        (Decode::Form, _) => Ok((JSON.to_owned(), form_to_json(&body))),
        (Decode::Bytes, _) => Ok((content_type.unwrap_or(BYTES).to_owned(), body)),
    }
}

/// The content type of a request, none if it has none. Two could be understood in two ways.
pub(crate) fn content_type(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value
            .to_str()
            .map(Some)
            .map_err(|_| Refusal::malformed("header `content-type` has characters beyond ASCII")),
        _ => Err(Refusal::malformed("header `content-type` came more than once")),
    }
}

/// A content type without its parameters.
pub(crate) fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

pub(crate) fn is_json(content_type: &str) -> bool {
    let essence = essence(content_type).as_bytes();
    let ends_with =
        |end: &[u8]| essence.len() > end.len() && essence[essence.len() - end.len()..].eq_ignore_ascii_case(end);
    ends_with(b"/json") || ends_with(b"+json")
}

/// Checks that the bytes are one JSON text (RFC 8259) of bounded depth, in which no object has a name twice: readers
/// differ in which of the two they take, so that a checked value need not be the one that is used.
pub(crate) fn check_json(body: &[u8]) -> Result<&str, Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Refusal::malformed(format!("the body is not UTF-8 from byte {} on", error.valid_up_to())))?;
    let mut json = serde_json::Deserializer::from_str(text);
    let checked = Check { depth: 0 }.deserialize(&mut json).and_then(|()| json.end());
    checked.map_err(|error| Refusal::malformed(format!("the body is not JSON: {error}")))?;
    Ok(text)
}

/// Walks through a value without keeping it.
#[derive(Clone, Copy)]
struct Check {
    depth: usize,
}

impl Check {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == JSON_DEPTH_MAX {
            return Err(E::custom(format_args!("nested more than {JSON_DEPTH_MAX} deep")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Check {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let item = self.deeper()?;
        while items.next_element_seed(item)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let value = self.deeper()?;
        let mut names: Vec<Cow<'de, str>> = Vec::new();
        while let Some(name) = members.next_key_seed(Name)? {
            names.push(name);
            members.next_value_seed(value)?;
        }
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(A::Error::custom(format_args!("an object has the name `{}` twice", pair[0]))),
            None => Ok(()),
        }
    }
}

/// A name of an object, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// Percent-encoded bytes that are no UTF-8 become U+FFFD, as the URL standard says.
fn form_to_json(body: &[u8]) -> Bytes {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        let value = Value::String(value.into_owned());
        match fields.get_mut(name.as_ref()) {
            None => drop(fields.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(single) => *single = Value::Array(vec![single.take(), value]),
        }
    }
    Value::Object(fields).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> String {
        match check_json(json.as_bytes()) {
            Ok(_) => "good".to_owned(),
            Err(refusal) => refusal.to_string(),
        }
    }

    #[test]
    fn json_is_checked_without_being_changed() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for good in
            ["null", " {} ", r#"{"a":{"a":1},"b":[1,-2.5e3,"\u0061",true]}"#, "12345678901234567890123", &nested(64)]
        {
            assert_eq!(check(good), "good", "{good}");
        }
        for (bad, expected) in [
            ("", "the body is not JSON: EOF while parsing a value at line 1 column 0"),
            ("{} {}", "the body is not JSON: trailing characters at line 1 column 4"),
            (r#"{"a":1,}"#, "the body is not JSON: trailing comma at line 1 column 8"),
            ("NaN", "the body is not JSON: expected value at line 1 column 1"),
            (
                r#"{"a":1,"b":2,"\u0061":3}"#,
                "the body is not JSON: an object has the name `a` twice at line 1 column 24",
            ),
            (&nested(65), "the body is not JSON: nested more than 64 deep at line 1 column 66"),
            (&nested(100_000), "the body is not JSON: nested more than 64 deep at line 1 column 65"),
        ] {
            assert_eq!(check(bad), expected);
        }
        assert_eq!(check_json(b"\"\xff\"").unwrap_err().to_string(), "the body is not UTF-8 from byte 1 on");
    }

    #[test]
    fn forms_become_objects_with_arrays_for_repeated_names() {
        for (form, json) in [
            ("", "{}"),
            ("a=1&b=x+y%26z&a=2&a=3&c", r#"{"a":["1","2","3"],"b":"x y&z","c":""}"#),
            ("%C3%BC=%FF", "{\"ü\":\"\u{fffd}\"}"),
        ] {
            assert_eq!(form_to_json(form.as_bytes()), json);
        }
    }

    #[test]
    fn json_types_are_known_by_their_end() {
        for json in ["application/json", "Application/JSON; charset=utf-8", "application/vnd.github+json", "text/json"]
        {
            assert!(is_json(json), "{json}");
        }
        for other in ["", "json", "/json", "+json", "application/jsonl", "application/json-seq", "text/plain"] {
            assert!(!is_json(other), "{other}");
        }
    }
}
