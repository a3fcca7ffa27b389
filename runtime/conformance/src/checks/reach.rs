//! W012 and W013: where requests go, and what they carry.

use egress::SentRequest;
use kit::{OpenError, Reply};
use serde_json::json;

use super::{NO_ACTIONS, aside, counted};
use crate::bench::{Act, Ask, Bench, SECRET, Shot};
use crate::destination::{json as reply, status};
use crate::suite::Found;

/// Fields by which APIs take credentials.
const CARRIERS: [&str; 12] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "apikey",
    "x-auth-token",
    "x-access-token",
    "private-token",
    "x-token",
    "x-amz-security-token",
    "x-goog-api-key",
];

/// Every action and its verification, answered in different ways.
async fn shots(bench: &Bench) -> Result<Vec<(&Act, Shot)>, OpenError> {
    let mut shots = Vec::new();
    for act in &bench.actions {
        let replies: [Reply; 3] = [act.answer.clone().unwrap_or_else(|| reply(&json!({}))), status(404), status(500)];
        for replied in replies {
            for &verify in bench.ways(act) {
                let ask = Ask { verify, ..Ask::default() };
                shots.push((act, bench.act(act, &ask, replied.clone()).await?));
            }
        }
    }
    Ok(shots)
}

pub(super) async fn honest(bench: &Bench) -> Result<Found, OpenError> {
    let shots = shots(bench).await?;
    let mut faults = Vec::new();
    for (act, shot) in &shots {
        for (request, line) in bench.missing(act, shot) {
            let line = line.replace('\n', "; ");
            faults.push(format!("action `{}`: {request} is denied; the manifest lacks: {line}", act.name));
        }
    }
    faults.sort();
    faults.dedup();
    let requests: usize = shots.iter().map(|(_, shot)| shot.requests.len()).sum();
    Ok(of_shots(bench, &shots, faults, &format!(", {}", counted(requests, "request"))))
}

/// Nothing is proven of an action that makes no request, not even one that is denied.
fn of_shots(bench: &Bench, shots: &[(&Act, Shot)], faults: Vec<String>, more: &str) -> Found {
    let asks = |act: &Act| {
        let own = shots.iter().filter(|(known, _)| known.name == act.name);
        own.map(|(_, shot)| shot.called.report.requests.len()).sum::<usize>() > 0
    };
    let (acts, silent): (Vec<&Act>, Vec<&Act>) = bench.actions.iter().partition(|act| asks(act));
    let silent: Vec<_> = silent.iter().map(|act| act.name.as_str()).collect();
    let aside = aside(&silent);
    match acts.len() {
        0 if silent.is_empty() => Found::skipped(NO_ACTIONS),
        0 => Found::skipped(aside.trim_start_matches("; ")),
        count => Found::judged(faults, format!("{}{more}{aside}", counted(count, "action"))),
    }
}

pub(super) async fn no_credentials(bench: &Bench) -> Result<Found, OpenError> {
    let shots = shots(bench).await?;
    let mut faults = Vec::new();
    for (act, shot) in &shots {
        // What the gate does not even let through.
        let denied = shot.called.report.requests.iter().filter_map(|request| request.fault.as_ref());
        let denied = denied.filter(|fault| fault.starts_with(egress::HEADER_FIELD));
        faults.extend(denied.map(|fault| format!("action `{}`: {fault}", act.name)));
        for request in &shot.requests {
            let carried = carried(request, act);
            faults.extend(carried.map(|name| format!("action `{}` sends `{name}` with a value of its own", act.name)));
        }
    }
    faults.sort();
    faults.dedup();
    Ok(of_shots(bench, &shots, faults, ""))
}

/// The fields that carry a credential which is not the connection's.
fn carried<'a>(request: &'a SentRequest, act: &'a Act) -> impl Iterator<Item = &'a str> {
    let own = act.connection.credential.header().map(str::to_ascii_lowercase);
    let named = act.connection.named.values().filter_map(|credential| credential.header()).map(str::to_ascii_lowercase);
    let known: Vec<String> = own.into_iter().chain(named).collect();
    let is_carrier = |name: &str| CARRIERS.contains(&name);
    let fields = request.headers.iter().filter(move |(name, value)| {
        is_carrier(name) && !known.iter().any(|known| known == name) && !value.contains(SECRET)
    });
    fields.map(|(name, _)| name.as_str())
}

/// Whether a request changes nothing at the destination: by its method, or because its address says that it searches.
pub(super) fn is_harmless(request: &SentRequest) -> bool {
    const SEARCHES: [&str; 7] = ["search", "query", "graphql", "find", "lookup", "filter", "list"];
    match request.method.as_str() {
        "GET" | "HEAD" | "OPTIONS" => true,
        "POST" => {
            let path = request.url.split(['?', '#']).next().unwrap_or_default();
            let last = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
            last.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| SEARCHES.contains(&word))
        }
        _ => false,
    }
}
