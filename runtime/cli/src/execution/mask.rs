//! Placeholders for what is nobody's business: of the same type and the same shape, so that a plugin takes them for what
//! stood there, and the same for the same, so that what is equal stays equal.

use connection::is_proof;
use serde_json::{Number, Value};

/// Shorter texts occur by chance within others.
const WITHIN_CHARS_MIN: usize = 6;

/// The texts that are hidden, with what stands for each.
#[derive(Debug, Default)]
pub(super) struct Mask(Vec<(String, String)>);

impl Mask {
    /// Whether nothing is hidden.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hides every text and number in a value.
    pub(super) fn hide(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.placeholder(text),
            Value::Number(number) if number.is_f64() => *value = Number::from_f64(1.5).into(),
            Value::Number(_) => *value = 1.into(),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide(item)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.hide(value)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Hides the texts whose names say that they prove something.
    pub(super) fn hide_proofs(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(text) if is_proof(name) => *text = self.placeholder(text),
                        value => self.hide_proofs(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_proofs(item)),
            _ => {}
        }
    }

    /// The query, or a form, with the values of such parameters hidden.
    pub(super) fn of_query(&mut self, query: &str) -> String {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, value)) if is_proof(name) => format!("{name}={}", self.placeholder(value)),
            _ => pair.to_owned(),
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// A text that may have been JSON before it was cut, with the values of such fields hidden.
    pub(super) fn of_cut_json(&mut self, text: &str) -> String {
        let mut rest = text;
        let mut clean = String::with_capacity(text.len());
        while let Some((before, name, behind)) = next_string(rest) {
            clean.push_str(&rest[..before + name.len() + 2]);
            rest = behind;
            let value = behind.trim_start().strip_prefix(':').map(str::trim_start);
            let Some(value) = value.filter(|value| value.starts_with('"') && is_proof(name)) else { continue };
            clean.push_str(&behind[..behind.len() - value.len()]);
            let (value, behind) = match next_string(value) {
                Some((_, inner, behind)) => (inner, behind),
                None => (&value[1..], ""),
            };
            clean.push_str(&format!("\"{}", self.placeholder(value)));
            clean.push_str(if behind.is_empty() { "" } else { "\"" });
            rest = behind;
        }
        clean + rest
    }

    /// What is hidden is hidden here too.
    pub(super) fn apply(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.applied(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.apply(value)),
            _ => {}
        }
    }

    /// The text with what is hidden replaced in it.
    pub(super) fn applied(&self, text: &str) -> String {
        if let Some((_, placeholder)) = self.0.iter().find(|(hidden, _)| hidden == text) {
            return placeholder.clone();
        }
        let long = self.0.iter().filter(|(hidden, _)| hidden.chars().count() >= WITHIN_CHARS_MIN);
        long.fold(text.to_owned(), |text, (hidden, placeholder)| text.replace(hidden, placeholder))
    }

    fn placeholder(&mut self, text: &str) -> String {
        let placeholder = shaped(text);
        if !text.is_empty() && placeholder != text && !self.0.iter().any(|(hidden, _)| hidden == text) {
            self.0.push((text.to_owned(), placeholder.clone()));
            // A text that holds another one goes first.
            self.0.sort_by_key(|(hidden, _)| std::cmp::Reverse(hidden.len()));
        }
        placeholder
    }
}

/// Letters become `a` and digits `1`, so that an address stays an address, a date a date, and hexadecimal digits such.
fn shaped(text: &str) -> String {
    if humantime::parse_rfc3339(text).is_ok() {
        return "2001-01-01T00:00:00Z".to_owned();
    }
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme)).unwrap_or_default();
    let shape = |char: char| match char {
        char if char.is_numeric() => '1',
        char if char.is_uppercase() => 'A',
        char if char.is_alphabetic() => 'a',
        char => char,
    };
    scheme.chars().chain(text[scheme.len()..].chars().map(shape)).collect()
}

/// The next string of JSON: what stands before it, itself without its quotes, and what follows.
fn next_string(text: &str) -> Option<(usize, &str, &str)> {
    let open = text.find('"')?;
    let inner = &text[open + 1..];
    let mut escaped = false;
    let end = inner.find(|char| {
        let ends = char == '"' && !escaped;
        escaped = char == '\\' && !escaped;
        ends
    })?;
    Some((open, &inner[..end], &inner[end + 1..]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_hidden_keeps_its_type_and_its_shape_everywhere() {
        let mut mask = Mask::default();
        let mut value = json!({
            "email": "Ada.Lovelace@Example.com", "born": "1815-12-10", "at": "2026-01-02T03:04:05Z", "age": 36,
            "ratio": 0.25, "is": true, "none": null, "tags": ["Ärzte 12"], "page": "https://example.com/ada",
        });
        mask.hide(&mut value);
        assert_eq!(
            value,
            json!({
                "email": "Aaa.Aaaaaaaa@Aaaaaaa.aaa", "born": "1111-11-11", "at": "2001-01-01T00:00:00Z", "age": 1,
                "ratio": 1.5, "is": true, "none": null, "tags": ["Aaaaa 11"], "page": "https://aaaaaaa.aaa/aaa",
            })
        );
        assert_eq!(mask.applied("no mail for Ada.Lovelace@Example.com"), "no mail for Aaa.Aaaaaaaa@Aaaaaaa.aaa");
    }

    #[test]
    fn proofs_are_known_by_their_names() {
        let mut mask = Mask::default();
        let mut value =
            json!({ "author": "Ada", "auth": { "accessToken": "T0k-en" }, "list": [{ "password": "pass word" }] });
        mask.hide_proofs(&mut value);
        let hidden =
            json!({ "author": "Ada", "auth": { "accessToken": "A1a-aa" }, "list": [{ "password": "aaaa aaaa" }] });
        assert_eq!(value, hidden);
        assert_eq!(mask.of_query("page=2&api_key=S3cret&token"), "page=2&api_key=A1aaaa&token");
        let cut = r#"{"a":"b\"","access_token" : "Xy9","note":"token","token":"unfin"#;
        assert_eq!(mask.of_cut_json(cut), r#"{"a":"b\"","access_token" : "Aa1","note":"token","token":"aaaaa"#);
    }
}
