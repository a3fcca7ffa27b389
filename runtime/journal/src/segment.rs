use model::Timestamp;

/// How many families there are.
pub(crate) const FAMILIES: usize = 2;

/// A run of segments. Both families share one sequence of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Family {
    /// What came in: retired when its time is over.
    Incoming = 0,
    /// What was carried over because it is still open.
    Kept = 1,
}

impl Family {
    /// Both.
    pub const ALL: [Self; FAMILIES] = [Self::Incoming, Self::Kept];
}

/// What is known of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// Which run it belongs to.
    pub family: Family,
    /// Counts from 1 within the family.
    pub number: u32,
    /// The name of its file.
    pub file: String,
    /// The length of its file.
    pub bytes: u64,
    /// No record in it has a lower sequence.
    pub first_sequence: u64,
    /// Every record in it has a lower sequence. None: it is still being written.
    pub end_sequence: Option<u64>,
    /// When it was begun: no record in it is older.
    pub begun: Timestamp,
    /// When the next one of the family was begun: no record in it is younger. None: it is still being written.
    pub ended: Option<Timestamp>,
}
