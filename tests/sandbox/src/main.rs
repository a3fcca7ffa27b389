//! Measures what a call of the lead mapper costs in Weir's own host, in a fresh sandbox and in a warm one, and what the same
//! function costs natively; and the same of mappers in other languages, with what it takes to get them there. A program of its
//! own, so that `bench`, which starts it, knows Weir only from outside. Start at [`measure`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, anyhow, ensure};
use bench::events::Events;
use bytes::Bytes;
use clap::Parser;
use connection::Connection;
use engine::{PluginAdmin as _, PluginCaller as _, PluginSelector, TransformCall};
use host::{CompileConfig, ConnectionLookup, Host, HostConfig, PluginSettings, Slots};
use lifecycle::SystemClock;
use model::{Attributes, Document, Event, EventId, Timestamp};
use serde::Serialize;
use weir_sdk::{Mapper as _, testing};

/// Bytes of the lead that is mapped.
const BODY_BYTES: usize = 1024;
/// Calls before counting: the first ones fill the pool, the caches and the branch predictor.
const WARM_UP: usize = 1_000;
/// One call in so many is made of a mapper whose language brings a run-time of its own: they cost a hundred times as much.
const WITH_RUNTIME: usize = 20;
/// Calls whose page faults are counted, when all has been warmed up.
const COUNTED: usize = 100;
const OPTIONS: &str = "{}";
/// A sandbox that is never let go within a run.
const ALWAYS: u32 = u32::MAX;
const JSON: &str = "application/json";

/// Mappers in other languages: the language, the plugin, and as what it is given the lead. The one in C splits lines: the
/// lead is one.
const OTHERS: [(&str, &str, &str); 4] = [
    ("C", "ndjson-splitter", "application/x-ndjson"),
    ("Go", "lead-mapper-go", JSON),
    ("JavaScript", "lead-mapper-js", JSON),
    ("Python", "lead-mapper-python", JSON),
];

/// Measures what a call costs in a sandbox; prints the medians as one line of JSON.
#[derive(Parser)]
struct Options {
    /// The binary of Weir: it compiles the plugins.
    #[arg(long)]
    weir: PathBuf,
    /// The folder with the built plugins.
    #[arg(long)]
    plugins: PathBuf,
    /// How many calls of each kind.
    #[arg(long, default_value_t = 50_000)]
    calls: usize,
    /// Also mappers in other languages.
    #[arg(long)]
    languages: bool,
}

/// What is printed.
#[derive(Serialize)]
struct Printed {
    /// The lead mapper, called as a function.
    native_us: f64,
    mappers: Vec<Measured>,
}

/// What a mapper costs. Times of calls are medians.
#[derive(Serialize)]
struct Measured {
    language: &'static str,
    component_bytes: usize,
    /// From the component to one that can be called.
    compile_ms: f64,
    /// The same, with compiled code that lies in the cache.
    load_ms: f64,
    fresh_us: f64,
    warm_us: f64,
    /// Page faults of a fresh call: pages that it is the first to touch, or to write to, since they were given back.
    fresh_page_faults: f64,
    /// The guest's memory in a fresh call.
    memory_bytes: u64,
}

/// Where and with what mappers are measured.
struct Workbench {
    options: Options,
    lead: Bytes,
    event: Arc<Event>,
}

// One thread, as a worker of Weir is one: nothing else is to take part.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let lead: Bytes = Events::new(BODY_BYTES)?.event(1).body;
    let workbench = Workbench { options, lead, event: event() };
    let (native, contact) = workbench.natively().await?;
    let mut mappers = vec![workbench.mapper("Rust", "lead-mapper", JSON, &contact).await?];
    for (language, plugin, content_type) in OTHERS.iter().filter(|_| workbench.options.languages) {
        let expected = if *content_type == JSON { &contact } else { &workbench.lead };
        mappers.push(workbench.mapper(language, plugin, content_type, expected).await?);
    }
    println!("{}", serde_json::to_string(&Printed { native_us: micros(native), mappers })?);
    Ok(())
}

impl Workbench {
    /// The lead mapper as a function: its median, and what it gives.
    async fn natively(&self) -> anyhow::Result<(Duration, Bytes)> {
        let document =
            weir_sdk::Document { content_type: JSON.to_owned(), data: self.lead.to_vec(), metadata: Vec::new() };
        let native = || {
            lead_mapper::Plugin::transform(testing::origin("lead"), document.clone(), OPTIONS)
                .map_err(|fault| anyhow!("natively: {fault:?}"))
        };
        let contact = native()?.remove(0).data;
        let median = measure(self.options.calls, async || std::hint::black_box(native()).map(drop)).await?;
        Ok((median, contact.into()))
    }

    /// A mapper in the real host; every answer is compared.
    async fn mapper(
        &self,
        language: &'static str,
        plugin: &str,
        content_type: &str,
        expected: &[u8],
    ) -> anyhow::Result<Measured> {
        let file = self.options.plugins.join(format!("{plugin}.wasm"));
        let component: Bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?.into();
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let (compiled, _) = self.load(folder.path(), &component).await?;
        // Another host, as after a start: compiled code is in the cache, and nothing in memory.
        let (loaded, host) = self.load(folder.path(), &component).await?;
        let mut memory_bytes = 0;
        let mut call = async |name| {
            let called = host.transform(self.call(name, content_type)).await?;
            let documents = called.answer.map_err(|fault| anyhow!("{plugin}: {fault} {:?}", fault.details))?;
            ensure!(documents[0].data == *expected, "{plugin} gives another document");
            memory_bytes = called.report.memory_bytes;
            Ok(())
        };
        let calls = if component.len() > 1 << 20 { self.options.calls / WITH_RUNTIME } else { self.options.calls };
        let warm = measure(calls, async || call("warm").await).await?;
        let fresh = measure(calls, async || call("fresh").await).await?;
        let before = page_faults()?;
        for _ in 0..COUNTED {
            call("fresh").await?;
        }
        let fresh_page_faults = (page_faults()? - before) as f64 / COUNTED as f64;
        Ok(Measured {
            language,
            component_bytes: component.len(),
            compile_ms: micros(compiled) / 1_000.0,
            load_ms: micros(loaded) / 1_000.0,
            fresh_us: micros(fresh),
            warm_us: micros(warm),
            fresh_page_faults,
            memory_bytes,
        })
    }

    /// A host that has the component under two names, and how long it took to stage it first.
    async fn load(&self, cache: &Path, component: &Bytes) -> anyhow::Result<(Duration, Host)> {
        let host = host(&self.options.weir, cache)?;
        let mut took = None;
        for (name, calls_per_sandbox) in [("fresh", 1), ("warm", ALWAYS)] {
            host.configure(name, &PluginSettings { calls_per_sandbox, ..PluginSettings::default() })?;
            let began = Instant::now();
            let staged = host.stage(name, component.clone()).await?;
            took.get_or_insert(began.elapsed());
            host.activate(&selector(name), &staged.plugin.digest).await?;
        }
        Ok((took.unwrap_or_default(), host))
    }

    fn call(&self, name: &str, content_type: &str) -> TransformCall {
        let input = Document { content_type: content_type.to_owned(), ..Document::json(self.lead.clone()) };
        TransformCall { plugin: selector(name), event: Arc::clone(&self.event), input, options: OPTIONS.into() }
    }
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Minor faults of this thread until now: `proc_pid_stat(5)`, the tenth field; the second is a name in parentheses.
fn page_faults() -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").context("cannot read how this thread has fared")?;
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    behind_name.split_whitespace().nth(7).and_then(|field| field.parse().ok()).context("no count of page faults")
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
