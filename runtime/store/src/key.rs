//! The keys of the one ordered space in which rows and indexes lie: a byte for the kind of row, then its own key.

use bytes::Bytes;
use model::{EventId, Execution, ExecutionId, Gate, State, StateKind, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Dedupe, Table};

pub(crate) type Key = Vec<u8>;

const EXECUTION: u8 = 0x10;
const DEDUPE: u8 = 0x11;
/// Ready and waiting executions: gate, time, execution.
const DUE: u8 = 0x12;
/// Parked and dead executions: state, execution.
const HELD: u8 = 0x13;
/// The first of the tables of [`Table`].
const TABLES: u8 = 0x20;

/// Kind of row, kind of gate, hash of the gate's names.
const GATE_BYTES: usize = 1 + 1 + HASH_BYTES;
const HASH_BYTES: usize = 16;

/// The keys from `from` up to but not including `to`.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) from: Key,
    pub(crate) to: Key,
}

impl Span {
    /// All keys that begin with `prefix`, which has a byte below 0xff.
    pub(crate) fn prefixed(prefix: Key) -> Self {
        let mut to = prefix.clone();
        while to.pop_if(|last| *last == 0xff).is_some() {}
        if let Some(last) = to.last_mut() {
            *last += 1;
        }
        Self { from: prefix, to }
    }

    pub(crate) fn executions() -> Self {
        Self::prefixed(vec![EXECUTION])
    }

    pub(crate) fn executions_of(event: EventId) -> Self {
        Self::prefixed([&[EXECUTION][..], event.as_bytes()].concat())
    }

    pub(crate) fn dedupes() -> Self {
        Self::prefixed(vec![DEDUPE])
    }

    pub(crate) fn open() -> Self {
        Self::prefixed(vec![DUE])
    }

    pub(crate) fn behind(gate: &Gate) -> Self {
        Self::prefixed(gate_key(gate))
    }

    pub(crate) fn held() -> Self {
        Self::prefixed(vec![HELD])
    }

    pub(crate) fn held_in(state: StateKind) -> Self {
        Self::prefixed(vec![HELD, state as u8])
    }

    pub(crate) fn table(table: Table) -> Self {
        Self::prefixed(vec![TABLES + table as u8])
    }
}

pub(crate) fn execution(id: &ExecutionId) -> Key {
    [&[EXECUTION][..], &id.to_key()].concat()
}

pub(crate) fn is_execution(key: &[u8]) -> bool {
    key.first() == Some(&EXECUTION)
}

pub(crate) fn is_dedupe(key: &[u8]) -> bool {
    key.first() == Some(&DEDUPE)
}

/// The least key of an execution whose event's id was made at `time`.
pub(crate) fn first_execution_at(time: Timestamp) -> Key {
    [&[EXECUTION][..], &time.as_millis().to_be_bytes()[2..]].concat()
}

pub(crate) fn execution_id(key: &[u8]) -> Option<ExecutionId> {
    ExecutionId::from_key(key.strip_prefix(&[EXECUTION])?)
}

/// The hash is strong, because senders choose the key: whoever could make two keys collide could suppress an event.
pub(crate) fn dedupe(dedupe: &Dedupe) -> Key {
    let hash = Sha256::new()
        .chain_update((dedupe.source.len() as u64).to_be_bytes())
        .chain_update(&dedupe.source)
        .chain_update(&dedupe.key)
        .finalize();
    [&[DEDUPE][..], &hash[..HASH_BYTES]].concat()
}

pub(crate) fn table(table: Table, key: &[u8]) -> Key {
    [&[TABLES + table as u8][..], key].concat()
}

/// The key within its table.
pub(crate) fn within_table(key: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&key[1..])
}

/// What people call the row.
pub(crate) fn describe(key: &[u8]) -> String {
    match execution_id(key) {
        Some(id) => id.to_string(),
        None => String::from_utf8_lossy(&key[1..]).into_owned(),
    }
}

/// Gates are hashed, because the key of a lane may be of any length.
fn gate_key(gate: &Gate) -> Key {
    let (kind, names): (u8, [&str; 2]) = match gate {
        Gate::Time => (0, ["", ""]),
        Gate::Connection(name) => (1, [name, ""]),
        Gate::Flow(name) => (2, [name, ""]),
        Gate::Plugin(name) => (3, [name, ""]),
        Gate::Lane(flow, key) => (4, [flow, key]),
        Gate::Children => (5, ["", ""]),
    };
    let mut key = vec![DUE, kind];
    if kind == 0 {
        // The gate of almost all work costs no hash.
        key.extend([0; HASH_BYTES]);
    } else {
        let hash = Sha256::new()
            .chain_update((names[0].len() as u64).to_be_bytes())
            .chain_update(names[0])
            .chain_update(names[1])
            .finalize();
        key.extend(&hash[..HASH_BYTES]);
    }
    key
}

pub(crate) fn due(gate: &Gate, at: Timestamp, execution: &[u8]) -> Key {
    [&gate_key(gate)[..], &at.as_millis().to_be_bytes(), execution].concat()
}

/// Time and execution of a key that [`due`] made.
pub(crate) fn parse_due(key: &[u8]) -> Option<(Timestamp, ExecutionId)> {
    let (at, execution) = key.get(GATE_BYTES..)?.split_first_chunk()?;
    Some((Timestamp::from_millis(u64::from_be_bytes(*at)), ExecutionId::from_key(execution)?))
}

/// What lies behind the gate of this index row.
pub(crate) fn gate_span(key: &[u8]) -> Span {
    Span::prefixed(key[..GATE_BYTES.min(key.len())].to_vec())
}

pub(crate) fn held(state: StateKind, execution: &[u8]) -> Key {
    [&[HELD, state as u8][..], execution].concat()
}

/// The execution of a key that [`held`] made.
pub(crate) fn parse_held(key: &[u8]) -> Option<ExecutionId> {
    ExecutionId::from_key(key.get(2..)?)
}

/// The row by which an execution that has not ended is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexRow {
    pub(crate) key: Key,
    pub(crate) listed: Listed,
}

/// The value of an index row: enough for counting and for filters, so that the execution need not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) flow: String,
    pub(crate) state: StateKind,
    pub(crate) gate: Option<Gate>,
}

impl IndexRow {
    /// None for an execution that has ended.
    pub(crate) fn of(execution: &Execution) -> Option<Self> {
        let id = execution.id.to_key();
        let (key, gate) = match &execution.state {
            State::Ready => (due(&Gate::Time, execution.updated, &id), Some(Gate::Time)),
            State::Waiting { until, gate, .. } => (due(gate, *until, &id), Some(gate.clone())),
            state @ (State::Parked { .. } | State::Dead { .. }) => (held(state.kind(), &id), None),
            State::Finished { .. } | State::Cancelled | State::Discarded => return None,
        };
        Some(Self { key, listed: Listed { flow: execution.flow.name.clone(), state: execution.state.kind(), gate } })
    }
}
