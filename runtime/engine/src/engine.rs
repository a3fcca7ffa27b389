//! The parts of the engine and how they are put together.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flow::{Catalogue, Flow};
use futures_util::future::join_all;
use lifecycle::{Clock, Shutdown, Tasks};
use model::{EventId, ExecutionId, Timestamp};
use store::{Store, StoreError};
use tokio::sync::{Notify, OnceCell};

use crate::carried::Carried;
use crate::connections::Connections;
use crate::dispatch::{self, Dispatch, Turn};
use crate::flows::Flows;
use crate::lanes::Lanes;
use crate::random::Random;
use crate::stats::Counters;
use crate::{ActionCall, PluginCaller, Stats};

/// What an engine needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Executions that are worked on at once, over all flows. A waiting one costs a few kilobytes.
    pub executions_max: usize,
    /// Executions of one flow at once, where the flow says nothing.
    pub flow_executions_max: usize,
    /// With so many executions of one flow waiting in memory, whoever brings another is held for [`Self::hold_max`] at
    /// most, so that senders slow down before work has to wait in the store, from which it is carried more slowly.
    pub flow_ahead_max: usize,
    /// How long a sender may be held.
    pub hold_max: Duration,
    /// Executions of one flow that wait in memory; what is over waits in the store.
    pub flow_queue_max: usize,
    /// Calls at once on one connection.
    pub connection_calls_max: usize,
    /// How often waiting work is looked for.
    pub sweep_every: Duration,
    /// How long calls may go on after the order to stop.
    pub stop_grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            executions_max: 1024,
            flow_executions_max: 256,
            flow_ahead_max: 256,
            hold_max: Duration::from_millis(250),
            flow_queue_max: 2048,
            connection_calls_max: 64,
            sweep_every: Duration::from_millis(200),
            stop_grace: Duration::from_secs(30),
        }
    }
}

/// Carries events through flows. Cheap to clone: every clone is a handle of the same engine.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) plugins: Arc<dyn PluginCaller>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Random,
    pub(crate) flows: Flows,
    pub(crate) connections: Connections<Work>,
    pub(crate) lanes: Mutex<Lanes>,
    /// Set when [`lanes`](Self::lanes) holds whoever the store held at the start.
    pub(crate) lanes_known: OnceCell<()>,
    /// Executions that this process is working on or has queued, and whether somebody wants them ended.
    pub(crate) claims: Mutex<HashMap<ExecutionId, Claim>>,
    pub(crate) answers: Mutex<HashMap<EventId, Arc<Notify>>>,
    pub(crate) counters: Counters,
    ready: Mutex<Ready>,
    wake: Notify,
    /// Told when a queue has room again for what waits in the store.
    pub(crate) refill: Notify,
    paused: AtomicBool,
    stopping: AtomicBool,
}

struct Ready {
    /// Fresh and due executions, by flow.
    by_flow: Dispatch<Work>,
    /// Executions that waited for a place at a connection and have it now.
    placed: VecDeque<Work>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Claim {
    pub(crate) cancelled: bool,
}

/// Work in memory.
#[derive(Debug)]
pub(crate) enum Work {
    /// All of it is here.
    Loaded(Box<Carried>),
    /// It is in the store.
    Stored(ExecutionId),
    /// A call that waited for a place at its connection, or the question what became of one. The flow is named because its
    /// place there is still held.
    Call { flow: Arc<str>, carried: Box<Carried>, step: usize, call: Box<ActionCall>, verifies: bool },
}

impl Engine {
    /// An engine without flows.
    pub fn build(
        config: Config,
        store: Arc<dyn Store>,
        plugins: Arc<dyn PluginCaller>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Self {
        Self(Arc::new(Inner {
            random: Random::from_seed(seed),
            flows: Flows::new(store.clone()),
            connections: Connections::new(config.connection_calls_max),
            ready: Mutex::new(Ready {
                by_flow: Dispatch::new(dispatch::Limits {
                    running_max: config.flow_executions_max,
                    ahead_max: config.flow_ahead_max,
                    queued_max: config.flow_queue_max,
                }),
                placed: VecDeque::new(),
            }),
            config,
            store,
            plugins,
            clock,
            lanes: Mutex::default(),
            lanes_known: OnceCell::new(),
            claims: Mutex::default(),
            answers: Mutex::default(),
            counters: Counters::default(),
            wake: Notify::new(),
            refill: Notify::new(),
            paused: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        }))
    }

    /// Replaces the flows that take events. Ends when their texts are durable. Executions under way go on with theirs.
    pub async fn set_flows(
        &self,
        flows: Vec<Flow>,
        catalogue: Arc<dyn Catalogue + Send + Sync>,
    ) -> Result<(), StoreError> {
        self.0.flows.replace(flows, catalogue).await?;
        let current = self.0.flows.current();
        let mut ready = self.0.ready();
        for flow in current.all() {
            ready.by_flow.limit(&Arc::from(flow.name.as_str()), flow.concurrency);
        }
        drop(ready);
        self.0.wake.notify_waiters();
        Ok(())
    }

    /// Works until it is told to stop, then lets calls end within the grace period. What is unfinished then goes on at the
    /// next start.
    pub async fn run(self, mut shutdown: Shutdown) -> Result<(), StoreError> {
        let tasks = Tasks::default();
        self.0.know_lanes().await?;
        for _ in 0..self.0.config.executions_max {
            tasks.spawn("carrier", self.0.clone().carry_for_ever());
        }
        tasks.spawn("sweep", self.0.clone().sweep_for_ever());
        tokio::select! {
            () = shutdown.wait() => {}
            failed = tasks.watch() => {
                // A panic is a fault of ours; what it left half done is in the store as it was before.
                tracing::error!(%failed, "stopping");
            }
        }
        self.0.stopping.store(true, Ordering::Release);
        self.0.wake.notify_waiters();
        tasks.stop(self.0.config.stop_grace).await;
        Ok(())
    }

    /// Holds work back, or lets it go on; events are still taken in.
    pub fn pause(&self, paused: bool) {
        self.0.paused.store(paused, Ordering::Release);
        self.0.wake.notify_waiters();
    }

    /// Whether work is held back.
    pub fn is_paused(&self) -> bool {
        self.0.paused.load(Ordering::Acquire)
    }

    /// Counts since the start.
    pub fn stats(&self) -> Stats {
        let (queued, running) = self.0.ready().by_flow.load();
        self.0.counters.read(queued, running, self.0.connections.open())
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    fn ready(&self) -> MutexGuard<'_, Ready> {
        lock(&self.ready)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Notes that this process works on an execution. False: it already does.
    pub(crate) fn claim(&self, id: &ExecutionId) -> bool {
        let mut claims = lock(&self.claims);
        if claims.contains_key(id) {
            return false;
        }
        claims.insert(id.clone(), Claim::default());
        true
    }

    /// Lets go of an execution, and ends it if somebody has ordered that too late for whoever worked on it.
    pub(crate) async fn unclaim(&self, id: &ExecutionId) {
        let claim = lock(&self.claims).remove(id);
        if claim.is_some_and(|claim| claim.cancelled) {
            self.cancel_unclaimed(id).await;
        }
    }

    pub(crate) fn is_cancelled(&self, id: &ExecutionId) -> bool {
        lock(&self.claims).get(id).is_some_and(|claim| claim.cancelled)
    }

    /// Whether the flow's work still fits into memory.
    pub(crate) fn has_room(&self, flow: &str) -> bool {
        self.ready().by_flow.has_room(flow)
    }

    /// Waits before another event is taken in, if much work of its flows waits already.
    pub(crate) async fn hold(&self, flows: &[Arc<Flow>]) {
        if self.paused.load(Ordering::Acquire) {
            return;
        }
        let held: Vec<_> = {
            let mut ready = self.ready();
            flows.iter().filter_map(|flow| ready.by_flow.hold(&flow.name)).collect()
        };
        if !held.is_empty() {
            tokio::select! {
                _ = join_all(held) => {}
                () = self.clock.sleep(self.config.hold_max) => {}
            }
        }
    }

    /// Hands claimed work to whoever is free.
    pub(crate) fn hand_over(&self, flow: &Arc<str>, work: Work) {
        self.ready().by_flow.push(flow, work);
        self.wake.notify_one();
    }

    /// Hands a call on that has its place at its connection now.
    pub(crate) fn hand_on(&self, work: Work) {
        self.ready().placed.push_back(work);
        self.wake.notify_one();
    }

    /// The flow's place is free again.
    pub(crate) fn let_go(&self, flow: &Arc<str>) {
        if self.ready().by_flow.done(flow) {
            self.wake.notify_one();
        }
    }

    /// The next piece of work. None: it is time to stop.
    pub(crate) async fn next_work(&self) -> Option<(Arc<str>, Work)> {
        loop {
            let woken = self.wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            if self.is_stopping() {
                return None;
            }
            if let Some(next) = self.try_next() {
                return Some(next);
            }
            woken.await;
        }
    }

    fn try_next(&self) -> Option<(Arc<str>, Work)> {
        let mut ready = self.ready();
        if let Some(work) = ready.placed.pop_front() {
            let Work::Call { flow, .. } = &work else { unreachable!("only calls wait for a place") };
            return Some((flow.clone(), work));
        }
        if self.paused.load(Ordering::Acquire) {
            return None;
        }
        let Turn { flow, work, refill } = ready.by_flow.pop()?;
        if refill {
            self.refill.notify_one();
        }
        Some((flow, work))
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
