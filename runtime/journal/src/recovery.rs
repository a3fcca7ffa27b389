use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use crate::format::{BATCH_HEADER_BYTES, BatchHeader, HeaderFault, SECTOR, SegmentHeader, VERSION};
use crate::mark::Place;
use crate::segment::{FAMILIES, NEW, Segment, file_name, parse_file_name};
use crate::{Cut, Disk, DiskFile, Family, JournalError, OpenError};

/// What errors that concern no single file call the disk.
const DIRECTORY: &str = "directory";

/// What lies on the disk, checked and made durable.
pub(crate) struct Found {
    pub(crate) families: [VecDeque<Segment>; FAMILIES],
    pub(crate) next_batch: u64,
    pub(crate) next_sequence: u64,
    pub(crate) cuts: Vec<Cut>,
}

/// Reads the heads of all segments and the whole of each family's last one, and only when all of that holds together
/// wipes what was not finished. Everything older was synced before its successor was begun, and is checked when read.
pub(crate) fn recover(disk: &dyn Disk) -> Result<Found, OpenError> {
    let files = disk.list().map_err(JournalError::new("list", DIRECTORY))?;
    let mut families = Family::ALL.map(|_| VecDeque::new());
    for family in Family::ALL {
        families[family.index()] = open_family(disk, family, &files)?;
    }
    let mut found = Found { families, next_batch: 1, next_sequence: 1, cuts: Vec::new() };
    let mut tails = Vec::new();
    let mut known_ends = [Place::default(); FAMILIES];
    for segments in &mut found.families {
        let Some(last) = segments.back_mut() else { continue };
        let tail = Tail::read(last)?;
        found.next_batch = found.next_batch.max(tail.next_batch);
        found.next_sequence = found.next_sequence.max(tail.next_sequence);
        let other = last.header.family.other().index();
        known_ends[other] = known_ends[other].max(tail.other_end);
        tails.push((last.clone(), tail));
    }
    for family in Family::ALL {
        check_end(family, found.families[family.index()].back(), known_ends[family.index()])?;
    }
    if files.iter().any(|file| file.name == NEW) {
        disk.remove(NEW).map_err(JournalError::new("remove", NEW))?;
    }
    for (segment, tail) in tails {
        tail.secure(&segment)?;
        found.cuts.extend(tail.cut);
    }
    // A name that is visible need not be durable.
    disk.sync_directory().map_err(JournalError::new("sync", DIRECTORY))?;
    Ok(found)
}

/// A family's segments, their heads checked.
fn open_family(disk: &dyn Disk, family: Family, files: &[crate::FileEntry]) -> Result<VecDeque<Segment>, OpenError> {
    let named = |file: &crate::FileEntry| Some((parse_file_name(&file.name)?, file.bytes));
    let mut numbers: Vec<_> = files.iter().filter_map(named).filter(|((of, _), _)| *of == family).collect();
    numbers.sort_unstable();
    let mut segments = VecDeque::<Segment>::with_capacity(numbers.len());
    for ((_, number), bytes) in numbers {
        let segment = open_segment(disk, family, number, bytes)?;
        if let Some(previous) = segments.back_mut() {
            if previous.header.number + 1 != number {
                return Err(OpenError::Missing { file: file_name(family, previous.header.number + 1) });
            }
            previous.end = segment.header.previous_end;
        }
        segments.push_back(segment);
    }
    Ok(segments)
}

pub(crate) fn open_segment(disk: &dyn Disk, family: Family, number: u32, bytes: u64) -> Result<Segment, OpenError> {
    let name = file_name(family, number);
    let damaged = |offset| OpenError::Damaged { file: name.clone(), offset };
    let file = disk.open(&name).map_err(JournalError::new("open", &name))?;
    let mut sector = [0; SECTOR as usize];
    match file.read_at(0, &mut sector) {
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => return Err(damaged(bytes)),
        read => read.map_err(JournalError::new("read", &name))?,
    }
    let header = SegmentHeader::decode(&sector).map_err(|fault| match fault {
        HeaderFault::Damaged => damaged(0),
        HeaderFault::UnknownVersion(found) => OpenError::UnknownVersion { file: name.clone(), found, known: VERSION },
    })?;
    if (header.family, header.number) != (family, number) {
        return Err(damaged(0));
    }
    if u64::from(header.bytes) != bytes {
        return Err(damaged(bytes.min(header.bytes.into())));
    }
    Ok(Segment::new(header, file))
}

/// Refuses if the other family knows of batches behind the last one found.
fn check_end(family: Family, last: Option<&Segment>, known: Place) -> Result<(), OpenError> {
    let found = last.map_or(Place::default(), Segment::end_place);
    if known.segment > found.segment {
        return Err(OpenError::Missing { file: file_name(family, found.segment + 1) });
    }
    if known > found {
        return Err(OpenError::Damaged { file: file_name(family, found.segment), offset: found.offset.into() });
    }
    Ok(())
}

/// The end of a family: its last segment.
struct Tail {
    next_batch: u64,
    next_sequence: u64,
    other_end: Place,
    /// Where the last batch lies.
    last_batch: Option<Range<u32>>,
    cut: Option<Cut>,
}

impl Tail {
    /// Goes through the batches of the segment, noting where they end.
    fn read(segment: &mut Segment) -> Result<Self, OpenError> {
        let header = segment.header;
        let mut window = Window::new(segment);
        let mut tail = Self {
            next_batch: header.next_batch,
            next_sequence: header.next_sequence,
            other_end: header.other_end,
            last_batch: None,
            cut: None,
        };
        while let Some((batch, end)) = window.batch_at(segment.end)? {
            if batch.number < tail.next_batch || batch.first_sequence < tail.next_sequence {
                break;
            }
            tail.next_batch = batch.number + 1;
            tail.next_sequence = batch.end_sequence();
            tail.other_end = batch.other_end;
            tail.last_batch = Some(segment.end..end);
            segment.extend(batch.first_sequence, end);
        }
        let used_to = window.used_to(segment.end)?;
        for offset in (segment.end..used_to).step_by(SECTOR as usize) {
            // What is lost has at least the next number; whatever was finished after it has a higher one.
            if window.batch_at(offset)?.is_some_and(|(batch, _)| batch.number > tail.next_batch) {
                return Err(OpenError::Damaged { file: segment.name(), offset: segment.end.into() });
            }
        }
        if used_to > segment.end {
            let bytes = (used_to - segment.end).into();
            tail.cut = Some(Cut { file: segment.name(), offset: segment.end.into(), bytes });
        }
        Ok(tail)
    }

    /// Wipes what was not finished, and makes the rest durable. The last batch is written again, because the last
    /// process may have ended over a failed sync: after that the kernel shows what the disk never got.
    fn secure(&self, segment: &Segment) -> Result<(), JournalError> {
        let write = |offset: u64, bytes: &[u8]| {
            segment.file.write_at(offset, bytes).map_err(JournalError::new("write", segment.name()))
        };
        if let Some(batch) = self.last_batch.clone() {
            let mut window = Window::new(segment);
            write(batch.start.into(), window.get(batch.start, batch.len())?)?;
        }
        if let Some(cut) = &self.cut {
            write(cut.offset, &vec![0; cut.bytes as usize])?;
        }
        segment.file.sync_data().map_err(JournalError::new("sync", segment.name()))
    }
}

/// A stretch of a segment in memory, moved along as it is read: small batches would cost a call of the system each, and
/// the whole segment at once much memory for a moment.
pub(crate) struct Window {
    file: Arc<dyn DiskFile>,
    header: SegmentHeader,
    offset: u32,
    bytes: Vec<u8>,
}

const WINDOW_BYTES: usize = 256 << 10;

impl Window {
    pub(crate) fn new(segment: &Segment) -> Self {
        Self { file: segment.file.clone(), header: segment.header, offset: 0, bytes: Vec::new() }
    }

    /// These bytes, as far as the segment goes.
    fn get(&mut self, offset: u32, length: usize) -> Result<&[u8], JournalError> {
        let length = length.min(self.header.bytes.saturating_sub(offset) as usize);
        let covered = offset >= self.offset && (offset - self.offset) as usize + length <= self.bytes.len();
        if !covered {
            let ahead = length.max(WINDOW_BYTES).min(self.header.bytes.saturating_sub(offset) as usize);
            self.bytes.resize(ahead, 0);
            self.offset = offset;
            let name = || file_name(self.header.family, self.header.number);
            let read = self.file.read_at(offset.into(), &mut self.bytes);
            read.map_err(|cause| JournalError::new("read", name())(cause))?;
        }
        let start = (offset - self.offset) as usize;
        Ok(&self.bytes[start..start + length])
    }

    /// The intact batch that begins at `offset`, and where it ends.
    pub(crate) fn batch_at(&mut self, offset: u32) -> Result<Option<(BatchHeader, u32)>, JournalError> {
        let salt = self.header.salt;
        let header = BatchHeader::decode(salt, self.get(offset, BATCH_HEADER_BYTES)?);
        let end_max = self.header.bytes;
        let ended = header.and_then(|header| Some((header, header.end(offset).filter(|end| *end <= end_max)?)));
        let Some((header, end)) = ended else { return Ok(None) };
        let payload = self.get(offset + BATCH_HEADER_BYTES as u32, header.payload_bytes as usize)?;
        Ok(header.covers(payload).then_some((header, end)))
    }

    /// Where the last sector at or behind `from` ends that holds anything but zeros; `from` if none does.
    pub(crate) fn used_to(&mut self, from: u32) -> Result<u32, JournalError> {
        const ZEROS: [u8; SECTOR as usize] = [0; SECTOR as usize];
        let mut used_to = from;
        for offset in (from..self.header.bytes).step_by(WINDOW_BYTES) {
            let bytes = self.get(offset, WINDOW_BYTES)?;
            if let Some(last) = bytes.chunks(ZEROS.len()).rposition(|sector| *sector != ZEROS[..sector.len()]) {
                used_to = offset + (last as u32 + 1) * SECTOR;
            }
        }
        Ok(used_to)
    }
}
