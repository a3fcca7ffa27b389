//! What the latest failed attempt of a step exchanged with its destination is kept with its fault. An attempt that
//! succeeded keeps none, and no record grows with the number of attempts.

use model::{Attempt, CallReport, Exchange, Outcome, Reply};

/// Moves the exchanges of the attempt that ended last into its fault, and forgets those of the attempts before.
pub(crate) fn keep(attempts: &mut [Attempt]) {
    let Some((latest, before)) = attempts.split_last_mut() else { return };
    let exchanges = latest.report.as_mut().map(taken).unwrap_or_default();
    let Some(Outcome::Failed { fault }) = &mut latest.outcome else { return };
    for attempt in before {
        if let Some(Outcome::Failed { fault }) = &mut attempt.outcome {
            fault.details.retain(|(name, _)| name != Exchange::DETAIL);
        }
    }
    // A plugin that gave a detail of this name would be taken at its word.
    fault.details.retain(|(name, _)| name != Exchange::DETAIL);
    if !exchanges.is_empty() {
        fault.details.push((Exchange::DETAIL.to_owned(), serde_json::json!(exchanges).to_string()));
    }
}

/// The exchanges of a call in their order; of bodies that are too long together the latest are kept, because the failure
/// mostly follows from those.
fn taken(report: &mut CallReport) -> Vec<Exchange> {
    let exchanges = report.requests.iter_mut().filter_map(|request| request.exchange.take());
    let mut exchanges: Vec<_> = exchanges.map(|exchange| *exchange).collect();
    let mut left = Exchange::BODIES_BYTES_MAX;
    for exchange in exchanges.iter_mut().rev() {
        if let Reply::Answer { body: slot @ Some(_), .. } = &mut exchange.reply {
            let bytes = slot.as_ref().map_or(0, String::len);
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                None => *slot = None,
            }
        }
    }
    exchanges
}

#[cfg(test)]
mod tests {
    use model::{Fault, FaultKind, PluginRef, RequestRecord, Timestamp};

    use super::*;

    fn request(number: u16, bytes: usize) -> RequestRecord {
        let reply = Reply::Answer {
            status: 500 + number,
            headers: Vec::new(),
            body: Some("x".repeat(bytes)),
            body_bytes: bytes as u64,
        };
        let exchange = Exchange { method: "GET".to_owned(), url: "https://a.example".to_owned(), reply };
        RequestRecord {
            method: "GET".to_owned(),
            origin: String::new(),
            path: String::new(),
            status: None,
            fault: None,
            duration_us: 1,
            exchange: Some(Box::new(exchange)),
        }
    }

    fn attempt(outcome: Outcome, requests: Vec<RequestRecord>) -> Attempt {
        let plugin = PluginRef { name: String::new(), version: String::new(), digest: String::new() };
        let (duration_us, cpu_us, memory_bytes, logs, logs_dropped) = (1, 1, 1, Vec::new(), 0);
        let report = CallReport { plugin, duration_us, cpu_us, memory_bytes, requests, logs, logs_dropped };
        Attempt { number: 1, started: Timestamp::default(), outcome: Some(outcome), report: Some(report) }
    }

    fn failed() -> Outcome {
        let fault = Fault::new(FaultKind::Unavailable, "test", "as scripted").with_detail(Exchange::DETAIL, "forged");
        Outcome::Failed { fault: fault.with_detail("at", "here") }
    }

    fn kept(attempt: &Attempt) -> Option<Vec<Exchange>> {
        let Some(Outcome::Failed { fault }) = &attempt.outcome else { return None };
        assert!(fault.details.iter().any(|(name, _)| name == "at"));
        let (_, text) = fault.details.iter().find(|(name, _)| name == Exchange::DETAIL)?;
        serde_json::from_str(text).ok()
    }

    #[test]
    fn only_the_latest_failure_keeps_exchanges_and_the_latest_bodies_of_them() {
        let mut attempts = vec![attempt(failed(), vec![request(0, 10)])];
        keep(&mut attempts);
        assert_eq!(kept(&attempts[0]).map(|kept| kept.len()), Some(1));
        let requests = (1..4).map(|number| request(number, Exchange::BODY_BYTES_MAX)).collect();
        attempts.push(attempt(failed(), requests));
        keep(&mut attempts);
        assert_eq!(kept(&attempts[0]), None);
        let whole: Vec<_> = kept(&attempts[1]).expect("kept").iter().map(Exchange::is_whole).collect();
        assert_eq!(whole, [false, true, true]);

        attempts.push(attempt(failed(), Vec::new()));
        keep(&mut attempts);
        assert_eq!((kept(&attempts[1]), kept(&attempts[2])), (None, None), "nothing was exchanged");
    }
}
