use std::cell::Cell;

use flow::Expect;
use model::Document;
use serde_json::{Map, Value, json};

/// Nesting beyond which nothing more is made up: schemas may refer to themselves.
const DEPTH_MAX: usize = 12;

/// Nesting beyond which only what is required is made up: what refers to itself in several places would grow without a bound.
const OPTIONAL_DEPTH_MAX: usize = 6;

/// Values of one sample beyond which, too, only what is required is made up.
const VALUES_MAX: usize = 5_000;

/// Texts that fit most patterns and formats that people write.
const TEXTS: [&str; 16] = [
    "conformance",
    "ada@example.com",
    "2026-01-01T00:00:00Z",
    "2026-01-01",
    "00:00:00Z",
    "https://example.com/conformance",
    "/conformance",
    "018bcfe5-6800-7000-8000-000000000000",
    "+4930123456",
    "1",
    "1.5",
    "A",
    "EUR",
    "#conformance",
    "example.com",
    "192.0.2.1",
];

/// A value that fits the schema, or none where none can be made up.
pub(crate) fn sample(schema: &Value) -> Option<Value> {
    let value = Maker::new(schema).make(schema, 0);
    fits(schema, &value).then_some(value)
}

/// Whether the value is what the schema says; one that is no schema fits nothing.
pub(crate) fn fits(schema: &Value, value: &Value) -> bool {
    misfit(schema, value).is_none()
}

/// What of the value is not as the schema says.
pub(crate) fn misfit(schema: &Value, value: &Value) -> Option<String> {
    let expect = match Expect::new(schema) {
        Ok(expect) => expect,
        Err(what) => return Some(format!("the schema is not valid: {what}")),
    };
    let faults = expect.check(&Document::json(value.to_string())).err()?;
    let faults = faults.iter().take(3).map(|fault| match fault.pointer.as_str() {
        "" => fault.message.clone(),
        pointer => format!("{pointer}: {}", fault.message),
    });
    Some(faults.collect::<Vec<_>>().join("; "))
}

struct Maker<'a> {
    root: &'a Value,
    /// Values that were made.
    made: Cell<usize>,
}

impl<'a> Maker<'a> {
    fn new(root: &'a Value) -> Self {
        Self { root, made: Cell::new(0) }
    }

    fn make(&self, schema: &'a Value, depth: usize) -> Value {
        self.made.set(self.made.get() + 1);
        if self.made.get() > 2 * VALUES_MAX {
            // What is required has no end either: it fits no schema, and none is given.
            return Value::Null;
        }
        let Value::Object(keys) = schema else { return json!({}) };
        if let Some(target) = keys.get("$ref").and_then(Value::as_str).and_then(|path| self.referred(path)) {
            return if depth < DEPTH_MAX { self.make(target, depth + 1) } else { Value::Null };
        }
        let first = |name: &str| keys.get(name).and_then(Value::as_array).and_then(|all| all.first());
        if let Some(value) = keys.get("const").or(first("examples")).or(keys.get("default")).or(first("enum")) {
            return value.clone();
        }
        let made = self.of_type(keys, depth);
        let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|name| match name {
            "allOf" => keys.get(name).and_then(Value::as_array).map(|all| all.iter().collect()),
            _ => first(name).map(|one| vec![one]),
        });
        parts.flatten().fold(made, |made, part: &Value| match depth < DEPTH_MAX {
            true => merged(made, self.make(part, depth + 1)),
            false => made,
        })
    }

    fn referred(&self, path: &str) -> Option<&'a Value> {
        self.root.pointer(path.strip_prefix('#')?)
    }

    fn of_type(&self, keys: &'a Map<String, Value>, depth: usize) -> Value {
        let word = match keys.get("type") {
            Some(Value::String(word)) => word.as_str(),
            Some(Value::Array(words)) => words.first().and_then(Value::as_str).unwrap_or_default(),
            _ if keys.contains_key("properties") || keys.contains_key("required") => "object",
            _ if keys.contains_key("items") => "array",
            _ if keys.contains_key("pattern") || keys.contains_key("format") => "string",
            _ => return Value::Null,
        };
        match word {
            "object" => self.object(keys, depth),
            "array" => self.array(keys, depth),
            "string" => text(keys).into(),
            "integer" | "number" => number(keys),
            "boolean" => true.into(),
            _ => Value::Null,
        }
    }

    fn object(&self, keys: &'a Map<String, Value>, depth: usize) -> Value {
        let properties = keys.get("properties").and_then(Value::as_object);
        let mut made = Map::new();
        let required: Vec<_> =
            keys.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if depth < DEPTH_MAX {
            for (name, schema) in properties.into_iter().flatten() {
                let is_frugal = depth >= OPTIONAL_DEPTH_MAX || self.made.get() > VALUES_MAX;
                if is_frugal && !required.contains(&name.as_str()) {
                    continue;
                }
                made.insert(name.clone(), named(name, schema, self.make(schema, depth + 1)));
            }
        }
        for name in required {
            made.entry(name).or_insert_with(|| "conformance".into());
        }
        let least = keys.get("minProperties").and_then(Value::as_u64).unwrap_or(0).min(16);
        for index in 0..least {
            if (made.len() as u64) < least {
                made.insert(format!("field{index}"), "conformance".into());
            }
        }
        made.into()
    }

    fn array(&self, keys: &'a Map<String, Value>, depth: usize) -> Value {
        let least = keys.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 16);
        match keys.get("items") {
            Some(items) if depth < DEPTH_MAX => (0..least).map(|_| self.make(items, depth + 1)).collect(),
            _ => json!([]),
        }
    }
}

/// The value, or a likelier one by the name of its property where any text would do.
fn named(name: &str, schema: &Value, made: Value) -> Value {
    let name = name.to_ascii_lowercase();
    let hints =
        [("mail", TEXTS[1]), ("url", TEXTS[5]), ("uri", TEXTS[5]), ("phone", TEXTS[8]), ("currency", TEXTS[12])];
    let hint = hints.into_iter().chain([("date", TEXTS[3]), ("_at", TEXTS[2])]).find(|(part, _)| name.contains(part));
    match hint {
        Some((_, text)) if made == TEXTS[0] && fits(schema, &text.into()) => text.into(),
        _ => made,
    }
}

fn text(keys: &Map<String, Value>) -> String {
    let schema = Value::Object(keys.clone());
    let Ok(expect) = Expect::new(&schema) else { return TEXTS[0].to_owned() };
    let hinted = match keys.get("format").and_then(Value::as_str) {
        Some("email") => Some(TEXTS[1]),
        Some("date-time") => Some(TEXTS[2]),
        Some("date") => Some(TEXTS[3]),
        Some("time") => Some(TEXTS[4]),
        Some("uri" | "uri-reference" | "iri") => Some(TEXTS[5]),
        Some("uuid") => Some(TEXTS[7]),
        Some("hostname") => Some(TEXTS[14]),
        Some("ipv4") => Some(TEXTS[15]),
        _ => None,
    };
    let is_fit = |text: &str| expect.check(&Document::json(Value::from(text).to_string())).is_ok();
    let length = keys.get("minLength").and_then(Value::as_u64).unwrap_or(0).min(1024);
    let long = "conformance ".repeat(length as usize / 12 + 1);
    let texts = hinted.into_iter().chain(TEXTS).chain([long.as_str()]);
    texts.into_iter().find(|text| is_fit(text)).unwrap_or(TEXTS[0]).to_owned()
}

fn number(keys: &Map<String, Value>) -> Value {
    let bound = |name: &str| keys.get(name).and_then(Value::as_f64);
    let low = bound("minimum").or(bound("exclusiveMinimum").map(|least| least + 1.0));
    let high = bound("maximum").or(bound("exclusiveMaximum").map(|most| most - 1.0));
    let step = keys.get("multipleOf").and_then(Value::as_i64).unwrap_or(1);
    let mut number = low.unwrap_or(1.0).max(1.0);
    if let Some(high) = high.filter(|high| *high < number) {
        number = high;
    }
    // Whole: an integer is a number too.
    let whole = number as i64;
    match step > 1 {
        true => json!((whole + step - 1) / step * step),
        false => json!(whole),
    }
}

/// Both in one where both are objects; else the first that says anything.
fn merged(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            for (name, value) in other {
                one.entry(name).or_insert(value);
            }
            one.into()
        }
        (Value::Null, other) => other,
        (one, _) => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_fit_the_schemas_that_people_write() {
        for schema in [
            json!({}),
            json!({ "type": "object", "properties": { "a": { "type": "string", "minLength": 40 } }, "required": ["a", "b"] }),
            json!({ "type": "array", "minItems": 3, "items": { "type": "integer", "minimum": 5, "multipleOf": 4 } }),
            json!({ "oneOf": [{ "type": "object", "required": ["x"] }, { "type": "null" }] }),
            json!({ "$ref": "#/$defs/node", "$defs": { "node": {
                "type": "object", "properties": { "next": { "anyOf": [{ "type": "null" }, { "$ref": "#/$defs/node" }] } },
                "required": ["next"] } } }),
            json!({ "type": "string", "pattern": "^[^@\\s]+@[^@\\s]+$" }),
            json!({ "type": ["object", "null"], "minProperties": 2 }),
            json!({ "allOf": [{ "type": "object", "required": ["a"] }, { "properties": { "b": { "const": 7 } } }] }),
            json!({ "type": "number", "exclusiveMaximum": -3 }),
            json!({ "enum": ["low", "high"] }),
            json!({ "type": "string", "format": "date-time" }),
        ] {
            assert!(sample(&schema).is_some(), "{schema}: {}", Maker::new(&schema).make(&schema, 0));
        }
        let named = json!({ "properties": { "email": { "type": "string" }, "name": { "type": "string" } } });
        assert_eq!(sample(&named), Some(json!({ "email": "ada@example.com", "name": "conformance" })));
        // One that refers to itself in many places ends.
        let links: Map<String, Value> = (0..12).map(|index| (format!("link{index}"), json!({ "$ref": "#" }))).collect();
        let wide = json!({ "type": "object", "properties": links });
        let made = sample(&wide).expect("a sample").to_string();
        assert!(made.len() < 1_000_000, "{} bytes", made.len());
        // None can be made up, and none is pretended.
        assert_eq!(sample(&json!({ "type": "string", "pattern": "^Z{3}-[0-9]{12}$" })), None);
        assert_eq!(sample(&json!({ "not": {} })), None);
    }
}
