//! What may be written, as data: from it both the reader and the published JSON Schema are made.

use serde_json::{Map, Value, json};

/// What ids and names are, for messages.
pub const ID_RULE: &str = "lower-case letters, digits and hyphens, beginning with a letter, at most 64";

const ID_PATTERN: &str = "^[a-z][a-z0-9-]{0,63}$";
const DURATION_PATTERN: &str = "^0*[1-9][0-9]*(ms|s|m|h|d)$";
const SIZE_PATTERN: &str = "^0*[1-9][0-9]*(B|KiB|MiB|GiB)$";

/// Whether the text is an id by [`ID_RULE`].
pub fn is_id(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// One key of a table.
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What its value may be.
    pub shape: Shape,
    /// What it is for, for the schema and for whoever left it out.
    pub about: &'static str,
}

/// What a value may be.
pub enum Shape {
    /// Text; the pattern is for the schema, a rule of this crate checks it.
    Text(Option<&'static str>),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any of these words.
    Words(&'static [&'static str]),
    /// Texts.
    Texts(&'static str),
    /// A whole number from 1.
    Count,
    /// `true` or `false`.
    Truth,
    /// A length of time.
    Duration,
    /// A number of bytes.
    Size,
    /// A table with exactly one of these keys.
    OneKey(&'static [Key]),
    /// The path of a JSON Schema.
    SchemaFile,
    /// Any value.
    Any,
    /// A table with these keys.
    Table(&'static [Key]),
    /// A list of such tables.
    Tables(&'static [Key]),
    /// Such tables by name.
    Named(&'static [Key]),
    /// A table whose keys depend on the word under the first key.
    ByWord(&'static str, &'static [(&'static str, &'static [Key])]),
    /// Tables by name, whose keys depend on the word under the first key.
    NamedByWord(&'static str, &'static [(&'static str, &'static [Key])]),
}

/// A key that must be there.
pub const fn required(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, required: true, shape, about }
}

/// A key that may be left out.
pub const fn optional(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key { name, required: false, shape, about }
}

/// JSON Schema 2020-12 of a table with these keys.
pub fn table_schema(keys: &[Key]) -> Value {
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| {
            let mut schema = json!({ "description": format!("{}.", key.about) });
            extend(&mut schema, value_schema(&key.shape));
            (key.name.to_owned(), schema)
        })
        .collect();
    let required: Vec<&str> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn value_schema(shape: &Shape) -> Value {
    let named = |table: Value| json!({ "type": "object", "propertyNames": { "pattern": ID_PATTERN }, "minProperties": 1, "additionalProperties": table });
    match shape {
        Shape::Text(None) => json!({ "type": "string" }),
        Shape::Text(Some(pattern)) => json!({ "type": "string", "pattern": pattern }),
        Shape::Word(words) => json!({ "type": "string", "enum": words }),
        Shape::Words(words) => {
            json!({ "type": "array", "items": { "enum": words }, "minItems": 1, "uniqueItems": true })
        }
        Shape::Texts(pattern) => {
            json!({ "type": "array", "items": { "type": "string", "pattern": pattern }, "minItems": 1 })
        }
        Shape::Count => json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
        Shape::Truth => json!({ "type": "boolean" }),
        Shape::Duration => json!({ "type": "string", "pattern": DURATION_PATTERN }),
        Shape::Size => json!({ "type": "string", "pattern": SIZE_PATTERN }),
        Shape::OneKey(keys) => {
            let mut table = table_schema(keys);
            extend(&mut table, json!({ "minProperties": 1, "maxProperties": 1 }));
            table
        }
        Shape::SchemaFile => json!({ "type": "string", "pattern": "^schemas/" }),
        Shape::Any => json!({}),
        Shape::Table(keys) => table_schema(keys),
        Shape::Tables(keys) => json!({ "type": "array", "items": table_schema(keys), "minItems": 1 }),
        Shape::Named(keys) => named(table_schema(keys)),
        Shape::ByWord(word, cases) => by_word_schema(word, cases),
        Shape::NamedByWord(word, cases) => named(by_word_schema(word, cases)),
    }
}

fn by_word_schema(word: &str, cases: &[(&str, &[Key])]) -> Value {
    let case = |(name, keys): &(&str, &[Key])| {
        let mut table = table_schema(keys);
        table["properties"][word] = json!({ "const": name });
        if let Some(required) = table["required"].as_array_mut() {
            required.insert(0, json!(word));
        }
        table
    };
    json!({ "oneOf": cases.iter().map(case).collect::<Vec<_>>() })
}

/// Adds keywords to a schema.
pub fn extend(schema: &mut Value, more: Value) {
    if let (Some(schema), Value::Object(more)) = (schema.as_object_mut(), more) {
        schema.extend(more);
    }
}
