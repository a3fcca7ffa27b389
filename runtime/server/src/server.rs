//! The life of a server: build, run, drain.

use std::fs::{self, DirBuilder};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use api::ControlError;
use egress::Egress;
use engine::Engine;
use host::{CompileConfig, Host, HostConfig, Slots};
use ingress::{Ingress, IngressHandle, Tls};
use journal::RealDisk;
use lifecycle::{Clock, Shutdown, ShutdownTrigger, SystemClock, Tasks};
use model::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use store::{LocalStore, Retention};
use store_sled::SledProjection;

use crate::connections::Connections;
use crate::deploy::Deployment;
use crate::project::Project;
use crate::routes::ClosedRoute;
use crate::secrets::{Secrets, SecretsError};
use crate::settings::Settings;

/// What a component may have at most; `read_component` has the same limit.
const ARTEFACT_BYTES_MAX: usize = 32 << 20;

/// A Weir that is ready to run.
pub struct Server {
    shared: Arc<Shared>,
    ingress: Ingress,
    egress: Egress,
}

/// What the parts of a running server share. The admin API holds it as its [`Control`](api::Control).
pub(crate) struct Shared {
    pub(crate) root: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) project: RwLock<Arc<Project>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Arc<LocalStore>,
    pub(crate) secrets: Secrets,
    pub(crate) connections: Arc<Connections>,
    pub(crate) host: Host,
    pub(crate) deployment: Deployment,
    pub(crate) engine: Engine,
    pub(crate) ingress: IngressHandle,
    pub(crate) closed: Mutex<Vec<ClosedRoute>>,
    /// One change of the project at a time.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

/// Why Weir does not start. Nothing has been taken in.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error("cannot use the data folder `{}`", folder.display())]
    Data {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Another process uses it.
    #[error(transparent)]
    Lock(#[from] journal::LockError),
    /// The state database cannot be opened.
    #[error(transparent)]
    Projection(#[from] store_sled::OpenError),
    /// The journal cannot be read.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// The secrets cannot be opened.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// A PEM file cannot be used.
    #[error("cannot use `{}`: {reason}", file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// Outside systems cannot be reached.
    #[error(transparent)]
    Egress(#[from] egress::BuildError),
    /// Sandboxes cannot be set up.
    #[error(transparent)]
    Host(#[from] host::BuildError),
    /// The address cannot be listened on.
    #[error(transparent)]
    Ingress(#[from] ingress::BuildError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The project cannot be brought into service.
    #[error(transparent)]
    Apply(#[from] ControlError),
}

impl Server {
    /// Opens the store, loads the plugins and binds the address. `program` compiles plugins: see
    /// [`host::CompileConfig::program`]. `progress` is told how far the reading of the journal has come, if that takes
    /// long.
    pub async fn build(
        project: Project,
        program: PathBuf,
        progress: impl FnMut(store::Progress) + Send + 'static,
    ) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let settings = project.settings.clone();
        let tls = tls(&settings)?;
        let roots = settings.roots.iter().map(|file| read_roots(file)).collect::<Result<Vec<_>, _>>()?.concat();
        let store = open_store(&settings, clock.clone(), progress).await?;
        let secrets = Secrets::open(&project.root, &settings.data, settings.master_key.as_ref(), &*store).await?;
        let connections = Arc::new(Connections::default());
        let egress = Egress::build(egress::Config { extra_roots: roots, ..egress::Config::default() }, clock.clone())?;
        let host = build_host(&settings, program, egress.clone(), connections.clone(), clock.clone())?;
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).map_err(StartError::Random)?;
        let engine = Engine::build(
            engine::Config::default(),
            store.clone(),
            Arc::new(host.clone()),
            clock.clone(),
            u64::from_le_bytes(seed),
        );
        let limits = ingress::Limits { connections_max: settings.connections_max, ..ingress::Limits::default() };
        let config = ingress::Config { address: settings.listen, tls, limits };
        let (ingress, ingress_handle) = Ingress::build(config, Arc::new(engine.clone()), clock.clone()).await?;
        let shared = Arc::new(Shared {
            deployment: Deployment::new(host.clone(), &project.root, &settings.data),
            root: project.root.clone(),
            settings,
            project: RwLock::new(Arc::new(project.clone())),
            clock,
            store,
            secrets,
            connections,
            host,
            engine,
            ingress: ingress_handle,
            closed: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        });
        shared.bring_into_service(project).await?;
        Ok(Self { shared, ingress, egress })
    }

    /// The address and port at which events come in.
    pub fn address(&self) -> SocketAddr {
        self.shared.ingress.address()
    }

    /// What the admin API acts on.
    pub fn control(&self) -> Arc<dyn api::Control> {
        self.shared.clone()
    }

    /// Where the admin API's socket lies.
    pub fn socket(&self) -> PathBuf {
        self.shared.settings.data.join("weir.sock")
    }

    /// Runs until told to stop, then in this order: no new events, no new work, calls under way get their grace period,
    /// everything is made durable.
    pub async fn run(self, mut shutdown: Shutdown) -> Result<(), store::StoreError> {
        let (intake_stop, intake_shutdown) = ShutdownTrigger::new();
        let (engine_stop, engine_shutdown) = ShutdownTrigger::new();
        let tasks = Tasks::default();
        tasks.spawn("ingress", self.ingress.run(intake_shutdown));
        tasks.spawn("watch", self.shared.clone().watch_components(shutdown.clone()));
        let (egress, stop) = (self.egress.clone(), shutdown.clone());
        tasks.spawn("egress", async move { egress.run(stop).await });
        let engine = self.shared.engine.clone();
        let engine_tasks = Tasks::default();
        engine_tasks.spawn("engine", async move {
            if let Err(error) = engine.run(engine_shutdown).await {
                tracing::error!(%error, "the engine has stopped");
            }
        });
        tokio::select! {
            () = shutdown.wait() => {}
            failed = tasks.watch() => tracing::error!(%failed, "stopping"),
            failed = engine_tasks.watch() => tracing::error!(%failed, "stopping"),
        }
        intake_stop.fire();
        tasks.stop(ingress::Limits::default().drain).await;
        engine_stop.fire();
        engine_tasks.stop(engine::Config::default().stop_grace + Duration::from_secs(5)).await;
        let store = self.shared.store.clone();
        tokio::task::spawn_blocking(move || store.close())
            .await
            .unwrap_or_else(|panic| Err(store::StoreError::Failed(Arc::new(panic))))
    }
}

async fn open_store(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    mut progress: impl FnMut(store::Progress) + Send + 'static,
) -> Result<Arc<LocalStore>, StartError> {
    let data = settings.data.clone();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&data)
        .map_err(|cause| StartError::Data { folder: data.clone(), cause })?;
    let retention = Retention { age: settings.retention, bytes: settings.retention_bytes };
    let open = move || {
        let disk = Arc::new(RealDisk::new(data.join("journal"))?);
        let (projection, opened) = SledProjection::open(&data.join("state"), store_sled::Options::default())?;
        if let store_sled::Opened::Discarded(reason) = opened {
            tracing::warn!(%reason, "the state database is rebuilt from the journal");
        }
        let mut journal = journal::Config::new(move || Timestamp::from(clock.now()));
        // What has not reached the disk cannot be acknowledged, and nothing that follows can be trusted to.
        journal.on_failure = Arc::new(|error| {
            tracing::error!(%error, "the journal cannot be written: Weir ends; check the disk, then start it again");
            std::process::exit(crate::server::EXIT_JOURNAL);
        });
        let config = store::Config { retention, ..store::Config::new(journal) };
        let (store, opened) = LocalStore::open(disk, Box::new(projection), config, &mut progress)?;
        for cut in &opened.cuts {
            tracing::warn!(
                ?cut,
                "an unfinished batch at the end of the journal was cut: nothing of it had been acknowledged"
            );
        }
        Ok(Arc::new(store))
    };
    tokio::task::spawn_blocking(open).await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// The exit code after an error of the disk: EX_IOERR of `sysexits.h`.
pub(crate) const EXIT_JOURNAL: i32 = 74;

fn build_host(
    settings: &Settings,
    program: PathBuf,
    egress: Egress,
    connections: Arc<Connections>,
    clock: Arc<dyn Clock>,
) -> Result<Host, StartError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let config = HostConfig {
        slots: Slots::for_cores(cores as u32),
        artefact_bytes_max: ARTEFACT_BYTES_MAX,
        compile: CompileConfig::new(program),
        cache_folder: settings.data.join("compiled"),
        now: Arc::new(move || clock.now()),
    };
    Ok(Host::build(config, egress, connections)?)
}

fn tls(settings: &Settings) -> Result<Option<Tls>, StartError> {
    let Some((certificate, key)) = &settings.tls else { return Ok(None) };
    let read = |file: &Path| {
        fs::read(file).map_err(|error| StartError::Pem { file: file.to_owned(), reason: error.to_string() })
    };
    Ok(Some(Tls::from_pem(&read(certificate)?, &read(key)?)?))
}

fn read_roots(file: &Path) -> Result<Vec<CertificateDer<'static>>, StartError> {
    let bad = |reason: String| StartError::Pem { file: file.to_owned(), reason };
    let roots = CertificateDer::pem_file_iter(file).map_err(|error| bad(error.to_string()))?;
    let roots: Vec<_> = roots.collect::<Result<_, _>>().map_err(|error| bad(error.to_string()))?;
    if roots.is_empty() { Err(bad("there is no certificate in it".to_owned())) } else { Ok(roots) }
}
