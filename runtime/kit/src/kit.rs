use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capability::{Denied, Grant, GrantText, HttpRuleText};
use connection::{Connection, SecretSource};
use egress::Egress;
use engine::{
    ActionCall, AdminError, Called, NotServed, PluginAdmin, PluginCaller, PluginSelector, Receipt, Settlement,
    TransformCall,
};
use host::{CompileConfig, ConnectionLookup, Host, HostConfig, Limits, PluginSettings, Slots};
use lifecycle::{Clock as _, SystemClock};
use manifest::{HttpRequest, Manifest};
use model::{Document, Origin, RequestRecord};

use crate::case::{CONNECTION, Call, Case, ConnectionText, RECEIVED, base_of};
use crate::judge::Report;
use crate::recordings::Recordings;

/// What a component may have at most; a server takes no more either.
const ARTEFACT_BYTES_MAX: usize = 32 << 20;

/// Cases run one after the other, in a fresh sandbox each. A component of several modules takes a slot for each of its
/// memories.
const SLOTS: Slots = Slots { mappers: 4, connectors: 4, warm: 4, long_runners: 1 };

/// What is checked with answers made up may take so many times the CPU time of a call in service: what it must not do is
/// grow without a bound, and a busy machine is no fault of the plugin's.
const ANSWERED_CPU: u32 = 4;

/// Between two calls whose answers are made up: the hour, the minute and the second are all others.
const BETWEEN_CALLS: Duration = Duration::from_secs(3661);

/// What a kit is built with.
pub struct Config {
    /// A program that compiles plugins: see [`host::CompileConfig::program`].
    pub program: PathBuf,
    /// Where compiled code is kept between runs.
    pub cache_folder: PathBuf,
    /// Reads the secrets that a case names and does not write itself.
    pub secrets: Arc<dyn SecretSource + Send + Sync>,
    /// Where requests go.
    pub way: Way,
}

/// Where requests go when they have passed the gate.
#[derive(Clone)]
pub enum Way {
    /// To the exchanges of the case.
    Recorded,
    /// To this in place of the network; the exchanges of a case are not looked at.
    Answered(Arc<dyn egress::Transport>),
    /// To their destinations.
    Live {
        /// Networks that may be reached although they are not public.
        private_networks: Vec<String>,
    },
}

/// A plugin in the real host, ready to be called. It is granted what its manifest asks for, and nothing else.
pub struct Kit {
    host: Host,
    recordings: Arc<Recordings>,
    connections: Arc<CaseConnection>,
    secrets: Arc<dyn SecretSource + Send + Sync>,
    manifest: Manifest,
    plugin: PluginSelector,
    digest: String,
    asks: Vec<HttpRuleText>,
    limits: Limits,
    /// Calls that were made.
    calls: Arc<AtomicU32>,
    is_live: bool,
}

/// Why a plugin cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It carries no manifest that could be read.
    #[error("the component cannot be a plugin")]
    Manifest(#[from] manifest::ReadManifestError),
    /// The gate cannot be built.
    #[error(transparent)]
    Egress(#[from] egress::BuildError),
    /// The sandboxes cannot be set up.
    #[error(transparent)]
    Host(#[from] host::BuildError),
    /// The networks are not written as they must be.
    #[error(transparent)]
    Grant(#[from] capability::InvalidGrant),
    /// The host refuses it.
    #[error(transparent)]
    Refused(#[from] AdminError),
    /// The host does not make the call.
    #[error(transparent)]
    NotServed(#[from] NotServed),
}

/// What a call gave, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A mapper.
    Documents(Vec<Document>),
    /// An action.
    Receipt(Receipt),
    /// Its verification.
    Settlement(Settlement),
}

impl OpenError {
    /// The stable word for what is wrong with the component, if that is why.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Manifest(_) => Some("weir.load.manifest"),
            Self::Refused(AdminError::Refused { code, .. }) => Some(code),
            _ => None,
        }
    }
}

/// The connection of the case that runs.
#[derive(Default)]
struct CaseConnection(Mutex<Option<Result<Arc<Connection>, String>>>);

impl CaseConnection {
    fn set(&self, connection: Option<Result<Arc<Connection>, String>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }
}

impl ConnectionLookup for CaseConnection {
    fn find(&self, name: &str) -> Result<Arc<Connection>, String> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connection.clone().unwrap_or_else(|| Err(format!("the case has no connection `{name}`")))
    }
}

impl Kit {
    /// Loads the component as a server would: checked, compiled, tried, granted, activated.
    pub async fn open(config: Config, component: Bytes) -> Result<Self, OpenError> {
        let manifest = manifest::extract(&component)?;
        let recordings = Arc::new(Recordings::default());
        let mut limits = Limits::default();
        let ticks = matches!(config.way, Way::Answered(_));
        if ticks {
            limits.cpu *= ANSWERED_CPU;
        }
        let (transport, private_networks) = match config.way {
            Way::Recorded => (Some(Arc::clone(&recordings) as Arc<dyn egress::Transport>), Vec::new()),
            Way::Answered(transport) => (Some(transport), Vec::new()),
            Way::Live { private_networks } => (None, private_networks),
        };
        let is_live = transport.is_none();
        // Recordings need no certificate authorities, and reading them takes longer than a case.
        let gate = egress::Config { system_roots: is_live, transport, ..egress::Config::default() };
        let egress = Egress::build(gate, Arc::new(SystemClock))?;
        let connections = Arc::new(CaseConnection::default());
        let calls = Arc::new(AtomicU32::new(0));
        // Recorded calls happen at one instant, so that a case gives the same on every day. Calls whose answers are made up
        // happen one after the other, so that whoever sends the time along is found out, and on the same days in every run.
        let now: Arc<dyn Fn() -> SystemTime + Send + Sync> = match (is_live, ticks) {
            (true, _) => Arc::new(|| SystemClock.now()),
            (false, false) => Arc::new(|| RECEIVED.to_system_time()),
            (false, true) => {
                let calls = Arc::clone(&calls);
                Arc::new(move || RECEIVED.to_system_time() + BETWEEN_CALLS * calls.load(Ordering::Relaxed))
            }
        };
        let host_config = HostConfig {
            slots: SLOTS,
            artefact_bytes_max: ARTEFACT_BYTES_MAX,
            compile: CompileConfig::new(config.program),
            cache_folder: config.cache_folder,
            now,
        };
        let host = Host::build(host_config, egress, Arc::clone(&connections) as Arc<dyn ConnectionLookup>)?;
        let name = manifest.id.clone();
        let grant = GrantText { http: Vec::new(), private_networks };
        host.configure(&name, &PluginSettings { grant, limits: limits.clone(), ..PluginSettings::default() })?;
        let staged = host.stage(&name, component).await?;
        let plugin = PluginSelector { name, major: staged.major };
        host.approve(&plugin, &staged.plugin.digest).await?;
        let asks = manifest.http.iter().map(rule).collect();
        let (secrets, digest) = (config.secrets, staged.plugin.digest);
        Ok(Self { host, recordings, connections, secrets, manifest, plugin, digest, asks, limits, calls, is_live })
    }

    /// What the plugin says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Runs a case and compares what it gave with what was expected.
    ///
    /// # Errors
    /// The plugin cannot be brought into service: the fault is not the case's.
    pub async fn run(&self, case: &Case) -> Result<Report, OpenError> {
        let mut report = self.call(case).await?;
        report.judge(case.expect.as_ref());
        Ok(report)
    }

    /// Makes the case's call, and compares the exchanges alone.
    ///
    /// # Errors
    /// The plugin cannot be brought into service: the fault is not the case's.
    pub async fn call(&self, case: &Case) -> Result<Report, OpenError> {
        self.recordings.begin(&case.http);
        let mut report = match self.make(&case.call).await {
            Ok(called) => Report::of(called),
            Err(OpenError::NotServed(reason)) => Report::not_served(&reason),
            Err(error) => return Err(error),
        };
        let exchanges = self.recordings.end();
        if !self.is_live {
            // They come first: what else differs mostly follows from them.
            report.differences.splice(0..0, exchanges);
        }
        let used = match &case.call {
            Call::Action { connection, .. } => connection.as_deref(),
            Call::Transform { .. } => None,
        };
        let denied = report.requests.iter().filter(|request| request.status.is_none());
        let lines: BTreeSet<_> = denied.filter_map(|request| self.manifest_line(request, used)).collect();
        report.manifest_lines = lines.into_iter().collect();
        Ok(report)
    }

    /// Lets the plugin reach the addresses that the case's own connection names. Nothing is dialled, and a name would not be
    /// looked up either.
    fn reach(&self, call: &Call) -> Result<(), OpenError> {
        let Call::Action { connection: Some(connection), .. } = call else { return Ok(()) };
        let addresses = connection.origins.iter().filter_map(Origin::address);
        let private_networks = addresses.map(|address| address.to_string()).collect();
        let grant = GrantText { http: self.asks.clone(), private_networks };
        Ok(self.host.configure(
            &self.plugin.name,
            &PluginSettings { grant, limits: self.limits.clone(), ..PluginSettings::default() },
        )?)
    }

    /// Makes a call and gives what it gave, as it came.
    ///
    /// # Errors
    /// The plugin cannot be brought into service, or the host does not make the call.
    pub async fn make(&self, call: &Call) -> Result<Called<Output>, OpenError> {
        if !self.is_live {
            self.reach(call)?;
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        // Once more for each: a plugin that traps in call after call would be put into quarantine.
        self.host.activate(&self.plugin, &self.digest).await?;
        let plugin = self.plugin.clone();
        match call {
            Call::Transform { event, input, options } => {
                let (event, input) = (Arc::new((**event).clone()), input.clone());
                let called =
                    self.host.transform(TransformCall { plugin, event, input, options: options.as_str().into() });
                Ok(told(called.await?, Output::Documents))
            }
            Call::Action { action, verify, input, cursor, context, connection } => {
                let resolved =
                    connection.as_ref().map(|text| text.resolve(&self.plugin.name, &*self.secrets).map(Arc::new));
                self.connections.set(resolved);
                let mut context = context.clone();
                context.connection = connection.as_ref().map(|_| CONNECTION.to_owned()).unwrap_or_default();
                let (action, input, cursor) = (action.clone(), input.clone(), cursor.clone());
                let call = ActionCall { plugin, action, input, cursor, context };
                match verify {
                    true => Ok(told(self.host.verify(call).await?, Output::Settlement)),
                    false => Ok(told(self.host.invoke(call).await?, Output::Receipt)),
                }
            }
        }
    }

    /// From the next call on, lets one sandbox answer so many calls. A kit begins with a fresh one for each. For mappers: the
    /// grant of a connector goes with the settings before.
    ///
    /// # Errors
    /// The settings are not valid.
    pub fn reuse_sandboxes(&self, calls_per_sandbox: u32) -> Result<(), OpenError> {
        Ok(self.host.configure(
            &self.plugin.name,
            &PluginSettings { calls_per_sandbox, limits: self.limits.clone(), ..PluginSettings::default() },
        )?)
    }

    /// What to add to the manifest so that the request may be made; none if it may.
    pub fn manifest_line(&self, request: &RequestRecord, connection: Option<&ConnectionText>) -> Option<String> {
        let grant = GrantText { http: self.asks.clone(), private_networks: Vec::new() };
        let grant = Grant::parse(self.plugin.name.as_str(), &grant).ok()?;
        // Of a request that was denied at once, the record holds no more than the plugin wrote.
        let base = match request.path.starts_with('/') {
            true if request.origin.is_empty() => connection?.base_url.as_deref()?.trim_end_matches('/'),
            _ => &request.origin,
        };
        let url = format!("{base}{}", request.path);
        let origins = connection.map(|connection| &connection.origins[..]).unwrap_or_default();
        let Err(Denied::NotGranted { .. }) = grant.check(&request.method, &url, origins) else { return None };
        let origin = base_of(&url);
        let path = Some(&url[origin.len()..]).filter(|path| !path.is_empty()).unwrap_or("/");
        let is_connections = origins.iter().any(|known| known.as_str() == origin);
        let origin = if is_connections { "connection" } else { origin };
        let method = &request.method;
        Some(format!("[[http]]\norigin = \"{origin}\"\nmethods = [\"{method}\"]\npaths = [\"{path}\"]\nreason = \"…\""))
    }
}

fn rule(ask: &HttpRequest) -> HttpRuleText {
    HttpRuleText { origin: ask.origin.clone(), methods: ask.methods.clone(), paths: ask.paths.clone() }
}

fn told<T>(called: Called<T>, output: impl FnOnce(T) -> Output) -> Called<Output> {
    Called { answer: called.answer.map(output), report: called.report, host_calls: called.host_calls }
}
