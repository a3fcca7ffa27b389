use std::fmt::Write as _;

use super::{one_line, quoted};
use crate::model::{Model, Type};

pub(super) fn write(model: &Model, from: &str, is_typed: bool) -> String {
    let import = if is_typed { "type Infer, shape" } else { "shape" };
    let mut text =
        format!("// Types of {from}, made by `weir plugin types`.\nimport {{ {import} }} from \"@weir/sdk\";\n");
    let mut written = vec![false; model.records.len()];
    for number in model.inner_first() {
        let record = &model.records[number];
        let about = record.about.as_deref().map_or_else(|| format!("`{}`.", record.name), one_line);
        let _ = write!(text, "\n/** {about} */\nexport const {} = shape.object({{\n", record.name);
        for field in &record.fields {
            if let Some(about) = &field.about {
                let _ = writeln!(text, "  /** {} */", one_line(about));
            }
            let mut kind = shape(model, &field.kind, &written);
            if !field.is_required && field.kind != Type::Any {
                // What may be missing may be `null` too.
                let inner = if let Type::Nullable(inner) = &field.kind { inner } else { &field.kind };
                kind = format!("shape.optional({})", shape(model, inner, &written));
            } else if !field.is_required {
                kind = format!("shape.optional({kind})");
            }
            let _ = writeln!(text, "  {}: {kind},", key(&field.key));
        }
        text.push_str("});\n");
        written[number] = true;
        if is_typed {
            let _ = writeln!(text, "export type {} = Infer<typeof {}>;", record.name, record.name);
        }
    }
    if !matches!(model.root, Type::Record(_)) {
        let name = &model.name;
        let _ =
            write!(text, "\n/** The document. */\nexport const {name} = {};\n", shape(model, &model.root, &written));
        if is_typed {
            let _ = writeln!(text, "export type {name} = Infer<typeof {name}>;");
        }
    }
    text
}

fn shape(model: &Model, what: &Type, written: &[bool]) -> String {
    match what {
        Type::Any => "shape.any()".to_owned(),
        Type::Boolean => "shape.boolean()".to_owned(),
        Type::Integer => "shape.integer()".to_owned(),
        Type::Large | Type::Number => "shape.exact()".to_owned(),
        Type::Text => "shape.text()".to_owned(),
        Type::Choice(texts) => {
            format!("shape.oneOf({})", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
        }
        Type::List(item) => format!("shape.list({})", shape(model, item, written)),
        Type::Map(member) => format!("shape.record({})", shape(model, member, written)),
        Type::Record(record) if written[*record] => model.records[*record].name.clone(),
        // A shape cannot hold itself.
        Type::Record(record) => format!("shape.any(/* {} */)", model.records[*record].name),
        Type::Either(choices) => {
            let shapes = choices.iter().map(|choice| shape(model, choice, written));
            shapes.reduce(|one, other| format!("shape.either({one}, {other})")).unwrap_or_default()
        }
        Type::Nullable(inner) => format!("shape.nullable({})", shape(model, inner, written)),
    }
}

/// A key as an object's literal takes it.
fn key(key: &str) -> String {
    let is_name = key.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_' || char == '$')
        && key.chars().all(|char| char.is_ascii_alphanumeric() || char == '_' || char == '$');
    match key {
        // Written plainly it would set the object's prototype.
        "__proto__" => "[\"__proto__\"]".to_owned(),
        key if is_name => key.to_owned(),
        key => quoted(key),
    }
}
