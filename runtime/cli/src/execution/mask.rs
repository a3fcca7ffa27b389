//! Placeholders for what is nobody's business: of the same type and the same shape, so that a plugin takes them for what
//! stood there, and the same for the same, so that what is equal stays equal.

use std::collections::BTreeMap;

use connection::is_proof;
use serde_json::{Map, Number, Value};

use super::forms::{Found, begins, encoded, is_same, plain};

/// Shorter texts occur by chance within others, and are hidden there as words of their own alone.
const WITHIN_CHARS_MIN: usize = 6;
/// Shorter ones are hidden only where nothing stands beside them.
const WORD_CHARS_MIN: usize = 3;

/// The texts that are hidden, the longest first, by their first character in lower case.
#[derive(Debug, Default)]
pub(super) struct Mask(BTreeMap<char, Vec<String>>);

impl Mask {
    /// Whether nothing is hidden.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Hides every text and number in a value.
    pub(super) fn hide(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.placeholder(text),
            Value::Number(number) => {
                let placeholder = self.placeholder(&number.to_string());
                *value = to_number(&placeholder);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide(item)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.hide(value)),
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Hides whatever stands under a name that says that it proves something.
    pub(super) fn hide_proofs(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match is_proof(name) {
                        true => self.hide(value),
                        false => self.hide_proofs(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_proofs(item)),
            _ => {}
        }
    }

    /// The query, or a form, with the values of such parameters hidden.
    pub(super) fn of_query(&mut self, query: &str) -> String {
        let mut pairs = Vec::new();
        for pair in query.split('&') {
            let read = form_urlencoded::parse(pair.as_bytes()).next();
            pairs.push(match (read, pair.split_once('=')) {
                (Some((name, value)), Some((written, dressed))) if is_proof(&name) => {
                    format!("{written}={}", self.dressed(&value, dressed))
                }
                _ => pair.to_owned(),
            });
        }
        pairs.join("&")
    }

    /// A text that may have been JSON before it was cut, with whatever stands under such names hidden.
    pub(super) fn of_cut_json(&mut self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        // Whether the next value stands under such a name, and how many brackets are open below one.
        let (mut is_named, mut within) = (false, 0_usize);
        while let Some(char) = rest.chars().next() {
            let is_hidden = is_named || within > 0;
            let taken = match char {
                '"' => {
                    let (inner, behind) = string(rest);
                    let taken = rest.len() - behind.len();
                    if behind.trim_start().starts_with(':') {
                        is_named = is_proof(inner);
                        clean.push_str(&rest[..taken]);
                    } else {
                        let read = serde_json::from_str::<String>(&format!("\"{inner}\""));
                        let shown = match is_hidden {
                            true => self.dressed(&read.unwrap_or_else(|_| inner.to_owned()), inner),
                            false => inner.to_owned(),
                        };
                        clean.push('"');
                        clean.push_str(&shown);
                        clean.push_str(&rest[1 + inner.len()..taken]);
                        is_named = false;
                    }
                    taken
                }
                '0'..='9' | '-' if is_hidden => {
                    let end = rest.find(|char: char| !(char.is_ascii_digit() || "+-.eE".contains(char)));
                    let end = end.unwrap_or(rest.len());
                    clean.push_str(&self.placeholder(&rest[..end]));
                    is_named = false;
                    end
                }
                char => {
                    match char {
                        '{' | '[' if is_hidden => (is_named, within) = (false, within + 1),
                        '}' | ']' => (is_named, within) = (false, within.saturating_sub(1)),
                        ',' => is_named = false,
                        _ => {}
                    }
                    clean.push(char);
                    char.len_utf8()
                }
            };
            rest = &rest[taken..];
        }
        clean
    }

    /// What is hidden is hidden here too, in names as well.
    pub(super) fn apply(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.applied(text),
            Value::Number(number) => {
                let text = number.to_string();
                if self.hides_number(&text) {
                    *value = to_number(&shaped(&text));
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.apply(item)),
            Value::Object(fields) => {
                let mut clean = Map::with_capacity(fields.len());
                for (name, mut value) in std::mem::take(fields) {
                    self.apply(&mut value);
                    let mut name = self.applied(&name);
                    while clean.contains_key(&name) {
                        name.push('1');
                    }
                    clean.insert(name, value);
                }
                *fields = clean;
            }
            _ => {}
        }
    }

    /// The text with what is hidden replaced in it, however it is written there: see [`super::forms`].
    pub(super) fn applied(&self, text: &str) -> String {
        if self.hides(text) || self.hides_number(text) {
            return shaped(text);
        }
        let mut clean = String::with_capacity(text.len());
        let mut at = 0;
        let (mut before, mut form) = (None, None);
        while let Some((char, bytes)) = plain(&text[at..]) {
            if let Some(found) = self.found(&text[at..], before) {
                let read = found.plain();
                clean.push_str(&found.dress(&shaped(&read)));
                at += found.bytes;
                before = read.chars().last();
                continue;
            }
            if let Some((decoded, bytes)) = encoded(&text[at..]) {
                form = Some((at + bytes, decoded));
            }
            clean.push(char);
            at += bytes;
            before = match form {
                // The last character of `%20` is no letter before what follows it.
                Some((end, decoded)) if end == at => Some(decoded),
                _ => Some(char),
            };
        }
        clean
    }

    /// Something hidden that the text begins with, `before` being the character before it.
    fn found<'t>(&self, text: &'t str, before: Option<char>) -> Option<Found<'t>> {
        let is_letter = |char: Option<char>| char.is_some_and(char::is_alphanumeric);
        let firsts = [plain(text), encoded(text)].into_iter().flatten().filter_map(|(char, _)| lower(char));
        let hidden = firsts.filter_map(|first| self.0.get(&first)).flatten();
        hidden.filter(|hidden| hidden.chars().count() >= WORD_CHARS_MIN).find_map(|hidden| {
            let found = begins(text, hidden)?;
            let rest = &text[found.bytes..];
            let after = encoded(rest).or_else(|| plain(rest)).map(|(char, _)| char);
            let is_long = hidden.chars().count() >= WITHIN_CHARS_MIN;
            (is_long || !(is_letter(before) || is_letter(after))).then_some(found)
        })
    }

    fn hides(&self, text: &str) -> bool {
        let first = text.chars().next().and_then(lower);
        let hidden = first.and_then(|first| self.0.get(&first)).into_iter().flatten();
        let is_all = |hidden: &String| {
            hidden.chars().count() == text.chars().count()
                && hidden.chars().zip(text.chars()).all(|(one, other)| is_same(one, other))
        };
        hidden.filter(|hidden| !hidden.is_empty()).any(is_all)
    }

    /// The same number may be written in several ways.
    fn hides_number(&self, text: &str) -> bool {
        let Some(number) = kit::decimal(text) else { return false };
        self.0.values().flatten().any(|hidden| kit::decimal(hidden).as_ref() == Some(&number))
    }

    /// A value hidden where it stands, given as it is written there.
    fn dressed(&mut self, value: &str, written: &str) -> String {
        let placeholder = self.placeholder(value);
        match begins(written, value) {
            Some(found) if found.bytes == written.len() => found.dress(&placeholder),
            _ => self.placeholder(written),
        }
    }

    fn placeholder(&mut self, text: &str) -> String {
        let placeholder = shaped(text);
        if let Some(first) = text.chars().next().and_then(lower).filter(|_| placeholder != text) {
            let hidden = self.0.entry(first).or_default();
            if !hidden.iter().any(|known| known == text) {
                hidden.push(text.to_owned());
                // A text that holds another one goes first.
                hidden.sort_by_key(|hidden| std::cmp::Reverse(hidden.len()));
            }
        }
        placeholder
    }
}

fn lower(char: char) -> Option<char> {
    char.to_lowercase().next()
}

/// Letters become `a` and digits `1`, so that an address stays an address, a date a date, and hexadecimal digits such.
fn shaped(text: &str) -> String {
    if kit::decimal(text).is_some() {
        return text.chars().map(|char| if char.is_ascii_digit() { '1' } else { char }).collect();
    }
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

/// A number of the same digits; what has too many of them is a small one.
fn to_number(placeholder: &str) -> Value {
    placeholder.parse::<Number>().map_or_else(|_| 1.into(), Value::Number)
}

/// The string of JSON that the text begins with, without its quotes, and what follows; all of it if it was cut.
fn string(text: &str) -> (&str, &str) {
    let inner = &text[1..];
    let mut escaped = false;
    let end = inner.find(|char| {
        let ends = char == '"' && !escaped;
        escaped = char == '\\' && !escaped;
        ends
    });
    match end {
        Some(end) => (&inner[..end], &inner[end + 1..]),
        None => (inner, ""),
    }
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
                "email": "Aaa.Aaaaaaaa@Aaaaaaa.aaa", "born": "1111-11-11", "at": "2001-01-01T00:00:00Z", "age": 11,
                "ratio": 1.11, "is": true, "none": null, "tags": ["Aaaaa 11"], "page": "https://aaaaaaa.aaa/aaa",
            })
        );
        assert_eq!(mask.applied("no mail for Ada.Lovelace@Example.com"), "no mail for Aaa.Aaaaaaaa@Aaaaaaa.aaa");
    }

    #[test]
    fn what_is_hidden_is_hidden_in_every_dress() {
        let mut mask = Mask::default();
        let mut value =
            json!({ "email": "Ada+x@Example.com", "name": "Ada \"L\" Ärzte", "id": 4711, "short": "Eve", "n": 36 });
        mask.hide(&mut value);
        for (text, clean) in [
            ("/find?q=Ada%2Bx%40Example.com&n=1", "/find?q=Aaa%2Ba%40Aaaaaaa.aaa&n=1"),
            ("/find?q=ada%2bx%40example.com", "/find?q=aaa%2ba%40aaaaaaa.aaa"),
            ("/find/Ada%20%22L%22%20%C3%84rzte", "/find/Aaa%20%22A%22%20Aaaaa"),
            ("name=Ada+%22L%22+%C3%84rzte", "name=Aaa+%22A%22+Aaaaa"),
            (r#"{"name":"Ada \"L\" \u00c4rzte"}"#, r#"{"name":"Aaa \"A\" Aaaaa"}"#),
            ("<n>Ada &quot;L&quot; Ärzte</n>", "<n>Aaa &quot;A&quot; Aaaaa</n>"),
            ("/customers/4711?x", "/customers/1111?x"),
            ("/customers/47110", "/customers/47110"),
            ("Eve%20Eve, Everest", "Aaa%20Aaa, Everest"),
            ("\u{e4}%zz%\\", "\u{e4}%zz%\\"),
        ] {
            assert_eq!(mask.applied(text), clean, "{text}");
        }
        let mut given = json!({ "4711": 4711, "ada+x@example.com": [36.0, 37, "36"], "1111": 1 });
        mask.apply(&mut given);
        assert_eq!(given, json!({ "1111": 1111, "aaa+a@aaaaaaa.aaa": [11.1, 37, "11"], "11111": 1 }));
    }

    #[test]
    fn proofs_are_known_by_their_names() {
        let mut mask = Mask::default();
        let mut value = json!({
            "author": "Ada", "auth": { "accessToken": "T0k-en" }, "list": [{ "password": "pass word" }],
            "Authorization": ["Bearer xyz"], "secret": 123, "credentials": { "user": "ada" },
        });
        mask.hide_proofs(&mut value);
        let hidden = json!({
            "author": "Ada", "auth": { "accessToken": "A1a-aa" }, "list": [{ "password": "aaaa aaaa" }],
            "Authorization": ["Aaaaaa aaa"], "secret": 111, "credentials": { "user": "aaa" },
        });
        assert_eq!(value, hidden);
        assert_eq!(mask.of_query("page=2&api_key=S3cret&token"), "page=2&api_key=A1aaaa&token");
        assert_eq!(mask.of_query("api%5Fkey=S%2Fx+y%3D&a=%2F"), "api%5Fkey=A%2Fa+a%3D&a=%2F");
        assert_eq!(mask.applied("it was S/x y="), "it was A/a a=");
    }

    #[test]
    fn proofs_are_known_in_what_is_no_whole_json() {
        let mut mask = Mask::default();
        let cut = r#"{"a":"b\"","access_token" : "Xy9","note":"token","token":"unfin"#;
        assert_eq!(mask.of_cut_json(cut), r#"{"a":"b\"","access_token" : "Aa1","note":"token","token":"aaaaa"#);
        let cut = r#"{"n":12,"auth":{"pin":12,"who":["Eve \"x\""]},"m":"Eve","password":99,"k":[1"#;
        let clean = r#"{"n":12,"auth":{"pin":11,"who":["Aaa \"a\""]},"m":"Eve","password":11,"k":[1"#;
        assert_eq!(mask.of_cut_json(cut), clean);
    }
}
