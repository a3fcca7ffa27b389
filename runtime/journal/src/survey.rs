//! Looks at every batch of every segment, and changes nothing: what `weir doctor` tells.

use std::ops::Range;

use model::Timestamp;

use crate::format::{SECTOR, SegmentHeader, VERSION};
use crate::mark::Place;
use crate::recovery::{Window, open_segment};
use crate::segment::{FAMILIES, Segment, file_name, parse_file_name};
use crate::{Cut, Disk, Family, JournalError, OpenError};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The segments whose heads can be read, by family and number.
    pub segments: Vec<Surveyed>,
    /// What the last process did not finish. The next start cuts it off: nobody was told that it is durable.
    pub cuts: Vec<Cut>,
    /// What cannot be read.
    pub damage: Vec<Damage>,
    /// The records that are not there although later ones are, or earlier ones of the same journal: from, and up to.
    pub lost: Vec<Range<u64>>,
    /// The format that this program reads and writes.
    pub format: u8,
}

/// A segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surveyed {
    /// Its file.
    pub file: String,
    /// The length of the file.
    pub bytes: u64,
    /// Where its last intact batch ends.
    pub used_bytes: u64,
    /// Intact batches.
    pub batches: u64,
    /// The records in them.
    pub records: u64,
    /// When it was begun.
    pub begun: Timestamp,
}

/// Something that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub file: String,
    /// What it is.
    pub kind: DamageKind,
    /// Whether a start is refused because of it; else it shows when what lies there is read.
    pub refuses_start: bool,
}

/// What cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// The file is missing between others, or at the end.
    Missing,
    /// Its head, and so all of it.
    Head,
    /// It has another length than it was made with, so that a part of it is gone.
    Length,
    /// It was written in another format.
    Format(u8),
    /// A part of it, behind which there are intact batches or should be.
    Part {
        /// Where the part begins.
        offset: u64,
        /// How long it is.
        bytes: u64,
    },
}

/// Reads every batch of every segment and checks it. `progress` is told how many bytes of how many have been looked at.
/// The journal must not be open.
///
/// # Errors
/// If the disk fails.
pub fn survey(disk: &dyn Disk, progress: &mut dyn FnMut(u64, u64)) -> Result<Survey, JournalError> {
    let files = disk.list().map_err(JournalError::new("list", "directory"))?;
    let mut named: Vec<_> = files.iter().filter_map(|file| Some((parse_file_name(&file.name)?, file.bytes))).collect();
    named.sort_unstable();
    let bytes_all = named.iter().map(|(_, bytes)| bytes).sum();
    let mut surveyor = Surveyor::default();
    surveyor.survey.format = VERSION;
    for family in Family::ALL {
        let of: Vec<_> = named.iter().filter(|((of, _), _)| *of == family).collect();
        let segments = of.iter().map(|((_, number), bytes)| surveyor.open(disk, family, *number, *bytes));
        let segments = segments.collect::<Result<Vec<_>, _>>()?;
        for (index, opened) in segments.iter().enumerate() {
            let ((_, number), bytes) = of[index];
            if index > 0 {
                (of[index - 1].0.1 + 1..*number).for_each(|missing| surveyor.missing(family, missing));
            }
            let next = segments.get(index + 1).and_then(Option::as_ref);
            let next = next.filter(|next| next.header.number == number + 1).map(|next| next.header.previous_end);
            if let Some(segment) = opened {
                surveyor.read(segment, next, index + 1 == segments.len())?;
            }
            surveyor.seen += bytes;
            progress(surveyor.seen, bytes_all);
        }
    }
    Ok(surveyor.finish())
}

#[derive(Default)]
struct Surveyor {
    survey: Survey,
    /// The records of intact batches.
    records: Vec<Range<u64>>,
    /// Records before this one may have been retired.
    complete_from: u64,
    /// Where each family ends.
    ends: [Place; FAMILIES],
    /// Where each family ended at least, as the other one knows.
    known_ends: [Place; FAMILIES],
    seen: u64,
}

impl Surveyor {
    /// Opens a segment; none if its head is no good.
    fn open(
        &mut self,
        disk: &dyn Disk,
        family: Family,
        number: u32,
        bytes: u64,
    ) -> Result<Option<Segment>, JournalError> {
        let kind = match open_segment(disk, family, number, bytes) {
            Ok(segment) => return Ok(Some(segment)),
            Err(OpenError::Disk(error)) => return Err(error),
            Err(OpenError::UnknownVersion { found, .. }) => DamageKind::Format(found),
            Err(OpenError::Damaged { offset: 0, .. }) => DamageKind::Head,
            Err(_) => DamageKind::Length,
        };
        self.damaged(file_name(family, number), kind, true);
        Ok(None)
    }

    fn missing(&mut self, family: Family, number: u32) {
        self.damaged(file_name(family, number), DamageKind::Missing, true);
    }

    fn damaged(&mut self, file: String, kind: DamageKind, refuses_start: bool) {
        self.survey.damage.push(Damage { file, kind, refuses_start });
    }

    /// Goes through a segment. `end` is where its last batch ends, as the next segment knows.
    fn read(&mut self, segment: &Segment, end: Option<u32>, is_last: bool) -> Result<(), JournalError> {
        let header = segment.header;
        if header.number > 1 && self.survey.segments.iter().all(|known| family_of(&known.file) != Some(header.family)) {
            self.complete_from = self.complete_from.max(header.next_sequence);
        }
        let mut window = Window::new(segment);
        let limit = match end {
            Some(end) => end,
            None => window.used_to(SECTOR)?,
        };
        let mut found = Surveyed {
            file: segment.name(),
            bytes: header.bytes.into(),
            used_bytes: SECTOR.into(),
            batches: 0,
            records: 0,
            begun: header.begun,
        };
        self.note_other_end(&header, header.other_end);
        let (mut offset, mut next_batch) = (SECTOR, header.next_batch);
        let mut bad_from = None;
        while offset < limit {
            let batch = window.batch_at(offset)?.filter(|(batch, _)| batch.number >= next_batch);
            let Some((batch, batch_end)) = batch else {
                bad_from.get_or_insert(offset);
                offset += SECTOR;
                continue;
            };
            if let Some(from) = bad_from.take() {
                self.part(&found.file, from..offset, is_last);
            }
            found.batches += 1;
            found.records += u64::from(batch.records);
            found.used_bytes = batch_end.into();
            self.note_records(batch.first_sequence..batch.end_sequence());
            self.note_other_end(&header, batch.other_end);
            (offset, next_batch) = (batch_end, batch.number + 1);
        }
        match bad_from {
            Some(from) if is_last => {
                let (offset, bytes) = (from.into(), (limit - from).into());
                self.survey.cuts.push(Cut { file: found.file.clone(), offset, bytes });
            }
            Some(from) => self.part(&found.file, from..limit, false),
            None => {}
        }
        self.ends[header.family.index()] = Place { segment: header.number, offset: found.used_bytes as u32 };
        self.survey.segments.push(found);
        Ok(())
    }

    fn part(&mut self, file: &str, part: Range<u32>, refuses_start: bool) {
        let kind = DamageKind::Part { offset: part.start.into(), bytes: (part.end - part.start).into() };
        self.damaged(file.to_owned(), kind, refuses_start);
    }

    fn note_other_end(&mut self, header: &SegmentHeader, end: Place) {
        let known = &mut self.known_ends[header.family.other().index()];
        *known = end.max(*known);
    }

    /// Batches of one family often follow each other: they are one range then.
    fn note_records(&mut self, records: Range<u64>) {
        match self.records.last_mut().filter(|last| last.end == records.start) {
            Some(last) => last.end = records.end,
            None => self.records.push(records),
        }
    }

    fn finish(mut self) -> Survey {
        for family in Family::ALL {
            let (end, known) = (self.ends[family.index()], self.known_ends[family.index()]);
            if known.segment > end.segment {
                // The last one of all: what the other family knows of it is all that there is.
                self.missing(family, known.segment);
            } else if known > end {
                // The other family says that this was finished, so it is no unfinished batch.
                let file = file_name(family, end.segment);
                self.survey.cuts.retain(|cut| cut.file != file);
                self.part(&file, end.offset..known.offset, true);
            }
        }
        self.records.sort_unstable_by_key(|range| range.start);
        let mut wanted = self.complete_from.max(1);
        for range in &self.records {
            if range.start > wanted {
                self.survey.lost.push(wanted..range.start);
            }
            wanted = wanted.max(range.end);
        }
        self.survey
    }
}

fn family_of(file: &str) -> Option<Family> {
    parse_file_name(file).map(|(family, _)| family)
}
