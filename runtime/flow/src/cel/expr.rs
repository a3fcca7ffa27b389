use std::sync::Arc;

use regex::Regex;

/// A node of a checked expression. All names are resolved, so that evaluation meets no unknown one.
#[derive(Debug)]
pub(crate) struct Node {
    /// The index of the character it stands at.
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Literal(Literal),
    Event(EventField),
    /// `steps.ID.output`.
    Output(Arc<str>),
    /// `steps.ID.skipped`.
    Skipped(Arc<str>),
    /// The variable of a loop: its place on the stack.
    Local(usize),
    Select(Box<Node>, Arc<str>),
    /// `operand.?field`; only below [`Kind::OrValue`].
    OptionalSelect(Box<Node>, Arc<str>),
    /// `optional.orValue(default)`.
    OrValue(Box<Node>, Box<Node>),
    /// `has(operand.field)`, and of the roots `has(event.subject)` and `has(steps.ID.output)`.
    Has(Box<Node>),
    Index(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Conditional(Box<[Node; 3]>),
    Binary(Operator, Box<[Node; 2]>),
    Call(Function, Vec<Node>),
    Matches(Box<Node>, Regex),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Loop(Box<Loop>),
}

#[derive(Debug)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Int(i128),
    Double(f64),
    Text(Arc<str>),
}

/// `range.kind(variable, body)`.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) kind: LoopKind,
    pub(crate) range: Node,
    /// Of `map` with three arguments: which items.
    pub(crate) filter: Option<Node>,
    pub(crate) body: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

/// The members of `event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventField {
    Id,
    Source,
    Kind,
    Subject,
    Time,
    Received,
    Data,
    Headers,
    Query,
    Method,
    Path,
    Extensions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    LowerAscii,
    UpperAscii,
    Trim,
    Split,
    Join,
    Replace,
    Substring,
    Int,
    Double,
    String,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `f(x)`.
    Global,
    /// `x.f()`.
    Method,
    /// Either.
    Both,
}

/// Name, function, style, and the least and the most arguments with the target counted.
pub(crate) const FUNCTIONS: [(&str, Function, Style, usize, usize); 14] = [
    ("size", Function::Size, Style::Both, 1, 1),
    ("contains", Function::Contains, Style::Method, 2, 2),
    ("startsWith", Function::StartsWith, Style::Method, 2, 2),
    ("endsWith", Function::EndsWith, Style::Method, 2, 2),
    ("lowerAscii", Function::LowerAscii, Style::Method, 1, 1),
    ("upperAscii", Function::UpperAscii, Style::Method, 1, 1),
    ("trim", Function::Trim, Style::Method, 1, 1),
    ("split", Function::Split, Style::Method, 2, 2),
    ("join", Function::Join, Style::Method, 1, 2),
    ("replace", Function::Replace, Style::Method, 3, 3),
    ("substring", Function::Substring, Style::Method, 2, 3),
    ("int", Function::Int, Style::Global, 1, 1),
    ("double", Function::Double, Style::Global, 1, 1),
    ("string", Function::String, Style::Global, 1, 1),
];

impl Function {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        FUNCTIONS.iter().find(|(_, function, ..)| *function == self).map_or("", |(name, ..)| name)
    }
}

/// What the compiler turns into nodes of its own: `has` is called as a function, the others as methods.
pub(crate) const MACROS: [&str; 8] = ["has", "all", "exists", "exists_one", "filter", "map", "matches", "orValue"];

pub(crate) const EVENT_FIELDS: [(&str, EventField); 12] = [
    ("id", EventField::Id),
    ("source", EventField::Source),
    ("kind", EventField::Kind),
    ("subject", EventField::Subject),
    ("time", EventField::Time),
    ("received", EventField::Received),
    ("data", EventField::Data),
    ("headers", EventField::Headers),
    ("query", EventField::Query),
    ("method", EventField::Method),
    ("path", EventField::Path),
    ("extensions", EventField::Extensions),
];
