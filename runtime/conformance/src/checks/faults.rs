//! W009 to W011: what becomes of what a destination answers, and of what it does not.

use egress::HttpFaultKind;
use kit::{OpenError, Reply};
use manifest::Effect;
use model::FaultKind::{
    self, Conflict, Forbidden, Internal, InvalidInput, NotFound, RateLimited, Rejected, Timeout, Unauthorized,
    Unavailable, UnknownOutcome,
};

use super::{NO_ACTIONS, aside, counted, sending};
use crate::bench::{Act, Ask, Bench, Shot};
use crate::destination::{answer, none, status};
use crate::suite::Found;

/// What an action may make of something.
struct Allowed {
    kinds: Vec<FaultKind>,
    /// It may take it for an answer too.
    answer: bool,
}

fn only(kinds: &[FaultKind]) -> Allowed {
    Allowed { kinds: kinds.to_vec(), answer: false }
}

fn or_an_answer(kinds: &[FaultKind]) -> Allowed {
    Allowed { kinds: kinds.to_vec(), answer: true }
}

impl Allowed {
    fn misses(&self, shot: &Shot) -> Option<String> {
        let said = match shot.fault() {
            None if self.answer => return None,
            None => "an answer".to_owned(),
            Some(fault) => {
                // The host corrects the kind where it knows better, and notes the plugin's own word.
                let own = fault.details.iter().find(|(name, _)| name == "kind-before").map(|(_, kind)| kind.as_str());
                let own = own.unwrap_or(fault.kind.as_str());
                if self.kinds.iter().any(|kind| kind.as_str() == own) {
                    return None;
                }
                format!("`{own}` ({}: {})", fault.code, fault.message)
            }
        };
        let mut words: Vec<_> = self.kinds.iter().map(|kind| format!("`{kind}`")).collect();
        words.extend(self.answer.then(|| "an answer".to_owned()));
        Some(format!("{said} instead of {}", words.join(" or ")))
    }
}

/// Whether a repetition of what was sent last may do harm: the method and the effect both say so.
fn is_harmful(act: &Act, shot: &Shot) -> bool {
    let is_repeatable = |method: &str| matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE");
    let last = shot.requests.last().map(|request| request.method.as_str());
    let is_declared = matches!(act.about.effect, Effect::Keyed | Effect::Unsafe);
    is_declared && last.is_some_and(|method| !is_repeatable(method))
}

/// The table of the SDKs, with what a plugin may know better. Only what changes Weir's reaction for the worse is a fault.
fn of_status(status: u16, harmful: bool) -> Allowed {
    match status {
        400 => only(&[Rejected, InvalidInput]),
        401 => only(&[Unauthorized]),
        403 => only(&[Forbidden]),
        404 | 410 => or_an_answer(&[NotFound]),
        409 => or_an_answer(&[Conflict]),
        422 => only(&[InvalidInput, Rejected, Conflict]),
        429 => only(&[RateLimited]),
        502 | 504 if harmful => only(&[UnknownOutcome]),
        502 | 504 => only(&[Unavailable, Timeout, UnknownOutcome]),
        _ => only(&[Unavailable, UnknownOutcome]),
    }
}

const STATUSES: [u16; 12] = [400, 401, 403, 404, 409, 410, 422, 429, 500, 502, 503, 504];

pub(super) async fn statuses(bench: &Bench) -> Result<Found, OpenError> {
    let cases: Vec<_> = STATUSES
        .map(|code| {
            let headers: &[_] = if code == 429 { &[("retry-after", "7")] } else { &[] };
            (code.to_string(), answer(code, headers, Default::default()), code)
        })
        .into();
    judge(bench, cases, |code, harmful| of_status(*code, harmful)).await
}

/// What is lost, and when.
#[derive(Clone, Copy)]
enum Lost {
    Refused,
    Tls,
    Denied,
    TimeoutBefore,
    TimeoutAfter,
    Broken,
    TooLarge,
    Unreadable,
}

pub(super) async fn lost_answers(bench: &Bench) -> Result<Found, OpenError> {
    let fault = |kind, code, message, sent| none(kind, code, message, sent);
    let html = answer(200, &[("content-type", "text/html")], "<html><body>Welcome".into());
    let cases: [(&str, Reply, Lost); 8] = [
        (
            "connection refused",
            fault(HttpFaultKind::Unreachable, "weir.http.connect", "the connection was refused", false),
            Lost::Refused,
        ),
        ("TLS fault", fault(HttpFaultKind::Tls, "weir.http.tls", "the certificate has expired", false), Lost::Tls),
        ("denied", fault(HttpFaultKind::Denied, "weir.http.address", "the address is not public", false), Lost::Denied),
        (
            "timeout before sending",
            fault(HttpFaultKind::Timeout, "weir.http.limit.connect", "no connection in time", false),
            Lost::TimeoutBefore,
        ),
        (
            "timeout after sending",
            fault(HttpFaultKind::Timeout, "weir.http.limit.first-byte", "no answer in time", true),
            Lost::TimeoutAfter,
        ),
        (
            "broken connection",
            fault(HttpFaultKind::Broken, "weir.http.closed", "the connection ended before the answer did", true),
            Lost::Broken,
        ),
        (
            "answer too large",
            fault(HttpFaultKind::TooLarge, "weir.http.limit.response-body", "the answer is too large", true),
            Lost::TooLarge,
        ),
        ("200 with a body that is not what it should be", html, Lost::Unreadable),
    ];
    let cases = cases.into_iter().map(|(name, reply, lost)| (name.to_owned(), reply, lost)).collect();
    judge(bench, cases, |lost, harmful| match lost {
        Lost::Refused | Lost::Tls => only(&[Unavailable]),
        Lost::Denied => only(&[Forbidden]),
        Lost::TimeoutBefore => only(&[Timeout, Unavailable]),
        Lost::Unreadable if harmful => or_an_answer(&[UnknownOutcome]),
        Lost::Unreadable => or_an_answer(&[Internal, Unavailable, Rejected, UnknownOutcome]),
        _ if harmful => only(&[UnknownOutcome]),
        Lost::TooLarge => only(&[Rejected, UnknownOutcome]),
        Lost::TimeoutAfter | Lost::Broken => only(&[Timeout, Unavailable, UnknownOutcome]),
    })
    .await
}

/// Calls every action with every case, and looks at what comes of it.
async fn judge<T: Copy>(
    bench: &Bench,
    cases: Vec<(String, Reply, T)>,
    allowed: impl Fn(&T, bool) -> Allowed,
) -> Result<Found, OpenError> {
    let (acts, silent) = sending(&bench.actions);
    let mut faults = Vec::new();
    for act in &acts {
        for (name, reply, case) in &cases {
            let shot = bench.act(act, &Ask::default(), reply.clone()).await?;
            let missed = allowed(case, is_harmful(act, &shot)).misses(&shot);
            faults.extend(missed.map(|what| format!("action `{}`, {name}: {what}", act.name)));
        }
    }
    Ok(of_acts(faults, &acts, &silent, &format!(", {} each", counted(cases.len(), "ending"))))
}

/// Of the actions that send requests; those that do not are named.
fn of_acts(faults: Vec<String>, acts: &[&Act], silent: &[&str], each: &str) -> Found {
    let aside = aside(silent);
    match acts {
        [] if silent.is_empty() => Found::skipped(NO_ACTIONS),
        [] => Found::skipped(aside.trim_start_matches("; ")),
        acts => Found::judged(faults, format!("{}{each}{aside}", counted(acts.len(), "action"))),
    }
}

pub(super) async fn retry_after(bench: &Bench) -> Result<Found, OpenError> {
    const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    type Headers = &'static [(&'static str, &'static str)];
    let cases: [(&str, u16, Headers); 3] = [
        ("429 with `Retry-After: 7`", 429, &[("retry-after", "7")]),
        ("503 with `Retry-After: 7`", 503, &[("retry-after", "7")]),
        ("429 with a date in `Retry-After`", 429, &[DATE, ("retry-after", "Sun, 06 Nov 1994 08:49:44 GMT")]),
    ];
    let (acts, silent) = sending(&bench.actions);
    let (mut faults, mut tried) = (Vec::new(), 0);
    for act in &acts {
        for (name, code, headers) in cases {
            let shot = bench.act(act, &Ask::default(), answer(code, headers, Default::default())).await?;
            // Of another kind: W009 tells of it.
            let Some(fault) = shot.fault().filter(|fault| matches!(fault.kind, RateLimited | Unavailable)) else {
                continue;
            };
            tried += 1;
            if fault.retry_after_ms != Some(7000) {
                let said = fault.retry_after_ms.map_or_else(|| "nothing".to_owned(), |ms| format!("{ms} ms"));
                faults.push(format!("action `{}`, {name}: asks to wait {said} instead of 7000 ms", act.name));
            }
        }
    }
    match (tried, acts.len()) {
        (0, 1..) => Ok(Found::skipped("no action gives `rate-limited` or `unavailable`; see W009")),
        _ => Ok(of_acts(faults, &acts, &silent, ", 3 answers each")),
    }
}

/// For the other checks: a destination that is down.
pub(super) fn down() -> Vec<(&'static str, Reply)> {
    vec![
        ("401", status(401)),
        ("403", status(403)),
        ("429", status(429)),
        ("500", status(500)),
        ("503", status(503)),
        ("no connection", none(HttpFaultKind::Unreachable, "weir.http.connect", "the connection was refused", false)),
        ("no answer", none(HttpFaultKind::Timeout, "weir.http.limit.first-byte", "no answer in time", true)),
    ]
}
