use std::fmt::{self, Display};
use std::str::FromStr;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number as Parsed;
use serde_json::value::RawValue;

/// A JSON number that is kept as it was written and written so again: `1.10`, `1E400`, thirty digits. An `f64` forgets some of
/// that, and so does `serde_json::Number`.
///
/// It is read from JSON and from text, and equal to what is written alike: `1.10` is not `1.1`.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Number(Box<RawValue>);

/// The text is no JSON number (RFC 8259, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

impl Number {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// If it is written as a whole number, and one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_str().parse().ok()
    }

    /// If it is written as a whole number, and one that fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_str().parse().ok()
    }

    /// The nearest double; none if it is too large for one.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_str().parse().ok().filter(|number: &f64| number.is_finite())
    }

    fn of(number: Parsed) -> Self {
        match RawValue::from_string(number.to_string()) {
            Ok(raw) => Self(raw),
            Err(_) => unreachable!("serde_json writes JSON"),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Number {}

impl FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let raw = RawValue::from_string(text.to_owned()).map_err(|_| NotANumber)?;
        // White space around it is not kept.
        if raw.get() == text && is_number(text) { Ok(Self(raw)) } else { Err(NotANumber) }
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::of(number.into())
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self::of(number.into())
    }
}

impl TryFrom<f64> for Number {
    type Error = NotANumber;

    /// In the shortest form that reads back as the same double; an infinity is no JSON.
    fn try_from(number: f64) -> Result<Self, NotANumber> {
        Parsed::from_f64(number).map(Self::of).ok_or(NotANumber)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if is_number(raw.get()) {
            return Ok(Self(raw));
        }
        let found = match raw.get().as_bytes().first() {
            Some(b'"') => "string",
            Some(b'{') => "map",
            Some(b'[') => "sequence",
            Some(b'n') => "null",
            _ => "boolean",
        };
        Err(D::Error::invalid_type(Unexpected::Other(found), &"a number"))
    }
}

impl Display for NotANumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is no JSON number")
    }
}

impl std::error::Error for NotANumber {}

/// Of what is JSON, without white space around it.
fn is_number(text: &str) -> bool {
    text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::json::read;

    #[derive(Debug, Deserialize, Serialize, PartialEq)]
    struct Order {
        total: Number,
        tax: Option<Number>,
        lines: Vec<BTreeMap<String, Number>>,
    }

    #[test]
    fn a_number_is_written_as_it_was_read() {
        let text = r#"{"total":12345678901234567890.123456789,"tax":null,"lines":[{"a":1.10,"b":-0},{"c":1E400}]}"#;
        let order: Order = read(text.as_bytes()).expect("fits");
        assert_eq!(serde_json::to_string(&order).expect("is JSON"), text);
        let same: Order = serde_json::from_str(text).expect("fits");
        assert_eq!(same, order);
    }

    #[test]
    fn what_is_no_number_is_refused_where_it_stands() {
        for (value, kind) in
            [("\"1\"", "string"), ("{}", "map"), ("[1]", "sequence"), ("null", "null"), ("true", "boolean")]
        {
            let text = format!(r#"{{"total":{value},"lines":[]}}"#);
            let fault = read::<Order>(text.as_bytes()).expect_err("does not fit");
            assert_eq!(fault.fields[0].pointer, "/total", "{value}");
            assert!(fault.message.ends_with(&format!("invalid type: {kind}, expected a number")), "{}", fault.message);
        }
        for value in ["\"x\"", "{}", "{\"b\": 1 }", "[]", "[1]", "[[],[]]", "{\"a\":{\"b\":[]}}", "true"] {
            for text in [
                format!(r#"{{"lines":[{{}},{{"a":{value}}}],"total":1}}"#),
                format!(r#"{{"lines":[{{}},{{"a":{value},"b":1}}]}}"#),
            ] {
                let fault = read::<Order>(text.as_bytes()).expect_err("does not fit");
                assert_eq!(fault.fields[0].pointer, "/lines/1/a", "{text}");
            }
        }
    }

    #[test]
    fn what_it_is_worth_is_asked_for() {
        let number = |text: &str| text.parse::<Number>();
        assert_eq!(number("9007199254740993").expect("is one").as_i64(), Some(9_007_199_254_740_993));
        assert_eq!(number("1.50").expect("is one").as_f64(), Some(1.5));
        assert_eq!((number("1.5").expect("is one").as_u64(), number("1e999").expect("is one").as_f64()), (None, None));
        assert_eq!(
            (Number::from(-7_i64).to_string(), Number::from(7_u64).to_string()),
            ("-7".to_owned(), "7".to_owned())
        );
        assert_eq!(Number::try_from(0.1).expect("is one").as_str(), "0.1");
        assert_eq!(Number::try_from(f64::NAN), Err(NotANumber));
        for text in ["", "x", "01", "1 2", "\"1\"", " 1", "1.", "+1"] {
            assert_eq!(number(text), Err(NotANumber), "{text}");
        }
    }
}
