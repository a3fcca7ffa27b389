use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::{Inspection, Reach};
use manifest::{Effect, Manifest, Role};
use model::PluginRef;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre, Linker};

use crate::limits::Limits;
use crate::load::{LoadError, Read};
use crate::native::Native;
use crate::sandbox::{MEMORIES_MAX, TABLES_MAX};
use crate::state::CallState;
use crate::v0_1;

/// Calls of one plugin side by side, where the operator says nothing: as many as a connection takes at once.
const CALLS: u32 = 64;

/// The same where each is a process of its own.
const NATIVE_CALLS: u32 = 4;

/// A generation is quarantined when this many different executions have trapped …
const TRAPPED_EXECUTIONS_MAX: usize = 16;
/// … and they are at least every second call, within a window of so many calls.
const HEALTH_WINDOW_CALLS: u64 = 256;

/// One digest of a plugin, compiled and linked.
pub(crate) struct Generation {
    pub(crate) plugin: PluginRef,
    pub(crate) major: u64,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) about: Inspection,
    pub(crate) code: Code,
    /// Permits to be called. A generation that drains beside this one has its own.
    pub(crate) permits: Arc<Semaphore>,
    in_flight: AtomicU64,
    calls: AtomicU64,
    traps: AtomicU64,
    health: Mutex<Health>,
    quarantined: AtomicBool,
}

/// What is called.
pub(crate) enum Code {
    Sandboxed(Sandboxed),
    Native(Native),
}

/// A component, compiled and linked.
pub(crate) struct Sandboxed {
    pub(crate) exports: v0_1::Exports,
    pub(crate) component: InstancePre<CallState>,
    /// Memories that one sandbox takes from the pool.
    pub(crate) memories: u32,
    warm: Mutex<Vec<Sandbox>>,
}

/// A guest ready to be called.
pub(crate) struct Sandbox {
    pub(crate) store: Store<CallState>,
    pub(crate) instance: Instance,
    /// Calls that it has answered.
    pub(crate) uses: u32,
    /// The room in the pool that it takes while it waits.
    pub(crate) kept: Option<OwnedSemaphorePermit>,
}

#[derive(Default)]
struct Health {
    calls: u64,
    trapped: HashSet<u64>,
}

impl Generation {
    /// Links a compiled component.
    pub(crate) fn link(
        name: &str,
        read: Read,
        component: &Component,
        linker: &Linker<CallState>,
        limits: &Limits,
    ) -> Result<Self, LoadError> {
        let memories = check_sandbox(component)?;
        let component = linker.instantiate_pre(component).map_err(|cause| LoadError::Link(format!("{cause:#}")))?;
        let exports = v0_1::Exports::of(&component);
        if let Some(role) = read.manifest.roles.iter().find(|role| !exports.has(**role)) {
            return Err(LoadError::Link(format!("its role `{}` lacks a function", role.name())));
        }
        let code = Code::Sandboxed(Sandboxed { exports, component, memories, warm: Mutex::default() });
        Ok(Self::new(name, read, code, limits.concurrency.unwrap_or(CALLS)))
    }

    /// A program that has been started.
    pub(crate) fn native(name: &str, read: Read, native: Native, limits: &Limits) -> Self {
        Self::new(name, read, Code::Native(native), limits.concurrency.unwrap_or(NATIVE_CALLS))
    }

    fn new(name: &str, read: Read, code: Code, calls: u32) -> Self {
        let (name, version) = (name.to_owned(), read.manifest.version.clone());
        Self {
            plugin: PluginRef { name, version, digest: read.digest.clone() },
            major: major(&read.manifest),
            about: inspection(&read),
            code,
            permits: Arc::new(Semaphore::new(calls.max(1) as usize)),
            manifest: read.manifest,
            in_flight: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            traps: AtomicU64::new(0),
            health: Mutex::default(),
            quarantined: AtomicBool::new(false),
        }
    }

    /// Memories that one call takes from the pool. A process has its own, and takes the place of one.
    pub(crate) fn memories(&self) -> u32 {
        match &self.code {
            Code::Sandboxed(sandboxed) => sandboxed.memories,
            Code::Native(_) => 1,
        }
    }

    pub(crate) fn is_mapper(&self) -> bool {
        self.manifest.has(Role::Mapper)
    }

    /// Whether a lost answer of the action leaves open what has happened.
    pub(crate) fn repeats_are_harmful(&self, action: &str) -> bool {
        let effect = self.manifest.action(action).map(|action| action.effect);
        matches!(effect, Some(Effect::Unsafe | Effect::Keyed))
    }

    pub(crate) fn begin_call(&self) {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn end_call(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Acquire)
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn traps(&self) -> u64 {
        self.traps.load(Ordering::Relaxed)
    }

    /// Notes how a call for an execution ended. Many different executions that trap quarantine the generation; one that
    /// traps every time does not.
    pub(crate) fn note(&self, execution: impl Hash, trapped: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if health.calls >= HEALTH_WINDOW_CALLS {
            *health = Health::default();
        }
        health.calls += 1;
        if trapped {
            self.traps.fetch_add(1, Ordering::Relaxed);
            let mut hasher = DefaultHasher::new();
            execution.hash(&mut hasher);
            health.trapped.insert(hasher.finish());
            let trapped = health.trapped.len();
            if trapped >= TRAPPED_EXECUTIONS_MAX && trapped as u64 * 2 >= health.calls {
                self.quarantined.store(true, Ordering::Release);
            }
        }
    }

    pub(crate) fn is_quarantined(&self) -> bool {
        self.quarantined.load(Ordering::Acquire)
    }

    /// Gives it another chance: it is called again.
    pub(crate) fn release(&self) {
        if let Code::Native(native) = &self.code {
            native.heat();
        }
        *self.health.lock().unwrap_or_else(PoisonError::into_inner) = Health::default();
        self.quarantined.store(false, Ordering::Release);
    }

    /// Lets go of the sandboxes or processes that are kept: this generation is not called any more.
    pub(crate) fn cool(&self) {
        match &self.code {
            Code::Sandboxed(sandboxed) => sandboxed.warm().clear(),
            Code::Native(native) => native.cool(),
        }
    }
}

impl Sandboxed {
    /// A sandbox that has answered before, if one is kept.
    pub(crate) fn take_warm(&self) -> Option<Sandbox> {
        self.warm().pop()
    }

    /// Keeps a sandbox for its next call.
    pub(crate) fn keep_warm(&self, sandbox: Sandbox) {
        self.warm().push(sandbox);
    }

    fn warm(&self) -> MutexGuard<'_, Vec<Sandbox>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a component says of itself.
pub(crate) fn inspection(read: &Read) -> Inspection {
    let manifest = &read.manifest;
    let asks = manifest.http.iter().map(|ask| Reach {
        origin: ask.origin.clone(),
        methods: ask.methods.clone(),
        paths: ask.paths.clone(),
        reason: ask.reason.clone(),
    });
    Inspection {
        id: manifest.id.clone(),
        version: manifest.version.clone(),
        description: manifest.description.clone(),
        owner: manifest.owner.clone(),
        licence: manifest.licence.clone(),
        contract: manifest.contract.clone(),
        digest: read.digest.clone(),
        roles: manifest.roles.iter().map(|role| role.name().to_owned()).collect(),
        actions: manifest.actions.keys().cloned().collect(),
        imports: read.imports.clone(),
        asks: asks.collect(),
    }
}

/// The first number of the version; the manifest was checked to have one.
fn major(manifest: &Manifest) -> u64 {
    manifest.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
}

/// How many memories a sandbox of the component takes, if the pool has what it takes.
fn check_sandbox(component: &Component) -> Result<u32, LoadError> {
    let needs = component.resources_required().ok_or_else(|| {
        LoadError::Link("it imports modules, so that what a sandbox of it takes cannot be known".to_owned())
    })?;
    for (what, needs, max) in [("memories", needs.num_memories, MEMORIES_MAX), ("tables", needs.num_tables, TABLES_MAX)]
    {
        if needs > max {
            return Err(LoadError::Sandbox { what, needs, max });
        }
    }
    Ok(needs.num_memories.max(1))
}
