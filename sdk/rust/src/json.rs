//! Where in a JSON text something stands, as a JSON Pointer (RFC 6901).

use serde::de::DeserializeOwned;

use crate::Fault;

/// Reads JSON; what does not fit is an `invalid-input` that names the field.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(text).map_err(|error| {
        if !error.is_data() {
            return Fault::invalid_input(format!("the input is not JSON: {error}")).code("malformed-json");
        }
        let said = error.to_string();
        // The position is said by the pointer, which survives reformatting.
        let message = said.rsplit_once(" at line ").map_or(said.as_str(), |(message, _)| message);
        let mut path = path_at(text, offset_of(text, error.line(), error.column()));
        if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
            // It is noticed at the end of the object, where the path still names the last key that is there.
            path.pop();
            path.push(Place::Key(name.to_owned()));
        }
        let pointer = to_pointer(&path);
        Fault::invalid_input(format!("the input does not fit: {message}")).field(pointer, message)
    })
}

/// The offset of a place that serde_json names: lines from 1, bytes of the line from 1.
fn offset_of(text: &[u8], line: usize, column: usize) -> usize {
    let before: usize = text.split(|&byte| byte == b'\n').take(line.saturating_sub(1)).map(|line| line.len() + 1).sum();
    before + column.saturating_sub(1)
}

/// The path to the value that stands at `offset` or just ended there, of a text that is JSON up to there.
fn path_at(text: &[u8], offset: usize) -> Vec<Place> {
    let mut path: Vec<Place> = Vec::new();
    let mut at = 0;
    while at < offset.min(text.len()) {
        match text[at] {
            b'{' => path.push(Place::Key(String::new())),
            b'[' => path.push(Place::Index(0)),
            b'}' | b']' => drop(path.pop()),
            b',' => {
                if let Some(Place::Index(index)) = path.last_mut() {
                    *index += 1;
                }
            }
            b'"' => {
                let end = string_end(text, at);
                let rest = text.get(end..).unwrap_or_default();
                let is_key = rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if let (true, Some(Place::Key(key))) = (is_key, path.last_mut()) {
                    *key = serde_json::from_slice(&text[at..end]).unwrap_or_default();
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    path
}

enum Place {
    Key(String),
    Index(usize),
}

/// The offset behind the string that begins at `start`.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < text.len() && text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

fn to_pointer(path: &[Place]) -> String {
    let parts = path.iter().map(|place| match place {
        Place::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Place::Index(index) => format!("/{index}"),
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only whether it can be read is asked")]
    struct Order {
        id: u32,
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "only whether it can be read is asked")]
    struct Line {
        #[serde(rename = "a/b")]
        count: u8,
        note: Option<String>,
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_pointer() {
        for (text, pointer) in [
            (r#"{"id": "7", "lines": []}"#, "/id"),
            (r#"{"lines": []}"#, "/id"),
            (r#"{"id": 7, "lines": [{"a/b": 1}, {"a/b": "one"}]}"#, "/lines/1/a~1b"),
            (r#"{"id": 7, "lines": [{"a/b": 300}]}"#, "/lines/0/a~1b"),
            ("{\n  \"id\": 7,\n  \"lines\": [\n    {}\n  ]\n}", "/lines/0/a~1b"),
            (r#"{"id": 7, "lines": [{"a/b": 1, "note": "}\"]{"}, {"a/b": 1, "note": 5}]}"#, "/lines/1/note"),
            (r#"{"id": 7, "lines": {}}"#, "/lines"),
            ("5", ""),
        ] {
            let fault = read::<Order>(text.as_bytes()).expect_err(text);
            assert_eq!(fault.fields.len(), 1, "{text}");
            assert_eq!(fault.fields[0].pointer, pointer, "{text}: {}", fault.message);
        }
    }

    #[test]
    fn what_is_no_json_says_so() {
        for text in ["", "{", "{\"id\": 7,", "nonsense", "{\"id\": 7, \"lines\": []} x"] {
            assert_eq!(read::<Order>(text.as_bytes()).expect_err(text).code, "malformed-json", "{text}");
        }
    }
}
