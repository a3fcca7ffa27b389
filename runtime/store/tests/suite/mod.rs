//! What every store has to do, whatever disk and projection lie below it. `run_suite!` makes a test of each function.

#![allow(dead_code, unreachable_pub, reason = "each test binary takes what it needs")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use model::{
    Attempt, Attributes, Blob, BlobIndex, Event, EventId, Execution, ExecutionId, Fault, FaultKind, FlowRef, Gate,
    Outcome, ParkReason, State, StateKind, Step, Timestamp, WaitReason,
};
use store::{
    Accept, Accepted, Commit, Config, Count, Dedupe, Due, Health, LocalStore, Opened, Query, Row, RowWrite, Store,
    StoreError, Table,
};

pub const HOUR: Duration = Duration::from_secs(3600);

/// A disk and a projection that outlive a store.
pub trait Ground {
    /// Opens the store on what there is.
    fn open(&self, config: Config) -> (LocalStore, Opened);

    /// Throws the projection away.
    fn forget_projection(&self);

    /// All rows of the projection; no store is open.
    fn rows(&self) -> Vec<(Bytes, Bytes)>;
}

/// A clock that is moved by hand.
#[derive(Clone)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_790_000_000_000)))
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    pub fn advance(&self, duration: Duration) {
        self.0.fetch_add(duration.as_millis() as u64, Ordering::Relaxed);
    }
}

pub fn config(clock: &Clock) -> Config {
    let clock = clock.clone();
    let mut journal = journal::Config::new(move || clock.now());
    journal.segment_bytes = 1 << 20;
    let mut config = Config::new(journal);
    config.free_bytes_min = 0;
    // Tests call `maintain` themselves.
    config.apply_interval = HOUR;
    config
}

pub fn event(clock: &Clock, number: u64, data: impl Into<Bytes>) -> Arc<Event> {
    clock.advance(Duration::from_millis(1));
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    Arc::new(Event {
        id: EventId::new(clock.now(), random),
        received: clock.now(),
        attributes: Attributes { id: number.to_string(), ..Attributes::default() },
        transport: Vec::new(),
        data: data.into(),
    })
}

/// Executions of `event`, one for each flow.
pub fn executions(event: &Event, flows: &[&str]) -> Vec<Execution> {
    let blob = Arc::new(Blob::new(event.data.clone()));
    let one = |(ordinal, flow): (usize, &&str)| Execution {
        id: ExecutionId::new(event.id, ordinal as u16),
        revision: 0,
        flow: FlowRef { name: (*flow).to_owned(), version: "0123456789ab".to_owned() },
        source: "shop".to_owned(),
        kind: "order".to_owned(),
        received: event.received,
        updated: event.received,
        state: State::Ready,
        lane: None,
        replay_of: None,
        keys_of: None,
        first_step: 0,
        event: BlobIndex(0),
        steps: vec![Step::default(), Step::default()],
        blobs: vec![Arc::clone(&blob)],
    };
    flows.iter().enumerate().map(one).collect()
}

pub fn dedupe(key: u64) -> Dedupe {
    Dedupe { source: "shop".to_owned(), key: key.to_string(), window: 24 * HOUR }
}

pub async fn accept(store: &LocalStore, event: &Arc<Event>, flows: &[&str]) -> Vec<ExecutionId> {
    let executions = executions(event, flows);
    let ids = executions.iter().map(|execution| execution.id.clone()).collect();
    let accept = Accept { event: Arc::clone(event), dedupe: None, executions };
    assert_eq!(store.accept(accept).await.unwrap(), Accepted::New);
    ids
}

pub async fn load(store: &LocalStore, id: &ExecutionId) -> Execution {
    store.load(id.clone()).await.unwrap().unwrap_or_else(|| panic!("{id} is not there"))
}

/// Loads, changes, commits.
pub async fn change(store: &LocalStore, id: &ExecutionId, change: impl FnOnce(&mut Execution)) {
    let mut execution = load(store, id).await;
    change(&mut execution);
    store.commit(Commit { executions: vec![execution], rows: Vec::new() }).await.unwrap();
}

/// Brings everything into the projection, and does all the retirement there is.
pub fn settle(store: &LocalStore) {
    while store.maintain().unwrap() || store.stats().overlay_rows > 0 {}
}

pub fn waiting(until: Timestamp, gate: Gate) -> State {
    State::Waiting { until, gate, reason: WaitReason::Paused }
}

pub fn parked() -> State {
    State::Parked { reason: ParkReason::Data, message: "mend the data".to_owned() }
}

pub fn dead() -> State {
    State::Dead { fault: Fault::new(FaultKind::Rejected, "no", "the destination said no") }
}

pub const FINISHED: State = State::Finished { filtered: false };

async fn query(store: &LocalStore, query: Query) -> Vec<ExecutionId> {
    let mut ids = Vec::new();
    let mut query = Query { limit: 3, ..query };
    loop {
        let page = store.query(query.clone()).await.unwrap();
        assert!(page.executions.len() <= 3);
        ids.extend(page.executions.into_iter().map(|execution| execution.id));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return ids,
        }
    }
}

/// What is found in the overlay is also found in the projection, and after a restart with and without a clean end.
pub async fn what_was_accepted_stays(ground: &impl Ground) {
    let clock = Clock::new();
    let (store, opened) = ground.open(config(&clock));
    assert_eq!((opened.replayed, opened.rebuilt), (0, true));
    let event = event(&clock, 1, "hello");
    let ids = accept(&store, &event, &["crm", "chat"]).await;
    change(&store, &ids[0], |execution| {
        let output = execution.add_blob(Arc::new(Blob::new("mapped".into())));
        execution.steps[0].output = Some(output);
        execution.state = waiting(clock.now(), Gate::Connection("crm".to_owned()));
    })
    .await;

    let check = async |store: &LocalStore| {
        let [first, second] = [load(store, &ids[0]).await, load(store, &ids[1]).await];
        assert_eq!((first.revision, second.revision), (2, 1));
        assert_eq!(first.state, waiting(clock.now(), Gate::Connection("crm".to_owned())));
        assert_eq!(second.state, State::Ready);
        for (blob, expected) in [(&first.blobs[0], "hello"), (&first.blobs[1], "mapped"), (&second.blobs[0], "hello")] {
            assert_eq!(store.read(Arc::clone(blob)).await.unwrap(), expected);
            let stored = Arc::new(Blob::stored(blob.position().expect("durable by now")));
            assert_eq!(store.read(stored).await.unwrap(), expected);
        }
        assert_eq!(first.blobs[0].position(), second.blobs[0].position(), "one payload is written once");
        assert!(store.load(ids[0].child(0, 0)).await.unwrap().is_none());
        assert_eq!(store.health(), Health::Good);
    };
    check(&store).await;
    settle(&store);
    check(&store).await;
    drop(store);
    let (store, opened) = ground.open(config(&clock));
    assert!(!opened.rebuilt);
    check(&store).await;
    store.close().unwrap();
    drop(store);
    let (store, opened) = ground.open(config(&clock));
    assert_eq!((opened.replayed, opened.rebuilt), (0, false));
    check(&store).await;
    drop(store);
    ground.forget_projection();
    let (store, opened) = ground.open(config(&clock));
    assert_eq!((opened.replayed, opened.rebuilt), (2, true));
    check(&store).await;
}

pub async fn a_stale_commit_changes_nothing(ground: &impl Ground) {
    let clock = Clock::new();
    let (store, _) = ground.open(config(&clock));
    let ids = accept(&store, &event(&clock, 1, "x"), &["crm", "chat"]).await;
    for in_projection in [false, true] {
        if in_projection {
            settle(&store);
        }
        let [current, mut stale] = [load(&store, &ids[1]).await, load(&store, &ids[0]).await];
        stale.revision += 1;
        let rows = vec![RowWrite { table: Table::Cursor, key: "c".into(), expected: Some(0), value: Some("1".into()) }];
        let refused = store.commit(Commit { executions: vec![current, stale], rows }).await.unwrap_err();
        assert!(matches!(refused, StoreError::Stale { expected: 2, found: 1, .. }), "{refused}");
        assert_eq!(load(&store, &ids[1]).await.revision, 1);
        assert_eq!(store.row(Table::Cursor, "c".into()).await.unwrap(), None);
    }
    let mut absent = load(&store, &ids[0]).await;
    absent.id = absent.id.child(1, 0);
    let refused = store.commit(Commit { executions: vec![absent], rows: Vec::new() }).await.unwrap_err();
    assert!(matches!(refused, StoreError::Stale { expected: 1, found: 0, .. }), "{refused}");
}

pub async fn a_repeat_is_known_within_its_window(ground: &impl Ground) {
    let clock = Clock::new();
    let (store, _) = ground.open(config(&clock));
    let send = async |store: &LocalStore, number, key, data: &'static str| {
        let event = event(&clock, number, data);
        let executions = executions(&event, &["crm"]);
        let accept = Accept { event: Arc::clone(&event), dedupe: Some(dedupe(key)), executions };
        (event.id, store.accept(accept).await.unwrap())
    };
    let (first, accepted) = send(&store, 1, 7, "data").await;
    assert_eq!(accepted, Accepted::New);
    assert_eq!(send(&store, 2, 8, "data").await.1, Accepted::New);
    let check = async |store: &LocalStore| {
        assert_eq!(send(store, 3, 7, "data").await.1, Accepted::Repeat { first, same_data: true });
        assert_eq!(send(store, 4, 7, "else").await.1, Accepted::Repeat { first, same_data: false });
        assert_eq!(query(store, Query::default()).await.len(), 2, "a repeat makes no execution");
    };
    check(&store).await;
    settle(&store);
    check(&store).await;
    drop(store);
    let (store, _) = ground.open(config(&clock));
    check(&store).await;
    settle(&store);
    check(&store).await;
    clock.advance(24 * HOUR);
    let (second, accepted) = send(&store, 5, 7, "data").await;
    assert_eq!(accepted, Accepted::New);
    assert_eq!(send(&store, 6, 7, "data").await.1, Accepted::Repeat { first: second, same_data: true });
}

pub async fn a_repeat_is_known_though_only_the_journal_had_the_first(ground: &impl Ground) {
    let clock = Clock::new();
    let send = async |store: &LocalStore, number, key| {
        let event = event(&clock, number, "data");
        let executions = executions(&event, &["crm"]);
        store.accept(Accept { event, dedupe: Some(dedupe(key)), executions }).await.unwrap()
    };
    let (store, _) = ground.open(config(&clock));
    assert_eq!(send(&store, 1, 7).await, Accepted::New);
    // Gone before anything reached the projection.
    drop(store);
    let (store, _) = ground.open(config(&clock));
    // Meanwhile the background fills the filter with what the projection has: nothing.
    for number in 2..50 {
        assert_eq!(send(&store, number, 100 + number).await, Accepted::New);
    }
    settle(&store);
    assert!(matches!(send(&store, 50, 7).await, Accepted::Repeat { .. }));
}

pub async fn due_work_is_found_behind_its_gate(ground: &impl Ground) {
    let clock = Clock::new();
    let (store, _) = ground.open(config(&clock));
    let start = clock.now();
    let crm = Gate::Connection("crm".to_owned());
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.extend(accept(&store, &event(&clock, number, "x"), &["crm"]).await);
    }
    // The last is due first.
    for (number, id) in ids[2..10].iter().enumerate() {
        let until = start + Duration::from_secs(100 - number as u64);
        change(&store, id, |execution| execution.state = waiting(until, crm.clone())).await;
    }
    change(&store, &ids[10], |execution| execution.state = parked()).await;
    change(&store, &ids[11], |execution| execution.state = waiting(start, Gate::Children)).await;

    let check = async |store: &LocalStore| {
        let due = async |gate: &Gate, until, after, limit| -> Vec<Due> {
            store.due(gate.clone(), until, after, limit).await.unwrap()
        };
        assert_eq!(store.gates().await.unwrap(), [Gate::Time, crm.clone(), Gate::Children]);
        let expected: Vec<_> = ids[2..10].iter().rev().cloned().collect();
        let first = due(&crm, start + HOUR, None, 5).await;
        let rest = due(&crm, start + HOUR, first.last().cloned(), 5).await;
        let found: Vec<_> = first.iter().chain(&rest).map(|due| due.id.clone()).collect();
        assert_eq!(found, expected);
        let early = due(&crm, start + Duration::from_secs(94), None, 100).await;
        assert_eq!(early.iter().map(|due| &due.id).collect::<Vec<_>>(), [&ids[9], &ids[8]]);
        assert_eq!(early[1].at, start + Duration::from_secs(94));
        let ready = due(&Gate::Time, clock.now(), None, 100).await;
        assert_eq!(ready.iter().map(|due| &due.id).collect::<Vec<_>>(), [&ids[0], &ids[1]]);
        assert_eq!(due(&Gate::Flow("crm".to_owned()), clock.now(), None, 100).await, []);
    };
    check(&store).await;
    settle(&store);
    check(&store).await;
    drop(store);
    let (store, _) = ground.open(config(&clock));
    check(&store).await;
    // Over the rows of the projection lies what hides them.
    for id in &ids {
        change(&store, id, |execution| execution.state = FINISHED).await;
    }
    assert_eq!(store.gates().await.unwrap(), []);
    assert_eq!(store.due(crm.clone(), start + HOUR, None, 1).await.unwrap(), []);
    settle(&store);
    assert_eq!(store.gates().await.unwrap(), []);
}

pub async fn queries_find_what_they_name(ground: &impl Ground) {
    let clock = Clock::new();
    let (store, _) = ground.open(config(&clock));
    let mut ids = Vec::new();
    let mut times = Vec::new();
    for number in 0..14u64 {
        let event = event(&clock, number, "x");
        times.push(event.received);
        let flow = if number % 2 == 0 { "even" } else { "odd" };
        ids.extend(accept(&store, &event, &[flow]).await);
        if number == 6 {
            settle(&store);
        }
    }
    let states = [State::Ready, waiting(clock.now(), Gate::Time), parked(), dead(), FINISHED, State::Cancelled];
    for (number, id) in ids.iter().enumerate() {
        change(&store, id, |execution| execution.state = states[number % 6].clone()).await;
    }
    let check = async |store: &LocalStore| {
        let expect = async |query_: Query, numbers: &[usize]| {
            let expected: Vec<_> = numbers.iter().map(|&number| ids[number].clone()).collect();
            assert_eq!(query(store, query_.clone()).await, expected, "{query_:?}");
        };
        let of = |states: &[StateKind]| Query { states: states.to_vec(), ..Query::default() };
        expect(Query::default(), &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]).await;
        expect(of(&[StateKind::Ready]), &[12, 6, 0]).await;
        expect(of(&[StateKind::Waiting, StateKind::Ready]), &[13, 12, 7, 6, 1, 0]).await;
        expect(of(&[StateKind::Parked]), &[8, 2]).await;
        expect(of(&[StateKind::Dead, StateKind::Parked]), &[9, 8, 3, 2]).await;
        expect(of(&[StateKind::Dead, StateKind::Finished]), &[10, 9, 4, 3]).await;
        expect(of(&[StateKind::Discarded]), &[]).await;
        let odd = Some("odd".to_owned());
        expect(Query { flow: odd.clone(), ..of(&[StateKind::Parked, StateKind::Dead]) }, &[9, 3]).await;
        expect(Query { flow: odd, ..of(&[StateKind::Waiting]) }, &[13, 7, 1]).await;
        let between = Query { since: Some(times[3]), until: Some(times[6]), ..Query::default() };
        expect(between.clone(), &[5, 4, 3]).await;
        expect(Query { states: vec![StateKind::Dead], ..between }, &[3]).await;
        expect(Query { event: Some(ids[5].event()), ..Query::default() }, &[5]).await;
        let count = |flow: &str, state, executions| Count { flow: flow.to_owned(), state, executions };
        let expected = [
            count("even", StateKind::Ready, 3),
            count("even", StateKind::Parked, 2),
            count("odd", StateKind::Waiting, 3),
            count("odd", StateKind::Dead, 2),
        ];
        assert_eq!(store.counts().await.unwrap(), expected);
    };
    check(&store).await;
    settle(&store);
    check(&store).await;
    drop(store);
    let (store, _) = ground.open(config(&clock));
    check(&store).await;
}

pub async fn rows_keep_their_revisions(ground: &impl Ground) {
    let clock = Clock::new();
    let (store, _) = ground.open(config(&clock));
    let large = Bytes::from(vec![7; 100_000]);
    let write = async |expected, value: Option<Bytes>| {
        let rows = vec![RowWrite { table: Table::Flow, key: "leads@1".into(), expected, value }];
        store.commit(Commit { executions: Vec::new(), rows }).await
    };
    let row = async || store.row(Table::Flow, "leads@1".into()).await.unwrap();
    write(Some(0), Some("a".into())).await.unwrap();
    assert!(matches!(write(Some(0), None).await.unwrap_err(), StoreError::Stale { found: 1, .. }));
    write(Some(1), Some(large.clone())).await.unwrap();
    assert_eq!(row().await, Some(Row { revision: 2, value: large.clone() }));
    settle(&store);
    assert_eq!(row().await, Some(Row { revision: 2, value: large.clone() }));
    let rows = vec![
        RowWrite { table: Table::Flow, key: "a".into(), expected: None, value: Some("x".into()) },
        RowWrite { table: Table::Plugin, key: "p".into(), expected: None, value: Some("y".into()) },
        RowWrite { table: Table::Plugin, key: "absent".into(), expected: None, value: None },
    ];
    store.commit(Commit { executions: Vec::new(), rows }).await.unwrap();
    let keys: Vec<_> = store.rows(Table::Flow).await.unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["a", "leads@1"]);
    write(Some(2), None).await.unwrap();
    assert_eq!(row().await, None);
    settle(&store);
    assert_eq!(row().await, None);
    write(Some(0), Some("again".into())).await.unwrap();
    assert_eq!(row().await, Some(Row { revision: 1, value: "again".into() }));
}

/// A record whose state is above what the projection takes.
pub async fn a_large_state_lies_beside_its_row(ground: &impl Ground) {
    let clock = Clock::new();
    let (store, _) = ground.open(config(&clock));
    let ids = accept(&store, &event(&clock, 1, "x"), &["crm"]).await;
    let fault = Fault::new(FaultKind::Internal, "plugin.trap", "x".repeat(20_000));
    let attempt = Attempt { number: 1, started: clock.now(), outcome: Some(Outcome::Failed { fault }), report: None };
    change(&store, &ids[0], |execution| {
        execution.steps[0].attempts = vec![attempt.clone()];
        execution.state = parked();
    })
    .await;
    let check = async |store: &LocalStore| {
        assert_eq!(load(store, &ids[0]).await.steps[0].attempts, std::slice::from_ref(&attempt));
        assert_eq!(query(store, Query { states: vec![StateKind::Parked], ..Query::default() }).await, ids);
    };
    check(&store).await;
    settle(&store);
    check(&store).await;
    drop(store);
    ground.forget_projection();
    let (store, _) = ground.open(config(&clock));
    check(&store).await;
    let mut overfull = load(&store, &ids[0]).await;
    for _ in 0..300 {
        overfull.add_blob(Arc::new(Blob::new("x".into())));
    }
    let refused = store.commit(Commit { executions: vec![overfull], rows: Vec::new() }).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooLarge(_)), "{refused}");
}

/// A million executions are not needed to see it: what comes and goes within the overlay costs nothing.
pub async fn the_happy_path_costs_two_operations_of_the_projection(ground: &impl Ground) {
    let clock = Clock::new();
    let (store, _) = ground.open(config(&clock));
    let events = 200;
    for number in 0..events {
        let event = event(&clock, number, "x");
        let executions = executions(&event, &["crm"]);
        let id = executions[0].id.clone();
        store.accept(Accept { event, dedupe: Some(dedupe(number)), executions }).await.unwrap();
        change(&store, &id, |execution| execution.updated = clock.now()).await;
        change(&store, &id, |execution| execution.state = FINISHED).await;
    }
    settle(&store);
    let stats = store.stats();
    println!(
        "{events} events: {} records, {} syncs, {} operations of the projection",
        stats.journal.records, stats.journal.syncs, stats.projection_operations
    );
    assert_eq!(stats.projection_operations, 2 * events);
    assert_eq!(stats.journal.records, 3 * events);
}

/// Lets so much time pass, with so much happening, that every segment written so far is retired.
async fn grow_old(store: &LocalStore, clock: &Clock, first_number: u64) {
    for round in 0..3 {
        clock.advance(49 * HOUR);
        // Something has to follow, so that the last of the old segments is no longer written.
        for number in 0..40 {
            let event = event(clock, first_number + 100 * round + number, vec![0; 1000]);
            let id = accept(store, &event, &["later"]).await.remove(0);
            change(store, &id, |execution| execution.state = FINISHED).await;
        }
        settle(store);
    }
}

/// Old segments go; what has ended goes with them, and what is open, parked, dead or still to be known stays.
pub async fn retirement_keeps_what_is_needed(ground: &impl Ground) {
    let clock = Clock::new();
    let small = || {
        let mut config = config(&clock);
        config.journal.segment_bytes = 32 << 10;
        config.retention.age = 48 * HOUR;
        config
    };
    let (store, _) = ground.open(small());
    let payload = |number: u64| Bytes::from(vec![number as u8; 1000]);
    let mut ids = Vec::new();
    for number in 0..200 {
        let event = event(&clock, number, payload(number));
        let executions = executions(&event, &["crm"]);
        ids.push(executions[0].id.clone());
        let dedupe = Dedupe { window: if number == 5 { 9999 * HOUR } else { HOUR }, ..dedupe(number) };
        store.accept(Accept { event, dedupe: Some(dedupe), executions }).await.unwrap();
    }
    let states = [FINISHED, State::Ready, parked(), dead(), waiting(clock.now(), Gate::Time)];
    for (number, id) in ids.iter().enumerate() {
        if number % 40 < 5 {
            change(&store, id, |execution| execution.state = states[number % 40].clone()).await;
        } else {
            change(&store, id, |execution| execution.state = FINISHED).await;
        }
    }
    let old = load(&store, &ids[0]).await;
    let long_claimed = load(&store, &ids[1]).await;
    for (key, value) in [("kept", Some("1")), ("gone", Some("1")), ("gone", None)] {
        let write = RowWrite { table: Table::Secret, key: key.into(), expected: None, value: value.map(Bytes::from) };
        store.commit(Commit { executions: Vec::new(), rows: vec![write] }).await.unwrap();
    }
    let before = store.stats();
    grow_old(&store, &clock, 1000).await;
    println!("{} segments before, {:?} after", before.segments[0], store.stats().segments);
    assert!(store.stats().segments[0] < before.segments[0]);

    let kept: BTreeSet<_> = (0..200).filter(|number| (1..5).contains(&(number % 40))).collect();
    let check = async |store: &LocalStore| {
        for (number, id) in ids.iter().enumerate() {
            let found = store.load(id.clone()).await.unwrap();
            assert_eq!(found.is_some(), kept.contains(&number), "execution {number}");
            if let Some(execution) = found {
                assert_eq!(execution.state, states[number % 40]);
                let read = store.read(Arc::clone(&execution.blobs[0])).await.unwrap();
                assert_eq!(read, payload(number as u64));
            }
        }
        let gone = store.read(Arc::new(Blob::stored(old.blobs[0].position().unwrap()))).await.unwrap_err();
        assert!(matches!(gone, StoreError::Gone), "{gone}");
        let keys: Vec<_> = store.rows(Table::Secret).await.unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["kept"]);
        let event = event(&clock, 5000, payload(5));
        let accept =
            Accept { event, dedupe: Some(Dedupe { window: 9999 * HOUR, ..dedupe(5) }), executions: Vec::new() };
        assert_eq!(
            store.accept(accept).await.unwrap(),
            Accepted::Repeat { first: ids[5].event(), same_data: true },
            "its window is not over"
        );
    };
    check(&store).await;
    // Whoever loaded it before its payloads were carried elsewhere can still commit it.
    store.commit(Commit { executions: vec![long_claimed], rows: Vec::new() }).await.unwrap();
    check(&store).await;
    drop(store);
    ground.forget_projection();
    let (store, _) = ground.open(small());
    check(&store).await;
    // What was carried ends, and stays ended when the segments that say so retire.
    for number in &kept {
        change(&store, &ids[*number], |execution| execution.state = FINISHED).await;
    }
    grow_old(&store, &clock, 9000).await;
    store.close().unwrap();
    drop(store);
    let running = ground.rows();
    ground.forget_projection();
    let (store, _) = ground.open(small());
    for number in &kept {
        assert!(store.load(ids[*number].clone()).await.unwrap().is_none(), "execution {number} rose from the dead");
    }
    store.close().unwrap();
    drop(store);
    assert_eq!(running, ground.rows(), "the rebuilt projection is the running one");
}

/// A test of each function above, on a fresh ground each.
macro_rules! run_suite {
    ($ground:expr) => {
        run_suite!($ground;
            what_was_accepted_stays,
            a_stale_commit_changes_nothing,
            a_repeat_is_known_within_its_window,
            a_repeat_is_known_though_only_the_journal_had_the_first,
            due_work_is_found_behind_its_gate,
            queries_find_what_they_name,
            rows_keep_their_revisions,
            a_large_state_lies_beside_its_row,
            the_happy_path_costs_two_operations_of_the_projection,
            retirement_keeps_what_is_needed,
        );
    };
    ($ground:expr; $($name:ident,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                suite::$name(&$ground).await;
            }
        )*
    };
}
