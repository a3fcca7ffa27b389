use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use journal::simulation::{Fault, SimulatedDisk};
use journal::{
    Config, Disk, Entry, Family, Journal, JournalError, LockError, Mark, OpenError, Placed, ReadError, RealDisk,
    ReplayError, SubmitError,
};
use model::{Position, Timestamp};

use crate::world::{SEGMENT_BYTES, replay, small};

type Answer = mpsc::Receiver<Result<Placed, JournalError>>;

/// An entry and where its answer arrives.
fn entry(family: Family, body: impl Into<Bytes>, blobs: &[&'static str]) -> (Entry, Answer) {
    let (sender, answer) = mpsc::channel();
    let blobs = blobs.iter().map(|blob| Bytes::from_static(blob.as_bytes())).collect();
    let done = Box::new(move |placed| {
        let _ = sender.send(placed);
    });
    (Entry { family, body: body.into(), blobs, done }, answer)
}

fn threaded() -> Config {
    Config { work: journal::Work::Thread, ..small() }
}

fn open(disk: &SimulatedDisk, config: Config) -> Journal {
    Journal::open(Arc::new(disk.clone()), config).expect("a good disk").0
}

fn write(journal: &Journal, family: Family, body: &'static str, blobs: &[&'static str]) -> Placed {
    let (entry, answer) = entry(family, body, blobs);
    journal.submit(entry).expect("room");
    journal.work();
    answer.recv().expect("an answer").expect("a good disk")
}

#[test]
fn what_is_written_is_read_and_replayed_on_a_real_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = || Config { segment_bytes: 1 << 20, ..threaded() };
    let disk = || Arc::new(RealDisk::new(folder.path().join("journal")).expect("a folder of our own"));
    let (journal, recovered) = Journal::open(disk(), config()).expect("an empty folder");
    assert_eq!((recovered.next_sequence, recovered.cuts.len()), (1, 0));
    let placed = write(&journal, Family::Incoming, "accepted", &["event", ""]);
    let kept = write(&journal, Family::Kept, "carried over", &[]);
    assert_eq!((placed.sequence, kept.sequence), (1, 2));
    assert_eq!(journal.read(placed.blobs[0]).expect("the blob"), "event");
    assert!(journal.free_bytes().expect("a file system") > 0);
    journal.close().expect("a good disk");
    drop(journal);

    let (journal, recovered) = Journal::open(disk(), config()).expect("what was closed");
    assert_eq!((recovered.next_sequence, recovered.cuts.len()), (3, 0));
    let records = replay(&journal, Mark::START);
    let seen: Vec<_> = records.iter().map(|record| (record.sequence, record.family, &record.body[..])).collect();
    assert_eq!(seen, [(1, Family::Incoming, &b"accepted"[..]), (2, Family::Kept, b"carried over")]);
    assert_eq!((records[0].body_position, &records[0].blobs), (placed.body, &placed.blobs));
    assert_eq!(journal.read(kept.body).expect("the body"), "carried over");
    assert_eq!(journal.read(placed.blobs[1]).expect("the blob"), "");
}

#[test]
fn one_sync_serves_everyone_who_waited() {
    let disk = SimulatedDisk::new(1);
    let config = Config { batch_records_max: 1024, segment_bytes: 1 << 20, ..threaded() };
    let journal = Arc::new(open(&disk, config));
    // The first answer holds the thread up until all the others wait.
    let (go, gone) = mpsc::channel::<()>();
    let (mut first, _) = entry(Family::Incoming, "first", &[]);
    let (begin, begun) = mpsc::channel();
    first.done = Box::new(move |_| {
        begin.send(()).expect("a test that waits");
        gone.recv().expect("a signal");
    });
    journal.submit(first).expect("room");
    begun.recv().expect("an answer to the first");
    let (sender, answers) = mpsc::channel();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (journal, sender) = (&journal, sender.clone());
            scope.spawn(move || {
                for index in 0..50 {
                    let sender = sender.clone();
                    let done = Box::new(move |placed: Result<Placed, _>| {
                        let _ = sender.send((thread, index, placed.map(|placed| placed.sequence)));
                    });
                    let body = Bytes::from(vec![thread; 100]);
                    journal.submit(Entry { family: Family::Incoming, body, blobs: vec![], done }).expect("room");
                }
            });
        }
    });
    go.send(()).expect("a thread that waits");
    let answers: Vec<_> = answers.iter().take(400).collect();
    let sequences: Vec<_> = answers.iter().map(|(_, _, sequence)| *sequence.as_ref().expect("a good disk")).collect();
    assert!(sequences.iter().copied().eq(2..402), "told in order, no number left out");
    for thread in 0..8 {
        let own = answers.iter().filter(|answer| answer.0 == thread).map(|answer| answer.1);
        assert!(own.eq(0..50), "in the order of submission");
    }
    let statistics = journal.statistics();
    // One batch for the first record, one for the 400, and one sync for the head of the segment.
    assert_eq!((statistics.batches, statistics.records, statistics.syncs), (2, 401, 3));
}

#[test]
fn a_batch_keeps_to_its_limits() {
    let disk = SimulatedDisk::new(1);
    let journal = open(&disk, Config { batch_records_max: 3, batch_bytes_max: 2048, ..small() });
    let mut answers = Vec::new();
    let mut submit = |family, bytes: usize| {
        let (entry, answer) = entry(family, vec![0; bytes], &[]);
        journal.submit(entry).expect("room");
        answers.push(answer);
    };
    (0..4).for_each(|_| submit(Family::Incoming, 1)); // three, and one
    submit(Family::Kept, 1); // another family
    submit(Family::Incoming, 4000); // more than the limit, alone
    (0..2).for_each(|_| submit(Family::Incoming, 1500)); // not both at once
    let mut batches = Vec::new();
    let mut before = 0;
    while journal.work() {
        let records = journal.statistics().records;
        batches.push(records - before);
        before = records;
    }
    assert_eq!(batches, [3, 1, 1, 1, 1, 1]);
    let sequences = answers.iter().map(|answer| answer.recv().expect("an answer").expect("a good disk").sequence);
    assert!(sequences.eq(1..9));
}

#[test]
fn what_does_not_fit_is_refused_with_the_figures() {
    let disk = SimulatedDisk::new(1);
    let journal = open(&disk, Config { queue_bytes_max: 1000, ..small() });
    let refused = |bytes: usize| {
        let (entry, answer) = entry(Family::Incoming, vec![0; bytes], &[]);
        let refusal = journal.submit(entry).expect_err("no room");
        assert!(answer.recv().is_err(), "never heard of again");
        refusal
    };
    let room = SEGMENT_BYTES as usize - 512 - 48 - 4 - 8;
    assert!(matches!(refused(room + 1), SubmitError::TooLarge { bytes, bytes_max } if bytes == bytes_max + 1));
    // What waits may be too much in all, but a record larger than the limit is taken when nothing else waits.
    let (large, answer) = entry(Family::Incoming, vec![0; room], &[]);
    journal.submit(large).expect("an empty queue");
    assert!(matches!(refused(1), SubmitError::Full { waiting_bytes, waiting_bytes_max: 1000 } if waiting_bytes > room));
    assert!(journal.work() && answer.recv().expect("an answer").is_ok());
    assert_eq!(journal.waiting_bytes(), 0);
    journal.close().expect("a good disk");
    assert!(matches!(refused(1), SubmitError::Closed));
    let small = Journal::open(Arc::new(disk), Config { segment_bytes: 4095, ..small() });
    assert!(matches!(small, Err(OpenError::SegmentTooSmall { bytes: 4095, bytes_min: 4096 })));
}

#[test]
fn closing_writes_what_waits() {
    for config in [small(), threaded()] {
        let disk = SimulatedDisk::new(1);
        let journal = open(&disk, config);
        let answers: Vec<_> = (0..20)
            .map(|_| {
                let (entry, answer) = entry(Family::Incoming, "waits", &[]);
                journal.submit(entry).expect("room");
                answer
            })
            .collect();
        journal.close().expect("a good disk");
        journal.close().expect("a second time");
        assert!(answers.iter().all(|answer| answer.try_recv().expect("an answer").is_ok()));
        assert_eq!(replay(&open(&disk.crash(3), small()), Mark::START).len(), 20);
    }
}

#[test]
fn a_failure_is_told_to_everyone_and_lasts() {
    let disk = SimulatedDisk::new(1);
    let told = Arc::new(AtomicBool::new(false));
    let hook = told.clone();
    let on_failure = Arc::new(move |_: &JournalError| assert!(!hook.swap(true, Ordering::Relaxed), "told once"));
    let journal = open(&disk, Config { on_failure, ..small() });
    write(&journal, Family::Incoming, "good", &[]);
    // Opening and the head of the segment are behind us: the next write is followed by the sync that fails.
    disk.fail_at(disk.operations() + 2, Fault::Error);
    let answers: Vec<_> = (0..20)
        .map(|_| {
            let (entry, answer) = entry(Family::Incoming, "lost", &[]);
            journal.submit(entry).expect("room");
            answer
        })
        .collect();
    journal.work();
    for answer in answers {
        let error = answer.recv().expect("an answer").expect_err("a failed sync");
        assert_eq!(error.to_string(), "cannot sync `incoming-0000000001.segment` of the journal");
    }
    assert!(told.load(Ordering::Relaxed));
    let (late, _) = entry(Family::Incoming, "late", &[]);
    assert!(matches!(journal.submit(late), Err(SubmitError::Failed(_))));
    assert!(!journal.work(), "never tried again");
    journal.close().expect_err("it has failed");
}

#[test]
fn a_full_disk_fails_when_a_segment_is_begun_and_not_within_one() {
    let disk = SimulatedDisk::new(1);
    disk.set_limit(u64::from(SEGMENT_BYTES));
    let journal = open(&disk, small());
    write(&journal, Family::Incoming, "within", &[]);
    assert_eq!(journal.free_bytes().expect("a simulated disk"), 0);
    write(&journal, Family::Incoming, "still within", &[]);
    let (entry, answer) = entry(Family::Kept, "needs another segment", &[]);
    journal.submit(entry).expect("room");
    journal.work();
    let error = answer.recv().expect("an answer").expect_err("a full disk");
    assert_eq!(error.cause.kind(), ErrorKind::StorageFull);
    disk.set_limit(u64::MAX);
    assert_eq!(replay(&open(&disk, small()), Mark::START).len(), 2);
}

#[test]
fn segments_retire_oldest_first_and_say_so() {
    let disk = SimulatedDisk::new(1);
    let mut config = small();
    let time = Arc::new(std::sync::atomic::AtomicU64::new(1000));
    let clock = time.clone();
    config.now = Arc::new(move || Timestamp::from_millis(clock.fetch_add(1, Ordering::Relaxed)));
    let journal = open(&disk, config);
    let kept = write(&journal, Family::Kept, "kept", &[]);
    let large = || Box::leak(vec![b'x'; 3000].into_boxed_slice());
    let placed: Vec<_> = (0..6)
        .map(|_| write(&journal, Family::Incoming, std::str::from_utf8(large()).expect("letters"), &[]))
        .collect();
    let segments = journal.segments(Family::Incoming);
    let seen: Vec<_> = segments
        .iter()
        .map(|segment| (segment.number, segment.first_sequence, segment.end_sequence, segment.begun.as_millis()))
        .collect();
    assert_eq!(seen, [(1, 2, Some(4), 1001), (2, 4, Some(6), 1002), (3, 6, None, 1003)]);
    assert_eq!(segments[0].ended, Some(segments[1].begun));
    assert_eq!((&*segments[0].file, segments[0].bytes), ("incoming-0000000001.segment", SEGMENT_BYTES.into()));

    let mark = journal.mark_after(2);
    assert_eq!(journal.retire(Family::Incoming, 1).expect("a good disk"), 1);
    assert!(matches!(journal.read(placed[0].body), Err(ReadError::Gone { .. })));
    // The one that is being written stays, and so does the other family.
    assert_eq!(journal.retire(Family::Incoming, u32::MAX).expect("a good disk"), 1);
    let crashed = open(&disk.crash(9), small());
    for journal in [&journal, &crashed] {
        assert!(matches!(journal.read(placed[3].body), Err(ReadError::Gone { .. })));
        assert_eq!(journal.read(placed[4].body).expect("still there").len(), 3000);
        assert_eq!(journal.read(kept.body).expect("still there"), "kept");
        let sequences = |from| replay(journal, from).into_iter().map(|record| record.sequence).collect::<Vec<_>>();
        assert_eq!(sequences(Mark::START), [1, 6, 7]);
        assert_eq!(sequences(mark), [6, 7]);
    }
}

#[test]
fn positions_and_marks_from_elsewhere_do_no_harm() {
    let disk = SimulatedDisk::new(1);
    let journal = open(&disk, small());
    let placed = write(&journal, Family::Incoming, "body", &[]);
    for wrong in [
        Position { family: 2, ..placed.body },
        Position { family: 1, ..placed.body },
        Position { segment: 2, ..placed.body },
        Position { offset: placed.body.offset + 1, ..placed.body },
        Position { offset: u32::MAX, ..placed.body },
        Position { length: 3, ..placed.body },
        Position { length: u32::MAX, ..placed.body },
    ] {
        assert!(matches!(journal.read(wrong), Err(ReadError::Damaged { .. })), "{wrong:?}");
    }
    assert!(matches!(journal.read(Position { segment: 0, ..placed.body }), Err(ReadError::Gone { .. })));
    let ahead = Mark::from_bytes(&[&[1, 3][..], &[0; 23]].concat()).expect("a mark");
    assert!(matches!(journal.replay(ahead), Err(ReplayError::Ahead { wanted: 3, next: 2 })));
    for wrong in [&[][..], &[1; 24], &[1; 26], &[2; 25]] {
        Mark::from_bytes(wrong).expect_err("no mark");
    }
}

#[test]
fn a_directory_has_one_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let disk = RealDisk::new(folder.path()).expect("a free folder");
    let Err(refusal) = RealDisk::new(folder.path()) else { panic!("two owners") };
    assert!(matches!(refusal, LockError::InUse { holder: Some(pid), .. } if pid == std::process::id()));
    let cure = format!("is in use by process {}; stop that one first", std::process::id());
    assert!(refusal.to_string().contains(&cure), "{refusal}");
    assert!(disk.list().expect("a folder").iter().any(|file| file.name == "lock"));
    drop(disk);
    RealDisk::new(folder.path()).expect("a folder that is free again");
}
