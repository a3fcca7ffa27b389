//! What a JSON Schema describes.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::model::{Field, Type};
use crate::names::{Unnamed, singular};

/// Deeper ones are written by nobody; a circle of references that holds no object ends here.
const DEPTH_MAX: usize = 64;

/// Parts of a schema that are read, those that several references lead to once for each: choices of choices that all refer
/// to each other would have no end.
const READS_MAX: usize = 50_000;

/// Why a schema cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A reference leads nowhere.
    #[error(
        "the schema refers to `{0}`, which is not in it; put what it means under `$defs`, and refer to it by `#/$defs/…`"
    )]
    Reference(String),
}

pub(crate) fn read(schema: &Value, name: &str) -> Result<(Type, Vec<Unnamed>), SchemaError> {
    let mut reader = Reader {
        schema,
        records: Vec::new(),
        known: HashMap::new(),
        read: HashMap::new(),
        under_way: Vec::new(),
        depth: 0,
        reads: 0,
    };
    // `#` is the same as the whole, so that a tree that refers to itself is one record.
    let root = reader.refer("#", name)?;
    Ok((root, reader.records))
}

struct Reader<'a> {
    schema: &'a Value,
    records: Vec<Unnamed>,
    /// The records that objects became, by where these stand: several references may lead to one.
    known: HashMap<*const Map<String, Value>, usize>,
    /// What references came to that led to no record.
    read: HashMap<String, Type>,
    /// References that are being read, with no record between them.
    under_way: Vec<String>,
    depth: usize,
    reads: usize,
}

impl<'a> Reader<'a> {
    fn refer(&mut self, reference: &str, hint: &str) -> Result<Type, SchemaError> {
        if let Some(read) = self.read.get(reference) {
            return Ok(read.clone());
        }
        if self.under_way.iter().any(|known| known == reference) {
            // A list of itself, or a choice of itself: nothing that has a name could be said of it.
            return Ok(Type::Any);
        }
        let Some(schema) = self.target(reference) else {
            return Err(SchemaError::Reference(reference.to_owned()));
        };
        let name = schema["title"].as_str().or_else(|| reference.rsplit('/').next().filter(|name| *name != "#"));
        self.under_way.push(reference.to_owned());
        let read = self.read(schema, name.unwrap_or(hint));
        self.under_way.pop();
        let read = read?;
        if self.under_way.is_empty() {
            // Else it may be cut short by one of those.
            self.read.insert(reference.to_owned(), read.clone());
        }
        Ok(read)
    }

    fn target(&self, reference: &str) -> Option<&'a Value> {
        self.schema.pointer(reference.strip_prefix('#')?)
    }

    /// What a schema describes.
    fn read(&mut self, schema: &'a Value, hint: &str) -> Result<Type, SchemaError> {
        if self.depth == DEPTH_MAX || self.reads == READS_MAX {
            return Ok(Type::Any);
        }
        self.reads += 1;
        self.depth += 1;
        let read = self.read_one(schema, hint);
        self.depth -= 1;
        read
    }

    fn read_one(&mut self, schema: &'a Value, hint: &str) -> Result<Type, SchemaError> {
        let Value::Object(members) = schema else { return Ok(Type::Any) };
        if let Some(Value::String(reference)) = members.get("$ref") {
            return self.refer(reference, hint);
        }
        if let Some(value) = members.get("const") {
            return Ok(of_values(std::slice::from_ref(value)));
        }
        if let Some(Value::Array(values)) = members.get("enum") {
            return Ok(of_values(values));
        }
        if let Some(Value::Array(choices)) = members.get("anyOf").or_else(|| members.get("oneOf")) {
            return self.either(choices, hint);
        }
        if members.contains_key("allOf") || members.contains_key("properties") {
            let object = self.object(members, hint)?;
            return Ok(if is_nullable(members) { object.or_null() } else { object });
        }
        let kinds = match members.get("type") {
            Some(Value::String(kind)) => vec![kind.as_str()],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ if members.contains_key("items") => vec!["array"],
            _ => return Ok(Type::Any),
        };
        let mut choices = Vec::new();
        for kind in kinds.iter().filter(|kind| **kind != "null") {
            choices.push(self.of_kind(kind, members, hint)?);
        }
        let either = Type::either(choices);
        Ok(if kinds.contains(&"null") { either.or_null() } else { either })
    }

    fn either(&mut self, choices: &'a [Value], hint: &str) -> Result<Type, SchemaError> {
        let is_null = |choice: &Value| choice["type"] == "null" || choice.get("const") == Some(&Value::Null);
        let mut read = Vec::new();
        for choice in choices.iter().filter(|choice| !is_null(choice)) {
            read.push(self.read(choice, hint)?);
        }
        // The first one that fits is taken, so the one that asks for most comes first.
        let required = |kind: &Type| match kind {
            Type::Record(record) => self.records[*record].fields.iter().filter(|field| field.is_required).count(),
            _ => 0,
        };
        read.sort_by_key(|kind| std::cmp::Reverse(required(kind)));
        let either = Type::either(read);
        Ok(if choices.iter().any(is_null) { either.or_null() } else { either })
    }

    fn of_kind(&mut self, kind: &str, members: &'a Map<String, Value>, hint: &str) -> Result<Type, SchemaError> {
        Ok(match kind {
            "boolean" => Type::Boolean,
            "string" => Type::Text,
            "number" => Type::Number,
            "integer" if members.get("format").is_some_and(|format| format == "int64" || format == "uint64") => {
                Type::Large
            }
            "integer" => Type::Integer,
            "array" => {
                let item = match members.get("items") {
                    Some(items) => self.read(items, &singular(hint))?,
                    None => Type::Any,
                };
                Type::List(Box::new(item))
            }
            "object" => {
                let member = match members.get("additionalProperties") {
                    Some(schema) => self.read(schema, &singular(hint))?,
                    None => Type::Any,
                };
                Type::Map(Box::new(member))
            }
            _ => Type::Any,
        })
    }

    /// An object with the properties that all its parts name together.
    fn object(&mut self, members: &'a Map<String, Value>, hint: &str) -> Result<Type, SchemaError> {
        if let Some(&record) = self.known.get(&std::ptr::from_ref(members)) {
            return Ok(Type::Record(record));
        }
        let mut parts = Vec::new();
        self.parts(members, &mut parts, 0)?;
        let is_object = |part: &&Map<String, Value>| part.contains_key("properties");
        if !parts.iter().any(is_object) {
            return match parts.iter().find(|part| part.contains_key("type") || part.contains_key("enum")) {
                Some(part) => self.read_part(part, hint),
                None => Ok(Type::Any),
            };
        }
        // Its number first: what is in it may refer to it.
        let record = self.records.len();
        let about = members.get("description").and_then(Value::as_str).map(str::to_owned);
        let hint = members.get("title").and_then(Value::as_str).unwrap_or(hint);
        self.records.push(Unnamed { hint: hint.to_owned(), about, fields: Vec::new() });
        self.known.insert(std::ptr::from_ref(members), record);
        let under_way = std::mem::take(&mut self.under_way);
        let required: Vec<_> = parts
            .iter()
            .filter_map(|part| part.get("required")?.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut fields: Vec<Field> = Vec::new();
        let properties = parts.iter().filter_map(|part| part.get("properties")?.as_object()).flatten();
        for (key, schema) in properties {
            let kind = self.read(schema, key)?;
            let about = schema["description"].as_str().map(str::to_owned);
            let field = Field { key: key.clone(), about, kind, is_required: required.contains(&key.as_str()) };
            match fields.iter_mut().find(|known| known.key == *key) {
                Some(known) => *known = field,
                None => fields.push(field),
            }
        }
        self.records[record].fields = fields;
        self.under_way = under_way;
        Ok(Type::Record(record))
    }

    fn read_part(&mut self, part: &'a Map<String, Value>, hint: &str) -> Result<Type, SchemaError> {
        let kind = part.get("type").and_then(Value::as_str).unwrap_or("string");
        match part.get("enum").and_then(Value::as_array) {
            Some(values) => Ok(of_values(values)),
            None => self.of_kind(kind, part, hint),
        }
    }

    /// The schema itself, and what `allOf` adds, through references.
    fn parts(
        &self,
        members: &'a Map<String, Value>,
        parts: &mut Vec<&'a Map<String, Value>>,
        depth: usize,
    ) -> Result<(), SchemaError> {
        parts.push(members);
        if depth == DEPTH_MAX {
            return Ok(());
        }
        let all = members.get("allOf").and_then(Value::as_array).into_iter().flatten();
        for part in all.filter_map(Value::as_object) {
            match part.get("$ref").and_then(Value::as_str) {
                Some(reference) => match self.target(reference) {
                    Some(Value::Object(target)) => self.parts(target, parts, depth + 1)?,
                    Some(_) => {}
                    None => return Err(SchemaError::Reference(reference.to_owned())),
                },
                None => self.parts(part, parts, depth + 1)?,
            }
        }
        Ok(())
    }
}

fn is_nullable(members: &Map<String, Value>) -> bool {
    members.get("type").and_then(Value::as_array).is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"))
}

/// What exactly these values are.
fn of_values(values: &[Value]) -> Type {
    let kinds = values.iter().filter(|value| !value.is_null()).map(|value| match value {
        Value::String(text) => Type::Choice(vec![text.clone()]),
        Value::Bool(_) => Type::Boolean,
        Value::Number(number) if number.is_f64() => Type::Number,
        Value::Number(_) => Type::Integer,
        _ => Type::Any,
    });
    let either = Type::either(kinds.collect());
    if values.iter().any(Value::is_null) { either.or_null() } else { either }
}
