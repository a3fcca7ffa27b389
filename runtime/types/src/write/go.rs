use std::fmt::Write as _;

use super::one_line;
use crate::model::{Field, Model, Record, Type};
use crate::names;

/// Characters that a tag's name may hold beside letters and digits.
const IN_TAGS: &str = "!#$%&()*+-./:;<=>?@[]^_{|}~ ";

pub(super) fn write(model: &Model, from: &str) -> String {
    let mut body = String::new();
    let writer = Writer { model };
    if !matches!(model.root, Type::Record(_)) {
        let _ =
            write!(body, "\n// {} is the document.\ntype {} {}\n", model.name, model.name, writer.kind(&model.root));
    }
    for record in model.inner_first().into_iter().rev() {
        writer.record(&model.records[record], &mut body);
    }
    let import = if body.contains("json.Number") { "\nimport \"encoding/json\"\n" } else { "" };
    format!("// Types of {from}, made by `weir plugin types`.\n\npackage main\n{import}{body}")
}

struct Writer<'a> {
    model: &'a Model,
}

impl Writer<'_> {
    fn record(&self, record: &Record, text: &mut String) {
        let about = record
            .about
            .as_deref()
            .map_or_else(|| "is an object.".to_owned(), |about| format!("is: {}", one_line(about)));
        let _ = write!(text, "\n// {} {about}\ntype {} struct {{\n", record.name, record.name);
        // In columns, as `gofmt` does: a comment ends none.
        let names = names::of_fields(record, names::exported, &["SetDefaults"]);
        let rows: Vec<_> = record
            .fields
            .iter()
            .zip(names)
            .map(|(field, name)| (field, name, self.field_kind(field), tag(field)))
            .collect();
        let in_tags: Vec<_> = rows.iter().filter(|(field, ..)| is_in_tags(&field.key)).collect();
        let name_width = in_tags.iter().map(|(_, name, ..)| name.len()).max().unwrap_or_default();
        let kind_width = in_tags.iter().map(|(_, _, kind, _)| kind.len()).max().unwrap_or_default();
        for (field, name, kind, tag) in &rows {
            if !is_in_tags(&field.key) {
                let _ = writeln!(
                    text,
                    "\t// No tag can name the key {:?}: read it with weir.Object.",
                    one_line(&field.key)
                );
                continue;
            }
            if let Some(about) = &field.about {
                let _ = writeln!(text, "\t// {}", one_line(about));
            }
            let _ = writeln!(text, "\t{name:name_width$} {kind:kind_width$} {tag}");
        }
        text.push_str("}\n");
    }

    /// A pointer where nil says that there is none.
    fn field_kind(&self, field: &Field) -> String {
        let (inner, is_nullable) = match &field.kind {
            Type::Nullable(inner) => (&**inner, true),
            kind => (kind, false),
        };
        let kind = self.kind(inner);
        let has_nil = matches!(inner, Type::Any | Type::Either(_) | Type::List(_) | Type::Map(_));
        // A struct in itself would have no end, and a pointer costs little.
        let is_record = matches!(inner, Type::Record(record) if self.is_in_circle(*record));
        if !has_nil && (is_nullable || !field.is_required || is_record) { format!("*{kind}") } else { kind }
    }

    fn kind(&self, kind: &Type) -> String {
        match kind {
            Type::Any | Type::Either(_) => "any".to_owned(),
            Type::Boolean => "bool".to_owned(),
            Type::Integer => "int64".to_owned(),
            Type::Large | Type::Number => "json.Number".to_owned(),
            Type::Text | Type::Choice(_) => "string".to_owned(),
            Type::List(item) => format!("[]{}", self.kind(item)),
            Type::Map(member) => format!("map[string]{}", self.kind(member)),
            Type::Record(record) => self.model.records[*record].name.clone(),
            Type::Nullable(inner) => match &**inner {
                Type::Any | Type::Either(_) | Type::List(_) | Type::Map(_) => self.kind(inner),
                _ => format!("*{}", self.kind(inner)),
            },
        }
    }

    fn is_in_circle(&self, record: usize) -> bool {
        let mut is_met = vec![false; self.model.records.len()];
        let mut waiting = vec![record];
        while let Some(next) = waiting.pop() {
            for field in &self.model.records[next].fields {
                field.kind.each_record(&mut |inner| {
                    if !std::mem::replace(&mut is_met[inner], true) {
                        waiting.push(inner);
                    }
                });
            }
        }
        is_met[record]
    }
}

fn is_in_tags(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|char| char.is_alphanumeric() || IN_TAGS.contains(char))
}

fn tag(field: &Field) -> String {
    let Field { key, is_required, .. } = field;
    match (is_required, key.as_str()) {
        // Alone it would mean that the field is left out.
        (true, "-") => "`json:\"-,\" weir:\"required\"`".to_owned(),
        (true, key) => format!("`json:\"{key}\" weir:\"required\"`"),
        (false, key) => format!("`json:\"{key},omitzero\"`"),
    }
}
