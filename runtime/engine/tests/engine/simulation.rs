//! Many lives of an engine from seeds: random events, faults, orders, restarts and losses of power; then everything has
//! ended, and nothing was done that was promised not to be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::{Acceptance, Config, Refused, Replay};
use journal::simulation::Random;
use model::{EventId, ExecutionId, ParkReason, State, StateKind};

use crate::plugins::{Answers, Call};
use crate::world::{Outcome, World};

const ATTEMPTS_MAX: u32 = 3;
const CONNECTION_CALLS_MAX: usize = 4;
const CAREFUL_MAX: usize = 2;

const ORDERED: &str = "flow: ordered
owner: a@example.com
source: { webhook: { path: /ordered, verify: none } }
lane: event.data.key
steps:
  - { id: lines, mapper: lines@1, retry: { first: 100ms, max: 1s } }
  - { id: ordered, action: crm@1.create, connection: crm, retry: { attempts: 3, first: 100ms, max: 1s } }
";

const SPLIT: &str = "flow: split
owner: a@example.com
source: { webhook: { path: /both, verify: none } }
steps:
  - { id: pages, mapper: pages@1, retry: { attempts: 3, first: 100ms, max: 1s } }
  - { id: read, action: crm@1.read, connection: crm, retry: { attempts: 3, first: 100ms, max: 1s } }
  - { id: write, action: crm@1.keyed, connection: crm, retry: { attempts: 3, first: 100ms, max: 1s } }
";

const CAREFUL: &str = "flow: careful
owner: a@example.com
source: { webhook: { path: /both, verify: none } }
concurrency: 2
steps:
  - { id: careful, action: chat@1.unsafe, connection: chat, retry: { attempts: 3, within: 1m, first: 100ms, max: 1s } }
  - { id: after, action: crm@1.create, connection: crm, retry: { attempts: 3, first: 100ms, max: 1s } }
";

/// Another version: what is under way goes on with its own.
const CAREFUL_2: &str = r#"flow: careful
owner: a@example.com
source: { webhook: { path: /both, verify: none } }
concurrency: 2
steps:
  - { id: careful, action: chat@1.unsafe, connection: chat, retry: { attempts: 3, within: 1m, first: 100ms, max: 1s } }
  - { id: between, set: { text: "${steps.careful.output.id}" } }
  - { id: after, action: crm@1.create, connection: crm, retry: { attempts: 3, first: 100ms, max: 1s } }
"#;

/// The destinations, who know what happened, and hold the engine to what it has promised.
struct Destinations {
    random: Random,
    /// Everything works from now on.
    is_calm: bool,
    life: u32,
    steps: BTreeMap<(ExecutionId, String), Seen>,
    /// Lane and number of the events of `ordered`.
    lanes: BTreeMap<EventId, (usize, u64)>,
    /// The latest of each lane that has been called for.
    latest: BTreeMap<usize, u64>,
    verified: u64,
}

/// What a destination saw of one step.
struct Seen {
    key: String,
    /// It had its effect.
    happened: bool,
    /// The engine may not know whether it had.
    is_uncertain: bool,
    /// The life of the process in which it was answered that all is well.
    answered: Option<u32>,
    /// A person has ordered to repeat it, whatever happened.
    is_ordered: bool,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Destinations>>);

impl Answers for Shared {
    fn to_mapper(&mut self, plugin: &str) -> String {
        let mut all = self.0.lock().unwrap();
        let random = if all.is_calm { 0 } else { all.random.below(10) };
        let word = match (plugin, random) {
            (_, 6) => "internal",
            (_, 7) => "gone",
            ("pages", 3 | 8) => "3 documents",
            ("pages", 4) => "none",
            ("pages", 5) => "unavailable",
            ("pages", 9) => "rejected",
            ("lines", 5) => "2 documents",
            _ => "ok",
        };
        word.to_owned()
    }

    fn to_connector(&mut self, call: &Call) -> String {
        let mut all = self.0.lock().unwrap();
        if call.verifies { all.verify(call) } else { all.invoke(call) }
    }
}

impl Destinations {
    fn new(random: Random) -> Self {
        Self {
            random,
            is_calm: false,
            life: 0,
            steps: BTreeMap::new(),
            lanes: BTreeMap::new(),
            latest: BTreeMap::new(),
            verified: 0,
        }
    }

    fn invoke(&mut self, call: &Call) -> String {
        self.check_order(call);
        let word = self.word();
        let is_careful = call.step == "careful";
        let place = (call.execution.clone(), call.step.clone());
        let seen = self.steps.entry(place).or_insert_with(|| Seen::new(call));
        assert_eq!(seen.key, call.key, "each attempt has the same key: {call:?}");
        assert_ne!(seen.answered, Some(self.life), "a finished step is run again: {call:?}");
        assert!(!is_careful || !seen.is_uncertain || seen.is_ordered, "it may have happened: {call:?}");
        seen.is_ordered = false;
        let happens = self.random.chance(2);
        seen.note(&word, happens, self.life);
        word
    }

    fn verify(&mut self, call: &Call) -> String {
        self.verified += 1;
        let random = if self.is_calm { 9 } else { self.random.below(10) };
        // Without one, the process has ended between the record and the call.
        let seen = self.steps.entry((call.execution.clone(), call.step.clone())).or_insert_with(|| Seen::new(call));
        assert_eq!(seen.key, call.key, "it is asked for by its key: {call:?}");
        let word = match random {
            0 => "undecided",
            1 => "unavailable",
            2 => "unauthorized",
            3 => "gone",
            4 => "cannot",
            _ if seen.happened => "happened",
            _ => {
                seen.is_uncertain = false;
                "absent"
            }
        };
        word.to_owned()
    }

    fn word(&mut self) -> String {
        let random = if self.is_calm { 19 } else { self.random.below(20) };
        let word = match random {
            0 | 1 => "unavailable",
            2 => "timeout",
            3 => "rate-limited after 700",
            4 => "rejected",
            5 => "invalid-input",
            6 => "unauthorized",
            7 | 8 => "unknown-outcome",
            9 => "internal",
            10 => "gone",
            11 => "lacking",
            12..=14 => "hold",
            _ => "ok",
        };
        word.to_owned()
    }

    /// Nobody is called for before those that came earlier into its lane.
    fn check_order(&mut self, call: &Call) {
        let first = !self.steps.contains_key(&(call.execution.clone(), call.step.clone()));
        let Some((lane, number)) = self.lanes.get(&call.execution.event()).filter(|_| call.execution.ordinal() == 0)
        else {
            return;
        };
        if first {
            let latest = self.latest.entry(*lane).or_default();
            assert!(number >= latest, "event {number} of lane {lane} comes after {latest}: {call:?}");
            *latest = *number;
        }
    }
}

impl Seen {
    fn new(call: &Call) -> Self {
        Self { key: call.key.clone(), happened: false, is_uncertain: false, answered: None, is_ordered: false }
    }

    fn note(&mut self, word: &str, happens: bool, life: u32) {
        self.answered = (word == "ok").then_some(life);
        match word {
            "ok" => self.happened = true,
            "unknown-outcome" | "hold" => self.happened |= happens,
            _ => {}
        }
        // Until it is held in a record, an answer may be lost.
        self.is_uncertain = matches!(word, "ok" | "unknown-outcome" | "hold");
    }
}

struct Simulation {
    world: World,
    random: Random,
    destinations: Shared,
    sent: Vec<Sent>,
    numbers: u64,
    counts: Counts,
}

/// An event on its way in.
struct Sent {
    event: EventId,
    executions: u16,
    accepted: Outcome<Result<Acceptance, Refused>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    accepted: usize,
    executions: usize,
    calls: usize,
    verified: u64,
    restarts: u64,
    orders: u64,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let config = Config {
            executions_max: 12,
            flow_queue_max: 1 + random.below(8),
            connection_calls_max: CONNECTION_CALLS_MAX,
            ..Config::default()
        };
        let world = World::new(random.next(), config, &[ORDERED, SPLIT, CAREFUL]);
        let destinations = Shared(Arc::new(Mutex::new(Destinations::new(Random(random.next())))));
        world.plugins.decide_by(Box::new(destinations.clone()));
        Self { world, random, destinations, sent: Vec::new(), numbers: 0, counts: Counts::default() }
    }

    fn destinations(&self) -> std::sync::MutexGuard<'_, Destinations> {
        self.destinations.0.lock().unwrap()
    }

    fn step(&mut self) {
        match self.random.below(20) {
            0..=3 => self.send(),
            4 | 5 => self.world.clock.advance(Duration::from_millis(self.random.below(2_000) as u64)),
            6..=8 => drop(self.world.store().work()),
            9..=11 => self.release(),
            12 | 13 => self.order(),
            14 => self.world.go(),
            15 => drop(self.world.store().local.maintain().unwrap()),
            16 if self.random.chance(4) => self.restart(),
            17 => self.world.engine().pause(self.random.chance(4)),
            18 => self.world.install_text([CAREFUL, CAREFUL_2][self.random.below(2)]),
            _ => self.world.turn(),
        }
    }

    fn send(&mut self) {
        for _ in 0..1 + self.random.below(3) {
            self.numbers += 1;
            let lane = self.random.below(3);
            let event = self.world.event(&format!(r#"{{"key":"{lane}"}}"#));
            let id = event.id;
            let (source, executions) = if self.random.chance(2) { ("/ordered", 1) } else { ("/both", 2) };
            if source == "/ordered" {
                self.destinations().lanes.insert(id, (lane, self.numbers));
            }
            let accepted = self.world.send(source, event);
            self.sent.push(Sent { event: id, executions, accepted });
        }
    }

    fn release(&mut self) {
        let held = self.world.plugins.held();
        if held.is_empty() {
            return;
        }
        let name = &held[self.random.below(held.len())];
        let words = ["ok", "ok", "unavailable", "rejected", "unknown-outcome"];
        let word = words[self.random.below(words.len())];
        let (execution, step) = name.split_once('.').expect("a step of an execution");
        let mut all = self.destinations();
        let life = all.life;
        let place = (execution.parse().unwrap(), step.to_owned());
        let seen = all.steps.get_mut(&place).expect("there was an attempt");
        let happened = seen.happened;
        seen.note(word, happened, life);
        drop(all);
        self.world.plugins.release(name, word);
    }

    fn order(&mut self) {
        let executions = self.world.executions();
        if executions.is_empty() {
            return;
        }
        self.counts.orders += 1;
        let execution = &executions[self.random.below(executions.len())];
        let (id, engine) = (execution.id.clone(), self.world.engine().clone());
        match self.random.below(5) {
            0 | 1 => self.retry(&id, &execution.state),
            2 => drop(self.world.begin(async move { engine.cancel(&id).await.is_ok() })),
            3 => drop(self.world.begin(async move { engine.discard(&id).await.is_ok() })),
            _ => {
                let from = self.random.chance(2).then(|| ["read", "ordered", "after"][self.random.below(3)].to_owned());
                let replay = Replay { from, current_version: self.random.chance(2) };
                drop(self.world.begin(async move { engine.replay(&id, &replay).await.is_ok() }));
            }
        }
    }

    fn retry(&mut self, id: &ExecutionId, state: &State) {
        let asked = matches!(state, State::Parked { reason: ParkReason::UnknownOutcome, .. } | State::Dead { .. });
        if asked {
            for ((_, _), seen) in self.destinations().steps.iter_mut().filter(|((execution, _), _)| execution == id) {
                seen.is_ordered = true;
            }
        }
        // It goes by the state that was just looked at: nothing happens in between.
        drop(self.world.finish(self.world.engine().retry(id)));
    }

    fn restart(&mut self) {
        self.counts.restarts += 1;
        self.destinations().life += 1;
        let power = self.random.chance(2).then(|| self.random.next());
        self.world.die(power);
        self.world.boot();
        self.world.run();
    }

    /// Everything works again; whatever waits for a person is put away.
    fn end(&mut self) {
        self.destinations().is_calm = true;
        self.world.engine().pause(false);
        for _ in 0..20 {
            for name in self.world.plugins.held() {
                self.world.plugins.release(&name, "ok");
            }
            self.world.settle();
            let executions = self.world.executions();
            if executions.iter().all(model::Execution::is_settled) {
                return;
            }
            for parked in executions.iter().filter(|execution| execution.state.kind() == StateKind::Parked) {
                self.world.finish(self.world.engine().discard(&parked.id)).unwrap();
            }
        }
        panic!(
            "not everything ends: {:#?}",
            self.world.executions().iter().filter(|each| !each.is_settled()).collect::<Vec<_>>()
        );
    }

    fn check(&mut self) {
        let executions = self.world.executions();
        let there: BTreeSet<_> = executions.iter().map(|execution| execution.id.clone()).collect();
        for Sent { event, executions, accepted } in &self.sent {
            if let Some(Ok(Acceptance { event: same, repeat: false })) = &*accepted.lock().unwrap() {
                assert_eq!(event, same);
                self.counts.accepted += 1;
                for ordinal in 0..*executions {
                    let id = ExecutionId::new(*event, ordinal);
                    assert!(there.contains(&id), "{id} was acknowledged and is lost");
                }
            }
        }
        for execution in &executions {
            for step in &execution.steps {
                let counted = step.attempts_made() - step.attempts_forgiven;
                assert!(counted <= ATTEMPTS_MAX, "{counted} attempts of at most {ATTEMPTS_MAX}: {execution:#?}");
            }
        }
        for (name, most) in self.world.plugins.most_at_once() {
            let max = if name == "step careful" { CAREFUL_MAX } else { CONNECTION_CALLS_MAX };
            assert!(most <= max || name.starts_with("step "), "{most} calls at once: {name}");
        }
        self.counts.executions = executions.len();
        self.counts.calls = self.world.plugins.calls().len();
        let verified = self.destinations().verified;
        self.counts.verified = verified;
    }
}

/// Names the seed if the test fails while it is at work.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with WEIR_SEED={}", self.0);
        }
    }
}

/// `WEIR_SEED` alone, or as many as `WEIR_SEEDS` says, or `default`.
fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    match number("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WEIR_SEEDS").unwrap_or(default),
    }
}

#[test]
fn whatever_happens_everything_ends_and_no_promise_is_broken() {
    let seeds = seeds(200);
    let mut all = Counts::default();
    for seed in seeds.clone() {
        let _named = Seed(seed);
        let mut simulation = Simulation::new(seed);
        for _ in 0..40 + simulation.random.below(120) {
            simulation.step();
        }
        simulation.end();
        simulation.check();
        let counts = simulation.counts;
        all.accepted += counts.accepted;
        all.executions += counts.executions;
        all.calls += counts.calls;
        all.verified += counts.verified;
        all.restarts += counts.restarts;
        all.orders += counts.orders;
    }
    println!("seeds {}..{}: {all:?}, nothing lost, nothing left open", seeds.start, seeds.end);
    assert!(
        all.calls > 0 && all.verified > 0 && all.restarts > 0,
        "the simulation does not do what it is for: {all:?}"
    );
}
