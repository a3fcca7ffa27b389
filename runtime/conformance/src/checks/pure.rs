//! W026: a mapper is a function.

use kit::{OpenError, Output};
use model::Document;
use sha2::{Digest as _, Sha256};

use crate::bench::{Bench, Shot};
use crate::chance::Chance;
use crate::hostile;
use crate::suite::Found;

/// How often each input is mapped: half of it in fresh sandboxes, half in one that is kept.
const RUNS: usize = 100;

/// Inputs beside the sample. Each is mapped as often, in an order that is never the same.
const OTHERS: usize = 7;

/// Inputs of which they are chosen.
const POOL: u32 = 256;

pub(super) async fn same_output(bench: &Bench) -> Result<Found, OpenError> {
    let Some(sample) = &bench.mapper else { return Ok(Found::skipped("the plugin is no mapper")) };
    let mut chance = Chance::new(bench.seed);
    let pool = hostile::inputs(&sample.input, bench.seed, POOL).collect::<Vec<_>>();
    let (mut mapped, mut refused) = (Vec::new(), Vec::new());
    for at in chance.order(pool.len()) {
        let shot = bench.transform(&pool[at]).await?;
        match &shot.called.answer {
            Ok(Output::Documents(documents)) if !documents.is_empty() => mapped.push(pool[at].clone()),
            // One that breaks down is told of by W024, and is nothing that could be compared.
            _ if shot.breakdown().is_none() => refused.push(pool[at].clone()),
            _ => {}
        }
    }
    // Faults are to be the same too, but documents matter more.
    mapped.truncate(OTHERS - 2);
    let mut inputs = vec![sample.input.clone()];
    inputs.extend(mapped.into_iter().chain(refused).take(OTHERS));
    let mut first: Vec<Option<String>> = vec![None; inputs.len()];
    let mut seen = Vec::new();
    for run in 0..RUNS {
        if run == RUNS / 2 {
            bench.reuse_sandboxes(u32::MAX)?;
        }
        for at in chance.order(inputs.len()) {
            let digest = digest(&bench.transform(&inputs[at]).await?);
            let before = first[at].get_or_insert_with(|| digest.clone());
            if *before != digest {
                let kept = if run < RUNS / 2 { "a fresh sandbox" } else { "a sandbox that has answered before" };
                let text = String::from_utf8_lossy(&inputs[at].data).chars().take(80).collect::<String>();
                seen.push(format!("run {} in {kept} gives another output for `{text}`", run + 1));
            }
        }
        if !seen.is_empty() {
            break;
        }
    }
    bench.reuse_sandboxes(1)?;
    let all = first.into_iter().flatten().collect::<Vec<_>>().join("\n");
    let all = hex::encode(Sha256::digest(all));
    Ok(Found::judged(
        seen,
        format!("{} inputs, {RUNS} runs each, in fresh and in kept sandboxes: sha256:{all}", inputs.len()),
    ))
}

/// Of everything that a call gave.
fn digest(shot: &Shot) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    match &shot.called.answer {
        Ok(Output::Documents(documents)) => documents.iter().for_each(|document| {
            let Document { content_type, data, metadata } = document;
            add(content_type.as_bytes());
            add(data.as_ref());
            metadata.iter().for_each(|(name, value)| [name, value].into_iter().for_each(|text| add(text.as_bytes())));
        }),
        other => add(format!("{other:?}").as_bytes()),
    }
    hex::encode(hash.finalize())
}
