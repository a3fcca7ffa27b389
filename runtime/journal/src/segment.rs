use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::BytesMut;
use model::{Position, Timestamp};

use crate::format::{self, FRAME_BYTES, SECTOR, SegmentHeader};
use crate::mark::{Mark, Place};
use crate::{DiskFile, ReadError};

/// How many families there are.
pub(crate) const FAMILIES: usize = 2;

/// The name of a segment until it is complete. A leftover of a crash holds nothing.
pub(crate) const NEW: &str = "segment.new";

/// A replay that begins within a segment skips at most about so much.
const LANDMARK_EVERY_BYTES: u32 = 1 << 20;

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

    pub(crate) fn index(self) -> usize {
        self as usize
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Incoming => Self::Kept,
            Self::Kept => Self::Incoming,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Kept => "kept",
        }
    }
}

/// `incoming-0000000001.segment`
pub(crate) fn file_name(family: Family, number: u32) -> String {
    format!("{}-{number:010}.segment", family.word())
}

/// Which segment has this name, if one has.
pub(crate) fn parse_file_name(name: &str) -> Option<(Family, u32)> {
    let (word, number) = name.strip_suffix(".segment")?.split_once('-')?;
    let family = Family::ALL.into_iter().find(|family| family.word() == word)?;
    let number = number.parse().ok()?;
    (file_name(family, number) == name).then_some((family, number))
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

/// A segment that is there.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) header: SegmentHeader,
    pub(crate) file: Arc<dyn DiskFile>,
    /// Where its last durable batch ends.
    pub(crate) end: u32,
    /// Batches by their first sequence, some of them, in order.
    landmarks: Vec<Landmark>,
}

#[derive(Clone, Copy)]
struct Landmark {
    sequence: u64,
    offset: u32,
}

impl Segment {
    pub(crate) fn new(header: SegmentHeader, file: Arc<dyn DiskFile>) -> Self {
        let landmarks = vec![Landmark { sequence: header.next_sequence, offset: SECTOR }];
        Self { header, file, end: SECTOR, landmarks }
    }

    /// Notes that a batch lies behind the last one.
    pub(crate) fn extend(&mut self, first_sequence: u64, end: u32) {
        let last = self.landmarks.last().map_or(0, |landmark| landmark.offset);
        if self.end - last >= LANDMARK_EVERY_BYTES {
            self.landmarks.push(Landmark { sequence: first_sequence, offset: self.end });
        }
        self.end = end;
    }

    pub(crate) fn name(&self) -> String {
        file_name(self.header.family, self.header.number)
    }

    pub(crate) fn damaged(&self, offset: u32) -> ReadError {
        ReadError::Damaged { file: self.name(), offset: offset.into() }
    }

    pub(crate) fn end_place(&self) -> Place {
        Place { segment: self.header.number, offset: self.end }
    }

    /// Where to look for `sequence`, given that it is not before this segment.
    fn place_of(&self, sequence: u64) -> Place {
        let behind = self.landmarks.partition_point(|landmark| landmark.sequence <= sequence);
        let offset = self.landmarks[behind.saturating_sub(1)].offset;
        Place { segment: self.header.number, offset }
    }
}

/// The segments of both families.
pub(crate) struct Table {
    families: RwLock<[VecDeque<Segment>; FAMILIES]>,
}

impl Table {
    pub(crate) fn new(families: [VecDeque<Segment>; FAMILIES]) -> Self {
        Self { families: RwLock::new(families) }
    }

    pub(crate) fn get(&self) -> RwLockReadGuard<'_, [VecDeque<Segment>; FAMILIES]> {
        self.families.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn change(&self) -> RwLockWriteGuard<'_, [VecDeque<Segment>; FAMILIES]> {
        self.families.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn infos(&self, family: Family) -> Vec<SegmentInfo> {
        let families = self.get();
        let segments = &families[family.index()];
        let info = |(index, segment): (usize, &Segment)| {
            let next = segments.get(index + 1).map(|next| &next.header);
            SegmentInfo {
                family,
                number: segment.header.number,
                file: segment.name(),
                bytes: segment.header.bytes.into(),
                first_sequence: segment.header.next_sequence,
                end_sequence: next.map(|next| next.next_sequence),
                begun: segment.header.begun,
                ended: next.map(|next| next.begun),
            }
        };
        segments.iter().enumerate().map(info).collect()
    }

    pub(crate) fn mark(&self, sequence: u64) -> Mark {
        let places = self.get().each_ref().map(|segments| {
            let behind = segments.partition_point(|segment| segment.header.next_sequence <= sequence);
            segments.get(behind.saturating_sub(1)).map_or(Place::default(), |segment| segment.place_of(sequence))
        });
        Mark { sequence, places }
    }

    pub(crate) fn read(&self, position: Position) -> Result<bytes::Bytes, ReadError> {
        let Some(&family) = Family::ALL.get(usize::from(position.family)) else {
            return Err(ReadError::Damaged { file: format!("family {}", position.family), offset: 0 });
        };
        let name = || file_name(family, position.segment);
        let damaged = || ReadError::Damaged { file: name(), offset: position.offset.into() };
        let (file, salt) = {
            let families = self.get();
            let segments = &families[family.index()];
            let oldest = segments.front().ok_or_else(damaged)?.header.number;
            let index = position.segment.checked_sub(oldest).ok_or_else(|| ReadError::Gone { file: name() })?;
            let segment = segments.get(index as usize).ok_or_else(damaged)?;
            // Checked before anything is allocated: the position may come from a damaged record.
            let end = u64::from(position.offset) + FRAME_BYTES as u64 + u64::from(position.length);
            if end > u64::from(segment.end) {
                return Err(damaged());
            }
            (segment.file.clone(), segment.header.salt)
        };
        let mut frame = BytesMut::zeroed(FRAME_BYTES + position.length as usize);
        file.read_at(position.offset.into(), &mut frame).map_err(|cause| ReadError::Io {
            file: name(),
            offset: position.offset.into(),
            cause,
        })?;
        format::open_frame(salt, position.offset, frame.freeze()).ok_or_else(damaged)
    }
}
