use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use model::Position;

use crate::format::{BATCH_HEADER_BYTES, BatchHeader, COUNT_BYTES, FRAME_BYTES, SECTOR};
use crate::mark::{Mark, Place};
use crate::segment::{FAMILIES, Segment, Table};
use crate::{Family, ReadError, ReplayError};

/// A record read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Its number; each record has the one after its predecessor's, unless that was retired.
    pub sequence: u64,
    /// Where it was written.
    pub family: Family,
    /// Its body.
    pub body: Bytes,
    /// Where the body lies.
    pub body_position: Position,
    /// Where its blobs lie.
    pub blobs: Vec<Position>,
}

/// The records from a [`Mark`] on, over both families, in the order of their sequence. Ends behind the first error.
pub struct Replay {
    cursors: [Cursor; FAMILIES],
    /// The sequence that should come next.
    wanted: u64,
    /// Records before this one may have been retired.
    complete_from: u64,
    /// Where the journal ended when the replay began.
    end: u64,
    over: bool,
}

impl Replay {
    pub(crate) fn new(table: &Table, from: Mark, end: u64) -> Result<Self, ReplayError> {
        if from.sequence > end {
            return Err(ReplayError::Ahead { wanted: from.sequence, next: end });
        }
        let families = table.get();
        let oldest = families.iter().filter_map(|segments| segments.front());
        let retired = oldest.filter(|segment| segment.header.number > 1).map(|segment| segment.header.next_sequence);
        Ok(Self {
            complete_from: retired.max().unwrap_or(0),
            cursors: Family::ALL.map(|family| Cursor::new(family, &families[family.index()], from)),
            wanted: from.sequence,
            end,
            over: false,
        })
    }

    fn step(&mut self) -> Result<Option<Replayed>, ReplayError> {
        for cursor in &mut self.cursors {
            while cursor.head.is_none() && cursor.advance()? {
                cursor.head.take_if(|head| head.sequence < self.wanted);
            }
        }
        let [incoming, kept] = self.cursors.each_ref().map(|cursor| cursor.head.as_ref().map(|head| head.sequence));
        let first = match (incoming, kept) {
            (Some(incoming), Some(kept)) => usize::from(kept < incoming),
            (incoming, _) => usize::from(incoming.is_none()),
        };
        let record = self.cursors[first].head.take_if(|head| head.sequence < self.end);
        let found = record.as_ref().map_or(self.end, |record| record.sequence);
        if found > self.wanted.max(self.complete_from) || found < self.wanted {
            return Err(ReplayError::Missing { wanted: self.wanted.max(self.complete_from), found });
        }
        self.wanted = found + 1;
        Ok(record)
    }
}

impl Iterator for Replay {
    type Item = Result<Replayed, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let step = self.step().transpose();
        self.over = !matches!(step, Some(Ok(_)));
        step
    }
}

/// The records of one segment, in the order of their sequence. Ends behind the first error.
pub struct SegmentRecords {
    cursor: Cursor,
    over: bool,
}

impl SegmentRecords {
    pub(crate) fn new(family: Family, segment: Option<Segment>) -> Self {
        let segments = segment.into_iter().collect();
        Self { cursor: Cursor { family, segments, offset: SECTOR, batch: None, head: None }, over: false }
    }
}

impl Iterator for SegmentRecords {
    type Item = Result<Replayed, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let advanced = self.cursor.advance();
        self.over = !matches!(advanced, Ok(true));
        match advanced {
            Ok(_) => self.cursor.head.take().map(Ok),
            Err(cause) => Some(Err(cause)),
        }
    }
}

/// Goes through one family.
struct Cursor {
    family: Family,
    segments: VecDeque<Segment>,
    offset: u32,
    batch: Option<OpenBatch>,
    head: Option<Replayed>,
}

/// A batch of which some records are left.
struct OpenBatch {
    rest: Bytes,
    /// Where the rest lies in the segment.
    offset: u32,
    sequence: u64,
    records_left: u32,
}

impl Cursor {
    fn new(family: Family, segments: &VecDeque<Segment>, from: Mark) -> Self {
        let Place { segment, offset } = from.places[family.index()];
        let left = |candidate: &&Segment| candidate.header.number >= segment;
        let segments: VecDeque<_> = segments.iter().filter(left).cloned().collect();
        // What the mark points at may have been retired since.
        let there = segments.front().is_some_and(|first| first.header.number == segment);
        Self { family, segments, offset: if there { offset } else { SECTOR }, batch: None, head: None }
    }

    /// Reads the next record into `head`. False: there is none.
    fn advance(&mut self) -> Result<bool, ReadError> {
        loop {
            if let Some(batch) = self.batch.as_mut().filter(|batch| batch.records_left > 0) {
                let Some(segment) = self.segments.front() else { return Ok(false) };
                let record = batch.next_record(self.family, segment.header.number);
                self.head = Some(record.ok_or_else(|| segment.damaged(batch.offset))?);
                return Ok(true);
            }
            let Some(segment) = self.segments.front() else { return Ok(false) };
            if self.offset >= segment.end {
                self.segments.pop_front();
                self.offset = SECTOR;
                continue;
            }
            let (batch, end) = open_batch(segment, self.offset)?;
            self.batch = Some(batch);
            self.offset = end;
        }
    }
}

/// Reads the batch at `offset`; also says where it ends.
fn open_batch(segment: &Segment, offset: u32) -> Result<(OpenBatch, u32), ReadError> {
    let io = |cause| ReadError::Io { file: segment.name(), offset: offset.into(), cause };
    let damaged = || segment.damaged(offset);
    let mut header = [0; BATCH_HEADER_BYTES];
    segment.file.read_at(offset.into(), &mut header).map_err(io)?;
    let header = BatchHeader::decode(segment.header.salt, &header).ok_or_else(damaged)?;
    let end = header.end(offset).filter(|&end| end <= segment.end).ok_or_else(damaged)?;
    let payload_offset = offset + BATCH_HEADER_BYTES as u32;
    let mut payload = BytesMut::zeroed(header.payload_bytes as usize);
    segment.file.read_at(payload_offset.into(), &mut payload).map_err(io)?;
    if !header.covers(&payload) {
        return Err(damaged());
    }
    let batch = OpenBatch {
        rest: payload.freeze(),
        offset: payload_offset,
        sequence: header.first_sequence,
        records_left: header.records,
    };
    Ok((batch, end))
}

impl OpenBatch {
    /// None: the batch does not hold what its header says.
    fn next_record(&mut self, family: Family, segment: u32) -> Option<Replayed> {
        let blobs = self.take(COUNT_BYTES)?.get_u32_le();
        let (body_position, body) = self.frame(family, segment)?;
        let blobs = (0..blobs).map(|_| Some(self.frame(family, segment)?.0)).collect::<Option<_>>()?;
        let record = Replayed { sequence: self.sequence, family, body, body_position, blobs };
        self.sequence += 1;
        self.records_left -= 1;
        Some(record)
    }

    /// The batch's checksum covers the frames, whose own are for reading them one by one.
    fn frame(&mut self, family: Family, segment: u32) -> Option<(Position, Bytes)> {
        let offset = self.offset;
        let length = self.take(FRAME_BYTES)?.get_u32_le();
        let content = self.take(length as usize)?;
        Some((Position { family: family as u8, segment, offset, length }, content))
    }

    fn take(&mut self, bytes: usize) -> Option<Bytes> {
        if self.rest.len() < bytes {
            return None;
        }
        self.offset += bytes as u32;
        Some(self.rest.split_to(bytes))
    }
}
