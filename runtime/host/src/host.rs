use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use capability::InvalidGrant;
use connection::Connection;
use egress::Egress;
use engine::{ActionCall, Called, NotServed, PluginCaller, PluginSelector, Receipt, Settlement, TransformCall};
use futures_util::future::BoxFuture;
use manifest::{Manifest, Role};
use model::{Document, FaultKind};
use wasmtime::component::Linker;

use crate::cache::Cache;
use crate::call::{Invoke, Runner, Slots, Transform, Verify};
use crate::compile::{CompileConfig, Compiler};
use crate::gate::Gate;
use crate::registry::{PluginSettings, Registry, Serving};
use crate::state::CallState;
use crate::wasi::{self, Surroundings};
use crate::{sandbox, v0_1};

/// How long a mapper's call may wait for its turn and run; a connector's call brings its own deadline.
const TRANSFORM_DEADLINE: Duration = Duration::from_secs(60);

/// What the host is built with.
pub struct HostConfig {
    /// How calls share the machine.
    pub slots: Slots,
    /// `artefact`: bytes of a component.
    pub artefact_bytes_max: usize,
    /// How components are compiled.
    pub compile: CompileConfig,
    /// Where compiled code is kept; made private to the owner.
    pub cache_folder: PathBuf,
    /// The wall clock that connectors see.
    pub now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

/// Finds connections by name. The server implements it; what it gives may change between calls.
pub trait ConnectionLookup: Send + Sync + 'static {
    /// The connection of that name, ready for use, or why there is none, in words for the operator.
    fn find(&self, name: &str) -> Result<Arc<Connection>, String>;
}

/// Why the host cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The engine refused its configuration, or the system its address space.
    #[error("cannot set up the sandboxes; with a limit on address space, allow 8 GiB for each slot or lower the slots")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The cache cannot be opened.
    #[error("cannot open the cache of compiled plugins in `{folder}`")]
    Cache {
        /// Where.
        folder: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

/// Loads, calls and switches plugins. Cheap to clone.
#[derive(Clone)]
pub struct Host(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) registry: Registry,
    pub(crate) runner: Runner,
    pub(crate) compiler: Compiler,
    pub(crate) mapper_linker: Linker<CallState>,
    pub(crate) connector_linker: Linker<CallState>,
    pub(crate) artefact_bytes_max: usize,
    egress: Egress,
    connections: Arc<dyn ConnectionLookup>,
    now: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Host {
    /// Sets up the pool of sandboxes and what can be linked. No plugin is loaded yet: see
    /// [`PluginAdmin`](engine::PluginAdmin).
    pub fn build(
        config: HostConfig,
        egress: Egress,
        connections: Arc<dyn ConnectionLookup>,
    ) -> Result<Self, BuildError> {
        let engine_fault = |cause: wasmtime::Error| BuildError::Engine(cause.into());
        let engine = sandbox::engine(config.slots.total()).map_err(engine_fault)?;
        let mut mapper_linker = Linker::new(&engine);
        wasi::link(&mut mapper_linker).map_err(engine_fault)?;
        v0_1::link(&mut mapper_linker).map_err(engine_fault)?;
        // A linker is not cloned: each is built once, and both live as long as the host.
        let mut connector_linker = Linker::new(&engine);
        wasi::link(&mut connector_linker).map_err(engine_fault)?;
        wasi::link_http(&mut connector_linker).map_err(engine_fault)?;
        v0_1::link(&mut connector_linker).map_err(engine_fault)?;
        v0_1::link_http(&mut connector_linker).map_err(engine_fault)?;
        let cache = Cache::open(&config.cache_folder, &engine)
            .map_err(|cause| BuildError::Cache { folder: config.cache_folder.clone(), cause })?;
        Ok(Self(Arc::new(Inner {
            registry: Registry::default(),
            runner: Runner::new(engine, config.slots),
            compiler: Compiler::new(config.compile, cache),
            mapper_linker,
            connector_linker,
            artefact_bytes_max: config.artefact_bytes_max,
            egress,
            connections,
            now: config.now,
        })))
    }

    /// Sets what the plugin of that name may do and use, from its next call on. Without it a plugin may do nothing and has
    /// the default limits. Before the plugin is installed or after, as often as need be.
    pub fn configure(&self, name: &str, settings: &PluginSettings) -> Result<(), InvalidGrant> {
        self.0.registry.configure(name, settings)
    }

    /// The manifest of the generation that serves, if one does.
    pub fn manifest(&self, plugin: &PluginSelector) -> Option<Arc<Manifest>> {
        self.0.registry.manifest(plugin)
    }
}

impl Inner {
    async fn transform(&self, call: TransformCall) -> Result<Called<Vec<Document>>, NotServed> {
        let serving = self.registry.serve(&call.plugin)?;
        check_role(&serving, Role::Mapper, "role `mapper`")?;
        let deadline = Instant::now() + TRANSFORM_DEADLINE;
        let _admission = self.runner.admit(&serving.generation, deadline).await?;
        let surroundings = Surroundings::of_event(call.event.id, call.event.received);
        let ended = self.runner.run(&serving, surroundings, deadline, Transform(&call)).await;
        serving.generation.note(call.event.id, ended.trapped);
        Ok(ended.called)
    }

    async fn invoke(&self, call: ActionCall) -> Result<Called<Receipt>, NotServed> {
        let serving = self.registry.serve(&call.plugin)?;
        check_role(&serving, Role::Actions, "role `actions`")?;
        check_action(&serving, &call)?;
        let deadline = Instant::now() + call.context.deadline;
        let _admission = self.runner.admit(&serving.generation, deadline).await?;
        let gate = self.gate(&serving, &call, deadline)?;
        let ended = self.runner.run(&serving, self.connector(&gate), deadline, Invoke(&call, gate)).await;
        serving.generation.note(&call.context.execution, ended.trapped);
        let mut called = ended.called;
        if let Err(fault) = &mut called.answer
            && ended.lost_request
            && serving.generation.repeats_are_harmful(&call.action)
        {
            // The host knows best what was lost: the plugin may take it for anything.
            let said = std::mem::replace(&mut fault.kind, FaultKind::UnknownOutcome);
            if said != FaultKind::UnknownOutcome {
                fault.details.push(("kind-before".to_owned(), said.to_string()));
            }
        }
        Ok(called)
    }

    async fn verify(&self, call: ActionCall) -> Result<Called<Settlement>, NotServed> {
        let serving = self.registry.serve(&call.plugin)?;
        check_role(&serving, Role::Verification, "role `verification`")?;
        check_action(&serving, &call)?;
        let deadline = Instant::now() + call.context.deadline;
        let _admission = self.runner.admit(&serving.generation, deadline).await?;
        let gate = self.gate(&serving, &call, deadline)?;
        let ended = self.runner.run(&serving, self.connector(&gate), deadline, Verify(&call, gate)).await;
        serving.generation.note(&call.context.execution, ended.trapped);
        Ok(ended.called)
    }

    /// The way out of one call, with the connection that the flow names, if the plugin may use it.
    fn gate(&self, serving: &Serving, call: &ActionCall, deadline: Instant) -> Result<Arc<Gate>, NotServed> {
        let (name, plugin) = (&call.context.connection, &call.plugin.name);
        let connection = match name.is_empty() {
            true => None,
            false => Some(self.connections.find(name).map_err(NotServed::Connection)?),
        };
        if connection.as_ref().is_some_and(|connection| !connection.serves(plugin)) {
            return Err(NotServed::Connection(format!(
                "plugin `{plugin}` may not use connection `{name}`; to allow it, add \"{plugin}\" to the connection's `plugins`"
            )));
        }
        let deadline = deadline.min(Instant::now() + serving.settings.limits.wall);
        let (egress, grant) = (self.egress.clone(), Arc::clone(&serving.grant));
        Ok(Arc::new(Gate::new(egress, grant, connection, &serving.settings.limits, deadline)))
    }

    /// What a connector perceives.
    pub(crate) fn connector(&self, gate: &Arc<Gate>) -> Surroundings {
        Surroundings::Connector { now: Arc::clone(&self.now), gate: Arc::clone(gate) }
    }

    /// A way out that leads nowhere, for a canary call.
    pub(crate) fn closed_gate(&self, serving: &Serving) -> Arc<Gate> {
        let nothing = capability::Grant::nothing(serving.generation.plugin.name.as_str());
        let limits = &serving.settings.limits;
        Arc::new(Gate::new(self.egress.clone(), Arc::new(nothing), None, limits, Instant::now() + limits.wall))
    }
}

fn check_role(serving: &Serving, role: Role, what: &str) -> Result<(), NotServed> {
    if serving.generation.manifest.has(role) {
        return Ok(());
    }
    Err(NotServed::Lacks { name: serving.generation.plugin.name.clone(), what: what.to_owned() })
}

fn check_action(serving: &Serving, call: &ActionCall) -> Result<(), NotServed> {
    if serving.generation.manifest.action(&call.action).is_some() {
        return Ok(());
    }
    Err(NotServed::Lacks { name: call.plugin.name.clone(), what: format!("action `{}`", call.action) })
}

impl PluginCaller for Host {
    fn transform(&self, call: TransformCall) -> BoxFuture<'_, Result<Called<Vec<Document>>, NotServed>> {
        Box::pin(self.0.transform(call))
    }

    fn invoke(&self, call: ActionCall) -> BoxFuture<'_, Result<Called<Receipt>, NotServed>> {
        Box::pin(self.0.invoke(call))
    }

    fn verify(&self, call: ActionCall) -> BoxFuture<'_, Result<Called<Settlement>, NotServed>> {
        Box::pin(self.0.verify(call))
    }
}
