use crate::segment::FAMILIES;

/// Where a replay begins: the first sequence that is wanted, and a place in each family at or before it. Kept with a
/// checkpoint as [bytes](Mark::to_bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub(crate) sequence: u64,
    pub(crate) places: [Place; FAMILIES],
}

/// A byte in a family's segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u32,
}

/// Why bytes are no mark.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:02x?} is not a mark of the journal")]
pub struct MarkError(Vec<u8>);

const VERSION: u8 = 1;
const PLACE_BYTES: usize = 8;

impl Mark {
    /// Everything that there is.
    pub const START: Self = Self { sequence: 1, places: [Place { segment: 0, offset: 0 }; FAMILIES] };

    /// The first sequence that is wanted.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// A version byte, then sequence and places, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.sequence.to_le_bytes());
        for place in &self.places {
            bytes.extend(place.segment.to_le_bytes());
            bytes.extend(place.offset.to_le_bytes());
        }
        bytes
    }

    /// The mark with these bytes.
    ///
    /// # Errors
    /// If they did not come from [`to_bytes`](Self::to_bytes).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MarkError> {
        Self::parse(bytes).ok_or_else(|| MarkError(bytes.to_vec()))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[VERSION], rest) = bytes.split_first_chunk()? else { return None };
        let (sequence, mut rest) = rest.split_first_chunk()?;
        if rest.len() != FAMILIES * PLACE_BYTES {
            return None;
        }
        let mut number = || {
            let (number, behind) = rest.split_first_chunk()?;
            rest = behind;
            Some(u32::from_le_bytes(*number))
        };
        let mut places = [Place::default(); FAMILIES];
        for place in &mut places {
            *place = Place { segment: number()?, offset: number()? };
        }
        Some(Self { sequence: u64::from_le_bytes(*sequence), places })
    }
}
