//! W006 to W008: what the plugin says of itself.

use flow::Expect;
use kit::{OpenError, Output, is_json};
use manifest::{Manifest, Role};
use model::{Document, FaultKind};
use serde_json::Value;

use super::{counted, needs_settings};
use crate::bench::{Act, Bench};
use crate::samples::misfit;
use crate::suite::Found;

/// Every schema of the manifest with its place.
fn all_schemas(manifest: &Manifest) -> Vec<(String, &Value)> {
    let mapper = manifest.mapper.iter().flat_map(|schemas| {
        let parts = [("input", &schemas.input), ("output", &schemas.output), ("options", &schemas.options)];
        parts.into_iter().filter_map(|(key, schema)| Some((format!("mapper.{key}"), schema.as_ref()?)))
    });
    let actions = manifest.actions.iter().flat_map(|(name, action)| {
        let parts = [("input", &action.input), ("output", &action.output)];
        parts.into_iter().filter_map(move |(key, schema)| Some((format!("actions.{name}.{key}"), schema.as_ref()?)))
    });
    mapper.chain(actions).collect()
}

pub(super) fn schemas(manifest: &Manifest) -> Found {
    let schemas = all_schemas(manifest);
    let faults = schemas.iter().filter_map(|(place, schema)| {
        let what = Expect::new(schema).err()?;
        Some(format!("`{place}`: {what}"))
    });
    match schemas.len() {
        0 => Found::skipped("the manifest has no schemas"),
        count => Found::judged(faults.collect(), counted(count, "schema")),
    }
}

pub(super) fn samples(manifest: &Manifest) -> Found {
    let mut faults = Vec::new();
    for (name, action) in &manifest.actions {
        let parts = [("input", &action.input), ("output", &action.output), ("sample", &action.sample)];
        let missing: Vec<_> = parts.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| *key).collect();
        if !missing.is_empty() {
            faults.push(format!("action `{name}` has no `{}`", missing.join("`, no `")));
        }
        if let (Some(schema), Some(sample)) = (&action.input, &action.sample)
            && let Some(what) = misfit(schema, sample)
        {
            faults.push(format!("the sample of action `{name}` does not fit its schema: {what}"));
        }
    }
    for (place, schema) in all_schemas(manifest) {
        let examples = schema.get("examples").and_then(Value::as_array);
        for (index, example) in examples.into_iter().flatten().enumerate() {
            if let Some(what) = misfit(schema, example) {
                faults.push(format!("example {index} in `{place}` does not fit its schema: {what}"));
            }
        }
    }
    let looked_at = match manifest.has(Role::Mapper) {
        true => "the examples of a mapper's schemas".to_owned(),
        false => counted(manifest.actions.len(), "action"),
    };
    Found::judged(faults, looked_at)
}

pub(super) async fn sample_works(bench: &Bench) -> Result<Found, OpenError> {
    match &bench.mapper {
        Some(sample) => mapper_works(bench, &sample.input, sample.is_authors).await,
        None => Ok(actions_work(&bench.actions)),
    }
}

async fn mapper_works(bench: &Bench, input: &Document, is_authors: bool) -> Result<Found, OpenError> {
    let shot = bench.transform(input).await?;
    let documents = match shot.called.answer {
        Ok(Output::Documents(documents)) => documents,
        Ok(_) => Vec::new(),
        Err(fault) if is_authors => {
            return Ok(Found::judged(vec![format!("the example of `mapper.input` is refused: {fault}")], ""));
        }
        Err(_) => {
            let why =
                "no input could be made up that it maps; add `examples` to the schemas of its input and its options";
            return Ok(Found::skipped(why));
        }
    };
    let schema = bench.manifest.mapper.as_ref().and_then(|schemas| schemas.output.as_ref());
    let faults = documents.iter().filter_map(|document| output_misfit(document, schema?)).collect();
    Ok(Found::judged(faults, counted(documents.len(), "document")))
}

fn actions_work(acts: &[Act]) -> Found {
    let (mut faults, mut works, mut untried) = (Vec::new(), 0, Vec::new());
    for act in acts {
        let name = &act.name;
        match (act.shot.receipt(), act.shot.fault()) {
            (Some(receipt), _) => {
                works += 1;
                let schema = act.about.output.as_ref();
                let what = schema.and_then(|schema| output_misfit(&receipt.output, schema));
                faults.extend(what.map(|what| format!("action `{name}`: {what}")));
            }
            (None, Some(fault)) if fault.code == "settings" => {
                untried.push(needs_settings(&[name]));
            }
            // Which answer it needs is not known; that it goes wrong before it asks for one is.
            (None, Some(fault)) if act.shot.requests.is_empty() => match fault.kind {
                FaultKind::InvalidInput => faults.push(format!("action `{name}` refuses its own sample: {fault}")),
                FaultKind::Internal => faults.push(format!("action `{name}` fails with its own sample: {fault}")),
                _ => untried.push(format!("`{name}` sends no request: {fault}")),
            },
            _ => untried.push(format!("`{name}` understood no answer that was made up")),
        }
    }
    match works {
        0 if faults.is_empty() => Found::skipped(untried.join("; ")),
        _ if untried.is_empty() => Found::judged(faults, counted(works, "action")),
        _ => Found::judged(faults, format!("{}; not tried: {}", counted(works, "action"), untried.join("; "))),
    }
}

fn output_misfit(document: &Document, schema: &Value) -> Option<String> {
    // What is no JSON is not described by a JSON Schema.
    if !is_json(&document.content_type) {
        return None;
    }
    let what = match serde_json::from_slice(&document.data) {
        Ok(value) => misfit(schema, &value)?,
        Err(fault) => format!("it is not JSON: {fault}"),
    };
    Some(format!("the output does not fit its schema: {what}"))
}
