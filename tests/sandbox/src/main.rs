//! Measures what a call of the lead mapper costs in Weir's own host, in a fresh sandbox and in a warm one, and what the same
//! function costs natively. A program of its own, so that `bench`, which starts it, knows Weir only from outside. Start at
//! [`measure`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, anyhow, ensure};
use bench::events::Events;
use clap::Parser;
use connection::Connection;
use engine::{PluginAdmin as _, PluginCaller as _, PluginSelector, TransformCall};
use host::{CompileConfig, ConnectionLookup, Host, HostConfig, PluginSettings, Slots};
use lifecycle::SystemClock;
use model::{Attributes, Document, Event, EventId, Timestamp};
use serde_json::json;
use weir_sdk::{Mapper as _, testing};

/// Bytes of the lead that is mapped.
const BODY_BYTES: usize = 1024;
/// Calls before counting: the first ones fill the pool, the caches and the branch predictor.
const WARM_UP: usize = 1_000;
const OPTIONS: &str = "{}";
/// A sandbox that is never let go within a run.
const ALWAYS: u32 = u32::MAX;

/// Measures what a call costs in a sandbox; prints the medians as one line of JSON.
#[derive(Parser)]
struct Options {
    /// The binary of Weir: it compiles the plugin.
    #[arg(long)]
    weir: PathBuf,
    /// The folder with the built plugins.
    #[arg(long)]
    plugins: PathBuf,
    /// How many calls of each kind.
    #[arg(long, default_value_t = 50_000)]
    calls: usize,
}

// One thread, as a worker of Weir is one: nothing else is to take part.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let component = options.plugins.join("lead-mapper.wasm");
    let component = std::fs::read(&component).with_context(|| format!("cannot read {}", component.display()))?;
    let lead = Events::new(BODY_BYTES)?.event(1).body;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let host = host(&options.weir, folder.path())?;
    for (name, calls_per_sandbox) in [("fresh", 1), ("warm", ALWAYS)] {
        host.configure(name, &PluginSettings { calls_per_sandbox, ..PluginSettings::default() })?;
        let staged = host.stage(name, component.clone().into()).await?;
        host.activate(&selector(name), &staged.plugin.digest).await?;
    }
    let document =
        weir_sdk::Document { content_type: "application/json".to_owned(), data: lead.to_vec(), metadata: Vec::new() };
    let native = || lead_mapper::Plugin::transform(testing::origin("lead"), document.clone(), OPTIONS);
    let contact = native().map_err(|fault| anyhow!("natively: {fault:?}"))?.remove(0).data;
    let event = event();
    let in_sandbox = |name| {
        let (host, contact) = (&host, &contact);
        let call = TransformCall {
            plugin: selector(name),
            event: Arc::clone(&event),
            input: Document::json(lead.clone()),
            options: OPTIONS.into(),
        };
        async move || {
            let called = host.transform(call.clone()).await?;
            let contacts = called.answer.map_err(|fault| anyhow!("in the sandbox: {fault}"))?;
            ensure!(contacts[0].data == contact[..], "the sandbox gives another contact");
            Ok(())
        }
    };
    let fresh = measure(options.calls, in_sandbox("fresh")).await?;
    let warm = measure(options.calls, in_sandbox("warm")).await?;
    let natively = measure(options.calls, async || {
        std::hint::black_box(native()).map(drop).map_err(|fault| anyhow!("natively: {fault:?}"))
    });
    let natively = natively.await?;
    let micros = |median: Duration| median.as_secs_f64() * 1e6;
    println!("{}", json!({ "fresh_us": micros(fresh), "warm_us": micros(warm), "native_us": micros(natively) }));
    Ok(())
}

/// The median of so many calls, one after the other.
async fn measure(calls: usize, mut call: impl AsyncFnMut() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    for _ in 0..WARM_UP.min(calls) {
        call().await?;
    }
    let mut taken = Vec::with_capacity(calls);
    for _ in 0..calls {
        let began = Instant::now();
        call().await?;
        taken.push(began.elapsed());
    }
    taken.sort();
    taken.get(calls / 2).copied().context("no call was asked for")
}

fn host(weir: &Path, folder: &Path) -> anyhow::Result<Host> {
    let config = HostConfig {
        slots: Slots { mappers: 4, connectors: 1, warm: 1, long_runners: 1 },
        artefact_bytes_max: 32 << 20,
        compile: CompileConfig::new(weir.to_owned()),
        cache_folder: folder.to_owned(),
        // Connectors alone see the time, and none is called.
        now: Arc::new(|| SystemTime::UNIX_EPOCH),
    };
    let egress = egress::Config { system_roots: false, ..egress::Config::default() };
    let egress = egress::Egress::build(egress, Arc::new(SystemClock))?;
    Ok(Host::build(config, egress, Arc::new(NoConnections))?)
}

/// A mapper has no use for a connection.
struct NoConnections;

impl ConnectionLookup for NoConnections {
    fn find(&self, name: &str) -> Result<Arc<Connection>, String> {
        Err(format!("there is no connection `{name}`"))
    }
}

fn selector(name: &str) -> PluginSelector {
    PluginSelector { name: name.to_owned(), major: 1 }
}

fn event() -> Arc<Event> {
    let received = Timestamp::from_millis(1_795_397_672_118);
    Arc::new(Event {
        id: EventId::new(received, [1; 10]),
        received,
        attributes: Attributes { id: "msg_1".to_owned(), kind: "lead".to_owned(), ..Attributes::default() },
        transport: Vec::new(),
        data: Default::default(),
    })
}
