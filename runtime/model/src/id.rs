use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::Timestamp;

/// Crockford's base 32 in lower case, as TypeID uses it.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ENCODED_CHARS: usize = 26;

/// Names one event. A UUID of version 7 (RFC 9562), so that ids sort by time; written as a TypeID, `evt_01h455vb4pex5vsknk084sn02q`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Uuid);

/// Names one execution: the event, the ordinal of the execution among those of the event, and for a child the step that
/// split it off and its index there. Written `exe_01h455vb4pex5vsknk084sn02q-0`, a child with `-STEP-INDEX` behind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId {
    event: EventId,
    ordinal: u16,
    descent: Vec<(u16, u32)>,
}

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form {form}")]
pub struct ParseIdError {
    text: String,
    form: &'static str,
}

impl EventId {
    /// A new id: the time in milliseconds and 74 random bits from `random`.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(now.as_millis(), &random).into_uuid())
    }

    /// The 16 bytes, big-endian: they sort by time.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id with these 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The time at which the id was made.
    pub fn time(&self) -> Timestamp {
        let mut millis = [0; 8];
        millis[2..].copy_from_slice(&self.as_bytes()[..6]);
        Timestamp::from_millis(u64::from_be_bytes(millis))
    }

    fn encode(&self) -> String {
        let value = self.0.as_u128();
        (0..ENCODED_CHARS).rev().map(|place| char::from(ALPHABET[(value >> (5 * place)) as usize & 31])).collect()
    }

    fn decode(text: &str) -> Option<Self> {
        // 26 digits of 5 bits are 130 bits: the first digit may not exceed 7.
        if text.len() != ENCODED_CHARS || text.as_bytes()[0] > b'7' {
            return None;
        }
        text.bytes()
            .try_fold(0u128, |value, byte| {
                let digit = ALPHABET.iter().position(|&letter| letter == byte)?;
                Some(value << 5 | digit as u128)
            })
            .map(|value| Self(Uuid::from_u128(value)))
    }
}

impl ExecutionId {
    /// The execution with this ordinal among those of `event`.
    pub fn new(event: EventId, ordinal: u16) -> Self {
        Self { event, ordinal, descent: Vec::new() }
    }

    /// The child that document `index` of step `step` becomes.
    pub fn child(&self, step: u16, index: u32) -> Self {
        let mut child = self.clone();
        child.descent.push((step, index));
        child
    }

    /// The event that is being carried; executions of one event share a shard of the store.
    pub fn event(&self) -> EventId {
        self.event
    }

    /// The ordinal among the executions of the event.
    pub fn ordinal(&self) -> u16 {
        self.ordinal
    }

    /// The execution that this one was split off from.
    pub fn parent(&self) -> Option<Self> {
        let (_, descent) = self.descent.split_last()?;
        Some(Self { descent: descent.to_vec(), ..self.clone() })
    }

    /// The key in the store: event, ordinal, then step and index of each descent, all big-endian. It sorts by time, and
    /// children lie directly behind their parent.
    pub fn to_key(&self) -> Vec<u8> {
        let mut key = Vec::with_capacity(18 + 6 * self.descent.len());
        key.extend(self.event.as_bytes());
        key.extend(self.ordinal.to_be_bytes());
        for (step, index) in &self.descent {
            key.extend(step.to_be_bytes());
            key.extend(index.to_be_bytes());
        }
        key
    }

    /// The id with this key.
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let (event, rest) = key.split_first_chunk::<16>()?;
        let (ordinal, mut rest) = rest.split_first_chunk::<2>()?;
        let mut descent = Vec::with_capacity(rest.len() / 6);
        while let Some((part, behind)) = rest.split_first_chunk::<6>() {
            let [a, b, c, d, e, f] = *part;
            descent.push((u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])));
            rest = behind;
        }
        rest.is_empty().then_some(Self {
            event: EventId::from_bytes(*event),
            ordinal: u16::from_be_bytes(*ordinal),
            descent,
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("exe_")?.split('-');
        let mut id = Self::new(EventId::decode(parts.next()?)?, parts.next()?.parse().ok()?);
        while let Some(step) = parts.next() {
            id.descent.push((step.parse().ok()?, parts.next()?.parse().ok()?));
        }
        Some(id)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "evt_{}", self.encode())
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exe_{}-{}", self.event.encode(), self.ordinal)?;
        self.descent.iter().try_for_each(|(step, index)| write!(f, "-{step}-{index}"))
    }
}

impl FromStr for EventId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let id = text.strip_prefix("evt_").and_then(Self::decode);
        id.ok_or_else(|| ParseIdError { text: text.to_owned(), form: "evt_ and 26 characters" })
    }
}

impl FromStr for ExecutionId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        // Rust's numbers may be written in several ways, an id in one.
        Self::parse(text)
            .filter(|id| id.to_string() == text)
            .ok_or_else(|| ParseIdError { text: text.to_owned(), form: "exe_, 26 characters, - and a number" })
    }
}

/// Text for readers of JSON, bytes for the store.
macro_rules! serde_as_text_or_bytes {
    ($id:ty, $to:expr, $from:expr) => {
        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serde::Serialize::serialize(&$to(self), serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
                } else {
                    let key = Vec::<u8>::deserialize(deserializer)?;
                    $from(&key).ok_or_else(|| D::Error::custom("malformed id"))
                }
            }
        }
    };
}

serde_as_text_or_bytes!(EventId, |id: &EventId| id.as_bytes().to_vec(), |key: &[u8]| {
    key.try_into().ok().map(EventId::from_bytes)
});
serde_as_text_or_bytes!(ExecutionId, ExecutionId::to_key, ExecutionId::from_key);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_follow_the_typeid_vectors() {
        // From the `valid.yml` vectors of the TypeID specification.
        for (text, uuid) in [
            ("00000000000000000000000000", "00000000-0000-0000-0000-000000000000"),
            ("0000000000000000000000000g", "00000000-0000-0000-0000-000000000010"),
            ("7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
            ("0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"),
        ] {
            let id: EventId = format!("evt_{text}").parse().expect("a valid vector");
            assert_eq!(id.0, uuid.parse::<Uuid>().expect("a UUID"));
            assert_eq!(id.to_string(), format!("evt_{text}"));
        }
        for wrong in ["", "evt_", "evt_8zzzzzzzzzzzzzzzzzzzzzzzzz", "evt_0123456789ABCDEFGHJKMNPQRS", "exe_0"] {
            wrong.parse::<EventId>().expect_err(wrong);
        }
    }

    #[test]
    fn ids_sort_by_time_and_say_it() {
        let early = EventId::new(Timestamp::from_millis(1_000), [0xff; 10]);
        let late = EventId::new(Timestamp::from_millis(1_001), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(late.time().as_millis(), 1_001);
    }

    #[test]
    fn execution_ids_survive_text_and_key_and_lie_behind_their_parent() {
        let parent = ExecutionId::new(EventId::new(Timestamp::from_millis(5), [7; 10]), 3);
        let child = parent.child(2, 70_000).child(0, 1);
        assert_eq!(child.to_string().parse(), Ok(child.clone()));
        assert_eq!(ExecutionId::from_key(&child.to_key()), Some(child.clone()));
        assert_eq!(child.parent(), Some(parent.child(2, 70_000)));
        assert!(child.to_key().starts_with(&parent.to_key()));
        assert_eq!(ExecutionId::from_key(&child.to_key()[..19]), None);
        for other_spelling in [parent.to_string().replace("-3", "-+3"), parent.to_string().replace("-3", "-03")] {
            other_spelling.parse::<ExecutionId>().expect_err(&other_spelling);
        }
    }
}
