use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use engine::{AdminError, Called, GenerationStatus, Inspection, PluginAdmin, PluginSelector, TransformCall};
use futures_util::future::BoxFuture;
use manifest::Manifest;
use model::{Attributes, Document, Event, EventId, Fault, LogLine, Timestamp};

use crate::call::{CheckTypes, Transform};
use crate::generation::{Generation, inspection};
use crate::host::{Host, Inner};
use crate::load::{self, LoadError, Read};
use crate::native::{Native, Program};
use crate::registry::{Serving, Settings, refused};
use crate::wasi::Surroundings;

/// How long a canary call may wait for its turn and run.
const CANARY_DEADLINE: Duration = Duration::from_secs(30);

impl Inner {
    /// Compiles, links and tries a component that has been read. What serves calls is not touched.
    async fn load(&self, name: &str, read: Read, bytes: &[u8]) -> Result<Generation, LoadError> {
        let is_mapper = read.manifest.has(manifest::Role::Mapper);
        let compiled = self.compiler.compile(&self.runner.engine, bytes, &read.digest).await;
        let component = compiled.map_err(LoadError::Compile)?;
        let linker = if is_mapper { &self.mapper_linker } else { &self.connector_linker };
        let settings = self.registry.settings(name);
        let generation = Arc::new(Generation::link(name, read, &component, linker, &settings.limits)?);
        self.canary(&generation, settings).await.map_err(LoadError::Canary)?;
        Arc::into_inner(generation).ok_or_else(|| LoadError::Link("its canary call did not end".to_owned()))
    }

    /// Starts a program and tries it. What serves calls is not touched.
    async fn start(&self, name: &str, manifest: Manifest, program: Program) -> Result<Generation, LoadError> {
        let digest = program.digest.clone();
        let read = Read { manifest: Arc::new(manifest), imports: Vec::new(), exports: Vec::new(), digest };
        let settings = self.registry.settings(name);
        let native = Native::start(program, &settings.limits, CANARY_DEADLINE).await?;
        let generation = Arc::new(Generation::native(name, read, native, &settings.limits));
        self.canary(&generation, settings).await.map_err(LoadError::Canary)?;
        Arc::into_inner(generation).ok_or_else(|| LoadError::Link("its canary call did not end".to_owned()))
    }

    /// Reads a component where it does not keep calls waiting.
    async fn read(&self, bytes: &Bytes) -> Result<Read, LoadError> {
        let (bytes, bytes_max) = (bytes.clone(), self.artefact_bytes_max);
        let read = tokio::task::spawn_blocking(move || load::read(&bytes, bytes_max)).await;
        read.unwrap_or_else(|fault| Err(LoadError::Malformed(fault.to_string())))
    }

    /// Starts the component and proves the types of its roles; a mapper is called with a sample too. A fault that it gives
    /// is an answer. A connector is not called: it could only be tried against its destination.
    async fn canary(&self, generation: &Arc<Generation>, settings: Arc<Settings>) -> Result<(), Fault> {
        generation.begin_call();
        let grant = Arc::new(capability::Grant::nothing(generation.plugin.name.as_str()));
        let serving = Serving { generation: Arc::clone(generation), grant, settings };
        let deadline = Instant::now() + CANARY_DEADLINE;
        let busy =
            |fault: engine::NotServed| Fault::new(model::FaultKind::Unavailable, crate::load::BUSY, fault.to_string());
        let _admission = self.runner.admit(generation, deadline).await.map_err(busy)?;
        let surroundings = || match generation.is_mapper() {
            true => Surroundings::of_event(EventId::from_bytes([0; 16]), Timestamp::default()),
            false => self.connector(&self.closed_gate(&serving)),
        };
        with_last_words(self.runner.run(&serving, surroundings(), deadline, CheckTypes).await.called)?;
        if generation.is_mapper() {
            let ended = self.runner.run(&serving, surroundings(), deadline, Transform(&sample(generation))).await;
            if ended.trapped {
                with_last_words(ended.called)?;
            }
        }
        Ok(())
    }
}

/// What a call gave. Of a fault that is no answer, what the plugin logged last says more than the fault does: its SDK logs where it
/// panicked.
fn with_last_words<T>(called: Called<T>) -> Result<T, Fault> {
    called.answer.map_err(|mut fault| {
        if let Some(LogLine { message, fields, .. }) = called.report.logs.last() {
            let fields = fields.iter().map(|(name, value)| format!(" {name}={value}")).collect::<String>();
            fault.message.push_str(&format!("; before that it logged: {message}{fields}"));
        }
        fault
    })
}

/// An event that a mapper can be tried with: the first example in its input schema, or an empty object.
fn sample(generation: &Generation) -> TransformCall {
    let schema = generation.manifest.mapper.as_ref().and_then(|schemas| schemas.input.as_ref());
    let example = schema.and_then(|schema| schema.get("examples")?.get(0));
    let input = Document::json(example.map_or_else(|| "{}".to_owned(), |example| example.to_string()));
    let attributes = Attributes {
        id: "canary".to_owned(),
        source: "/canary".to_owned(),
        kind: "canary".to_owned(),
        content_type: input.content_type.clone(),
        ..Attributes::default()
    };
    let event = Event {
        id: EventId::from_bytes([0; 16]),
        received: Timestamp::default(),
        attributes,
        transport: Vec::new(),
        data: input.data.clone(),
    };
    let plugin = PluginSelector { name: generation.plugin.name.clone(), major: generation.major };
    TransformCall { plugin, event: Arc::new(event), input, options: "{}".into() }
}

impl Host {
    /// As [`PluginAdmin::stage`], of a plugin that is a program of this machine. It is no sandbox, and runs with the rights
    /// of Weir itself: for whoever writes the plugin, on their own machine.
    ///
    /// # Errors
    /// It does not start, or is not what its manifest says.
    pub async fn stage_native(
        &self,
        name: &str,
        manifest: Manifest,
        program: Program,
    ) -> Result<GenerationStatus, AdminError> {
        if let Some(status) = self.0.registry.find(name, &program.digest) {
            return Ok(status);
        }
        let generation = self.0.start(name, manifest, program).await.map_err(|fault| told(&fault))?;
        self.0.registry.add(generation).map_err(|fault| refused(&fault))
    }
}

impl PluginAdmin for Host {
    fn list(&self) -> Vec<GenerationStatus> {
        self.0.registry.list()
    }

    fn inspect(&self, component: Bytes) -> BoxFuture<'_, Result<Inspection, AdminError>> {
        Box::pin(async move {
            let read = self.0.read(&component).await.map_err(|fault| told(&fault))?;
            Ok(inspection(&read))
        })
    }

    fn stage<'a>(&'a self, name: &'a str, component: Bytes) -> BoxFuture<'a, Result<GenerationStatus, AdminError>> {
        Box::pin(async move {
            let read = self.0.read(&component).await.map_err(|fault| told(&fault))?;
            if let Some(status) = self.0.registry.find(name, &read.digest) {
                return Ok(status);
            }
            let generation = self.0.load(name, read, &component).await.map_err(|fault| told(&fault))?;
            self.0.registry.add(generation).map_err(|fault| refused(&fault))
        })
    }

    fn approve<'a>(
        &'a self,
        plugin: &'a PluginSelector,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<GenerationStatus, AdminError>> {
        Box::pin(async move { self.0.registry.approve(plugin, digest) })
    }

    fn activate<'a>(
        &'a self,
        plugin: &'a PluginSelector,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<GenerationStatus, AdminError>> {
        Box::pin(async move { self.0.registry.activate(plugin, digest) })
    }

    fn rollback<'a>(&'a self, plugin: &'a PluginSelector) -> BoxFuture<'a, Result<GenerationStatus, AdminError>> {
        Box::pin(async move { self.0.registry.rollback(plugin) })
    }

    fn retire<'a>(&'a self, plugin: &'a PluginSelector) -> BoxFuture<'a, Result<(), AdminError>> {
        Box::pin(async move { self.0.registry.retire(plugin) })
    }
}

/// A refusal with its causes in one line: the error that the API knows carries no chain.
fn told(fault: &LoadError) -> AdminError {
    let mut message = fault.to_string();
    let mut cause = fault.source();
    while let Some(next) = cause {
        message = format!("{message}: {next}");
        cause = next.source();
    }
    AdminError::Refused { code: fault.code(), message }
}
