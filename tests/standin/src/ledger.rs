use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::Instant;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::Fault;

/// One of the stand-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Contacts.
    Crm,
    /// Messages.
    Chat,
    /// Contacts of many tenants.
    Directory,
    /// Takes anything.
    Sink,
}

/// One request and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Milliseconds since the stand-in was started.
    pub at_ms: u64,
    /// Who was asked.
    pub service: Service,
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The `Idempotency-Key`, if there was one.
    pub key: Option<String>,
    /// The status that was answered; none if the connection was closed instead.
    pub status: Option<u16>,
    /// Whether anything was created, changed or posted.
    pub effect: bool,
    /// The misbehaviour it met.
    pub fault: Option<Fault>,
    /// The body; what is no UTF-8 is replaced.
    pub body: String,
}

/// What a service has seen so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Requests in all.
    pub requests: u64,
    /// Requests that created, changed or posted something.
    pub effects: u64,
    /// Requests by the status answered; `0` stands for closed connections.
    pub statuses: BTreeMap<u16, u64>,
    /// Different idempotency keys.
    pub keys: u64,
    /// Requests whose idempotency key had been seen before.
    pub repeated_keys: u64,
    /// Keys that had more than one effect.
    pub keys_with_several_effects: u64,
    /// Effects whose body had been seen before under *another* key, or without any: real duplicates.
    pub effects_repeated_under_another_key: u64,
}

/// What the ledger is told of a request.
pub(crate) struct Seen {
    pub(crate) service: Service,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) effect: bool,
    pub(crate) fault: Option<Fault>,
    pub(crate) body: Bytes,
}

/// Everything that was asked, counted by key.
pub(crate) struct Ledger {
    started: Instant,
    entries_max: usize,
    last: VecDeque<(u64, Seen)>,
    services: HashMap<Service, Counts>,
}

#[derive(Default)]
struct Counts {
    summary: Summary,
    effects_by_key: HashMap<String, u32>,
    key_of_body: HashMap<u64, Option<String>>,
}

impl Ledger {
    pub(crate) fn new(entries_max: usize) -> Self {
        Self { started: Instant::now(), entries_max, last: VecDeque::new(), services: HashMap::new() }
    }

    pub(crate) fn enter(&mut self, seen: Seen) {
        self.services.entry(seen.service).or_default().count(&seen);
        if self.entries_max > 0 {
            if self.last.len() == self.entries_max {
                self.last.pop_front();
            }
            self.last.push_back((self.now_ms(), seen));
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    pub(crate) fn summary(&self) -> BTreeMap<Service, Summary> {
        self.services.iter().map(|(service, counts)| (*service, counts.summary.clone())).collect()
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.last.iter().map(|(at_ms, seen)| seen.entry(*at_ms)).collect()
    }
}

impl Counts {
    fn count(&mut self, seen: &Seen) {
        let summary = &mut self.summary;
        summary.requests += 1;
        *summary.statuses.entry(seen.status.unwrap_or(0)).or_default() += 1;
        summary.effects += u64::from(seen.effect);
        if let Some(key) = &seen.key {
            match self.effects_by_key.get_mut(key) {
                Some(effects) => {
                    summary.repeated_keys += 1;
                    *effects += u32::from(seen.effect);
                    summary.keys_with_several_effects += u64::from(seen.effect && *effects == 2);
                }
                None => {
                    summary.keys += 1;
                    self.effects_by_key.insert(key.clone(), u32::from(seen.effect));
                }
            }
        }
        if seen.effect {
            // The default hasher without a random seed: a ledger of one process needs no more.
            let body = BuildHasherDefault::<DefaultHasher>::default().hash_one(&seen.body);
            let first = self.key_of_body.entry(body);
            match first {
                std::collections::hash_map::Entry::Occupied(first) => {
                    let same_key = seen.key.is_some() && *first.get() == seen.key;
                    self.summary.effects_repeated_under_another_key += u64::from(!same_key);
                }
                std::collections::hash_map::Entry::Vacant(place) => drop(place.insert(seen.key.clone())),
            }
        }
    }
}

impl Seen {
    fn entry(&self, at_ms: u64) -> Entry {
        Entry {
            at_ms,
            service: self.service,
            method: self.method.clone(),
            path: self.path.clone(),
            key: self.key.clone(),
            status: self.status,
            effect: self.effect,
            fault: self.fault,
            body: String::from_utf8_lossy(&self.body).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(key: Option<&str>, effect: bool, body: &'static str) -> Seen {
        Seen {
            service: Service::Sink,
            method: "POST".into(),
            path: "/sink".into(),
            key: key.map(str::to_owned),
            status: Some(200),
            effect,
            fault: None,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn repeats_are_told_from_duplicates() {
        let mut ledger = Ledger::new(2);
        ledger.enter(seen(Some("a"), true, "one"));
        ledger.enter(seen(Some("a"), false, "one"));
        ledger.enter(seen(Some("a"), true, "one"));
        ledger.enter(seen(Some("b"), true, "one"));
        ledger.enter(seen(None, true, "two"));
        ledger.enter(seen(None, true, "two"));
        let summary = ledger.summary().remove(&Service::Sink).unwrap();
        assert_eq!((summary.requests, summary.effects, summary.keys, summary.repeated_keys), (6, 5, 2, 2));
        assert_eq!(summary.keys_with_several_effects, 1);
        assert_eq!(summary.effects_repeated_under_another_key, 2, "`b` repeats `a`, and the second `two` has no key");
        assert_eq!(ledger.entries().len(), 2, "only the last entries are kept");
    }
}
