//! What the store does at its limits, and the bytes that it writes.

#[allow(unused_macros, reason = "these tests are not the suite")]
mod suite;

use std::sync::Arc;

use futures_util::FutureExt;
use journal::simulation::Fault;
use journal::{Mark, SimulatedDisk, Work};
use store::{
    Accept, Accepted, Commit, Config, Health, LocalStore, MemoryProjection, Pending, Projection, Store, StoreError,
};
use suite::{Clock, FINISHED, config, dedupe, event, executions};

struct Fixture {
    clock: Clock,
    disk: SimulatedDisk,
    projection: MemoryProjection,
    store: LocalStore,
}

/// A store that writes when `journal().work()` is called.
fn fixture(change: impl FnOnce(&mut Config)) -> Fixture {
    let (clock, disk, projection) = (Clock::new(), SimulatedDisk::new(1), MemoryProjection::default());
    let mut config = config(&clock);
    config.journal.work = Work::ByHand;
    change(&mut config);
    let (store, _) =
        LocalStore::open(Arc::new(disk.clone()), Box::new(projection.clone()), config, &mut |_| {}).unwrap();
    Fixture { clock, disk, projection, store }
}

impl Fixture {
    fn accept(&self, number: u64, key: u64) -> (model::Execution, Pending<Accepted>) {
        let event = event(&self.clock, number, vec![b'x'; 1000]);
        let executions = executions(&event, &["crm"]);
        let mut held = executions[0].clone();
        held.revision = 1;
        (held, self.store.accept(Accept { event, dedupe: Some(dedupe(key)), executions }))
    }

    fn commit(&self, execution: model::Execution) -> Pending<()> {
        self.store.commit(Commit { executions: vec![execution], rows: Vec::new() })
    }
}

#[test]
fn a_repeat_waits_for_the_sync_of_the_first() {
    let fixture = fixture(|_| {});
    let (execution, mut first) = fixture.accept(1, 7);
    let (_, mut repeat) = fixture.accept(2, 7);
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut repeat).now_or_never().is_none());
    while fixture.store.journal().work() {}
    assert_eq!(first.now_or_never().unwrap().unwrap(), Accepted::New);
    let repeated = Accepted::Repeat { first: execution.id.event(), same_data: true };
    assert_eq!(repeat.now_or_never().unwrap().unwrap(), repeated);
    assert_eq!(fixture.store.stats().journal.records, 1, "a repeat writes nothing");
}

#[test]
fn a_full_overlay_refuses_events_and_lets_outcomes_in() {
    let fixture = fixture(|config| config.overlay_bytes_max = 40_000);
    let mut accepted = Vec::new();
    let refused = loop {
        let (execution, mut pending) = fixture.accept(accepted.len() as u64, accepted.len() as u64);
        match (&mut pending).now_or_never() {
            None => accepted.push((execution, pending)),
            Some(refused) => break refused.unwrap_err(),
        }
    };
    assert!(matches!(refused, StoreError::Busy { .. }), "{refused}");
    assert!(accepted.len() > 10);
    let mut outcome = accepted[0].0.clone();
    outcome.state = FINISHED;
    let outcome = fixture.commit(outcome);
    while fixture.store.journal().work() {}
    outcome.now_or_never().unwrap().unwrap();
    fixture.store.maintain().unwrap();
    let (_, pending) = fixture.accept(1000, 1000);
    while fixture.store.journal().work() {}
    assert_eq!(pending.now_or_never().unwrap().unwrap(), Accepted::New);
}

#[test]
fn a_nearly_full_disk_refuses_events_and_recovers_by_itself() {
    let fixture = fixture(|config| config.free_bytes_min = 4 << 20);
    let (mut execution, pending) = fixture.accept(1, 1);
    while fixture.store.journal().work() {}
    pending.now_or_never().unwrap().unwrap();
    fixture.disk.set_limit(4 << 20);
    fixture.store.maintain().unwrap();
    let Health::Refusing { reason } = fixture.store.health() else { panic!("{:?}", fixture.store.health()) };
    assert!(reason.contains("free on the disk"), "{reason}");
    let refused = fixture.accept(2, 2).1.now_or_never().unwrap().unwrap_err();
    assert!(matches!(refused, StoreError::Busy { .. }), "{refused}");
    execution.state = FINISHED;
    let outcome = fixture.commit(execution);
    while fixture.store.journal().work() {}
    outcome.now_or_never().unwrap().unwrap();
    fixture.disk.set_limit(64 << 20);
    fixture.store.maintain().unwrap();
    assert_eq!(fixture.store.health(), Health::Good);
    assert!(fixture.accept(3, 3).1.now_or_never().is_none(), "taken, and waits for its sync");
}

#[test]
fn a_failed_disk_fails_everything_that_waits_and_comes() {
    let fixture = fixture(|_| {});
    let (_, first) = fixture.accept(1, 7);
    let (_, repeat) = fixture.accept(2, 7);
    fixture.disk.fail_at(fixture.disk.operations() + 1, Fault::Error);
    while fixture.store.journal().work() {}
    for pending in [first, repeat, fixture.accept(3, 8).1] {
        let failed = pending.now_or_never().unwrap().unwrap_err();
        assert!(matches!(failed, StoreError::Failed(_)), "{failed}");
    }
    assert!(matches!(fixture.store.health(), Health::Failed { .. }));
}

#[test]
fn the_oldest_go_when_the_journal_has_too_many_bytes() {
    let fixture = fixture(|config| {
        config.journal.segment_bytes = 16 << 10;
        config.retention.bytes = 64 << 10;
    });
    for number in 0..100 {
        let (mut execution, accepted) = fixture.accept(number, number);
        execution.state = FINISHED;
        let finished = fixture.commit(execution);
        while fixture.store.journal().work() {}
        accepted.now_or_never().unwrap().unwrap();
        finished.now_or_never().unwrap().unwrap();
    }
    while fixture.store.maintain().unwrap() || fixture.store.stats().overlay_rows > 0 {
        fixture.store.journal().work();
    }
    assert!(fixture.store.journal().segments(journal::Family::Incoming).len() <= 4);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whoever changes these bytes has to raise the format's version and to read the old ones.
#[test]
fn records_and_rows_are_written_as_they_always_were() {
    let fixture = fixture(|_| {});
    let (execution, accepted) = fixture.accept(1, 7);
    let mut parked = execution;
    parked.state = suite::parked();
    let committed = fixture.commit(parked);
    while fixture.store.journal().work() {}
    accepted.now_or_never().unwrap().unwrap();
    committed.now_or_never().unwrap().unwrap();
    fixture.store.maintain().unwrap();
    let records = fixture.store.journal().replay(Mark::START).unwrap();
    let records: Vec<_> = records.map(|record| hex(&record.unwrap().body)).collect();
    assert_eq!(records, RECORDS);
    let rows = fixture.projection.scan(&[1], &[0xff], false, 100).unwrap();
    let rows: Vec<_> = rows.iter().map(|(key, value)| format!("{} {}", hex(key), hex(value))).collect();
    assert_eq!(rows, ROWS);
}

const RECORDS: [&str; 2] = [
    "010211119e9a33ad8a81e0268e93b72987dea66f000100002d1001a0c4506c017000800000000000000144f8354494a5ba03ba1792a8\
     d3e9c53481d8c1a28c348190dbcb8c3400131001a0c4506c0170008000000000000001000000010000511201a0c4506c01700080000\
     000000000010000010363726d0c3031323334353637383961620473686f70056f7264657281d8c1a28c3481d8c1a28c340000000000\
     00020000000000000000000000000000010000",
    "0101131001a0c4506c0170008000000000000001000000020000601201a0c4506c01700080000000000000010000020363726d0c3031\
     323334353637383961620473686f70056f7264657281d8c1a28c3481d8c1a28c3402010d6d656e64207468652064617461000000000\
     0020000000000000000000000000000010000",
];
const ROWS: [&str; 3] = [
    "1001a0c4506c01700080000000000000010000 01020000601201a0c4506c01700080000000000000010000020363726d0c303132333\
     4353637383961620473686f70056f7264657281d8c1a28c3481d8c1a28c3402010d6d656e6420746865206461746100000000000200\
     00000000000000000000000000010001ea0ee807",
    "119e9a33ad8a81e0268e93b72987dea66f 010100002d1001a0c4506c017000800000000000000144f8354494a5ba03ba1792a8d3e9c\
     53481d8c1a28c348190dbcb8c3400",
    "130201a0c4506c01700080000000000000010000 0363726d0200",
];
