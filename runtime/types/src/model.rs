use serde_json::Value;

use crate::names;
use crate::sample::Seen;
use crate::schema::{self, SchemaError};
use crate::write::{self, Lang};

/// What a document can be, in no language yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// What the document is called.
    pub name: String,
    /// What it is.
    pub root: Type,
    /// The objects in it, by the numbers that [`Type::Record`] gives. Their names differ.
    pub records: Vec<Record>,
}

/// What a value can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Anything.
    Any,
    /// `true` or `false`.
    Boolean,
    /// A whole number that every language can hold: up to 2^53.
    Integer,
    /// A whole number that may be larger.
    Large,
    /// Any number.
    Number,
    /// Text.
    Text,
    /// One of these texts.
    Choice(Vec<String>),
    /// A list.
    List(Box<Self>),
    /// An object whose keys are data.
    Map(Box<Self>),
    /// An object whose keys are known: its number in [`Model::records`].
    Record(usize),
    /// The one or the other, `null` not among them.
    Either(Vec<Self>),
    /// The value, or `null`.
    Nullable(Box<Self>),
}

/// An object whose keys are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// In capitals, such as `PullRequest`.
    pub name: String,
    /// What is said of it.
    pub about: Option<String>,
    /// In the order of the document.
    pub fields: Vec<Field>,
}

/// One key of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// As it is written.
    pub key: String,
    /// What is said of it.
    pub about: Option<String>,
    /// What its value is.
    pub kind: Type,
    /// Whether it is always there.
    pub is_required: bool,
}

impl Model {
    /// What these samples have in common. What comes in some of them only is optional; of what differs, every form is
    /// possible.
    pub fn of_samples(name: &str, samples: &[Value]) -> Self {
        let mut seen = Seen::default();
        samples.iter().for_each(|sample| seen.add(sample));
        let mut records = Vec::new();
        let root = seen.into_type(name, &mut records);
        names::assign(name, root, records)
    }

    /// What a JSON Schema (draft 2020-12) describes: types, `properties`, `required`, `items`, `enum`, `const`, `anyOf`,
    /// `oneOf`, `allOf` of objects, `additionalProperties`, and `$ref` within it. What only narrows values down, such as
    /// `minLength`, is left to the validation.
    ///
    /// # Errors
    /// It refers to what is not in it.
    pub fn of_schema(name: &str, schema: &Value) -> Result<Self, SchemaError> {
        let title = schema["title"].as_str().unwrap_or(name);
        let (root, records) = schema::read(schema, title)?;
        Ok(names::assign(title, root, records))
    }

    /// The source text of the types. `from` says in its first line what they were made of.
    pub fn write(&self, lang: Lang, from: &str) -> String {
        write::write(self, lang, from)
    }

    /// The numbers of the records, each before those that it is used by as far as they form no circle.
    pub(crate) fn inner_first(&self) -> Vec<usize> {
        let mut order = Vec::new();
        let mut is_met = vec![false; self.records.len()];
        self.root.each_record(&mut |record| self.visit(record, &mut is_met, &mut order));
        order
    }

    fn visit(&self, record: usize, is_met: &mut Vec<bool>, order: &mut Vec<usize>) {
        if std::mem::replace(&mut is_met[record], true) {
            return;
        }
        for field in &self.records[record].fields {
            field.kind.each_record(&mut |inner| self.visit(inner, is_met, order));
        }
        order.push(record);
    }
}

impl Type {
    /// The same or `null`.
    pub(crate) fn or_null(self) -> Self {
        match self {
            Self::Any | Self::Nullable(_) => self,
            other => Self::Nullable(Box::new(other)),
        }
    }

    /// One of these; what says no more than another of them is left out.
    pub(crate) fn either(choices: Vec<Self>) -> Self {
        let mut distinct: Vec<Self> = Vec::new();
        let mut is_nullable = false;
        for choice in choices {
            let choice = match choice {
                Self::Nullable(inner) => {
                    is_nullable = true;
                    *inner
                }
                other => other,
            };
            let inner = if let Self::Either(inner) = choice { inner } else { vec![choice] };
            inner.into_iter().for_each(|each| widen(&mut distinct, each));
        }
        let one = match distinct.len() {
            1 => distinct.remove(0),
            _ if distinct.is_empty() || distinct.contains(&Self::Any) => Self::Any,
            _ => Self::Either(distinct),
        };
        if is_nullable { one.or_null() } else { one }
    }

    /// Calls `visit` with the number of every record in it.
    pub(crate) fn each_record(&self, visit: &mut impl FnMut(usize)) {
        match self {
            Self::Record(record) => visit(*record),
            Self::List(inner) | Self::Map(inner) | Self::Nullable(inner) => inner.each_record(visit),
            Self::Either(choices) => choices.iter().for_each(|choice| choice.each_record(visit)),
            _ => {}
        }
    }
}

/// Adds a choice to those that are there already.
fn widen(choices: &mut Vec<Type>, choice: Type) {
    for there in choices.iter_mut() {
        match (&mut *there, &choice) {
            (same, choice) if same == choice => return,
            (Type::Choice(texts), Type::Choice(more)) => {
                let new: Vec<_> = more.iter().filter(|text| !texts.contains(text)).cloned().collect();
                texts.extend(new);
                return;
            }
            (Type::Text, Type::Choice(_))
            | (Type::Number, Type::Integer | Type::Large)
            | (Type::Large, Type::Integer) => {
                return;
            }
            (Type::Choice(_), Type::Text)
            | (Type::Integer | Type::Large, Type::Number)
            | (Type::Integer, Type::Large) => {
                *there = choice;
                return;
            }
            _ => {}
        }
    }
    choices.push(choice);
}
