//! What lies in the files. All numbers are little-endian, all checksums CRC-32C (RFC 3720, appendix B.4).
//!
//! ```text
//! segment   header (one sector), batches, zeros to the end of the file
//! header    magic 8, version 1, family 1, zero 2, number 4, file length 4, salt 8, next batch 8, next sequence 8,
//!           end of the previous segment 4, end of the other family (segment 4, offset 4), time in ms 8, checksum 4
//! batch     salt 8, number 8, first sequence 8, records 4, payload length 4, end of the other family (4, 4),
//!           checksum of the payload 4, checksum of this header 4; payload; zeros to the end of the sector
//! payload   for each record: number of blobs 4, frame of the body, frames of the blobs
//! frame     length 4, checksum of (salt, offset of the frame, length, bytes) 4, bytes
//! ```
//!
//! - A batch begins at a sector, so that no write touches a sector that holds what somebody was told is durable.
//! - The salt is random for each segment and never leaves it: nobody who sends us bytes can make them look like a batch.
//! - Batches of both families share one run of numbers, and each notes where the other family ended. So a batch that was
//!   synced and then lost at the end of one family is missed by what came later in the other.
//! - Behind the last batch there are only zeros. Whatever else lies there was never finished, and is wiped before the
//!   next batch is written.

use bytes::{Buf, Bytes};
use model::Timestamp;

use crate::Family;
use crate::mark::Place;

/// The smallest piece that a disk writes in one go.
pub(crate) const SECTOR: u32 = 512;
pub(crate) const VERSION: u8 = 1;
pub(crate) const BATCH_HEADER_BYTES: usize = 48;
pub(crate) const FRAME_BYTES: usize = 8;
/// The number of blobs that stands before each record.
pub(crate) const COUNT_BYTES: usize = 4;

const MAGIC: &[u8; 8] = b"weir-jnl";
const SEGMENT_HEADER_BYTES: usize = 64 + 4;

/// The beginning of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) family: Family,
    pub(crate) number: u32,
    /// The length of the file.
    pub(crate) bytes: u32,
    pub(crate) salt: u64,
    /// The number and the sequence that the journal had reached when the segment was begun.
    pub(crate) next_batch: u64,
    pub(crate) next_sequence: u64,
    /// Where the last batch of the family's previous segment ends.
    pub(crate) previous_end: u32,
    pub(crate) other_end: Place,
    pub(crate) begun: Timestamp,
}

/// Why the first sector is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    Damaged,
    UnknownVersion(u8),
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(SECTOR as usize);
        bytes.extend(MAGIC);
        bytes.extend([VERSION, self.family as u8, 0, 0]);
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.bytes.to_le_bytes());
        bytes.extend(self.salt.to_le_bytes());
        bytes.extend(self.next_batch.to_le_bytes());
        bytes.extend(self.next_sequence.to_le_bytes());
        bytes.extend(self.previous_end.to_le_bytes());
        put_place(&mut bytes, self.other_end);
        bytes.extend(self.begun.as_millis().to_le_bytes());
        let checksum = crc32c::crc32c(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes.resize(SECTOR as usize, 0);
        bytes
    }

    pub(crate) fn decode(sector: &[u8; SECTOR as usize]) -> Result<Self, HeaderFault> {
        let (covered, checksum) = sector[..SEGMENT_HEADER_BYTES].split_at(SEGMENT_HEADER_BYTES - 4);
        let (magic, mut rest) = covered.split_at(MAGIC.len());
        let version = rest.get_u8();
        if magic != MAGIC {
            return Err(HeaderFault::Damaged);
        }
        // Before the checksum, because only this much is the same in every version.
        if version != VERSION {
            return Err(HeaderFault::UnknownVersion(version));
        }
        let family = Family::ALL.get(usize::from(rest.get_u8())).copied();
        rest.advance(2);
        let family = family.filter(|_| crc32c::crc32c(covered).to_le_bytes() == *checksum);
        Ok(Self {
            family: family.ok_or(HeaderFault::Damaged)?,
            number: rest.get_u32_le(),
            bytes: rest.get_u32_le(),
            salt: rest.get_u64_le(),
            next_batch: rest.get_u64_le(),
            next_sequence: rest.get_u64_le(),
            previous_end: rest.get_u32_le(),
            other_end: get_place(&mut rest),
            begun: Timestamp::from_millis(rest.get_u64_le()),
        })
    }
}

/// The beginning of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    pub(crate) number: u64,
    pub(crate) first_sequence: u64,
    pub(crate) records: u32,
    pub(crate) payload_bytes: u32,
    pub(crate) other_end: Place,
    pub(crate) payload_checksum: u32,
}

impl BatchHeader {
    /// Length and checksum of the payload are added by [`BatchBuffer::finish`].
    pub(crate) fn new(number: u64, first_sequence: u64, records: u32, other_end: Place) -> Self {
        Self { number, first_sequence, records, payload_bytes: 0, other_end, payload_checksum: 0 }
    }

    fn encode(&self, salt: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BATCH_HEADER_BYTES);
        bytes.extend(salt.to_le_bytes());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.first_sequence.to_le_bytes());
        bytes.extend(self.records.to_le_bytes());
        bytes.extend(self.payload_bytes.to_le_bytes());
        put_place(&mut bytes, self.other_end);
        bytes.extend(self.payload_checksum.to_le_bytes());
        let checksum = crc32c::crc32c(&bytes);
        bytes.extend(checksum.to_le_bytes());
        bytes
    }

    /// None: no batch of this segment begins here.
    pub(crate) fn decode(salt: u64, bytes: &[u8]) -> Option<Self> {
        let (covered, checksum) = bytes.get(..BATCH_HEADER_BYTES)?.split_at(BATCH_HEADER_BYTES - 4);
        let mut rest = covered;
        if rest.get_u64_le() != salt || crc32c::crc32c(covered).to_le_bytes() != *checksum {
            return None;
        }
        Some(Self {
            number: rest.get_u64_le(),
            first_sequence: rest.get_u64_le(),
            records: rest.get_u32_le(),
            payload_bytes: rest.get_u32_le(),
            other_end: get_place(&mut rest),
            payload_checksum: rest.get_u32_le(),
        })
    }

    /// The sequence behind its last record.
    pub(crate) fn end_sequence(&self) -> u64 {
        self.first_sequence + u64::from(self.records)
    }

    /// Where a batch that begins at `offset` ends; none if that is beyond any segment.
    pub(crate) fn end(&self, offset: u32) -> Option<u32> {
        let end = u64::from(offset) + BATCH_HEADER_BYTES as u64 + u64::from(self.payload_bytes);
        end.next_multiple_of(u64::from(SECTOR)).try_into().ok()
    }

    pub(crate) fn covers(&self, payload: &[u8]) -> bool {
        crc32c::crc32c(payload) == self.payload_checksum
    }
}

/// A batch being put together in a buffer that is used again and again. Copying a record here is little beside what its
/// write costs, and spares the kernel a list of slices that would be three times as long as the list of records.
#[derive(Default)]
pub(crate) struct BatchBuffer {
    bytes: Vec<u8>,
}

impl BatchBuffer {
    pub(crate) fn begin(&mut self) {
        self.bytes.clear();
        self.bytes.resize(BATCH_HEADER_BYTES, 0);
    }

    pub(crate) fn begin_record(&mut self, blobs: usize) {
        // A record with more blobs than this counts would not fit into any segment.
        self.bytes.extend((blobs as u32).to_le_bytes());
    }

    /// Adds a frame to the batch that begins at `batch_offset`, and says at which offset.
    pub(crate) fn push_frame(&mut self, salt: u64, batch_offset: u32, content: &[u8]) -> u32 {
        let offset = batch_offset + self.bytes.len() as u32;
        self.bytes.extend((content.len() as u32).to_le_bytes());
        self.bytes.extend(frame_checksum(salt, offset, content).to_le_bytes());
        self.bytes.extend_from_slice(content);
        offset
    }

    /// Puts length and checksum into the header and the header before the records, fills the last sector up, and adds
    /// zeros as far as `filled_to` says for the offset at which the batch ends.
    pub(crate) fn finish(
        &mut self,
        salt: u64,
        mut header: BatchHeader,
        batch_offset: u32,
        filled_to: impl FnOnce(u32) -> u32,
    ) -> Finished<'_> {
        let payload = &self.bytes[BATCH_HEADER_BYTES..];
        header.payload_bytes = payload.len() as u32;
        header.payload_checksum = crc32c::crc32c(payload);
        self.bytes[..BATCH_HEADER_BYTES].copy_from_slice(&header.encode(salt));
        let end = batch_offset + (self.bytes.len() as u32).next_multiple_of(SECTOR);
        let filled = filled_to(end);
        self.bytes.resize((filled - batch_offset) as usize, 0);
        Finished { bytes: &self.bytes, end, filled }
    }

    /// Gives memory back that only an unusually large batch needed.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(bytes);
    }
}

/// A batch as it goes to the disk.
pub(crate) struct Finished<'a> {
    pub(crate) bytes: &'a [u8],
    /// Where the next batch will begin.
    pub(crate) end: u32,
    /// Where the zeros end.
    pub(crate) filled: u32,
}

/// Binds the bytes to the place where they were written, so that a read in the wrong place is noticed.
fn frame_checksum(salt: u64, offset: u32, content: &[u8]) -> u32 {
    let mut place = [0; 16];
    place[..8].copy_from_slice(&salt.to_le_bytes());
    place[8..12].copy_from_slice(&offset.to_le_bytes());
    place[12..].copy_from_slice(&(content.len() as u32).to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&place), content)
}

/// The content of the frame at `offset`, if it is `frame`.
pub(crate) fn open_frame(salt: u64, offset: u32, mut frame: Bytes) -> Option<Bytes> {
    if frame.len() < FRAME_BYTES {
        return None;
    }
    let (length, checksum) = (frame.get_u32_le(), frame.get_u32_le());
    (frame.len() == length as usize && frame_checksum(salt, offset, &frame) == checksum).then_some(frame)
}

/// The bytes that a record takes within a batch.
pub(crate) fn record_bytes<'a>(parts: impl Iterator<Item = &'a Bytes>) -> usize {
    parts.fold(COUNT_BYTES, |sum, part| sum.saturating_add(FRAME_BYTES).saturating_add(part.len()))
}

/// The payload that fits into one batch in a segment of this length.
pub(crate) fn payload_bytes_max(segment_bytes: u32) -> usize {
    (segment_bytes / SECTOR * SECTOR - SECTOR) as usize - BATCH_HEADER_BYTES
}

fn put_place(bytes: &mut Vec<u8>, place: Place) {
    bytes.extend(place.segment.to_le_bytes());
    bytes.extend(place.offset.to_le_bytes());
}

fn get_place(bytes: &mut &[u8]) -> Place {
    Place { segment: bytes.get_u32_le(), offset: bytes.get_u32_le() }
}
