//! One module for each language.

mod go;
mod python;
mod rust;
mod shapes;

use crate::model::Model;

/// A language that types are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// Structs for `serde`.
    Rust,
    /// Shapes of the SDK, and the types that TypeScript infers from them.
    TypeScript,
    /// Shapes of the SDK.
    JavaScript,
    /// Dataclasses.
    Python,
    /// Structs with the tags of `encoding/json`.
    Go,
}

pub(crate) fn write(model: &Model, lang: Lang, from: &str) -> String {
    let from = one_line(from);
    match lang {
        Lang::Rust => rust::write(model, &from),
        Lang::TypeScript => shapes::write(model, &from, true),
        Lang::JavaScript => shapes::write(model, &from, false),
        Lang::Python => python::write(model, &from),
        Lang::Go => go::write(model, &from),
    }
}

/// What a schema says may be anything; in a comment it is one line that ends no comment.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("*/", "* /")
}

/// A text as JSON writes it, which all of the languages read, but for what only some of them take.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
