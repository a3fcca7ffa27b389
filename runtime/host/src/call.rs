use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{ActionCall, Called, NotServed, Receipt, Settlement, TransformCall};
use model::{CallReport, Document, Fault, FaultKind};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use wasmtime::Engine;

use crate::cpu::metered;
use crate::fault;
use crate::gate::Gate;
use crate::generation::{Code, Generation, Sandbox, Sandboxed};
use crate::ledger::Left;
use crate::limits::Exceeded;
use crate::native::{Caller, Native};
use crate::registry::Serving;
use crate::state::{self, CallState};
use crate::v0_1::Exports;
use crate::wasi::Surroundings;

/// One entry point of a plugin, with what goes in.
pub(crate) trait Entry: Send {
    type Answer: Send;

    /// Calls the guest. An error is a trap, a limit, or an answer that breaks the contract.
    fn call(&self, exports: &Exports, sandbox: &mut Sandbox) -> impl Future<Output = Outcome<Self::Answer>> + Send;

    /// The same of a plugin that is a process.
    fn ask(&self, native: &Native, caller: &Caller) -> impl Future<Output = Outcome<Self::Answer>> + Send;
}

pub(crate) type Outcome<T> = wasmtime::Result<Result<T, Fault>>;

pub(crate) struct Transform<'a>(pub(crate) &'a TransformCall);

impl Entry for Transform<'_> {
    type Answer = Vec<Document>;

    async fn call(&self, exports: &Exports, sandbox: &mut Sandbox) -> Outcome<Vec<Document>> {
        exports.transform(&mut sandbox.store, &sandbox.instance, self.0).await
    }

    async fn ask(&self, native: &Native, caller: &Caller) -> Outcome<Vec<Document>> {
        native.transform(self.0, caller).await
    }
}

pub(crate) struct Invoke<'a>(pub(crate) &'a ActionCall, pub(crate) Arc<Gate>);

impl Entry for Invoke<'_> {
    type Answer = Receipt;

    async fn call(&self, exports: &Exports, sandbox: &mut Sandbox) -> Outcome<Receipt> {
        exports.invoke(&mut sandbox.store, &sandbox.instance, self.0, &self.1).await
    }

    async fn ask(&self, native: &Native, caller: &Caller) -> Outcome<Receipt> {
        native.invoke(self.0, &self.1, caller).await
    }
}

pub(crate) struct Verify<'a>(pub(crate) &'a ActionCall, pub(crate) Arc<Gate>);

impl Entry for Verify<'_> {
    type Answer = Settlement;

    async fn call(&self, exports: &Exports, sandbox: &mut Sandbox) -> Outcome<Settlement> {
        exports.verify(&mut sandbox.store, &sandbox.instance, self.0, &self.1).await
    }

    async fn ask(&self, native: &Native, caller: &Caller) -> Outcome<Settlement> {
        native.verify(self.0, &self.1, caller).await
    }
}

/// Proves that a component starts and that its roles have the types of the contract.
pub(crate) struct CheckTypes;

impl Entry for CheckTypes {
    type Answer = ();

    async fn call(&self, exports: &Exports, sandbox: &mut Sandbox) -> Outcome<()> {
        exports.check_types(&mut sandbox.store, &sandbox.instance)?;
        Ok(Ok(()))
    }

    async fn ask(&self, _native: &Native, _caller: &Caller) -> Outcome<()> {
        // It has said what it is when it was started, and its answers are read one by one.
        Ok(Ok(()))
    }
}

/// A call that has been answered, with what the host must still judge.
pub(crate) struct Ended<T> {
    pub(crate) called: Called<T>,
    /// A request that can have had an effect was sent, and its answer is not known.
    pub(crate) lost_request: bool,
    /// It ended in a trap, at a limit, or broke the contract.
    pub(crate) trapped: bool,
}

/// Where calls run.
pub(crate) struct Runner {
    pub(crate) engine: Engine,
    /// Memories of the pool that mappers may take. Connectors have their own, because they wait.
    mapper_slots: Semaphore,
    connector_slots: Semaphore,
    /// Memories of the pool for sandboxes that wait for their next call.
    warm_slots: Arc<Semaphore>,
    long_runners: Semaphore,
}

/// How calls share the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Sandboxes for mappers at once.
    pub mappers: u32,
    /// Sandboxes for connectors at once; they mostly wait for an answer.
    pub connectors: u32,
    /// Sandboxes that are kept for their next call, of plugins that opted for it.
    pub warm: u32,
    /// Guests that may stay on a core for more than a moment at once: one fewer than cores, and at least one.
    pub long_runners: u32,
}

impl Slots {
    /// Slots that fit so many cores.
    pub fn for_cores(cores: u32) -> Self {
        Self { mappers: (4 * cores).max(16), connectors: 256, warm: 64, long_runners: cores.saturating_sub(1).max(1) }
    }

    pub(crate) fn total(self) -> u32 {
        self.mappers + self.connectors + self.warm
    }
}

impl Runner {
    pub(crate) fn new(engine: Engine, slots: Slots) -> Self {
        Self {
            engine,
            mapper_slots: Semaphore::new(slots.mappers as usize),
            connector_slots: Semaphore::new(slots.connectors as usize),
            warm_slots: Arc::new(Semaphore::new(slots.warm as usize)),
            long_runners: Semaphore::new(slots.long_runners as usize),
        }
    }

    /// Waits until the plugin may be called and the pool has room, but not beyond the deadline.
    pub(crate) async fn admit<'a>(
        &'a self,
        generation: &'a Generation,
        deadline: Instant,
    ) -> Result<Admission<'a>, NotServed> {
        let slots = if generation.is_mapper() { &self.mapper_slots } else { &self.connector_slots };
        let admission = async {
            let own = generation.permits.acquire().await.ok()?;
            let slots = slots.acquire_many(generation.memories()).await.ok()?;
            Some(Admission { _own: own, _slots: slots })
        };
        let within = deadline.saturating_duration_since(Instant::now());
        let admitted = timeout(within, admission).await.ok().flatten();
        admitted.ok_or_else(|| NotServed::Unavailable {
            name: generation.plugin.name.clone(),
            reason: "all of its calls are taken; raise `concurrency` in its limits if the machine can bear it"
                .to_owned(),
        })
    }

    /// Runs one call in a sandbox of its own, or in one that is used again if the plugin's settings say so.
    pub(crate) async fn run<E: Entry>(
        &self,
        serving: &Serving,
        surroundings: Surroundings,
        deadline: Instant,
        entry: E,
    ) -> Ended<E::Answer> {
        let began = Instant::now();
        let generation = &*serving.generation;
        let limits = &serving.settings.limits;
        let wall = limits.wall.min(deadline.saturating_duration_since(began));
        let state = CallState::new(Arc::clone(limits), surroundings);
        let (ledger, meter) = (Arc::clone(&state.ledger), Arc::clone(&state.meter));
        let call = async {
            let sandboxed = match &generation.code {
                Code::Sandboxed(sandboxed) => sandboxed,
                Code::Native(native) => return entry.ask(native, &state.into_caller()).await,
            };
            let mut sandbox = match sandboxed.take_warm() {
                Some(mut sandbox) => {
                    sandbox.store.data_mut().replace_call(state);
                    sandbox.store.set_epoch_deadline(1);
                    sandbox
                }
                None => self.sandbox(sandboxed, state).await?,
            };
            let answer = entry.call(&sandboxed.exports, &mut sandbox).await?;
            sandbox.uses += 1;
            if sandbox.uses < serving.settings.calls_per_sandbox {
                self.keep_warm(sandboxed, sandbox);
            }
            Ok(answer)
        };
        let ended = timeout(wall, metered(call, &meter, &self.long_runners)).await;
        let left = ledger.close();
        let (answer, trapped) = match ended {
            Ok(Ok(answer)) => (answer, false),
            Ok(Err(error)) => (Err(fault::of_error(&error, limits, left.refused)), true),
            Err(_) => {
                let fault = out_of_time(generation, wall);
                // A slow destination is not held against the plugin.
                let trapped = fault.kind == FaultKind::Internal;
                (Err(fault), trapped)
            }
        };
        let (lost_request, host_calls) = (left.lost_request, left.host_calls);
        let report = report(generation, began, meter.spent(), left);
        Ended { called: Called { answer, report, host_calls }, lost_request, trapped }
    }

    async fn sandbox(&self, sandboxed: &Sandboxed, state: CallState) -> wasmtime::Result<Sandbox> {
        let mut store = state::store(&self.engine, state);
        let instance = sandboxed.component.instantiate_async(&mut store).await?;
        Ok(Sandbox { store, instance, uses: 0, kept: None })
    }

    /// Keeps a sandbox for the next call, if the part of the pool that is meant for it has room.
    fn keep_warm(&self, sandboxed: &Sandboxed, mut sandbox: Sandbox) {
        if sandbox.kept.is_none() {
            sandbox.kept = Arc::clone(&self.warm_slots).try_acquire_many_owned(sandboxed.memories).ok();
        }
        if sandbox.kept.is_some() {
            sandboxed.keep_warm(sandbox);
        }
    }
}

/// The right to run, until it is dropped.
pub(crate) struct Admission<'a> {
    _own: SemaphorePermit<'a>,
    _slots: SemaphorePermit<'a>,
}

/// A connector that is out of time was waiting for its destination; a mapper waits for nothing but a core.
fn out_of_time(generation: &Generation, wall: Duration) -> Fault {
    let kind = if generation.is_mapper() { FaultKind::Internal } else { FaultKind::Timeout };
    fault::of_limit(Exceeded::Wall(wall), kind)
}

fn report(generation: &Generation, began: Instant, cpu: Duration, left: Left) -> CallReport {
    let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    CallReport {
        plugin: generation.plugin.clone(),
        duration_us: micros(began.elapsed()),
        cpu_us: micros(cpu),
        memory_bytes: left.memory_bytes_peak,
        requests: left.requests,
        logs: left.logs,
        logs_dropped: left.logs_dropped,
    }
}
