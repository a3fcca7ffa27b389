use std::fmt::Write as _;

use super::one_line;
use crate::model::{Model, Record, Type};
use crate::names;

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

pub(super) fn write(model: &Model, from: &str) -> String {
    let mut text =
        format!("//! Types of {from}, made by `weir plugin types`.\n\nuse serde::{{Deserialize, Serialize}};\n");
    let writer = Writer { model };
    if !matches!(model.root, Type::Record(_)) {
        let _ = write!(text, "\n/// The document.\npub type {} = {};\n", model.name, writer.kind(&model.root));
    }
    for record in model.inner_first().into_iter().rev() {
        writer.record(record, &mut text);
    }
    text
}

struct Writer<'a> {
    model: &'a Model,
}

impl Writer<'_> {
    fn record(&self, number: usize, text: &mut String) {
        let record = &self.model.records[number];
        let about = record.about.as_deref().map_or_else(|| format!("`{}`.", record.name), one_line);
        let _ = write!(text, "\n/// {about}\n#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]\n");
        let _ = writeln!(text, "pub struct {} {{", record.name);
        for (field, name) in record.fields.iter().zip(names::of_fields(record, names::snake, KEYWORDS)) {
            if let Some(about) = &field.about {
                let _ = writeln!(text, "    /// {}", one_line(about));
            }
            let mut attributes = Vec::new();
            if name != field.key {
                attributes.push(format!("rename = {:?}", field.key));
            }
            let inner = if let Type::Nullable(inner) = &field.kind { inner } else { &field.kind };
            let mut kind = self.kind(inner);
            if self.contains(inner, number) {
                kind = format!("Box<{kind}>");
            }
            if !field.is_required {
                attributes.push("skip_serializing_if = \"Option::is_none\"".to_owned());
            }
            if !field.is_required || matches!(field.kind, Type::Nullable(_)) {
                kind = format!("Option<{kind}>");
            }
            if !attributes.is_empty() {
                let _ = writeln!(text, "    #[serde({})]", attributes.join(", "));
            }
            let _ = writeln!(text, "    pub {name}: {kind},");
        }
        text.push_str("}\n");
    }

    fn kind(&self, kind: &Type) -> String {
        match kind {
            // What has several forms is looked at where it is used.
            Type::Any | Type::Either(_) => "serde_json::Value".to_owned(),
            Type::Boolean => "bool".to_owned(),
            Type::Integer => "i64".to_owned(),
            Type::Large | Type::Number => "weir_sdk::Number".to_owned(),
            Type::Text | Type::Choice(_) => "String".to_owned(),
            Type::List(item) => format!("Vec<{}>", self.kind(item)),
            Type::Map(member) => format!("std::collections::BTreeMap<String, {}>", self.kind(member)),
            Type::Record(record) => self.model.records[*record].name.clone(),
            Type::Nullable(inner) => format!("Option<{}>", self.kind(inner)),
        }
    }

    /// Whether a value of this type holds such a record in itself, not behind a list: it would have no size.
    fn contains(&self, kind: &Type, record: usize) -> bool {
        let mut is_met = vec![false; self.model.records.len()];
        self.reaches(kind, record, &mut is_met)
    }

    fn reaches(&self, kind: &Type, record: usize, is_met: &mut [bool]) -> bool {
        match kind {
            Type::Record(found) if *found == record => true,
            Type::Record(found) if !std::mem::replace(&mut is_met[*found], true) => {
                let Record { fields, .. } = &self.model.records[*found];
                fields.iter().any(|field| self.reaches(&field.kind, record, is_met))
            }
            Type::Nullable(inner) => self.reaches(inner, record, is_met),
            _ => false,
        }
    }
}
