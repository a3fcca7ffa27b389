//! Losses of power, kills and failing disks, from seeds: what was acknowledged is there afterwards, in every one of them.

#[allow(unused_macros, reason = "the simulation has tests of its own")]
mod suite;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use journal::simulation::{Fault, Random, simulate_all};
use journal::{SimulatedDisk, Work};
use model::{Blob, EventId, Execution, ExecutionId, Gate, State};
use store::{
    Accept, Accepted, Commit, Config, Dedupe, Health, LocalStore, MemoryProjection, OpenError, Pending, Projection,
    ProjectionError, Query, Store, StoreError, Write,
};
use suite::{Clock, FINISHED, HOUR, dead, event, executions, parked, waiting};
use tokio::runtime::Runtime;

/// Keys of the sender, few enough to come again.
const KEYS: usize = 12;
const WINDOW: Duration = Duration::from_secs(4 * 3600);

/// A store, and what it has promised.
struct Simulation {
    runtime: Runtime,
    random: Random,
    clock: Clock,
    disk: SimulatedDisk,
    projection: Torn,
    store: Option<LocalStore>,
    executions: BTreeMap<ExecutionId, Known>,
    keys: BTreeMap<usize, (EventId, bool)>,
    pending: Vec<(Pending<()>, Promise)>,
    next_number: u64,
    acknowledged: u64,
}

/// A projection whose process is killed after so many writes.
#[derive(Clone)]
struct Torn {
    inner: MemoryProjection,
    writes_left: Arc<AtomicU64>,
}

impl Default for Torn {
    fn default() -> Self {
        Self::of(MemoryProjection::default())
    }
}

impl Torn {
    fn of(inner: MemoryProjection) -> Self {
        Self { inner, writes_left: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    /// What the process leaves behind.
    fn fork(&self) -> Self {
        Self::of(self.inner.fork())
    }

    fn alive(&self) -> Result<(), ProjectionError> {
        match self.writes_left.load(Ordering::Relaxed) {
            0 => Err(ProjectionError::Failed("killed".into())),
            _ => Ok(()),
        }
    }
}

impl Projection for Torn {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ProjectionError> {
        self.inner.get(key)
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, ProjectionError> {
        self.inner.scan(from, to, backward, limit)
    }

    fn apply(&self, writes: &[Write]) -> Result<(), ProjectionError> {
        for write in writes {
            self.alive()?;
            self.inner.apply(std::slice::from_ref(write))?;
            self.writes_left.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn checkpoint(&self, mark: &[u8]) -> Result<(), ProjectionError> {
        self.alive()?;
        self.inner.checkpoint(mark)
    }

    fn mark(&self) -> Result<Option<Bytes>, ProjectionError> {
        self.inner.mark()
    }

    fn clear(&self) -> Result<(), ProjectionError> {
        self.inner.clear()
    }

    fn close(&self) -> Result<(), ProjectionError> {
        self.inner.close()
    }

    fn operations(&self) -> u64 {
        self.inner.operations()
    }
}

/// What was asked of one execution.
#[derive(Default)]
struct Known {
    /// The state of each revision, from 1 on.
    states: Vec<State>,
    acknowledged: u64,
    /// The last thing that a caller holds of it.
    held: Option<Execution>,
}

/// What a record promises once it is acknowledged.
struct Promise {
    executions: Vec<(ExecutionId, u64)>,
    key: Option<usize>,
}

fn payload(id: &ExecutionId) -> Bytes {
    Bytes::from(id.event().to_string().repeat(1 + usize::from(id.event().as_bytes()[15] % 40)))
}

impl Simulation {
    fn new(seed: u64) -> Self {
        Self {
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            random: Random(seed),
            clock: Clock::new(),
            disk: SimulatedDisk::new(seed),
            projection: Torn::default(),
            store: None,
            executions: BTreeMap::new(),
            keys: BTreeMap::new(),
            pending: Vec::new(),
            next_number: 0,
            acknowledged: 0,
        }
    }

    fn config(&self) -> Config {
        let mut config = suite::config(&self.clock);
        config.journal.work = Work::ByHand;
        config.journal.segment_bytes = 24 << 10;
        config.generation_bytes = 16 << 10;
        config.overlay_bytes_max = 128 << 10;
        config.retention.age = HOUR;
        config
    }

    fn open(&mut self) -> Result<(), OpenError> {
        let (disk, projection) = (Arc::new(self.disk.clone()), Box::new(self.projection.clone()));
        let (store, _) = LocalStore::open(disk, projection, self.config(), &mut |_| {})?;
        self.store = Some(store);
        Ok(())
    }

    fn store(&self) -> &LocalStore {
        self.store.as_ref().expect("open")
    }

    fn step(&mut self) {
        match self.random.below(12) {
            0..=2 => self.accept(),
            3..=6 => self.commit(),
            7 => self.repeat_execution(),
            8 | 9 => {
                self.store().journal().work();
                self.collect();
            }
            10 => {
                // A failing disk is seen by what is pending.
                let _ = self.store().maintain();
            }
            _ => self.clock.advance(Duration::from_secs(self.random.below(1200) as u64)),
        }
    }

    fn accept(&mut self) {
        self.next_number += 1;
        let template = event(&self.clock, self.next_number, "");
        let mut event = model::Event::clone(&template);
        event.data = payload(&ExecutionId::new(event.id, 0));
        let event = Arc::new(event);
        let flows: &[&str] = if self.random.chance(3) { &["crm", "chat"] } else { &["crm"] };
        let mut executions = executions(&event, flows);
        let key = (!self.random.chance(4)).then(|| self.random.below(KEYS));
        let dedupe = key.map(|key| Dedupe { source: "shop".to_owned(), key: key.to_string(), window: WINDOW });
        let held: Vec<_> =
            executions.iter_mut().map(|execution| Execution { revision: 1, ..execution.clone() }).collect();
        let accepting = self.store().accept(Accept { event: Arc::clone(&event), dedupe, executions });
        // Judged by now: whether it is new is known before it is durable.
        let is_new = self.runtime.block_on(self.store().load(held[0].id.clone())).is_ok_and(|found| found.is_some());
        if !is_new {
            // A repeat or a refusal. A repeat must name the first one.
            let known = key.and_then(|key| self.keys.get(&key)).map(|(first, _)| *first);
            if let (Some(Ok(Accepted::Repeat { first, .. })), Some(known)) = (accepting.now_or_never(), known) {
                assert_eq!(first, known);
            }
            return;
        }
        let promised = held.iter().map(|execution| (execution.id.clone(), 1)).collect();
        for execution in held {
            let known = Known { states: vec![State::Ready], acknowledged: 0, held: Some(execution.clone()) };
            self.executions.insert(execution.id, known);
        }
        if let Some(key) = key {
            self.keys.insert(key, (event.id, false));
        }
        let accepted = accepting.map(|accepted| accepted.map(drop)).boxed();
        self.pending.push((accepted, Promise { executions: promised, key }));
    }

    fn any(&mut self) -> Option<ExecutionId> {
        let count = self.executions.len();
        (count > 0).then(|| self.executions.keys().nth(self.random.below(count)).cloned())?
    }

    /// What a caller knows of an execution: what it has held all the time, or what it loads now.
    fn held(&mut self, id: &ExecutionId) -> Option<Execution> {
        let held = self.executions.get(id)?.held.clone();
        if held.is_some() && self.random.chance(2) {
            return held;
        }
        self.runtime.block_on(self.store().load(id.clone())).ok().flatten()
    }

    fn commit(&mut self) {
        let Some(id) = self.any() else { return };
        let Some(mut execution) = self.held(&id) else { return };
        if matches!(execution.state, State::Finished { .. }) {
            return;
        }
        let gate = Gate::Connection("crm".to_owned());
        let until = self.clock.now() + Duration::from_secs(60);
        execution.state = match self.random.below(7) {
            0 => State::Ready,
            1 => waiting(until, Gate::Time),
            2 => waiting(until, gate),
            3 => parked(),
            4 => dead(),
            _ => FINISHED,
        };
        execution.updated = self.clock.now();
        if self.random.chance(2) {
            execution.add_blob(Arc::new(Blob::new(payload(&id))));
        }
        self.submit(execution);
    }

    /// A second execution of an event, which shares its payload.
    fn repeat_execution(&mut self) {
        let Some(id) = self.any() else { return };
        let Some(execution) = self.held(&id) else { return };
        let again = ExecutionId::new(id.event(), 2 + self.random.below(3) as u16);
        if self.executions.contains_key(&again) {
            return;
        }
        let again = Execution { id: again, revision: 0, state: State::Ready, ..execution };
        self.submit(again);
    }

    fn submit(&mut self, execution: Execution) {
        let mut held = execution.clone();
        held.revision += 1;
        let mut committing = self.store().commit(Commit { executions: vec![execution], rows: Vec::new() });
        match (&mut committing).now_or_never() {
            // Refused, or done already.
            Some(refused) => {
                let refused = refused.expect_err("nothing is durable before somebody has worked");
                assert!(!matches!(refused, StoreError::Stale { .. } | StoreError::Damaged(_)), "{refused}");
            }
            None => {
                let known = self.executions.entry(held.id.clone()).or_default();
                known.states.push(held.state.clone());
                assert_eq!(known.states.len() as u64, held.revision);
                let executions = vec![(held.id.clone(), held.revision)];
                known.held = Some(held);
                self.pending.push((committing, Promise { executions, key: None }));
            }
        }
    }

    /// Notes what has been acknowledged.
    fn collect(&mut self) {
        for (mut pending, promise) in std::mem::take(&mut self.pending) {
            match (&mut pending).now_or_never() {
                None => self.pending.push((pending, promise)),
                Some(Err(_)) => {}
                Some(Ok(())) => {
                    self.acknowledged += 1;
                    for (id, revision) in promise.executions {
                        let known = self.executions.get_mut(&id).expect("promised");
                        known.acknowledged = known.acknowledged.max(revision);
                    }
                    if let Some((_, acknowledged)) = promise.key.and_then(|key| self.keys.get_mut(&key)) {
                        *acknowledged = true;
                    }
                }
            }
        }
    }

    /// The process ends without a word. `power`: what was not synced may be lost, and the projection is thrown away.
    fn die(&mut self, power: bool) {
        self.collect();
        self.store = None;
        self.pending.clear();
        if power {
            self.disk = self.disk.crash(self.random.next());
            self.projection = Torn::default();
        } else {
            self.disk.mend();
            self.projection = self.projection.fork();
        }
    }

    /// Compares what is there with what was promised, and takes it for the truth from now on.
    fn check(&mut self) {
        assert_eq!(self.store().health(), Health::Good);
        let mut gone = Vec::new();
        let mut executions = std::mem::take(&mut self.executions);
        for (id, known) in &mut executions {
            let found = self.runtime.block_on(self.store().load(id.clone())).unwrap();
            let ended = known.states.iter().rposition(|state| *state == FINISHED).is_some();
            let Some(found) = found else {
                assert!(known.acknowledged == 0 || ended, "{id} is lost");
                gone.push(id.clone());
                continue;
            };
            let submitted = known.states.len() as u64;
            assert!(
                (known.acknowledged..=submitted).contains(&found.revision),
                "{id}: revision {} found, {} acknowledged, {submitted} submitted",
                found.revision,
                known.acknowledged
            );
            assert_eq!(found.state, known.states[found.revision as usize - 1]);
            known.states.truncate(found.revision as usize);
            known.acknowledged = found.revision;
            for blob in &found.blobs {
                match self.runtime.block_on(self.store().read(Arc::clone(blob))) {
                    Ok(bytes) => assert_eq!(bytes, payload(id)),
                    Err(StoreError::Gone) => assert_eq!(found.state, FINISHED, "{id} lacks a payload"),
                    Err(cause) => panic!("{id}: {cause}"),
                }
            }
            known.held = Some(found);
        }
        executions.retain(|id, _| !gone.contains(id));
        self.executions = executions;
        self.check_lists();
        self.check_keys();
    }

    fn check_lists(&self) {
        let found = self.runtime.block_on(self.store().query(Query { limit: 10_000, ..Query::default() })).unwrap();
        let found: Vec<_> = found.executions.into_iter().map(|execution| execution.id).rev().collect();
        assert_eq!(found, self.executions.keys().cloned().collect::<Vec<_>>());
        let counts = self.runtime.block_on(self.store().counts()).unwrap();
        let open = self.executions.values().filter(|known| known.states.last() != Some(&FINISHED)).count();
        assert_eq!(counts.iter().map(|count| count.executions).sum::<u64>(), open as u64);
        let mut due = 0;
        for gate in self.runtime.block_on(self.store().gates()).unwrap() {
            let until = self.clock.now() + HOUR;
            due += self.runtime.block_on(self.store().due(gate, until, None, 10_000)).unwrap().len();
        }
        let is_open = |state: &State| matches!(state, State::Ready | State::Waiting { .. });
        let open = self.executions.values().filter(|known| known.states.last().is_some_and(is_open)).count();
        assert_eq!(due, open);
    }

    fn check_keys(&mut self) {
        for (key, (first, acknowledged)) in self.keys.clone() {
            if self.clock.now().since(first.time()) + HOUR / 60 > WINDOW || !acknowledged {
                self.keys.remove(&key);
                continue;
            }
            self.next_number += 1;
            let event = event(&self.clock, self.next_number, "");
            let dedupe = Dedupe { source: "shop".to_owned(), key: key.to_string(), window: WINDOW };
            let again = self.store().accept(Accept { event, dedupe: Some(dedupe), executions: Vec::new() });
            match again.now_or_never() {
                Some(Ok(Accepted::Repeat { first: found, .. })) => assert_eq!(found, first),
                other => panic!("key {key} of {first} is not known: {other:?}"),
            }
        }
        // What was not acknowledged may be known or not.
        self.keys.retain(|_, (_, acknowledged)| *acknowledged);
    }

    /// The projection that grew and one made anew are the same.
    fn check_rebuilt(&mut self) {
        let store = self.store.take().expect("open");
        while self.projection_is_behind(&store) {}
        store.close().unwrap();
        drop(store);
        let grown = self.projection.inner.rows();
        self.projection = Torn::default();
        self.open().unwrap();
        self.store().close().unwrap();
        self.store = None;
        assert_eq!(grown, self.projection.inner.rows());
    }

    fn projection_is_behind(&mut self, store: &LocalStore) -> bool {
        let more = store.maintain().unwrap();
        store.journal().work() || more || store.stats().overlay_rows > 0
    }
}

/// Lives that end in a loss of power, and lives that end otherwise: the projection is thrown away after a loss of power, so
/// that these take the longest.
const POWER_SEEDS: u64 = 2_000;
const KILL_SEEDS: u64 = 500;

/// `WEIR_SEED` alone, or as many as `WEIR_SEEDS` says, or `default`.
fn seeds(default: u64) -> Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    match number("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WEIR_SEEDS").unwrap_or(default),
    }
}

fn lives(seed: u64, power: bool) -> u64 {
    let mut simulation = Simulation::new(seed);
    for _ in 0..4 {
        simulation.open().unwrap();
        simulation.check();
        // Every other loss of power comes in the middle of the disk's work, the others between two pieces of it.
        if power && simulation.random.chance(2) {
            let operation = simulation.disk.operations() + 1 + simulation.random.below(100) as u64;
            simulation.disk.fail_at(operation, Fault::PowerCut);
        }
        for _ in 0..simulation.random.below(200) {
            simulation.step();
        }
        simulation.die(power);
    }
    simulation.open().unwrap();
    simulation.check();
    simulation.check_rebuilt();
    simulation.acknowledged
}

/// Simulates every seed, and shows how many promises were kept.
fn for_each_seed(what: &str, default: u64, run: impl Fn(u64) -> u64 + Sync) {
    let seeds = seeds(default);
    let acknowledged = simulate_all(seeds.clone(), run);
    let (count, acknowledged) = (acknowledged.len(), acknowledged.iter().sum::<u64>());
    assert!(acknowledged >= count as u64, "{acknowledged} records are too few to prove anything");
    show(&format!("store, {what}: seeds {}..{}, {acknowledged} records acknowledged, 0 lost", seeds.start, seeds.end));
}

/// Not `println!`, which the harness keeps when the test passes. Whoever closed the output does not want the figures.
fn show(figures: &str) {
    let _ = writeln!(std::io::stdout(), "{figures}");
}

#[test]
fn a_loss_of_power_loses_nothing_that_was_acknowledged() {
    for_each_seed("loss of power", POWER_SEEDS, |seed| lives(seed, true));
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    for_each_seed("kill", KILL_SEEDS, |seed| lives(seed, false));
}

/// Each operation of the disk fails once.
#[test]
fn a_failing_disk_loses_nothing_that_was_acknowledged() {
    for fault in [Fault::Error, Fault::Full, Fault::Short] {
        let mut operation = 0;
        let mut acknowledged = 0;
        loop {
            operation += 1;
            let mut simulation = Simulation::new(operation % 7);
            simulation.disk.fail_at(operation, fault);
            if simulation.open().is_ok() {
                for _ in 0..400 {
                    simulation.step();
                }
            }
            let is_over = simulation.disk.operations() < operation;
            simulation.die(true);
            simulation.open().unwrap();
            simulation.check();
            simulation.check_rebuilt();
            acknowledged += simulation.acknowledged;
            if is_over {
                break;
            }
        }
        show(&format!("store, {fault:?}: {operation} operations, {acknowledged} records acknowledged, 0 lost"));
    }
}

/// A kill while the projection is being written: it holds some of the rows of a generation and not the others.
#[test]
fn a_half_applied_generation_is_completed_from_the_journal() {
    for_each_seed("half-applied generation", KILL_SEEDS, |seed| {
        let mut simulation = Simulation::new(seed);
        for _ in 0..3 {
            simulation.open().unwrap();
            simulation.check();
            for _ in 0..100 {
                simulation.step();
            }
            while simulation.store().journal().work() {}
            let left = simulation.random.below(60) as u64;
            simulation.projection.writes_left.store(left, Ordering::Relaxed);
            while matches!(simulation.store().maintain(), Ok(true)) {}
            simulation.die(false);
        }
        simulation.open().unwrap();
        simulation.check();
        simulation.check_rebuilt();
        simulation.acknowledged
    });
}
