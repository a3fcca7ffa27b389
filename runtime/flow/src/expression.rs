use std::fmt;
use std::sync::Arc;

use written::yaml::Place;

use crate::Scope;
use crate::cel::{self, Meter, Node, Value};

/// A CEL expression, checked and compiled. Cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Written>);

/// An expression and where it stands.
struct Written {
    source: String,
    place: Place,
    /// Whether the characters of the expression lie one behind the other in the file, so that a place within it can be
    /// given.
    exact: bool,
    node: Node,
}

impl Expression {
    pub(crate) fn new(source: &str, place: Place, exact: bool, node: Node) -> Self {
        Self(Arc::new(Written { source: source.to_owned(), place, exact, node }))
    }

    /// What was written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The result as a text: a string as it is, numbers and booleans as CEL writes them.
    pub fn to_text(&self, scope: &Scope<'_>) -> Result<String, EvalError> {
        let value = self.evaluate(scope, &mut Meter::default())?;
        let mut text = String::new();
        value.push_to(&mut text).map_err(|message| self.error(0, message))?;
        Ok(text)
    }

    pub(crate) fn evaluate<'a>(&'a self, scope: &'a Scope<'a>, meter: &mut Meter) -> Result<Value<'a>, EvalError> {
        cel::evaluate(&self.0.node, scope, meter).map_err(|fault| self.error(fault.at, fault.message))
    }

    /// An error at the character with the index `at` of the expression.
    pub(crate) fn error(&self, at: usize, message: String) -> EvalError {
        let Written { source, place, exact, .. } = &*self.0;
        let column = if *exact { place.column + at } else { place.column };
        EvalError { expression: source.clone(), line: place.line, column, message }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({})", self.0.source)
    }
}

/// Why an expression gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{expression}` (line {line}, column {column}): {message}")]
pub struct EvalError {
    /// What was written.
    pub expression: String,
    /// Where in the flow's text; counts from 1.
    pub line: usize,
    /// Counts characters from 1.
    pub column: usize,
    /// What was at fault.
    pub message: String,
}

/// An expression that is true or false.
#[derive(Clone, Debug)]
pub struct Condition(pub(crate) Expression);

impl Condition {
    /// What was written.
    pub fn source(&self) -> &str {
        self.0.source()
    }

    /// Whether it is true. Anything but true or false is an error.
    pub fn holds(&self, scope: &Scope<'_>) -> Result<bool, EvalError> {
        match self.0.evaluate(scope, &mut Meter::default())? {
            Value::Bool(holds) => Ok(holds),
            other => Err(self.0.error(0, format!("gives {}, not true or false", other.kind()))),
        }
    }
}
