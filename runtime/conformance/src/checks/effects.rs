//! W014 to W016 and W021: an action does what its effect says.

use std::collections::BTreeMap;

use egress::SentRequest;
use kit::{OpenError, Reply};
use manifest::Effect;
use serde_json::json;

use super::reach::is_harmless;
use super::{counted, faults, sending};
use crate::bench::{Act, Ask, Bench, KEY};
use crate::destination::{json as reply, status};
use crate::suite::Found;

/// Another key than the one that calls have.
const OTHER_KEY: &str = "conformance-key-2e90f7";

/// With what the action works, or what is likeliest.
fn good(act: &Act) -> Reply {
    act.answer.clone().unwrap_or_else(|| reply(&json!({})))
}

fn carries(request: &SentRequest, key: &str) -> bool {
    let in_body = request.body.windows(key.len()).any(|part| part == key.as_bytes());
    in_body || request.url.contains(key) || request.headers.iter().any(|(_, value)| value.contains(key))
}

/// The actions of this effect that send requests.
fn of_effect(bench: &Bench, effect: Effect) -> Result<Vec<&Act>, Found> {
    let (acts, silent) = sending(bench.actions.iter().filter(|act| act.about.effect == effect));
    let word = match effect {
        Effect::Read => "read",
        Effect::Idempotent => "idempotent",
        Effect::Keyed => "keyed",
        Effect::Unsafe => "unsafe",
    };
    match (acts.as_slice(), silent.as_slice()) {
        ([], []) => Err(Found::skipped(format!("no action has the effect `{word}`"))),
        ([], silent) => Err(Found::skipped(format!("no request is sent for the sample of {}", silent.join(", ")))),
        _ => Ok(acts),
    }
}

pub(super) async fn key_is_sent(bench: &Bench) -> Result<Found, OpenError> {
    let acts = match of_effect(bench, Effect::Keyed) {
        Ok(acts) => acts,
        Err(found) => return Ok(found),
    };
    let mut faults = Vec::new();
    for act in &acts {
        let ask = |key| Ask { key: Some(key), ..Ask::default() };
        let first = bench.act(act, &ask(KEY), good(act)).await?.requests;
        let other = bench.act(act, &ask(OTHER_KEY), good(act)).await?.requests;
        // What is made of the key does as well as the key: the same for the same one, which W015 proves.
        if first != other {
            continue;
        }
        for (key, requests) in [(KEY, &first), (OTHER_KEY, &other)] {
            if !requests.iter().any(|request| carries(request, key)) {
                let lines: Vec<_> = requests.iter().map(shown).collect();
                faults.push(format!(
                    "action `{}`: neither the key `{key}` nor anything made of it is in {}",
                    act.name,
                    lines.join(", ")
                ));
            }
        }
    }
    Ok(Found::judged(faults, format!("{} with two keys each", counted(acts.len(), "keyed action"))))
}

fn shown(request: &SentRequest) -> String {
    format!("{} {}", request.method, request.asked_url)
}

pub(super) async fn same_key(bench: &Bench) -> Result<Found, OpenError> {
    let acts = match of_effect(bench, Effect::Keyed) {
        Ok(acts) => acts,
        Err(found) => return Ok(found),
    };
    let mut faults = Vec::new();
    for act in &acts {
        let mut before: Option<Vec<SentRequest>> = None;
        for attempt in 1..=3 {
            let shot = bench.act(act, &Ask { attempt, ..Ask::default() }, good(act)).await?;
            match &before {
                Some(before) if *before != shot.requests => {
                    let what = difference(before, &shot.requests);
                    faults.push(format!("action `{}`, attempt {attempt}: {what}", act.name));
                    break;
                }
                _ => before = Some(shot.requests),
            }
        }
    }
    Ok(Found::judged(faults, format!("{}, three attempts each", counted(acts.len(), "keyed action"))))
}

/// What of the requests is not the same.
fn difference(before: &[SentRequest], after: &[SentRequest]) -> String {
    if before.len() != after.len() {
        return format!("{} instead of {}", counted(after.len(), "request"), before.len());
    }
    let pair = before.iter().zip(after).find(|(before, after)| before != after);
    let Some((before, after)) = pair else { return "nothing".to_owned() };
    let text = |body: &[u8]| String::from_utf8_lossy(body).chars().take(200).collect::<String>();
    if shown(before) != shown(after) {
        format!("{} instead of {}", shown(after), shown(before))
    } else if before.body != after.body {
        format!("{}: the body is {} instead of {}", shown(after), text(&after.body), text(&before.body))
    } else {
        let field = after.headers.iter().find(|field| !before.headers.contains(field));
        let name = field.or(before.headers.first()).map(|(name, _)| name.as_str()).unwrap_or_default();
        format!("{}: the header field `{name}` differs", shown(after))
    }
}

pub(super) async fn reads(bench: &Bench) -> Result<Found, OpenError> {
    let acts = match of_effect(bench, Effect::Read) {
        Ok(acts) => acts,
        Err(found) => return Ok(found),
    };
    let mut faults = Vec::new();
    for act in &acts {
        for replied in [good(act), status(404), status(500)] {
            let shot = bench.act(act, &Ask::default(), replied).await?;
            let unsafe_ones = shot.requests.iter().filter(|request| !is_harmless(request));
            faults.extend(unsafe_ones.map(|request| format!("action `{}` sends {}", act.name, shown(request))));
        }
    }
    faults.dedup();
    Ok(Found::judged(faults, counted(acts.len(), "reading action")))
}

pub(super) async fn no_retries(bench: &Bench) -> Result<Found, OpenError> {
    let (acts, _) = sending(&bench.actions);
    if acts.is_empty() {
        return Ok(Found::skipped("no action sends a request for its sample"));
    }
    let mut seen = Vec::new();
    for act in &acts {
        for (name, replied) in faults::down() {
            let shot = bench.act(act, &Ask::default(), replied).await?;
            let mut counts = BTreeMap::<_, usize>::new();
            for request in &shot.requests {
                *counts.entry((shown(request), request.body.clone())).or_default() += 1;
            }
            let repeated = counts.iter().filter(|(_, count)| **count > 1);
            seen.extend(repeated.map(|((request, _), count)| {
                format!("action `{}` sends {request} {count} times when the destination gives {name}", act.name)
            }));
        }
    }
    Ok(Found::judged(seen, counted(acts.len(), "action")))
}
