//! Reads JSON by the rules that every SDK keeps (`wit/README.md`), and says where something stands as a JSON Pointer
//! (RFC 6901).

mod number;
mod objects;

use std::fmt::Display;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Deserializer;

use crate::Fault;
pub use number::{NotANumber, Number};
use objects::{Depth, Objects};

/// As deep as lists and objects may lie in each other: as deep as `serde_json` reads, whether somebody reads it or not.
const DEPTH_MAX: usize = 127;

/// Reads JSON; what does not fit is an `invalid-input` that names the field.
pub(crate) fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, Fault> {
    let text = std::str::from_utf8(text).map_err(malformed)?;
    if is_too_deep(text) {
        return Err(malformed(format_args!("nested more than {DEPTH_MAX} deep")));
    }
    let (mut reader, depth) = (Deserializer::from_str(text), Depth::default());
    let read = T::deserialize(Objects(&mut reader, &depth)).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        // What is no JSON is that first, wherever it stops to be.
        if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
            return malformed(error);
        }
        // Of what is JSON, half a surrogate pair cannot be read, and a number that no double holds fits nowhere.
        match error.is_data() || error.to_string().starts_with("number out of range") {
            true => misfit(text.as_bytes(), &error, depth.of_misfit().unwrap_or_default()),
            false => malformed(error),
        }
    })
}

fn malformed(why: impl Display) -> Fault {
    Fault::invalid_input(format!("the input is not JSON: {why}")).code("malformed-json")
}

fn misfit(text: &[u8], error: &serde_json::Error, depth: usize) -> Fault {
    let said = error.to_string();
    // The position is said by the pointer, which survives reformatting.
    let message = said.rsplit_once(" at line ").map_or(said.as_str(), |(message, _)| message);
    let mut path = path_at(text, offset_of(text, error.line(), error.column()));
    // What was read to its end before it was found not to fit, as by a [`Number`], may have more in it.
    path.truncate(depth);
    if let Some(name) = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        // It is noticed at the end of the object, where the path still names the last key that is there.
        path.pop();
        path.push(Place::Key(name.to_owned()));
    }
    let pointer = to_pointer(&path);
    Fault::invalid_input(format!("the input does not fit: {message}")).field(pointer, message)
}

fn is_too_deep(text: &str) -> bool {
    let is_opening = |byte: &u8| matches!(byte, b'[' | b'{');
    if text.bytes().filter(|byte| is_opening(byte)).count() <= DEPTH_MAX {
        return false;
    }
    let text = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < text.len() && depth <= DEPTH_MAX {
        match text[at] {
            b'"' => at = string_end(text, at) - 1,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    depth > DEPTH_MAX
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
    use serde_json::Value;

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
            (r#"{"id": 1e400, "lines": []}"#, "/id"),
            ("5", ""),
        ] {
            let fault = read::<Order>(text.as_bytes()).expect_err(text);
            assert_eq!(fault.fields.len(), 1, "{text}");
            assert_eq!(fault.fields[0].pointer, pointer, "{text}: {}", fault.message);
        }
    }

    #[test]
    fn what_is_no_json_says_so() {
        for text in [
            "",
            "{",
            "{\"id\": 7,",
            "nonsense",
            "{\"id\": 7, \"lines\": []} x",
            // Also behind what does not fit.
            "{\"id\": \"7\", ",
            "[] x",
            // Half a surrogate pair, where it is read.
            r#"{"id": 7, "lines": [{"a/b": 1, "note": "\ud83d"}]}"#,
            r#"{"id": 7, "lines": [], "\ud83d": 1}"#,
        ] {
            assert_eq!(read::<Order>(text.as_bytes()).expect_err(text).code, "malformed-json", "{text}");
        }
        let text = b"{\"id\": 7, \"lines\": [], \"unknown\": \"\xff\"}";
        assert_eq!(read::<Order>(text).expect_err("not UTF-8").code, "malformed-json");
        read::<Order>(br#"{"id": 7, "lines": [], "unknown": {"\ud83d": "\ud83d"}}"#).expect("nobody reads the halves");
    }

    #[test]
    fn depth_is_bounded_whoever_reads_it() {
        #[derive(Deserialize)]
        struct Unknown {}
        for (depth, is_read) in [(127, true), (128, false), (100_000, false)] {
            let text = format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
            for fault in [read::<Value>(text.as_bytes()).err(), read::<Unknown>(text.as_bytes()).err()] {
                assert_eq!(fault.map(|fault| fault.code), (!is_read).then(|| "malformed-json".to_owned()), "{depth}");
            }
        }
        read::<Value>(format!("[\"{}\", \"\\\"{}\"]", "[".repeat(1000), "{".repeat(1000)).as_bytes()).expect("text");
    }

    #[test]
    fn a_struct_is_read_from_an_object_only() {
        #[derive(Debug, Default, PartialEq, Deserialize)]
        #[serde(default)]
        struct Form {
            email: String,
            shape: Option<Shape>,
            pairs: Vec<(String, Point)>,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        struct Point {
            x: i8,
            y: i8,
        }
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Shape {
            None,
            At(Point),
            Line(i8, i8),
            Box { x: i8 },
        }
        for (text, pointer) in [
            ("[]", ""),
            (r#"["a@b.example"]"#, ""),
            (r#"{"pairs": [["a", {"x": 1, "y": 2}], ["b", [1, 2]]]}"#, "/pairs/1/1"),
            (r#"{"shape": {"at": [1, 2]}}"#, "/shape/at"),
            (r#"{"shape": {"box": [1]}}"#, "/shape/box"),
        ] {
            let fault = read::<Form>(text.as_bytes()).expect_err(text);
            assert_eq!((fault.code.as_str(), fault.fields[0].pointer.as_str()), ("invalid-input", pointer), "{text}");
            assert!(fault.message.contains("sequence"), "{}", fault.message);
        }
        for (text, shape) in [
            (r#"{"shape": null}"#, None),
            (r#"{"shape": "none"}"#, Some(Shape::None)),
            (r#"{"shape": {"at": {"x": 1, "y": 2}}}"#, Some(Shape::At(Point { x: 1, y: 2 }))),
            (r#"{"shape": {"line": [1, 2]}}"#, Some(Shape::Line(1, 2))),
            (r#"{"shape": {"box": {"x": 1}}}"#, Some(Shape::Box { x: 1 })),
        ] {
            assert_eq!(read::<Form>(text.as_bytes()), Ok(Form { shape, ..Form::default() }), "{text}");
        }
    }
}
