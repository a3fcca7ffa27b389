//! W022 and W023: what a call takes.

use host::Limits;
use kit::{OpenError, Output};
use model::Document;

use super::input::told;
use super::{counted, entry};
use crate::bench::Ask;
use crate::bench::{Bench, Shot};
use crate::destination::status;
use crate::hostile;
use crate::suite::Found;

/// Of every limit, as much is left in reserve: real documents are larger than samples.
const SHARE: u64 = 2;

/// Calls of which the quickest counts: the machine may have others to serve.
const CALLS: usize = 5;

const LARGE_BYTES: usize = 1 << 20;

/// Every entry point, called with its sample.
async fn shots(bench: &Bench) -> Result<Vec<(String, Shot)>, OpenError> {
    let mut shots = Vec::new();
    if let Some(sample) = &bench.mapper {
        shots.push(("transform".to_owned(), bench.transform(&sample.input).await?));
    }
    for act in &bench.actions {
        for &verify in bench.ways(act) {
            let reply = act.answer.clone().unwrap_or_else(|| status(500));
            let ask = Ask { verify, ..Ask::default() };
            shots.push((entry(&act.name, verify), bench.act(act, &ask, reply).await?));
        }
    }
    Ok(shots)
}

pub(super) async fn sample(bench: &Bench) -> Result<Found, OpenError> {
    let mut quickest: Vec<(String, Shot)> = shots(bench).await?;
    for _ in 1..CALLS {
        for (kept, (_, shot)) in quickest.iter_mut().zip(shots(bench).await?) {
            if shot.called.report.cpu_us < kept.1.called.report.cpu_us {
                kept.1 = shot;
            }
        }
    }
    let faults = quickest.iter().flat_map(|(name, shot)| beyond(name, shot)).collect();
    let memory = quickest.iter().map(|(_, shot)| shot.called.report.memory_bytes).max().unwrap_or(0);
    Ok(Found::judged(
        faults,
        format!("{}, {} KiB of memory at most", counted(quickest.len(), "entry point"), memory / 1024),
    ))
}

/// What of a call comes near a limit.
fn beyond(name: &str, shot: &Shot) -> Vec<String> {
    let limits = Limits::default();
    let report = &shot.called.report;
    let bytes = |documents: &[Document]| documents.iter().map(|document| document.data.len() as u64).sum();
    let output = match &shot.called.answer {
        Ok(Output::Documents(documents)) => bytes(documents),
        Ok(Output::Receipt(receipt)) => receipt.output.data.len() as u64,
        Ok(Output::Settlement(_)) | Err(_) => 0,
    };
    let log_bytes = report.logs.iter().map(|line| line.message.len() as u64).sum::<u64>();
    let cpu_us = u64::try_from(limits.cpu.as_micros()).unwrap_or(u64::MAX);
    let measures = [
        ("memory", report.memory_bytes, limits.memory_bytes, "bytes"),
        ("cpu", report.cpu_us, cpu_us, "µs"),
        ("output", output, limits.output_bytes, "bytes"),
        ("host_calls", u64::from(shot.called.host_calls), u64::from(limits.host_calls), "calls"),
        ("http_requests", report.requests.len() as u64, u64::from(limits.http_requests), "requests"),
        ("log", log_bytes, u64::from(limits.log_bytes), "bytes"),
        ("log", report.logs.len() as u64 + u64::from(report.logs_dropped), u64::from(limits.log_lines), "lines"),
    ];
    let mut faults: Vec<_> = measures
        .iter()
        .filter(|(_, used, limit, _)| *used > limit / SHARE)
        .map(|(limit, used, of, unit)| format!("{name} takes {used} {unit} of `{limit}`, which is {of} by default"))
        .collect();
    faults.extend(shot.breakdown().map(|fault| format!("{name}: {fault}")));
    faults
}

pub(super) async fn large(bench: &Bench) -> Result<Found, OpenError> {
    let mut shots = Vec::new();
    if let Some(sample) = &bench.mapper {
        let input = hostile::large(&sample.input, LARGE_BYTES);
        shots.push(("transform".to_owned(), bench.transform(&input).await?));
    }
    for act in &bench.actions {
        let input = hostile::large(&act.input, LARGE_BYTES);
        for &verify in bench.ways(act) {
            let reply = act.answer.clone().unwrap_or_else(|| status(422));
            let shot = bench.act(act, &Ask { verify, input: Some(&input), ..Ask::default() }, reply).await?;
            shots.push((entry(&act.name, verify), shot));
        }
    }
    let faults = shots.iter().filter_map(|(name, shot)| Some(format!("{name}: {}", told(shot.breakdown()?, shot))));
    Ok(Found::judged(faults.collect(), counted(shots.len(), "entry point")))
}
