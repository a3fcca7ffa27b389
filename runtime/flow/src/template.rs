use std::io::{self, Write};

use model::Document;

use crate::cel::Meter;
use crate::{EvalError, Expression, Scope};

/// Bytes of a document that a template may make. Sharing is free in an expression and not on paper: a few nested lists
/// of one payload can be written as gigabytes.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 20;

/// A document put together from fields, in the order in which they were written.
///
/// Integers from -2^63 to 2^64 - 1 that are only copied come out as they went in. Other numbers are copied as the nearest
/// double (IEEE 754 binary64), and written with the fewest digits that give that double again: `1.10` becomes `1.1`.
#[derive(Clone, Debug)]
pub struct Set(pub(crate) Template);

/// The input of an action. What holds of [`Set`] holds of it.
#[derive(Clone, Debug)]
pub struct With(pub(crate) Template);

impl Set {
    /// The document that comes of it: the same bytes for the same scope.
    pub fn apply(&self, scope: &Scope<'_>) -> Result<Document, EvalError> {
        self.0.apply(scope)
    }
}

impl With {
    /// The document that comes of it: the same bytes for the same scope.
    pub fn apply(&self, scope: &Scope<'_>) -> Result<Document, EvalError> {
        self.0.apply(scope)
    }
}

/// YAML in whose strings `${…}` is CEL.
#[derive(Clone, Debug)]
pub(crate) enum Template {
    /// Nothing in it is CEL.
    Literal(serde_json::Value),
    /// A string that is one `${…}` and nothing else: keeps the type of the value.
    Value(Expression),
    /// A string with `${…}` in it.
    Text(Vec<Part>),
    List(Vec<Template>),
    Map(Vec<(String, Template)>),
}

#[derive(Clone, Debug)]
pub(crate) enum Part {
    Literal(String),
    Value(Expression),
}

impl Template {
    fn apply(&self, scope: &Scope<'_>) -> Result<Document, EvalError> {
        let mut bytes = Vec::new();
        self.write(scope, &mut Meter::default(), &mut bytes)?;
        Ok(Document::json(bytes))
    }

    /// Writes JSON. What is written in the flow itself needs no bound but that of the flow's text.
    fn write(&self, scope: &Scope<'_>, meter: &mut Meter, bytes: &mut Vec<u8>) -> Result<(), EvalError> {
        match self {
            Self::Literal(value) => push_literal(value, bytes),
            Self::Value(expression) => {
                let value = expression.evaluate(scope, meter)?;
                serde_json::to_writer(Bounded(bytes), &value)
                    .map_err(|fault| expression.error(0, fault.to_string()))?;
            }
            Self::Text(parts) => push_literal(&fill(parts, scope, meter)?.into(), bytes),
            Self::List(items) => {
                bytes.push(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        bytes.push(b',');
                    }
                    item.write(scope, meter, bytes)?;
                }
                bytes.push(b']');
            }
            Self::Map(fields) => {
                bytes.push(b'{');
                for (index, (name, field)) in fields.iter().enumerate() {
                    if index > 0 {
                        bytes.push(b',');
                    }
                    push_literal(&name.as_str().into(), bytes);
                    bytes.push(b':');
                    field.write(scope, meter, bytes)?;
                }
                bytes.push(b'}');
            }
        }
        Ok(())
    }
}

fn fill(parts: &[Part], scope: &Scope<'_>, meter: &mut Meter) -> Result<String, EvalError> {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Literal(literal) => text.push_str(literal),
            Part::Value(expression) => {
                let value = expression.evaluate(scope, meter)?;
                value.push_to(&mut text).map_err(|message| expression.error(0, message))?;
                if text.len() > DOCUMENT_BYTES_MAX {
                    return Err(expression.error(0, too_long()));
                }
            }
        }
    }
    Ok(text)
}

fn push_literal(value: &serde_json::Value, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(value.to_string().as_bytes());
}

fn too_long() -> String {
    format!("the document becomes longer than {DOCUMENT_BYTES_MAX} bytes")
}

/// Ends the writing where the document becomes too long.
struct Bounded<'b>(&'b mut Vec<u8>);

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > DOCUMENT_BYTES_MAX {
            return Err(io::Error::other(too_long()));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
