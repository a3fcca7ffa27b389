//! W024 and W025: what nobody means to send.

use kit::{OpenError, Reply};
use model::{Document, Fault, FaultKind};

use super::verification::understood;
use super::{NO_ACTIONS, counted, entry, sending};
use crate::bench::{Ask, Bench, Shot, is_breakdown};
use crate::destination::{answer, status};
use crate::hostile;
use crate::suite::Found;

/// Findings that are told of one entry point.
const TOLD_MAX: usize = 5;

/// Bytes of an input that are shown.
const SHOWN_BYTES: usize = 80;

/// What was found, each fault once.
#[derive(Default)]
struct Findings {
    seen: Vec<String>,
    codes: Vec<String>,
}

impl Findings {
    fn add(&mut self, place: &str, number: usize, input: &Document, shot: &Shot) {
        let Some(fault) = shot.fault() else { return };
        let code = format!("{} {}", fault.kind, fault.code);
        if self.codes.len() < TOLD_MAX && !self.codes.contains(&code) {
            self.codes.push(code);
            self.seen.push(format!("{place}, {number}: {}: {}", shown(input), told(fault, shot)));
        }
    }
}

/// The fault, and what a trap has said before.
pub(super) fn told(fault: &Fault, shot: &Shot) -> String {
    // The last line of a panic of Rust tells how to see more of it.
    match shot.called.report.logs.iter().rfind(|line| !line.message.starts_with("note:")) {
        Some(line) if fault.code == "weir.trap" => format!("{fault}; it logged: {}", line.message),
        _ => fault.to_string(),
    }
}

/// The beginning of an input, so that it can be recognised.
fn shown(input: &Document) -> String {
    let bytes = &input.data[..input.data.len().min(SHOWN_BYTES)];
    let more = if input.data.len() > SHOWN_BYTES { format!("… ({} bytes)", input.data.len()) } else { String::new() };
    format!("{} `{}`{more}", input.content_type.escape_debug(), bytes.escape_ascii())
}

pub(super) async fn hostile(bench: &Bench) -> Result<Found, OpenError> {
    let mut seen = Vec::new();
    let mut places = 0;
    if let Some(sample) = &bench.mapper {
        let mut findings = Findings::default();
        for (number, input) in hostile::inputs(&sample.input, bench.seed, bench.fuzz).enumerate() {
            let shot = bench.transform(&input).await?;
            let is_right = |kind| matches!(kind, FaultKind::InvalidInput | FaultKind::Rejected);
            if shot.fault().is_some_and(|fault| !is_right(fault.kind)) {
                findings.add("input", number, &input, &shot);
            }
        }
        seen.extend(findings.seen);
        places += 1;
    }
    for act in &bench.actions {
        for &verify in bench.ways(act) {
            let mut findings = Findings::default();
            let understood = understood(bench, act, verify).await?;
            for (number, input) in hostile::inputs(&act.input, bench.seed, bench.fuzz).enumerate() {
                // Half of them are refused by the destination too.
                let reply = understood.clone().filter(|_| number % 2 == 0).unwrap_or_else(|| status(422));
                let shot = bench.act(act, &Ask { verify, input: Some(&input), ..Ask::default() }, reply).await?;
                if shot.fault().is_some_and(|fault| fault.kind == FaultKind::Internal || is_breakdown(fault)) {
                    findings.add(&format!("{}, input", entry(&act.name, verify)), number, &input, &shot);
                }
            }
            seen.extend(findings.seen);
            places += 1;
        }
    }
    Ok(Found::judged(seen, format!("{}, {} inputs each", counted(places, "entry point"), bench.fuzz)))
}

pub(super) async fn hostile_answers(bench: &Bench) -> Result<Found, OpenError> {
    let (acts, _) = sending(&bench.actions);
    if acts.is_empty() {
        return Ok(Found::skipped(match bench.actions.is_empty() {
            true => NO_ACTIONS,
            false => "no action sends a request for its sample",
        }));
    }
    let mut seen = Vec::new();
    for act in &acts {
        let good = match &act.answer {
            Some(Reply::Answer(answer)) => answer.body.clone(),
            _ => "{\"id\":\"1\",\"results\":[{\"id\":\"1\"}]}".into(),
        };
        for &verify in bench.ways(act) {
            let mut findings = Findings::default();
            for (number, body) in hostile::bodies(&good, bench.seed, bench.fuzz).enumerate() {
                let code = [200, 201, 200, 400][number % 4];
                let reply = answer(code, &[("content-type", &body.content_type)], body.data.clone());
                let shot = bench.act(act, &Ask { verify, ..Ask::default() }, reply).await?;
                if shot.breakdown().is_some() {
                    findings.add(&format!("{}, answer", entry(&act.name, verify)), number, &body, &shot);
                }
            }
            seen.extend(findings.seen);
        }
    }
    Ok(Found::judged(seen, format!("{}, {} answers each", counted(acts.len(), "action"), bench.fuzz)))
}
