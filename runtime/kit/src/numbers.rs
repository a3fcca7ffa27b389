//! Numbers as they are written: a reader of JSON keeps 64 bits of a whole one and some 17 digits of another.

use std::ops::Range;

use serde_json::Value;
use written::yaml::{Scalar, Yaml, YamlKind};

/// With this begins the text that stands for a number which a JSON value of ours would not keep.
const MARK: &str = "number:";

/// Whether every number of a JSON text has the same value when it has been read.
pub fn keeps_numbers(text: &str) -> bool {
    numbers(text).into_iter().all(|place| is_kept(&text[place]))
}

/// Reads JSON. A number that would lose digits becomes a text that says it, such as `number:123456789012345678901`, and is
/// compared by its value.
///
/// # Errors
/// It is not JSON.
pub fn exact(text: &str) -> serde_json::Result<Value> {
    if keeps_numbers(text) {
        return serde_json::from_str(text);
    }
    let mut marked = String::with_capacity(text.len());
    let mut end = 0;
    for Range { start, end: behind } in numbers(text) {
        let number = &text[start..behind];
        if decimal(number).is_some() && !is_kept(number) {
            marked.push_str(&text[end..start]);
            marked.push_str(&format!("\"{MARK}{number}\""));
            end = behind;
        }
    }
    serde_json::from_str(&(marked + &text[end..]))
}

/// What is written, as [`exact`] reads it.
pub(crate) fn exact_value(yaml: &Yaml) -> Value {
    match &yaml.kind {
        YamlKind::Scalar(scalar) => match lossy(scalar) {
            Some(number) => format!("{MARK}{number}").into(),
            None => scalar.to_json(),
        },
        YamlKind::List(items) => items.iter().map(exact_value).collect(),
        YamlKind::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), exact_value(&entry.value))).collect(),
    }
}

/// What is written as the text of JSON, with every digit of its numbers.
pub(crate) fn exact_text(yaml: &Yaml) -> String {
    match &yaml.kind {
        YamlKind::Scalar(scalar) => match lossy(scalar) {
            Some(number) => number.to_owned(),
            None => scalar.to_json().to_string(),
        },
        YamlKind::List(items) => format!("[{}]", items.iter().map(exact_text).collect::<Vec<_>>().join(",")),
        YamlKind::Map(entries) => {
            let pair = |key: &str, value: &Yaml| format!("{}:{}", Value::from(key), exact_text(value));
            format!("{{{}}}", entries.iter().map(|entry| pair(&entry.key, &entry.value)).collect::<Vec<_>>().join(","))
        }
    }
}

fn lossy(scalar: &Scalar) -> Option<&str> {
    let is_lossy = scalar.plain && decimal(&scalar.text).is_some() && !is_kept(&scalar.text);
    is_lossy.then_some(scalar.text.as_str())
}

/// The number that a value is, or stands for.
pub(crate) fn number_of(value: &Value) -> Option<(bool, String, i64)> {
    match value {
        Value::Number(number) => decimal(&number.to_string()),
        Value::String(text) => decimal(text.strip_prefix(MARK)?),
        _ => None,
    }
}

/// Whether the number has the same value when it has been read.
fn is_kept(number: &str) -> bool {
    let read = serde_json::from_str::<Value>(number).map(|value| value.to_string());
    read.is_ok_and(|read| decimal(number) == decimal(&read))
}

/// Where the numbers of a JSON text stand.
fn numbers(text: &str) -> Vec<Range<usize>> {
    let is_part = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let (mut places, mut start) = (Vec::new(), None);
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            in_string = is_escaped || byte != b'"';
            is_escaped = byte == b'\\' && !is_escaped;
            continue;
        }
        in_string = byte == b'"';
        match (is_part(byte), start) {
            // What begins otherwise, such as `true`, is a word.
            (true, None) if byte == b'-' || byte.is_ascii_digit() => start = Some(at),
            (true, _) => {}
            (false, Some(begin)) => {
                places.push(begin..at);
                start = None;
            }
            (false, None) => {}
        }
    }
    places.extend(start.map(|begin| begin..text.len()));
    places
}

/// A number as its sign, its digits without zeros at either end, and the power of ten of the last of them; none if the text
/// is no number of JSON.
pub fn decimal(number: &str) -> Option<(bool, String, i64)> {
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, part) = mantissa.split_once('.').map_or((mantissa, None), |(whole, part)| (whole, Some(part)));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_padded = whole.len() > 1 && whole.starts_with('0');
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if !is_digits(whole) || is_padded || !part.is_none_or(is_digits) || !is_digits(exponent_digits) {
        return None;
    }
    let part = part.unwrap_or_default();
    let digits = format!("{whole}{part}");
    let trimmed = digits.trim_end_matches('0');
    let power = exponent
        .parse::<i64>()
        .ok()?
        .checked_sub(part.len() as i64)?
        .checked_add((digits.len() - trimmed.len()) as i64)?;
    let trimmed = trimmed.trim_start_matches('0');
    let power = if trimmed.is_empty() { 0 } else { power };
    Some((number.starts_with('-') && !trimmed.is_empty(), trimmed.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_apart_whatever_their_size_and_are_the_same_however_written() {
        assert_eq!(decimal("1.10"), decimal("11e-1"));
        assert_eq!(decimal("-0"), decimal("0.000"));
        assert_ne!(decimal("123456789012345678901"), decimal("123456789012345678900"));
        for text in ["", "-", "01", "1.", ".5", "1e", "+1", "1e1e1", "1a", "1e99999999999999999999"] {
            assert_eq!(decimal(text), None, "{text}");
        }
        assert!(keeps_numbers(r#"{"a":[1.50,-2e3,18446744073709551615],"b":"123456789012345678901\""}"#));
        assert!(!keeps_numbers(r#"{"a":123456789012345678901}"#));
        assert!(!keeps_numbers(r#"{"a":0.1000000000000000055511151231257827}"#));
        assert!(!keeps_numbers("1e400"));
    }

    #[test]
    fn a_number_that_would_lose_digits_is_kept_as_a_text() {
        let read = exact(r#"{"a":123456789012345678901,"b":[1.5,0.1000000000000000055511151231257827],"c":"1e400"}"#);
        let marked = serde_json::json!({
            "a": "number:123456789012345678901", "b": [1.5, "number:0.1000000000000000055511151231257827"], "c": "1e400"
        });
        assert_eq!(read.ok(), Some(marked));
        assert!(exact("{1234567890123456789012").is_err());
    }
}
