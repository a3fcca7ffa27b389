//! W017 to W019: the role `verification`.

use egress::SentRequest;
use engine::Settlement;
use kit::{OpenError, Reply};
use manifest::{Effect, Role};
use model::FaultKind;
use serde_json::json;

use super::reach::is_harmless;
use super::{counted, faults, needs_settings};
use crate::answers;
use crate::bench::{Act, Ask, Bench};
use crate::destination::{json as reply, status};
use crate::suite::Found;

const NO_ROLE: &str = "the plugin does not have the role `verification`";

/// The actions whose lost answers have to be settled.
fn acts(bench: &Bench) -> Result<Vec<&Act>, Found> {
    if !bench.manifest.has(Role::Verification) {
        return Err(Found::skipped(NO_ROLE));
    }
    let acts: Vec<_> = bench.actions.iter().filter(|act| act.about.effect != Effect::Read).collect();
    if acts.is_empty() { Err(Found::skipped("every action only reads")) } else { Ok(acts) }
}

fn verify<'a>() -> Ask<'a> {
    Ask { verify: true, ..Ask::default() }
}

/// Answers to a search: what was looked for is there, in different shapes, and is not.
fn findings(act: &Act) -> Vec<Reply> {
    let empty = json!({
        "results": [], "items": [], "data": [], "values": [], "records": [], "entries": [], "list": [], "rows": [],
        "elements": [], "hits": [], "objects": [], "found": false, "total": 0, "count": 0, "ok": true,
    });
    let mut findings = answers::plausible(&act.name, &act.about);
    findings.extend(act.answer.clone());
    findings.extend([reply(&empty), reply(&json!([])), status(404)]);
    findings
}

/// An answer that the action understands when it is made, or asked about; none if none was found.
pub(super) async fn understood(bench: &Bench, act: &Act, verify: bool) -> Result<Option<Reply>, OpenError> {
    if !verify {
        return Ok(act.answer.clone());
    }
    for replied in findings(act) {
        let shot = bench.act(act, &Ask { verify, ..Ask::default() }, replied.clone()).await?;
        if shot.settlement().is_some() {
            return Ok(Some(replied));
        }
    }
    Ok(None)
}

pub(super) async fn changes_nothing(bench: &Bench) -> Result<Found, OpenError> {
    let acts = match acts(bench) {
        Ok(acts) => acts,
        Err(found) => return Ok(found),
    };
    let (mut faults, mut requests) = (Vec::new(), 0);
    for act in &acts {
        for replied in findings(act).into_iter().chain([status(500)]) {
            let shot = bench.act(act, &verify(), replied).await?;
            requests += shot.requests.len();
            let shown = |request: &SentRequest| format!("{} {}", request.method, request.asked_url);
            let harmful = shot.requests.iter().filter(|request| !is_harmless(request));
            faults.extend(harmful.map(|request| format!("verifying `{}` sends {}", act.name, shown(request))));
        }
    }
    faults.sort();
    faults.dedup();
    if requests == 0 {
        return Ok(Found::skipped("verifying asks nothing of the destination: see W018"));
    }
    Ok(Found::judged(faults, format!("{}, {}", counted(acts.len(), "action"), counted(requests, "request"))))
}

pub(super) async fn settles(bench: &Bench) -> Result<Found, OpenError> {
    let acts = match acts(bench) {
        Ok(acts) => acts,
        Err(found) => return Ok(found),
    };
    let (mut settled, mut asks, mut said, mut unset) = (Vec::new(), false, Vec::new(), Vec::new());
    for act in &acts {
        for replied in findings(act) {
            let shot = bench.act(act, &verify(), replied).await?;
            asks |= !shot.requests.is_empty();
            if matches!(shot.settlement(), Some(Settlement::Happened(_) | Settlement::Absent)) {
                settled.push(act.name.as_str());
                break;
            }
            if shot.fault().is_some_and(|fault| fault.code == "settings") {
                unset.push(act.name.as_str());
                break;
            }
            if let Some(fault) = shot.fault().filter(|fault| fault.kind == FaultKind::UnknownOutcome) {
                said.push(format!("verifying `{}`: {fault}", act.name));
            }
        }
    }
    said.dedup();
    Ok(match (settled.is_empty(), asks) {
        (false, _) => Found::ok(format!("settles {}", settled.join(", "))),
        (true, true) => Found::skipped("it asks its destination, and understood no answer that was made up"),
        (true, false) if !unset.is_empty() => Found::skipped(needs_settings(&unset)),
        (true, false) => {
            said.insert(0, "no action is settled, and nothing is asked of the destination".to_owned());
            Found::judged(said, "")
        }
    })
}

pub(super) async fn does_not_guess(bench: &Bench) -> Result<Found, OpenError> {
    let acts = match acts(bench) {
        Ok(acts) => acts,
        Err(found) => return Ok(found),
    };
    let (mut seen, mut requests) = (Vec::new(), 0);
    for act in &acts {
        for (name, replied) in faults::down() {
            let shot = bench.act(act, &verify(), replied).await?;
            requests += shot.requests.len();
            let word = match shot.settlement() {
                Some(Settlement::Happened(_)) => "happened",
                Some(Settlement::Absent) => "absent",
                Some(Settlement::Undecided(_)) | None => continue,
            };
            let asked = if shot.requests.is_empty() { "without asking" } else { "although the destination gave" };
            let name = if shot.requests.is_empty() { "" } else { name };
            let line = format!("verifying `{}` says `{word}` {asked} {name}", act.name);
            seen.push(line.trim_end().to_owned());
        }
    }
    seen.dedup();
    if requests == 0 && seen.is_empty() {
        return Ok(Found::skipped("verifying asks nothing of the destination: see W018"));
    }
    Ok(Found::judged(seen, format!("{} of a destination that is down", counted(acts.len(), "action"))))
}
