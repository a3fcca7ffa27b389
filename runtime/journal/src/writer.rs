use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::Position;

use crate::format::{self, BatchBuffer, BatchHeader, SECTOR, SegmentHeader};
use crate::mark::Place;
use crate::segment::{FAMILIES, NEW, Segment, Table, file_name};
use crate::{Config, Disk, Entry, Family, JournalError, Placed, Statistics};

/// Zeros are written so far ahead, in steps of so much: overwriting what has been written before needs no change to the
/// file system's own records, so that a sync is one write instead of several.
const FILL_AHEAD_BYTES: u32 = 1 << 20;

/// Writes batches behind each other. Whoever has it is the only one who writes.
pub(crate) struct Writer {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) config: Config,
    pub(crate) table: Arc<Table>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) next_batch: u64,
    pub(crate) next_sequence: u64,
    /// How far each family's last segment has been written, zeros included.
    pub(crate) filled: [u32; FAMILIES],
    pub(crate) buffer: BatchBuffer,
}

/// [`Statistics`] as they grow, and how far the durable records reach.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) batches: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) next_sequence: AtomicU64,
}

impl Counters {
    pub(crate) fn statistics(&self) -> Statistics {
        Statistics {
            batches: self.batches.load(Ordering::Relaxed),
            records: self.records.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
        }
    }
}

impl JournalError {
    pub(crate) fn new(operation: &'static str, file: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let file = file.into();
        move |cause| Self { operation, file, cause: Arc::new(cause) }
    }
}

impl Writer {
    /// Makes a batch of entries of one family durable, and says where they are.
    pub(crate) fn write(&mut self, batch: &[Entry]) -> Result<Vec<Placed>, JournalError> {
        let family = batch[0].family;
        let payload_bytes = batch.iter().map(|entry| format::record_bytes(entry.parts())).sum();
        let (current, other_end) = self.current(family, payload_bytes)?;
        let SegmentHeader { number: segment, salt, bytes: segment_bytes, .. } = current.header;
        let offset = current.end;

        self.buffer.begin();
        let mut placed = Vec::with_capacity(batch.len());
        for (entry, sequence) in batch.iter().zip(self.next_sequence..) {
            self.buffer.begin_record(entry.blobs.len());
            let mut place = |content: &[u8]| Position {
                family: family as u8,
                segment,
                offset: self.buffer.push_frame(salt, offset, content),
                length: content.len() as u32,
            };
            let body = place(&entry.body);
            placed.push(Placed { sequence, body, blobs: entry.blobs.iter().map(|blob| place(blob)).collect() });
        }
        let header = BatchHeader::new(self.next_batch, self.next_sequence, batch.len() as u32, other_end);
        let filled = self.filled[family.index()];
        let finished = self.buffer.finish(salt, header, offset, |end| {
            if end <= filled { end } else { end.next_multiple_of(FILL_AHEAD_BYTES).min(segment_bytes) }
        });

        let name = || file_name(family, segment);
        let bytes = finished.bytes;
        current.file.write_at(offset.into(), bytes).map_err(|cause| JournalError::new("write", name())(cause))?;
        current.file.sync_data().map_err(|cause| JournalError::new("sync", name())(cause))?;
        self.filled[family.index()] = filled.max(finished.filled);
        let end = finished.end;
        self.buffer.shrink_to(2 * self.config.batch_bytes_max);
        self.note(family, batch.len() as u64, end);
        Ok(placed)
    }

    /// What is known once a batch is durable.
    fn note(&mut self, family: Family, records: u64, end: u32) {
        let mut families = self.table.change();
        if let Some(segment) = families[family.index()].back_mut() {
            self.counters.bytes.fetch_add(u64::from(end - segment.end), Ordering::Relaxed);
            segment.extend(self.next_sequence, end);
        }
        drop(families);
        self.next_batch += 1;
        self.next_sequence += records;
        self.counters.next_sequence.store(self.next_sequence, Ordering::Release);
        self.counters.batches.fetch_add(1, Ordering::Relaxed);
        self.counters.records.fetch_add(records, Ordering::Relaxed);
        self.counters.syncs.fetch_add(1, Ordering::Relaxed);
    }

    /// The segment that has room for the payload, a new one if need be, and where the other family ends.
    fn current(&mut self, family: Family, payload_bytes: usize) -> Result<(Segment, Place), JournalError> {
        let (last, other_end) = {
            let families = self.table.get();
            let end = |segments: &VecDeque<Segment>| segments.back().map_or(Place::default(), Segment::end_place);
            (families[family.index()].back().cloned(), end(&families[family.other().index()]))
        };
        let needed = (format::BATCH_HEADER_BYTES + payload_bytes) as u64;
        let segment = match last {
            Some(last) if u64::from(last.end) + needed <= u64::from(last.header.bytes) => last,
            last => self.begin_segment(family, last.map_or(Place::default(), |last| last.end_place()), other_end)?,
        };
        Ok((segment, other_end))
    }

    /// A segment gets its name when its header is durable, and its first batch when its name is.
    fn begin_segment(&mut self, family: Family, previous: Place, other_end: Place) -> Result<Segment, JournalError> {
        let header = SegmentHeader {
            family,
            number: previous.segment + 1,
            bytes: self.config.segment_bytes / SECTOR * SECTOR,
            salt: self.disk.random().map_err(JournalError::new("choose a salt for", NEW))?,
            next_batch: self.next_batch,
            next_sequence: self.next_sequence,
            previous_end: previous.offset,
            other_end,
            begun: (self.config.now)(),
        };
        let name = file_name(family, header.number);
        let file = self.disk.create(NEW, header.bytes.into()).map_err(JournalError::new("create", NEW))?;
        file.write_at(0, &header.encode()).map_err(JournalError::new("write", NEW))?;
        file.sync_data().map_err(JournalError::new("sync", NEW))?;
        self.disk.rename(NEW, &name).map_err(JournalError::new("name", &name))?;
        self.disk.sync_directory().map_err(JournalError::new("sync the name of", &name))?;
        self.counters.syncs.fetch_add(1, Ordering::Relaxed);
        self.filled[family.index()] = SECTOR;
        let segment = Segment::new(header, file);
        self.table.change()[family.index()].push_back(segment.clone());
        Ok(segment)
    }
}
