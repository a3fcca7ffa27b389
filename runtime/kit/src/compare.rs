use std::fmt;

use serde_json::Value;

use crate::numbers::number_of;

/// Characters of a value that are shown.
const SHOWN_CHARS_MAX: usize = 200;

/// One thing that is not as it was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: a JSON Pointer into the case's file, such as `/expect/output/email`.
    pub pointer: String,
    /// What was expected; none: nothing.
    pub expected: Option<String>,
    /// What there is; none: nothing.
    pub actual: Option<String>,
}

impl Difference {
    pub(crate) fn new(pointer: impl Into<String>, expected: Option<&Value>, actual: Option<&Value>) -> Self {
        Self { pointer: pointer.into(), expected: expected.map(shown), actual: actual.map(shown) }
    }

    pub(crate) fn texts(pointer: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), expected: Some(expected.into()), actual: Some(actual.into()) }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.expected, &self.actual) {
            (Some(expected), Some(actual)) => write!(f, "{}: expected {expected}, got {actual}", self.pointer),
            (Some(expected), None) => write!(f, "{}: expected {expected}, got nothing", self.pointer),
            (None, Some(actual)) => write!(f, "{}: expected nothing, got {actual}", self.pointer),
            (None, None) => write!(f, "{}: differs", self.pointer),
        }
    }
}

/// JSON by value, field by field: the order of keys does not matter, and 1 is 1.0.
pub fn compare(pointer: &str, expected: &Value, actual: &Value, into: &mut Vec<Difference>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            for (key, value) in expected {
                let pointer = below(pointer, key);
                match actual.get(key) {
                    Some(actual) => compare(&pointer, value, actual, into),
                    None => into.push(Difference::new(pointer, Some(value), None)),
                }
            }
            for (key, value) in actual.iter().filter(|(key, _)| !expected.contains_key(*key)) {
                into.push(Difference::new(below(pointer, key), None, Some(value)));
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            for index in 0..expected.len().max(actual.len()) {
                let pointer = below(pointer, &index.to_string());
                match (expected.get(index), actual.get(index)) {
                    (Some(expected), Some(actual)) => compare(&pointer, expected, actual, into),
                    (expected, actual) => into.push(Difference::new(pointer, expected, actual)),
                }
            }
        }
        _ if is_same(expected, actual) => {}
        _ => into.push(Difference::new(pointer, Some(expected), Some(actual))),
    }
}

/// Numbers are compared exactly, whatever their size: those that a value would not keep are texts, see [`exact`].
///
/// [`exact`]: crate::exact
fn is_same(expected: &Value, actual: &Value) -> bool {
    match (number_of(expected), number_of(actual)) {
        (Some(left), Some(right)) => left == right,
        _ => expected == actual,
    }
}

/// The pointer to `key` in what stands at `pointer` (RFC 6901, section 3).
pub(crate) fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_difference_is_told_with_its_place() {
        let expected =
            json!({ "same": [1, { "b": 2, "a": 1.0 }], "name": "Ada", "gone": null, "tags": ["x", "y"], "a/b": 1 });
        let actual = json!({ "same": [1.0, { "a": 1, "b": 2 }], "name": "ada", "more": {}, "tags": ["x"], "a/b": "1" });
        let mut found = Vec::new();
        compare("/expect/output", &expected, &actual, &mut found);
        let lines: Vec<_> = found.iter().map(ToString::to_string).collect();
        expect![[r#"
            /expect/output/name: expected "Ada", got "ada"
            /expect/output/gone: expected null, got nothing
            /expect/output/tags/1: expected "y", got nothing
            /expect/output/a~1b: expected 1, got "1"
            /expect/output/more: expected nothing, got {}"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn whole_numbers_beyond_a_double_are_told_apart() {
        let mut found = Vec::new();
        compare("", &json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64), &mut found);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn numbers_beyond_64_bits_are_told_apart_and_are_the_same_however_written() {
        let differences = |expected: &str, actual: &str| {
            let mut found = Vec::new();
            let read = |text| crate::exact(text).expect("JSON");
            compare("", &read(expected), &read(actual), &mut found);
            found.len()
        };
        assert_eq!(differences("[123456789012345678901]", "[123456789012345680000]"), 1);
        assert_eq!(differences("[123456789012345678901]", "[1.2345678901234568e20]"), 1);
        assert_eq!(differences("[123456789012345678901]", "[123456789012345678901.0]"), 0);
        assert_eq!(differences("[1]", "[1.0]"), 0);
        assert_eq!(differences("[1]", "[\"1\"]"), 1);
    }
}
