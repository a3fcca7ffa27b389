use std::fmt::Write as _;

use super::{one_line, quoted};
use crate::model::{Model, Record, Type};
use crate::names;

/// Keywords, and names that the module itself uses: a field's default stands under the field's name where types are read.
const RESERVED: &[&str] = &[
    "and",
    "as",
    "assert",
    "async",
    "await",
    "bool",
    "break",
    "class",
    "continue",
    "dataclass",
    "def",
    "del",
    "dict",
    "elif",
    "else",
    "except",
    "field",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "int",
    "is",
    "lambda",
    "list",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "str",
    "try",
    "while",
    "with",
    "yield",
];

pub(super) fn write(model: &Model, from: &str) -> String {
    let mut body = String::new();
    for record in model.inner_first() {
        write_record(model, &model.records[record], &mut body);
    }
    if !matches!(model.root, Type::Record(_)) {
        let _ = write!(body, "\n\n{} = {}\n\"\"\"The document.\"\"\"\n", model.name, kind(model, &model.root));
    }
    let uses = |word: &str| body.contains(word);
    let mut text =
        format!("\"\"\"Types of {from}, made by `weir plugin types`.\"\"\"\n\nfrom __future__ import annotations\n\n");
    if uses("@dataclass") {
        let field = if uses("field(") { ", field" } else { "" };
        let _ = writeln!(text, "from dataclasses import dataclass{field}");
    }
    if uses("Decimal") {
        text.push_str("from decimal import Decimal\n");
    }
    let typing: Vec<_> = ["Any", "Literal"].into_iter().filter(|word| uses(word)).collect();
    if !typing.is_empty() {
        let _ = writeln!(text, "from typing import {}", typing.join(", "));
    }
    text + &body
}

fn write_record(model: &Model, record: &Record, text: &mut String) {
    let about = record.about.as_deref().map_or_else(|| format!("`{}`.", record.name), docstring);
    // By keyword, so that fields which may be left out keep their place among the others.
    let _ = write!(text, "\n\n@dataclass(kw_only=True)\nclass {}:\n    \"\"\"{about}\"\"\"\n\n", record.name);
    for (field, name) in record.fields.iter().zip(names::of_fields(record, names::snake, RESERVED)) {
        if let Some(about) = &field.about {
            let _ = writeln!(text, "    # {}", one_line(about));
        }
        let mut hint = kind(model, &field.kind);
        if !field.is_required && !matches!(field.kind, Type::Nullable(_) | Type::Any) {
            hint.push_str(" | None");
        }
        let default = match (name == field.key, field.is_required) {
            (true, true) => String::new(),
            (true, false) => " = None".to_owned(),
            (false, true) => format!(" = field(metadata={{\"json\": {}}})", quoted(&field.key)),
            (false, false) => format!(" = field(default=None, metadata={{\"json\": {}}})", quoted(&field.key)),
        };
        let _ = writeln!(text, "    {name}: {hint}{default}");
    }
}

/// What stands between three quotes.
fn docstring(about: &str) -> String {
    one_line(about).replace('\\', "\\\\").replace('"', "'")
}

fn kind(model: &Model, what: &Type) -> String {
    match what {
        Type::Any => "Any".to_owned(),
        Type::Boolean => "bool".to_owned(),
        // Of any size.
        Type::Integer | Type::Large => "int".to_owned(),
        Type::Number => "Decimal".to_owned(),
        Type::Text => "str".to_owned(),
        Type::Choice(texts) => {
            format!("Literal[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
        }
        Type::List(item) => format!("list[{}]", kind(model, item)),
        Type::Map(member) => format!("dict[str, {}]", kind(model, member)),
        Type::Record(record) => model.records[*record].name.clone(),
        Type::Either(choices) => choices.iter().map(|choice| kind(model, choice)).collect::<Vec<_>>().join(" | "),
        Type::Nullable(inner) => format!("{} | None", kind(model, inner)),
    }
}
