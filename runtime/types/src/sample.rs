//! What samples have in common.

use serde_json::Value;

use crate::model::{Field, Type};
use crate::names::{Unnamed, singular};

/// The largest whole number that a double holds with all below it.
const EXACT_MAX: u64 = 1 << 53;

/// What was seen in one place of all samples.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    nulls: bool,
    booleans: bool,
    texts: bool,
    number: Option<Type>,
    items: Option<Box<Self>>,
    object: Option<Object>,
}

/// The objects that were seen in one place.
#[derive(Debug, Default)]
struct Object {
    times: usize,
    /// The keys in the order in which they came, each with how often, and what stood under it.
    fields: Vec<(String, usize, Seen)>,
}

impl Seen {
    pub(crate) fn add(&mut self, value: &Value) {
        match value {
            Value::Null => self.nulls = true,
            Value::Bool(_) => self.booleans = true,
            Value::String(_) => self.texts = true,
            Value::Number(number) => {
                let kind = match (number.as_i64().map(i64::unsigned_abs), number.is_f64()) {
                    (_, true) => Type::Number,
                    (Some(size), _) if size <= EXACT_MAX => Type::Integer,
                    _ => Type::Large,
                };
                self.number = Some(match self.number.take() {
                    Some(before) => Type::either(vec![before, kind]),
                    None => kind,
                });
            }
            Value::Array(items) => {
                let seen = self.items.get_or_insert_default();
                items.iter().for_each(|item| seen.add(item));
            }
            Value::Object(members) => {
                let Object { times, fields } = self.object.get_or_insert_default();
                *times += 1;
                for (key, value) in members {
                    let at = fields.iter().position(|(known, ..)| known == key).unwrap_or_else(|| {
                        fields.push((key.clone(), 0, Self::default()));
                        fields.len() - 1
                    });
                    let (_, times, seen) = &mut fields[at];
                    *times += 1;
                    seen.add(value);
                }
            }
        }
    }

    /// What it is. `hint` is what an object here would be called; the same object in two places is one record.
    pub(crate) fn into_type(self, hint: &str, records: &mut Vec<Unnamed>) -> Type {
        let Self { nulls, booleans, texts, number, items, object } = self;
        let mut choices = Vec::new();
        choices.extend(booleans.then_some(Type::Boolean));
        choices.extend(number);
        choices.extend(texts.then_some(Type::Text));
        if let Some(items) = items {
            choices.push(Type::List(Box::new(items.into_type(&singular(hint), records))));
        }
        if let Some(object) = object {
            choices.push(object.into_type(hint, records));
        }
        let kind = Type::either(choices);
        if nulls { kind.or_null() } else { kind }
    }
}

impl Object {
    fn into_type(self, hint: &str, records: &mut Vec<Unnamed>) -> Type {
        if self.fields.is_empty() {
            return Type::Map(Box::new(Type::Any));
        }
        let times = self.times;
        let fields = self.fields.into_iter().map(|(key, came, seen)| {
            let kind = seen.into_type(&key, records);
            Field { key, about: None, kind, is_required: came == times }
        });
        let fields: Vec<_> = fields.collect();
        let known = records.iter().position(|record| record.fields == fields);
        Type::Record(known.unwrap_or_else(|| {
            records.push(Unnamed { hint: hint.to_owned(), about: None, fields });
            records.len() - 1
        }))
    }
}
