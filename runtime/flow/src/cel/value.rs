use std::cmp::Ordering;
use std::rc::Rc;

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value as Json;

/// The integers that JSON and CEL have between them: `int` and `uint` are one type here, since a sender's `1` may be
/// meant as either.
pub(crate) const INTEGERS: std::ops::RangeInclusive<i128> = i64::MIN as i128..=u64::MAX as i128;

/// A value while an expression is evaluated. Payloads are borrowed, and a clone copies no data.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// Within [`INTEGERS`].
    Int(i128),
    Double(f64),
    Text(Text<'a>),
    List(List<'a>),
    Map(Map<'a>),
}

#[derive(Clone, Debug)]
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Built(Rc<str>),
}

#[derive(Clone, Debug)]
pub(crate) enum List<'a> {
    Borrowed(&'a [Json]),
    Built(Rc<[Value<'a>]>),
}

/// Keeps the order of its entries.
#[derive(Clone, Debug)]
pub(crate) enum Map<'a> {
    Borrowed(&'a serde_json::Map<String, Json>),
    Built(Rc<[(Text<'a>, Value<'a>)]>),
}

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Built(text) => text,
        }
    }
}

impl<'a> List<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Borrowed(items) => items.len(),
            Self::Built(items) => items.len(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<Value<'a>> {
        match self {
            Self::Borrowed(items) => items.get(index).map(Value::from),
            Self::Built(items) => items.get(index).cloned(),
        }
    }

    pub(crate) fn to_vec(&self) -> Vec<Value<'a>> {
        match self {
            Self::Borrowed(items) => items.iter().map(Value::from).collect(),
            Self::Built(items) => items.to_vec(),
        }
    }
}

impl<'a> Map<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Borrowed(entries) => entries.len(),
            Self::Built(entries) => entries.len(),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Value<'a>> {
        match self {
            Self::Borrowed(entries) => entries.get(key).map(Value::from),
            // Written in the flow, so that it is short.
            Self::Built(entries) => {
                entries.iter().find(|(known, _)| known.as_str() == key).map(|(_, value)| value.clone())
            }
        }
    }

    /// The work of [`get`](Self::get).
    pub(crate) fn lookup_units(&self) -> usize {
        match self {
            Self::Borrowed(_) => 1,
            Self::Built(entries) => entries.len(),
        }
    }

    pub(crate) fn entries(&self) -> Vec<(Text<'a>, Value<'a>)> {
        match self {
            Self::Borrowed(entries) => entries.iter().map(|(key, value)| (Text::Borrowed(key), value.into())).collect(),
            Self::Built(entries) => entries.to_vec(),
        }
    }

    pub(crate) fn keys(&self) -> Vec<Value<'a>> {
        self.entries().into_iter().map(|(key, _)| Value::Text(key)).collect()
    }
}

impl<'a> Value<'a> {
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    pub(crate) fn built(text: impl Into<Rc<str>>) -> Self {
        Self::Text(Text::Built(text.into()))
    }

    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Double(_) => "a decimal",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// Appends it to a text. Only what has one obvious form can be.
    pub(crate) fn push_to(&self, text: &mut String) -> Result<(), String> {
        match self {
            Self::Text(more) => text.push_str(more.as_str()),
            Self::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => text.push_str(&value.to_string()),
            Self::Double(value) => text.push_str(&value.to_string()),
            Self::Null | Self::List(_) | Self::Map(_) => return Err(format!("{} has no text", self.kind())),
        }
        Ok(())
    }

    /// The order of two values, if they have one: numbers by their value, texts by their code points, false before true.
    pub(crate) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Int(a), Self::Double(b)) => order_mixed(*a, *b),
            (Self::Double(a), Self::Int(b)) => order_mixed(*b, *a).map(Ordering::reverse),
            (Self::Text(a), Self::Text(b)) => Some(a.as_str().cmp(b.as_str())),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

/// Exact where a conversion to a double would round: beyond 2^53.
fn order_mixed(integer: i128, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    // Saturates; anything outside of `i128` is outside of [`INTEGERS`] by far.
    let whole = double.trunc() as i128;
    let rest = if double.fract() > 0.0 { Ordering::Less } else { Ordering::Greater };
    Some(integer.cmp(&whole).then(if double.fract() == 0.0 { Ordering::Equal } else { rest }))
}

impl<'a> From<&'a Json> for Value<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match (number.as_i128(), number.as_f64()) {
                (Some(integer), _) => Self::Int(integer),
                (None, double) => Self::Double(double.unwrap_or(f64::NAN)),
            },
            Json::String(text) => Self::text(text),
            Json::Array(items) => Self::List(List::Borrowed(items)),
            Json::Object(entries) => Self::Map(Map::Borrowed(entries)),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => serializer.serialize_i64(value),
                (_, Ok(value)) => serializer.serialize_u64(value),
                _ => Err(S::Error::custom("an integer is out of range")),
            },
            Self::Double(value) if value.is_finite() => serializer.serialize_f64(*value),
            Self::Double(value) => Err(S::Error::custom(format_args!("JSON has no number {value}"))),
            Self::Text(text) => serializer.serialize_str(text.as_str()),
            Self::List(List::Borrowed(items)) => items.serialize(serializer),
            Self::List(List::Built(items)) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(Map::Borrowed(entries)) => entries.serialize(serializer),
            Self::Map(Map::Built(entries)) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| map.serialize_entry(key.as_str(), value))?;
                map.end()
            }
        }
    }
}
