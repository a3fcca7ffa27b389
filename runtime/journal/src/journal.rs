use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::Position;

use crate::format::{self, BatchBuffer, SECTOR};
use crate::queue::{Limits, Queue};
use crate::recovery::{Found, recover};
use crate::segment::{Segment, Table};
use crate::writer::{Counters, Writer};
use crate::{
    Config, Disk, Family, JournalError, Mark, OpenError, ReadError, Replay, ReplayError, SegmentInfo, SegmentRecords,
    SubmitError, Work,
};

/// The least that makes sense: a head and a batch of a few records.
const SEGMENT_BYTES_MIN: u32 = 4 << 10;

const THREAD: &str = "writer thread";

/// Batches begin so far apart at least. A sync of a fast disk takes a fifth of it, so that at full rate there was one for
/// every four records without the pause, and there is one for some twenty with it. A batch that comes alone does not wait.
const BATCH_INTERVAL: Duration = Duration::from_millis(1);

/// Told once what became of an entry, on the thread that writes: it must be quick and must not panic.
pub type Done = Box<dyn FnOnce(Result<Placed, JournalError>) + Send>;

/// A record to be written.
pub struct Entry {
    /// Where to.
    pub family: Family,
    /// What a replay will show.
    pub body: Bytes,
    /// What lies beside it, to be read one by one.
    pub blobs: Vec<Bytes>,
    /// Called when the record is durable, or never will be.
    pub done: Done,
}

impl Entry {
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Bytes> {
        std::iter::once(&self.body).chain(&self.blobs)
    }
}

/// Where a record was written. It is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The record's number. The first is 1; no number is left out.
    pub sequence: u64,
    /// Where its body lies.
    pub body: Position,
    /// Where its blobs lie, in their order.
    pub blobs: Vec<Position>,
}

/// What [`Journal::open`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The sequence that the next record will get.
    pub next_sequence: u64,
    /// What was cut off: writes that were under way when the last process ended, and that nobody had been told of.
    pub cuts: Vec<Cut>,
}

/// A part of a file that held an unfinished batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub file: String,
    /// Where the part begins.
    pub offset: u64,
    /// How long it was.
    pub bytes: u64,
}

/// Counts since the journal was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Batches made durable.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of them, frames included.
    pub bytes: u64,
    /// Calls of [`DiskFile::sync_data`](crate::DiskFile::sync_data), those for new segments included.
    pub syncs: u64,
}

/// The journal. Shared between threads behind an [`Arc`]. Dropping it is [closing](Journal::close) it, except that
/// nobody writes what waits if that is done [by hand](Work::ByHand).
pub struct Journal {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread that writes has in common with everyone else.
struct Shared {
    disk: Arc<dyn Disk>,
    queue: Queue,
    table: Arc<Table>,
    counters: Arc<Counters>,
    writer: Mutex<Writer>,
    on_failure: Arc<dyn Fn(&JournalError) + Send + Sync>,
}

impl Journal {
    /// Opens the journal on this disk, or begins one if there is none. What is kept has been synced when this returns.
    ///
    /// # Errors
    /// If anything but an unfinished last batch is wrong; then nothing has been changed.
    pub fn open(disk: Arc<dyn Disk>, config: Config) -> Result<(Self, Recovered), OpenError> {
        if config.segment_bytes < SEGMENT_BYTES_MIN {
            return Err(OpenError::SegmentTooSmall { bytes: config.segment_bytes, bytes_min: SEGMENT_BYTES_MIN });
        }
        let Found { families, next_batch, next_sequence, cuts } = recover(&*disk)?;
        let filled = families.each_ref().map(|segments| segments.back().map_or(SECTOR, |segment| segment.end));
        let table = Arc::new(Table::new(families));
        let counters = Arc::new(Counters::default());
        counters.next_sequence.store(next_sequence, Ordering::Release);
        let work = config.work;
        let shared = Arc::new(Shared {
            disk: disk.clone(),
            queue: Queue::new(Limits {
                waiting_bytes_max: config.queue_bytes_max,
                batch_records_max: config.batch_records_max,
                batch_bytes_max: config.batch_bytes_max,
                record_bytes_max: format::payload_bytes_max(config.segment_bytes),
            }),
            table: table.clone(),
            counters: counters.clone(),
            on_failure: config.on_failure.clone(),
            writer: Mutex::new(Writer {
                disk,
                config,
                table,
                counters,
                next_batch,
                next_sequence,
                filled,
                buffer: BatchBuffer::default(),
            }),
        });
        let thread = match work {
            Work::ByHand => None,
            Work::Thread => Some(shared.clone().start().map_err(JournalError::new("start", THREAD))?),
        };
        Ok((Self { shared, thread: Mutex::new(thread) }, Recovered { next_sequence, cuts }))
    }

    /// Queues an entry. Never waits for the disk. Entries become durable, and are told so, in the order in which they
    /// were submitted.
    ///
    /// # Errors
    /// If it was not taken; then its `done` is never called.
    pub fn submit(&self, entry: Entry) -> Result<(), SubmitError> {
        self.shared.queue.submit(entry)
    }

    /// Writes one batch of what waits, on this thread. False: nothing waited. For [`Work::ByHand`].
    pub fn work(&self) -> bool {
        let mut batch = Vec::new();
        self.shared.queue.take(&mut batch);
        let any = !batch.is_empty();
        if any {
            self.shared.write(&mut batch);
        }
        any
    }

    /// The bytes at a position, their checksum verified.
    ///
    /// # Errors
    /// If the segment was retired, or the bytes are not what was written.
    pub fn read(&self, position: Position) -> Result<Bytes, ReadError> {
        self.shared.table.read(position)
    }

    /// The durable records from `from` on, as far as the journal goes now.
    ///
    /// # Errors
    /// If the journal ends before the mark. What is found on the way comes out of the iterator.
    pub fn replay(&self, from: Mark) -> Result<Replay, ReplayError> {
        Replay::new(&self.shared.table, from, self.next_sequence())
    }

    /// The durable records of one segment, without those of the other family that were written in the meantime; none if
    /// it has been retired. For looking through what is to be retired.
    pub fn records_of(&self, family: Family, segment: u32) -> SegmentRecords {
        let families = self.shared.table.get();
        let found = families[family.index()].iter().find(|candidate| candidate.header.number == segment);
        SegmentRecords::new(family, found.cloned())
    }

    /// The mark of a checkpoint that holds everything up to and including `sequence`; 0: nothing.
    pub fn mark_after(&self, sequence: u64) -> Mark {
        self.shared.table.mark(sequence + 1)
    }

    /// The sequence that the next record will get.
    pub fn next_sequence(&self) -> u64 {
        self.shared.counters.next_sequence.load(Ordering::Acquire)
    }

    /// The segments of a family, the oldest first. The last one is being written.
    pub fn segments(&self, family: Family) -> Vec<SegmentInfo> {
        self.shared.table.infos(family)
    }

    /// Removes the segments of a family up to and including number `up_to`, the oldest first, each removal durable
    /// before the next; never the one that is being written. Returns how many.
    ///
    /// # Errors
    /// If the disk fails; the journal has failed with it.
    pub fn retire(&self, family: Family, up_to: u32) -> Result<usize, JournalError> {
        let mut retired = 0;
        while let Some(segment) = self.shared.pop_oldest(family, up_to) {
            if let Err(error) = self.shared.remove(&segment) {
                self.shared.fail(error.clone(), &mut Vec::new());
                return Err(error);
            }
            retired += 1;
        }
        Ok(retired)
    }

    /// Bytes that are free on the disk.
    ///
    /// # Errors
    /// If the disk does not say.
    pub fn free_bytes(&self) -> io::Result<u64> {
        self.shared.disk.free_bytes()
    }

    /// Bytes that wait to be written.
    pub fn waiting_bytes(&self) -> usize {
        self.shared.queue.waiting_bytes()
    }

    /// The failure, if the journal has failed.
    pub fn failure(&self) -> Option<JournalError> {
        self.shared.queue.failure()
    }

    /// Counts since the journal was opened.
    pub fn statistics(&self) -> Statistics {
        self.shared.counters.statistics()
    }

    /// Takes nothing more in, writes what waits, and ends the thread. A second call does nothing.
    ///
    /// # Errors
    /// If the journal has failed.
    pub fn close(&self) -> Result<(), JournalError> {
        self.stop();
        while self.work() {}
        self.failure().map_or(Ok(()), Err)
    }

    fn stop(&self) {
        self.shared.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The last owner may be a `done`, on the very thread that would be waited for.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn start(self: Arc<Self>) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name("journal".to_owned()).spawn(move || {
            let mut batch = Vec::new();
            let run = catch_unwind(AssertUnwindSafe(|| {
                let mut earliest = Instant::now();
                while self.queue.wait_and_take(&mut batch, earliest) {
                    earliest = Instant::now() + BATCH_INTERVAL;
                    self.write(&mut batch);
                }
            }));
            if run.is_err() {
                let cause = io::Error::other("a callback panicked");
                self.fail(JournalError::new("run", THREAD)(cause), &mut batch);
            }
        })
    }

    fn write(&self, batch: &mut Vec<Entry>) {
        let written = {
            let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have met a failure in the meantime.
            self.queue.failure().map_or_else(|| writer.write(batch), Err)
        };
        match written {
            Ok(placed) => batch.drain(..).zip(placed).for_each(|(entry, placed)| (entry.done)(Ok(placed))),
            Err(error) => self.fail(error, batch),
        }
    }

    /// Tells everyone who waits, and then whoever wanted to know.
    fn fail(&self, error: JournalError, batch: &mut Vec<Entry>) {
        let waiting = self.queue.fail(error.clone());
        let first = waiting.is_some();
        for entry in batch.drain(..).chain(waiting.into_iter().flatten()) {
            (entry.done)(Err(error.clone()));
        }
        if first {
            (self.on_failure)(&error);
        }
    }

    fn pop_oldest(&self, family: Family, up_to: u32) -> Option<Segment> {
        let mut families = self.table.change();
        let segments = &mut families[family.index()];
        let retirable = segments.len() > 1 && segments.front().is_some_and(|oldest| oldest.header.number <= up_to);
        if retirable { segments.pop_front() } else { None }
    }

    fn remove(&self, segment: &Segment) -> Result<(), JournalError> {
        let name = segment.name();
        self.disk.remove(&name).map_err(JournalError::new("remove", &name))?;
        self.disk.sync_directory().map_err(JournalError::new("sync the removal of", &name))
    }
}
