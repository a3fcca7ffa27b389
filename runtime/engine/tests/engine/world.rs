//! An engine with everything around it, moved on one step at a time. Nothing happens but in a call of [`World`], and
//! everything that can happen at the present time has happened when it returns.

use std::cmp::Reverse;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, UNIX_EPOCH};

use engine::{Acceptance, Config, Engine, Incoming, Intake, Refused};
use flow::Flow;
use lifecycle::{Clock, ManualClock, Shutdown, ShutdownTrigger, Tasks};
use model::{Attributes, Event, EventId, Execution, ExecutionId, Gate, State, Timestamp};
use store::Query;
use tokio::runtime::Runtime;

use crate::ground::{Ground, InlineStore};
use crate::plugins::{Everything, Plugins};

const START: Duration = Duration::from_secs(1_790_000_000);
/// Turns without any work after which nobody is at work: a wake-up goes through few hands before it ends in a call or in
/// an operation of the store.
const STILL_TURNS: usize = 4;

/// Longer than the engine's sweep leaves alone what it could not take up.
const LOOK_AGAIN: Duration = Duration::from_secs(6);

pub(crate) struct World {
    pub(crate) plugins: Plugins,
    pub(crate) config: Config,
    pub(crate) clock: ManualClock,
    ground: Ground,
    flows: Vec<Flow>,
    life: Option<Life>,
    events: u64,
    seed: u64,
}

/// From start to end of one process.
struct Life {
    engine: Engine,
    store: Arc<InlineStore>,
    stop: ShutdownTrigger,
    shutdown: Shutdown,
    tasks: Tasks,
    // Last, so that what its tasks hold is still there when they are dropped.
    runtime: Runtime,
}

/// What an order that goes on by itself has come to.
pub(crate) type Outcome<T> = Arc<Mutex<Option<T>>>;

impl World {
    pub(crate) fn new(seed: u64, config: Config, flows: &[&str]) -> Self {
        let clock = ManualClock::at(UNIX_EPOCH + START);
        let ground = Ground::new(seed, clock.clone());
        let plugins = Plugins::new(ground.clone());
        let flows = flows.iter().map(|text| checked(text)).collect();
        let mut world = Self { plugins, config, clock, ground, flows, life: None, events: 0, seed };
        world.boot();
        world.run();
        world
    }

    /// Starts a process on what there is: it takes events in, and does not work yet.
    pub(crate) fn boot(&mut self) {
        assert!(self.life.is_none(), "it runs already");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let store = runtime.block_on(async { self.ground.open() });
        let (plugins, clock) = (Arc::new(self.plugins.clone()), Arc::new(self.clock.clone()));
        self.seed += 1;
        let engine = Engine::build(self.config.clone(), store.clone(), plugins, clock, self.seed);
        let (stop, shutdown) = ShutdownTrigger::new();
        let tasks = Tasks::default();
        self.life = Some(Life { engine, store, stop, shutdown, tasks, runtime });
        self.install(self.flows.clone());
    }

    /// Lets the process work.
    pub(crate) fn run(&mut self) {
        let life = self.life();
        let (engine, shutdown) = (life.engine.clone(), life.shutdown.clone());
        let run = async move { engine.run(shutdown).await.unwrap() };
        self.with_runtime(|| self.life().tasks.spawn("engine", run));
        self.go();
    }

    /// Ends the process without a word; with `power`, unsynced writes may be lost.
    pub(crate) fn die(&mut self, power: Option<u64>) {
        drop(self.life.take());
        self.ground.die(power);
    }

    /// Tells the process to stop.
    pub(crate) fn fire_stop(&self) {
        self.life().stop.fire();
        self.go();
    }

    /// Ends the process in order. Nothing may be under way for longer than the grace period.
    pub(crate) fn stop(&mut self) {
        let Life { engine, store, stop, tasks, runtime, .. } = self.life.take().expect("it runs");
        stop.fire();
        let clock = &self.clock;
        runtime.block_on(async {
            // The sweep sleeps by the clock; the others end as soon as what they wait for has.
            while !tasks.is_empty() {
                clock.advance(self.config.sweep_every);
                store.work();
                tokio::task::yield_now().await;
                let mut join = pin!(tasks.stop(self.config.stop_grace));
                poll_fn(|cx| Poll::Ready(join.as_mut().poll(cx).is_ready())).await;
            }
        });
        drop((engine, tasks, runtime));
        store.local.close().unwrap();
        drop(store);
        self.ground.die(None);
    }

    pub(crate) fn install(&mut self, flows: Vec<Flow>) {
        self.flows = flows.clone();
        let engine = self.engine().clone();
        self.finish(async move { engine.set_flows(flows, Arc::new(Everything)).await.unwrap() });
    }

    /// Puts this text in the place of the flow with its name.
    pub(crate) fn install_text(&mut self, text: &str) {
        let flow = checked(text);
        let mut flows = self.flows.clone();
        flows.retain(|other| other.name != flow.name);
        flows.push(flow);
        self.install(flows);
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.life().engine
    }

    pub(crate) fn store(&self) -> &InlineStore {
        &self.life().store
    }

    pub(crate) fn runs(&self) -> bool {
        self.life.is_some()
    }

    fn life(&self) -> &Life {
        self.life.as_ref().expect("it runs")
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    fn with_runtime<T>(&self, act: impl FnOnce() -> T) -> T {
        let _entered = self.life().runtime.enter();
        act()
    }

    /// Waits for something that goes on beside everything else.
    pub(crate) fn finish<T>(&self, future: impl Future<Output = T>) -> T {
        let Life { store, runtime, .. } = self.life();
        runtime.block_on(async {
            let mut future = pin!(future);
            loop {
                if let Some(value) = poll_fn(|cx| match future.as_mut().poll(cx) {
                    Poll::Ready(value) => Poll::Ready(Some(value)),
                    Poll::Pending => Poll::Ready(None),
                })
                .await
                {
                    return value;
                }
                store.work();
                tokio::task::yield_now().await;
            }
        })
    }

    /// The same for somebody who is slow to go on when the store has answered: much has happened by then.
    pub(crate) fn finish_late<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let begun = self.life().runtime.block_on(poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))));
        if let Poll::Ready(value) = begun {
            return value;
        }
        self.wait(2 * self.config.sweep_every);
        self.finish(future)
    }

    /// Starts something that goes on beside everything else.
    pub(crate) fn begin<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> Outcome<T> {
        let outcome = Outcome::default();
        let slot = outcome.clone();
        let task = async move {
            let value = future.await;
            *slot.lock().unwrap() = Some(value);
        };
        self.with_runtime(|| self.life().tasks.spawn("order", task));
        outcome
    }

    /// Lets every task have its turn once.
    pub(crate) fn turn(&self) {
        self.life().runtime.block_on(tokio::task::yield_now());
    }

    /// Lets everything happen that can happen at the present time.
    pub(crate) fn go(&self) {
        let mut still = 0;
        let mut before = 0;
        while still < STILL_TURNS {
            self.turn();
            let worked = self.store().work();
            let now = self.store().operations() + self.plugins.calls().len() as u64;
            still = if worked || now != before { 0 } else { still + 1 };
            before = now;
        }
        self.store().local.maintain().unwrap();
    }

    /// Lets time go by, in steps at which the engine looks for due work.
    pub(crate) fn wait(&self, duration: Duration) {
        let step = self.config.sweep_every.max(duration / 50);
        let mut left = duration;
        while !left.is_zero() {
            let now = step.min(left);
            self.clock.advance(now);
            left -= now;
            self.go();
        }
    }

    /// Lets time go by until nothing happens any more by itself. Whoever waits in a lane waits for somebody else.
    pub(crate) fn settle(&self) {
        self.go();
        for _ in 0..10_000 {
            let executions = self.executions();
            let until = executions.iter().filter_map(|execution| match &execution.state {
                State::Waiting { gate: Gate::Lane(..), .. } => None,
                State::Waiting { until, .. } => Some(*until),
                _ => None,
            });
            let pause = until.min().map(|until| until.since(self.now()).max(self.config.sweep_every));
            // What had no room in memory is looked for again now and then.
            self.clock.advance(pause.unwrap_or(LOOK_AGAIN));
            self.go();
            let revisions = |executions: &[Execution]| executions.iter().map(|each| each.revision).sum::<u64>();
            if pause.is_none() && revisions(&executions) == revisions(&self.executions()) {
                return;
            }
        }
        panic!("it never settles: {:#?}", self.executions());
    }

    /// An event that arrives now. Ids of one instant are in the opposite order of their arrival.
    pub(crate) fn event(&mut self, data: &str) -> Event {
        self.events += 1;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&(u64::MAX - self.events).to_be_bytes());
        let content_type = "application/json".to_owned();
        let attributes = Attributes { kind: "test".to_owned(), content_type, ..Attributes::default() };
        Event {
            id: EventId::new(self.now(), random),
            received: self.now(),
            attributes,
            transport: Vec::new(),
            data: data.to_owned().into(),
        }
    }

    pub(crate) fn send(&self, source: &str, event: Event) -> Outcome<Result<Acceptance, Refused>> {
        let (engine, source) = (self.engine().clone(), source.to_owned());
        self.begin(async move { engine.accept(Incoming { source, event, dedupe: None }).await })
    }

    /// All executions, the oldest first.
    pub(crate) fn executions(&self) -> Vec<Execution> {
        let query = Query { limit: 100_000, ..Query::default() };
        let mut found = self.finish(self.engine().list(query)).unwrap().executions;
        found.sort_by_key(|execution| arrival(&execution.id));
        found
    }
}

/// Flows say by themselves what they are called.
pub(crate) fn checked(text: &str) -> Flow {
    let name = text.lines().find_map(|line| line.strip_prefix("flow: ")).expect("a flow has a name");
    flow::check(name, text, &|_| None, &Everything).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

/// Sorts by arrival: see [`World::event`].
fn arrival(id: &ExecutionId) -> (Timestamp, Reverse<EventId>, Vec<u8>) {
    (id.event().time(), Reverse(id.event()), id.to_key())
}
