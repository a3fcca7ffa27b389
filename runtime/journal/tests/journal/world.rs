//! What was submitted to a journal, what it has promised, and whether it keeps that.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use journal::simulation::{Random, SimulatedDisk};
use journal::{
    Config, Entry, Family, Journal, JournalError, Mark, OpenError, Placed, ReadError, Recovered, Replayed, Work,
};
use model::{Position, Timestamp};

pub(crate) const SEGMENT_BYTES: u32 = 8 << 10;

/// Segments so small that they are changed all the time, and no thread.
pub(crate) fn small() -> Config {
    let mut config = Config::new(|| Timestamp::from_millis(1_700_000_000_000));
    config.segment_bytes = SEGMENT_BYTES;
    config.batch_records_max = 8;
    config.work = Work::ByHand;
    config
}

/// Content that follows from its number, so that whatever is read can be judged.
pub(crate) fn content(id: u64) -> (Family, Bytes, Vec<Bytes>) {
    let mut random = Random(id);
    let family = if random.chance(4) { Family::Kept } else { Family::Incoming };
    let mut bytes = |prefix: &[u8]| {
        let length = if random.chance(8) { random.below(3000) } else { random.below(200) };
        // Zeros are what the files hold anyway: a torn batch must be known as one all the same.
        let fill = if random.chance(4) { 0 } else { random.next() as u8 };
        let mut bytes = prefix.to_vec();
        bytes.resize(prefix.len() + length, fill);
        Bytes::from(bytes)
    };
    let body = bytes(&id.to_le_bytes());
    let blobs = (0..id % 3).map(|_| bytes(&[])).collect();
    (family, body, blobs)
}

fn id_of(body: &[u8]) -> u64 {
    u64::from_le_bytes(body[..8].try_into().expect("a body begins with the number of its content"))
}

/// The records that a journal holds, by sequence.
pub(crate) fn replay(journal: &Journal, from: Mark) -> Vec<Replayed> {
    let records = journal.replay(from).expect("a mark within the journal");
    records.collect::<Result<_, _>>().expect("records that can be read")
}

#[derive(Clone, Copy, Debug)]
struct Promised {
    id: u64,
    family: Family,
    segment: u32,
}

/// What a journal was given and what it said, over any number of restarts.
#[derive(Default)]
pub(crate) struct World {
    submitted: u64,
    /// What is known to be durable, by sequence.
    promised: BTreeMap<u64, Promised>,
    /// Up to where each family may have lost its segments, and up to where it must have.
    retiring: [u32; 2],
    retired: [u32; 2],
    marks: Vec<Mark>,
    acknowledged: Arc<Mutex<Vec<(u64, Placed)>>>,
    pub(crate) failures: Arc<AtomicUsize>,
    pub(crate) cuts: u64,
    pub(crate) acknowledged_in_all: u64,
    /// Openings that met a fault.
    pub(crate) refusals: u64,
}

impl World {
    pub(crate) fn open(&mut self, disk: &SimulatedDisk) -> Result<Journal, OpenError> {
        let mut config = small();
        let failures = self.failures.clone();
        config.on_failure = Arc::new(move |_: &JournalError| {
            failures.fetch_add(1, Ordering::Relaxed);
        });
        let (journal, Recovered { next_sequence, cuts }) = Journal::open(Arc::new(disk.clone()), config)?;
        self.cuts += cuts.len() as u64;
        assert_eq!(journal.next_sequence(), next_sequence);
        assert!(cuts.len() <= 1, "one batch is under way at a time: {cuts:?}");
        Ok(journal)
    }

    /// Submits the next `count` records. False: the journal has failed.
    pub(crate) fn submit(&mut self, journal: &Journal, count: usize) -> bool {
        (0..count).all(|_| {
            let id = self.submitted;
            let (family, body, blobs) = content(id);
            let acknowledged = self.acknowledged.clone();
            let done = Box::new(move |placed: Result<Placed, _>| {
                acknowledged.lock().expect("no panic before").extend(placed.ok().map(|placed| (id, placed)));
            });
            let taken = journal.submit(Entry { family, body, blobs, done }).is_ok();
            self.submitted += u64::from(taken);
            taken
        })
    }

    /// Notes what the journal has called durable.
    pub(crate) fn note_acknowledged(&mut self) {
        for (id, placed) in std::mem::take(&mut *self.acknowledged.lock().expect("no panic before")) {
            self.acknowledged_in_all += 1;
            let Position { segment, .. } = placed.body;
            let promised = Promised { id, family: content(id).0, segment };
            let before = self.promised.insert(placed.sequence, promised);
            assert!(before.is_none_or(|before| before.id == id), "sequence {} given twice", placed.sequence);
        }
    }

    pub(crate) fn retire(&mut self, journal: &Journal, family: Family, random: &mut Random) {
        let segments = journal.segments(family);
        let Some(segment) = segments.get(random.below(segments.len().max(1))) else { return };
        // The one that is being written stays, whatever is asked for.
        let up_to = segment.number.min(segments[segments.len() - 1].number - 1);
        self.retiring[family as usize] = self.retiring[family as usize].max(up_to);
        if journal.retire(family, segment.number).is_ok() {
            self.retired[family as usize] = self.retired[family as usize].max(up_to);
        }
    }

    pub(crate) fn mark(&mut self, journal: &Journal, random: &mut Random) {
        let sequence = random.below(journal.next_sequence() as usize) as u64;
        let bytes = journal.mark_after(sequence).to_bytes();
        self.marks.push(Mark::from_bytes(&bytes).expect("a mark's own bytes"));
    }

    /// Everything that was promised is there, and nothing that was never submitted. What is there now is promised from
    /// now on.
    pub(crate) fn check(&mut self, journal: &Journal) {
        let records = replay(journal, Mark::START);
        let next = records.last().map_or(1, |last| last.sequence + 1);
        assert!(next <= journal.next_sequence());
        let found: BTreeMap<_, _> = records.iter().map(|record| (record.sequence, id_of(&record.body))).collect();
        let mut order = records.iter().map(|record| id_of(&record.body));
        assert!(order.by_ref().is_sorted_by(|before, after| before < after), "order of submission: {found:?}");
        for (sequence, promised) in &self.promised {
            let family = promised.family as usize;
            match found.get(sequence) {
                Some(id) => {
                    assert_eq!(*id, promised.id, "record {sequence}");
                    assert!(promised.segment > self.retired[family], "record {sequence} came back: {promised:?}");
                }
                None => assert!(promised.segment <= self.retiring[family], "record {sequence} is lost: {promised:?}"),
            }
        }
        for record in &records {
            self.check_record(journal, record);
        }
        let first = records.first().map_or(1, |first| first.sequence);
        for mark in &self.marks {
            let wanted: Vec<_> = records.iter().filter(|record| record.sequence >= mark.sequence()).cloned().collect();
            assert_eq!(replay(journal, *mark), wanted, "from {mark:?}, where the first is {first}");
        }
    }

    fn check_record(&mut self, journal: &Journal, record: &Replayed) {
        let id = id_of(&record.body);
        let (family, body, blobs) = content(id);
        assert!(id < self.submitted, "record {id} was never submitted");
        assert_eq!((record.family, &record.body), (family, &body), "record {id}");
        assert_eq!(journal.read(record.body_position).expect("a body"), body, "record {id}");
        let read: Vec<_> = record.blobs.iter().map(|blob| journal.read(*blob).expect("a blob")).collect();
        assert_eq!(read, blobs, "record {id}");
        let Position { segment, .. } = record.body_position;
        self.promised.insert(record.sequence, Promised { id, family, segment });
    }

    /// A position in a retired segment says so.
    pub(crate) fn check_gone(&self, journal: &Journal) {
        for family in Family::ALL {
            if let Some(segment) = Some(self.retired[family as usize]).filter(|retired| *retired > 0) {
                let read = journal.read(Position { family: family as u8, segment, offset: 512, length: 1 });
                assert!(matches!(read, Err(ReadError::Gone { .. })), "{read:?}");
            }
        }
    }
}

/// `WEIR_SEED` alone, or as many as `WEIR_SEEDS` says, or `default`.
pub(crate) fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    match number("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WEIR_SEEDS").unwrap_or(default),
    }
}
