//! `weir plugin types`: types for documents, from samples or a JSON Schema.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use types::Model;

use super::new::Lang;
use crate::screen::Screen;
use crate::stop::{Exit, Stop};

/// By which a file is known that may be written anew.
const MADE_BY: &str = "made by `weir plugin types`";

#[derive(Args)]
pub(crate) struct Types {
    /// Samples of the document, or its JSON Schema: JSON; `-` is standard input. What comes in some samples only is optional.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    from: Vec<PathBuf>,
    /// What to write them in.
    #[arg(long)]
    lang: Lang,
    /// What the document is called; else the title in its schema, or the file's name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where to write them, in place of what an earlier call wrote there; else standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Types {
    pub(crate) fn run(self, screen: &Screen) -> anyhow::Result<Exit> {
        let documents = self.from.iter().map(|file| read(file)).collect::<anyhow::Result<Vec<_>>>()?;
        let model = self.model(&documents)?;
        let text = model.write(self.lang.into(), &self.shown());
        let Some(output) = &self.output else {
            screen.print(&if screen.json { format!("{}\n", json!({ "text": text })) } else { text })?;
            return Ok(Exit::Done);
        };
        write(output, &text)?;
        if screen.json {
            screen
                .print(&format!("{}\n", json!({ "file": output, "name": model.name, "types": model.records.len() })))?;
        } else {
            let (name, count) = (&model.name, model.records.len());
            let plural = if count == 1 { "" } else { "s" };
            screen.print(&format!("wrote {}: {name}, {count} type{plural}\n", output.display()))?;
        }
        Ok(Exit::Done)
    }

    fn model(&self, documents: &[Value]) -> Result<Model, Stop> {
        let stem = |file: &PathBuf| Some(file.file_name()?.to_str()?.split('.').next()?.to_owned());
        let name = self.name.clone().or_else(|| self.from.first().and_then(stem)).filter(|name| name != "-");
        let name = name.unwrap_or_else(|| "Document".to_owned());
        match documents {
            [schema] if is_schema(schema) => {
                let named = self.name.as_ref().map(|name| {
                    let mut schema = schema.clone();
                    schema["title"] = json!(name);
                    schema
                });
                let model = Model::of_schema(&name, named.as_ref().unwrap_or(schema));
                model.map_err(|error| Stop::usage(format!("`{}`: {error}", self.shown())))
            }
            several if several.iter().any(is_schema) => {
                let title = "a schema stands for itself: give one schema, or one or several samples";
                Err(Stop::usage(title))
            }
            samples => Ok(Model::of_samples(&name, samples)),
        }
    }

    /// What the types are made of: the first file, and how many others.
    fn shown(&self) -> String {
        let first = self.from.first().map(|file| file.display().to_string()).unwrap_or_default();
        match self.from.len() {
            0 | 1 => first,
            more => format!("{first} and {} more", more - 1),
        }
    }
}

impl From<Lang> for types::Lang {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Rust => Self::Rust,
            Lang::Ts => Self::TypeScript,
            Lang::Js => Self::JavaScript,
            Lang::Python => Self::Python,
            Lang::Go => Self::Go,
        }
    }
}

/// A schema says so, or consists of what only schemas have.
fn is_schema(document: &Value) -> bool {
    const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];
    let is_type = document["type"].as_str().is_some_and(|word| TYPES.contains(&word));
    let is_rule = |key: &str| document[key].is_object() || document[key].is_boolean();
    let has_choices = |key: &str| {
        let choices = document[key].as_array();
        choices.is_some_and(|choices| !choices.is_empty() && choices.iter().all(Value::is_object))
    };
    document["$schema"].is_string()
        || document["$ref"].is_string()
        || document["$defs"].is_object()
        || ["anyOf", "oneOf", "allOf"].into_iter().any(has_choices)
        || (is_type && ["properties", "items", "additionalProperties"].into_iter().any(is_rule))
}

fn read(file: &Path) -> anyhow::Result<Value> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                return Err(Stop::new(Exit::NotFound, format!("cannot read `{}`: {error}", file.display())).into());
            }
        };
    }
    let read = serde_json::from_str(&text);
    read.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Stop::usage(format!("{}:{line}:{column}: this is no JSON: {error}", file.display())).into()
    })
}

/// What somebody wrote by hand is left alone.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let first = fs::read_to_string(file).ok().map(|there| there.lines().next().unwrap_or_default().to_owned());
    if first.is_some_and(|first| !first.contains(MADE_BY)) {
        let title = format!(
            "`{}` is there already and was not {MADE_BY}; choose another file, or move it away",
            file.display()
        );
        return Err(Stop::new(Exit::Refused, title).into());
    }
    fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_told_from_samples() {
        for schema in [
            json!({ "$schema": "https://json-schema.org/draft/2020-12/schema" }),
            json!({ "type": "object", "properties": {} }),
            json!({ "type": "array", "items": { "type": "string" } }),
            json!({ "type": "object", "additionalProperties": { "type": "number" } }),
            json!({ "$ref": "#/$defs/a", "$defs": { "a": { "type": "string" } } }),
            json!({ "oneOf": [{ "type": "string" }, { "type": "null" }] }),
        ] {
            assert!(is_schema(&schema), "{schema}");
        }
        for sample in [
            json!({ "type": "object", "id": 1 }),
            json!({ "type": "array", "items": [1, 2] }),
            json!({ "type": "invoice", "items": { "a": 1 } }),
            json!({ "allOf": "us", "anyOf": [] }),
            json!([1]),
        ] {
            assert!(!is_schema(&sample), "{sample}");
        }
    }
}
