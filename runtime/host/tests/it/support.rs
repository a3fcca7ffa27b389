//! Builds guests, sets up a host, and makes calls.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use connection::Connection;
use engine::{
    ActionCall, CallContext, Called, GenerationState, GenerationStatus, PluginAdmin, PluginCaller, PluginSelector,
    Receipt, TransformCall,
};
use futures_util::future::BoxFuture;
use host::{CompileConfig, ConnectionLookup, Host, HostConfig, Limits, PluginSettings, Slots};
use lifecycle::SystemClock;
use manifest::Manifest;
use model::{Attributes, Document, Event, EventId, Fault, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Where the guests lie when they have been built.
static GUESTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            "guests",
            "--examples",
            "--features",
            "component",
            "--target",
            "wasm32-wasip2",
        ])
        .current_dir(&root)
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the guests cannot be built; is the target installed? `rustup target add wasm32-wasip2`");
    target.join("wasm32-wasip2/debug/examples")
});

/// The code that the guests compile to is kept between tests of one run.
static CACHE: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder"));

/// A guest written in Rust, with this manifest.
pub(crate) fn guest(name: &str, manifest: &Value) -> Bytes {
    let path = GUESTS.join(format!("{}.wasm", name.replace('-', "_")));
    embed(&std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display())), manifest)
}

/// A guest written as text, with this manifest.
pub(crate) fn text_guest(name: &str, manifest: &Value) -> Bytes {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/guests/text/{name}.wat"));
    embed(&wat::parse_file(path).expect("valid text"), manifest)
}

/// A guest written as the text of a core module, for what no toolchain writes, made a component of the contract.
pub(crate) fn core_guest(name: &str, manifest: &Value) -> Bytes {
    const CONNECTOR: &str = "package weir:guests; world connector { import weir:plugin/http@0.1.0; \
                             export weir:plugin/actions@0.1.0; export weir:plugin/verification@0.1.0; }";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut module = wat::parse_file(root.join(format!("tests/guests/text/{name}.wat"))).expect("valid text");
    let mut contract = Resolve::default();
    let (package, _) = contract.push_path(root.join("wit")).expect("the contract");
    let world = if manifest["roles"][0] == "mapper" {
        contract.select_world(&[package], Some("mapper-plugin"))
    } else {
        let package = contract.push_str("guests.wit", CONNECTOR).expect("valid text");
        contract.select_world(&[package], Some("connector"))
    };
    embed_component_metadata(&mut module, &contract, world.expect("a world"), StringEncoding::UTF8).expect("fits");
    let encoded = ComponentEncoder::default().module(&module).and_then(ComponentEncoder::encode);
    embed(&encoded.unwrap_or_else(|fault| panic!("{name}: {fault:#}")), manifest)
}

/// A first-party plugin in another language, as `cargo xtask guests` built it.
pub(crate) fn built_plugin(name: &str) -> Bytes {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let path = target.join("weir-plugins").join(format!("{name}.wasm"));
    std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}; run `cargo xtask guests`", path.display())).into()
}

pub(crate) fn embed(component: &[u8], manifest: &Value) -> Bytes {
    let manifest: Manifest = serde_json::from_value(manifest.clone()).expect("a manifest");
    manifest::embed(component, &manifest).expect("a component").into()
}

pub(crate) fn mapper_manifest(version: &str) -> Value {
    json!({
        "id": "guest", "version": version, "description": "A guest.", "owner": "guests@example.com",
        "licence": "Apache-2.0", "contract": "0.1", "roles": ["mapper"],
    })
}

/// A connector that asks for everything at these origins, with actions of every effect.
pub(crate) fn connector_manifest(origins: &[&str]) -> Value {
    let ask = |origin: &&str| json!({ "origin": origin, "methods": ["GET", "POST"], "paths": ["/*"], "reason": "It is a test." });
    let action = |effect: &str| json!({ "title": "Does something", "effect": effect });
    json!({
        "id": "guest", "version": "1.0.0", "description": "A guest.", "owner": "guests@example.com",
        "licence": "Apache-2.0", "contract": "0.1", "roles": ["actions", "verification"],
        "actions": {
            "send": action("unsafe"), "insist": action("unsafe"), "shrug": action("unsafe"), "look": action("read"),
            "tell": action("read"),
        },
        "http": origins.iter().map(ask).collect::<Vec<_>>(),
    })
}

/// A grant for everything that such a connector asks for, at 127.0.0.1 besides what is public.
pub(crate) fn granting(origins: &[&str], limits: Limits) -> PluginSettings {
    let rule = |origin: &&str| json!({ "origin": origin, "methods": ["GET", "POST"], "paths": ["/*"] });
    let rules = origins.iter().map(rule).collect::<Vec<_>>();
    let grant = json!({ "http": rules, "private_networks": ["127.0.0.1"] });
    PluginSettings { grant: serde_json::from_value(grant).expect("a grant"), limits, calls_per_sandbox: 1 }
}

#[derive(Default)]
pub(crate) struct Connections(Mutex<HashMap<String, Arc<Connection>>>);

impl Connections {
    pub(crate) fn add(&self, connection: Connection) {
        let name = connection.name.to_string();
        self.0.lock().expect("not poisoned").insert(name, Arc::new(connection));
    }
}

impl ConnectionLookup for Connections {
    fn find(&self, name: &str) -> Result<Arc<Connection>, String> {
        let connections = self.0.lock().expect("not poisoned");
        connections.get(name).cloned().ok_or_else(|| format!("connection `{name}` is not configured"))
    }
}

/// Names of a test's own, each with its addresses. No other name is known.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, Vec<IpAddr>>);

impl Names {
    pub(crate) fn new(names: &[(&str, &[&str])]) -> Self {
        let parse = |addresses: &&[&str]| addresses.iter().map(|text| text.parse().expect("an address")).collect();
        Self(names.iter().map(|(name, addresses)| ((*name).to_owned(), parse(addresses))).collect())
    }
}

impl egress::Resolver for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let found = self.0.get(host).cloned().ok_or_else(|| io::ErrorKind::NotFound.into());
        Box::pin(async { found })
    }
}

/// A host with a pool of its own and connections that a test can add to.
pub(crate) struct Set {
    pub(crate) host: Host,
    pub(crate) connections: Arc<Connections>,
}

pub(crate) fn set() -> Set {
    set_with(|_| {})
}

pub(crate) fn set_with(change: impl FnOnce(&mut HostConfig)) -> Set {
    set_knowing(Names::default(), change)
}

/// A set in which these names are all that can be resolved.
pub(crate) fn set_knowing(names: Names, change: impl FnOnce(&mut HostConfig)) -> Set {
    let mut config = HostConfig {
        slots: Slots { mappers: 16, connectors: 16, warm: 4, long_runners: 1 },
        artefact_bytes_max: 32 << 20,
        compile: CompileConfig::new(env!("CARGO_BIN_EXE_weir-compile-plugin").into()),
        cache_folder: CACHE.path().to_owned(),
        now: Arc::new(|| SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_000)),
    };
    change(&mut config);
    let egress = egress::Config { system_roots: false, resolver: Arc::new(names), ..egress::Config::default() };
    let egress = egress::Egress::build(egress, Arc::new(SystemClock)).expect("a gate");
    let connections = Arc::new(Connections::default());
    let host = Host::build(config, egress, connections.clone()).expect("a host");
    Set { host, connections }
}

impl Set {
    /// Configures, stages and activates.
    pub(crate) async fn install(&self, name: &str, component: Bytes, settings: &PluginSettings) -> GenerationStatus {
        self.host.configure(name, settings).expect("valid settings");
        let staged = self.host.stage(name, component).await.expect("stages");
        assert_eq!(staged.state, GenerationState::Verified, "{:?}", staged.missing);
        let plugin = PluginSelector { name: name.to_owned(), major: staged.major };
        self.host.activate(&plugin, &staged.plugin.digest).await.expect("activates")
    }

    /// Installs the plugin that behaves.
    pub(crate) async fn install_good(&self) {
        self.install("good", guest("echo", &mapper_manifest("1.0.0")), &PluginSettings::default()).await;
    }

    /// Runs what misbehaves, and beside it, over and over, the plugin that behaves. Every one of its answers is right, and
    /// the host's memory grows by less than so many MiB. Needs a runtime with more than one thread.
    #[allow(clippy::disallowed_methods)]
    pub(crate) async fn beside<T: Send + 'static>(
        &self,
        what: &str,
        grows_mib_max: u64,
        bad: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let before_mib = resident_mib();
        // On a task of its own, because guests share the machine, not a task.
        let bad = tokio::spawn(bad);
        // An event every other millisecond: enough to notice, too little to be the load itself.
        let mut events = tokio::time::interval(Duration::from_millis(2));
        let (mut calls, mut slowest, mut highest_mib) = (0_u32, Duration::ZERO, before_mib);
        while !bad.is_finished() || calls < 10 {
            events.tick().await;
            let began = Instant::now();
            let input = format!("[{calls}]");
            let good = self.transform("good", &input).await;
            assert_eq!(good.answer.expect("the guest that behaves is served")[0].data, input);
            slowest = slowest.max(began.elapsed());
            highest_mib = highest_mib.max(resident_mib());
            calls += 1;
        }
        let ended = bad.await.expect("the host does not panic");
        let grown_mib = highest_mib.saturating_sub(before_mib);
        println!("{what:24} {calls:>6} calls beside it, slowest {slowest:?}; memory +{grown_mib} MiB");
        assert!(grown_mib < grows_mib_max, "{what} made the host grow by {grown_mib} MiB");
        ended
    }

    pub(crate) async fn transform(&self, name: &str, input: &str) -> Called<Vec<Document>> {
        self.host.transform(transform_call(name, input, 1)).await.expect("is served")
    }

    pub(crate) async fn invoke(&self, call: ActionCall) -> Called<Receipt> {
        self.host.invoke(call).await.expect("is served")
    }
}

pub(crate) fn event(random: u8) -> Arc<Event> {
    let received = Timestamp::from_millis(1_795_397_672_118);
    Arc::new(Event {
        id: EventId::new(received, [random; 10]),
        received,
        attributes: Attributes {
            id: "e".to_owned(),
            source: "/s".to_owned(),
            kind: "k".to_owned(),
            ..Attributes::default()
        },
        transport: vec![("method".to_owned(), "POST".to_owned())],
        data: Bytes::new(),
    })
}

pub(crate) fn selector(name: &str) -> PluginSelector {
    PluginSelector { name: name.to_owned(), major: 1 }
}

pub(crate) fn transform_call(name: &str, input: &str, random: u8) -> TransformCall {
    let input = Document::json(input.to_owned());
    TransformCall { plugin: selector(name), event: event(random), input, options: "{}".into() }
}

pub(crate) fn action_call(name: &str, action: &str, input: &str) -> ActionCall {
    ActionCall {
        plugin: selector(name),
        action: action.to_owned(),
        input: Document { content_type: "text/plain".to_owned(), data: input.to_owned().into(), metadata: Vec::new() },
        cursor: None,
        context: CallContext {
            execution: "exe_1".to_owned(),
            step: "send".to_owned(),
            idempotency_key: "key".to_owned(),
            attempt: 1,
            deadline: Duration::from_secs(30),
            connection: String::new(),
        },
    }
}

pub(crate) fn fault<T: std::fmt::Debug>(called: &Called<T>) -> &Fault {
    called.answer.as_ref().expect_err("the call ends in a fault")
}

/// Resident memory of this process in MiB.
pub(crate) fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("is told");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") / 1024
}
