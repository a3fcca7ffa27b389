use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bench::control::Control;
use bench::events::Events;
use bench::load::{self, Load, Pace, Sent, Until, Watcher};
use bench::program::Program;
use bench::weir::{TO_SINK, Weir};
use bench::{Delivered, Latencies};
use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use standin::{Config, Service, Standin};

/// One figure. `ratio` is value to control.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) control: Option<f64>,
    pub(crate) ratio: Option<f64>,
}

/// By name; those of a language begin with `languages.`.
pub(crate) type Figures = BTreeMap<String, Figure>;

type Measuring<'a> = Pin<Box<dyn Future<Output = anyhow::Result<Figures>> + 'a>>;

/// Figures that are measured together.
pub(crate) struct Group {
    pub(crate) names: &'static [&'static str],
    pub(crate) measure: fn(&Bench) -> Measuring<'_>,
}

/// Every figure.
pub(crate) const GROUPS: &[Group] = &[
    Group { names: &["accept_rate", "accept_p99"], measure: |bench| Box::pin(bench.accept()) },
    Group {
        names: &["end_to_end_rate", "delivered_p99", "rss_full", "sled_operations_per_event", "syncs_per_batch"],
        measure: |bench| Box::pin(bench.end_to_end()),
    },
    Group { names: &["sandbox_fresh", "sandbox_warm"], measure: |bench| Box::pin(bench.sandbox()) },
    Group { names: &["languages"], measure: |bench| Box::pin(bench.languages()) },
    Group { names: &["rate_with_history"], measure: |bench| Box::pin(bench.history()) },
    Group { names: &["rss_idle", "start_warm"], measure: |bench| Box::pin(bench.idle()) },
];

const BODY_BYTES: usize = 1024;
const CONNECTIONS: usize = 256;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(10);
/// How long carrying the last of the stored executions may take.
const HISTORY_WITHIN: Duration = Duration::from_secs(1_800);
/// The project's plugins and further ones, together ten: what the memory of an idle Weir is measured with.
const TEN_PLUGINS: &str =
    concat!(include_str!("../../../project/plugins.toml"), include_str!("../../../project/more-plugins.toml"));
/// Between the first events of two loads: the numbers of one must not come again in the next, or they would be repeats.
const EVENTS_APART: u64 = 100_000_000;

/// What `sandbox` prints.
#[derive(Deserialize)]
struct Sandboxes {
    native_us: f64,
    mappers: Vec<Mapper>,
}

/// A mapper in the host, as `sandbox` prints it.
#[derive(Deserialize)]
struct Mapper {
    language: String,
    component_bytes: u64,
    compile_ms: f64,
    load_ms: f64,
    fresh_us: f64,
    warm_us: f64,
    fresh_page_faults: f64,
    memory_bytes: u64,
}

fn named<const N: usize>(figures: [(&str, Figure); N]) -> Figures {
    figures.map(|(name, figure)| (name.to_owned(), figure)).into()
}

fn figure(value: f64, unit: &'static str, control: Option<f64>) -> Figure {
    Figure { value, unit, control, ratio: control.map(|control| value / control) }
}

fn p99(latencies: &Latencies) -> f64 {
    latencies.quantile(0.99).as_secs_f64() * 1_000.0
}

/// Starts a control in a process of its own, as Weir has one; gives where it listens.
async fn control(which: Control, sink: SocketAddr) -> anyhow::Result<(Program, SocketAddr)> {
    let itself = std::env::current_exe().context("cannot find this program")?;
    let which = which.to_possible_value().context("the control has no name")?;
    let (program, line) = Program::start(&itself, &["control", which.get_name(), "--sink", &sink.to_string()]).await?;
    Ok((program, line.parse().context("the control did not say where it listens")?))
}

/// What is measured, and with what.
pub(crate) struct Bench {
    weir: PathBuf,
    plugins: PathBuf,
    /// Executions that are stored when the rate is measured a second time.
    history: u64,
    events: Arc<Events>,
    loads: AtomicU64,
}

impl Bench {
    pub(crate) fn new(weir: PathBuf, plugins: PathBuf, history: u64) -> anyhow::Result<Self> {
        Ok(Self { weir, plugins, history, events: Arc::new(Events::new(BODY_BYTES)?), loads: AtomicU64::new(0) })
    }

    /// How fast events are taken in while none is carried on.
    async fn accept(&self) -> anyhow::Result<Figures> {
        let sink = Standin::start(Config::default()).await?;
        let (_program, address) = control(Control::Accept, sink.address()).await?;
        let control = self.load(address, Pace::Closed, WARM_UP, None).await;
        let weir = self.started(&sink).await?;
        weir.post("/api/v1/pause").await?;
        let sent = self.load(weir.ingress(), Pace::Closed, WARM_UP, None).await;
        Ok(named([
            ("accept_rate", figure(sent.rate(), "events/s", Some(control.rate()))),
            ("accept_p99", figure(p99(&sent.latencies), "ms", Some(p99(&control.latencies)))),
        ]))
    }

    /// How fast events come through to the sink; then, at half of that, how long they take. The control does the same, at
    /// its own rate and at half of it.
    async fn end_to_end(&self) -> anyhow::Result<Figures> {
        let delivered = Delivered::at(Service::Sink);
        let sink = followed_sink(&delivered).await?;
        let (program, address) = control(Control::Forward, sink.address()).await?;
        let control = self.load(address, Pace::Closed, WARM_UP, None).await.rate();
        let control_p99 = self.p99_through(address, control / 2.0, &delivered).await?;
        program.kill().await?;

        let weir = self.started(&sink).await?;
        let (rate, rss_full) = self.rate_through(&weir, &delivered).await?;
        let delivered_p99 = self.p99_through(weir.ingress(), rate / 2.0, &delivered).await?;
        let accepted = weir.metric("weir_events_accepted_total").await?;
        let operations = weir.metric("weir_projection_operations_total").await?;
        let syncs = weir.metric("weir_journal_syncs_total").await?;
        let batches = weir.metric("weir_journal_batches_total").await?;
        Ok(named([
            ("end_to_end_rate", figure(rate, "events/s", Some(control))),
            ("delivered_p99", figure(delivered_p99, "ms", Some(control_p99))),
            ("rss_full", figure(rss_full, "MiB", None)),
            ("sled_operations_per_event", figure(operations / accepted, "", None)),
            ("syncs_per_batch", figure(syncs / batches, "", None)),
        ]))
    }

    /// The 99th percentile from sending to the sink at that pace, in milliseconds.
    async fn p99_through(&self, target: SocketAddr, per_second: f64, delivered: &Delivered) -> anyhow::Result<f64> {
        let sent = self.load(target, Pace::Open(per_second), Duration::ZERO, Some(delivered.watcher())).await;
        delivered.wait_for(sent.accepted, |_| {}).await?;
        Ok(p99(&delivered.take()))
    }

    /// What a call of the lead mapper costs: in a sandbox of its own, in one that is there already, and natively.
    async fn sandbox(&self) -> anyhow::Result<Figures> {
        let Sandboxes { native_us, mappers } = self.sandboxes(&[]).await?;
        let mapper = mappers.first().context("no mapper was measured")?;
        Ok(named([
            ("sandbox_fresh", figure(mapper.fresh_us, "µs", Some(native_us))),
            ("sandbox_warm", figure(mapper.warm_us, "µs", Some(native_us))),
        ]))
    }

    /// What mappers in each language cost, beside the lead mapper as a function.
    async fn languages(&self) -> anyhow::Result<Figures> {
        let Sandboxes { native_us, mappers } = self.sandboxes(&["--languages"]).await?;
        let mut figures = Figures::new();
        for mapper in mappers {
            let kib = |bytes: u64| bytes as f64 / 1024.0;
            let all = [
                ("size", figure(kib(mapper.component_bytes), "KiB", None)),
                ("compile", figure(mapper.compile_ms, "ms", None)),
                ("load", figure(mapper.load_ms, "ms", None)),
                ("fresh", figure(mapper.fresh_us, "µs", Some(native_us))),
                ("warm", figure(mapper.warm_us, "µs", Some(native_us))),
                ("page_faults", figure(mapper.fresh_page_faults, "", None)),
                ("memory", figure(kib(mapper.memory_bytes), "KiB", None)),
            ];
            figures.extend(all.map(|(name, figure)| (format!("languages.{}.{name}", mapper.language), figure)));
        }
        Ok(figures)
    }

    /// Runs the program that measures calls in the host itself.
    async fn sandboxes(&self, arguments: &[&str]) -> anyhow::Result<Sandboxes> {
        let program = std::env::current_exe().context("cannot find this program")?.with_file_name("sandbox");
        let (weir, plugins) = (self.weir.display().to_string(), self.plugins.display().to_string());
        let arguments = [&["--weir", &weir, "--plugins", &plugins], arguments].concat();
        let (_program, line) = Program::start(&program, &arguments).await?;
        serde_json::from_str(&line).with_context(|| format!("`{line}` is not what `sandbox` prints"))
    }

    /// Whether what is stored slows down what comes: the rate with a million executions, beside that with few.
    async fn history(&self) -> anyhow::Result<Figures> {
        let delivered = Delivered::at(Service::Sink);
        let sink = followed_sink(&delivered).await?;
        let weir = self.started(&sink).await?;
        let (without, _) = self.rate_through(&weir, &delivered).await?;
        let stored = weir.metric("weir_events_accepted_total").await? as u64;
        let missing = self.history.saturating_sub(stored);
        let load = Load { until: Until::Events(missing), watcher: None, ..self.template(weir.ingress(), Pace::Closed) };
        let sent = load::run(Load { insist: true, ..load }).await;
        anyhow::ensure!(sent.accepted == missing, "{} of {missing} events were accepted", sent.accepted);
        weir.settled(HISTORY_WITHIN).await?;
        let (with, _) = self.rate_through(&weir, &delivered).await?;
        Ok(named([("rate_with_history", figure(with, "events/s", Some(without)))]))
    }

    /// The rate from the first event to the last one delivered: what was only taken in counts for nothing. And Weir's
    /// resident memory at full rate, in MiB.
    async fn rate_through(&self, weir: &Weir, delivered: &Delivered) -> anyhow::Result<(f64, f64)> {
        let started = Instant::now();
        let sent = self.load(weir.ingress(), Pace::Closed, Duration::ZERO, Some(delivered.watcher())).await;
        let resident = weir.resident_mib()?;
        delivered.wait_for(sent.accepted, |_| {}).await?;
        Ok((delivered.take().len() as f64 / started.elapsed().as_secs_f64(), resident))
    }

    /// What it takes to start and to stand by with ten plugins. The first start fills the cache of compiled plugins.
    async fn idle(&self) -> anyhow::Result<Figures> {
        let sink = Standin::start(Config::default()).await?;
        let files = [("plugins.toml", TEN_PLUGINS)];
        let mut weir = Weir::with_files(&self.weir, &self.plugins, sink.address(), &files)?;
        weir.start().await?;
        weir.kill().await?;
        let start = weir.start().await?;
        let plugins: Value = serde_json::from_slice(&weir.get("/api/v1/plugins").await?)?;
        let active = plugins.as_array().into_iter().flatten().filter(|plugin| plugin["state"] == "active").count();
        anyhow::ensure!(active == 10, "{active} plugins are active, and ten are meant to be:\n{}", weir.log());
        Ok(named([
            ("start_warm", figure(start.as_secs_f64() * 1_000.0, "ms", None)),
            ("rss_idle", figure(weir.resident_mib()?, "MiB", None)),
        ]))
    }

    async fn started(&self, sink: &Standin) -> anyhow::Result<Weir> {
        let mut weir = Weir::new(&self.weir, &self.plugins, sink.address())?;
        weir.start().await?;
        Ok(weir)
    }

    async fn load(&self, target: SocketAddr, pace: Pace, warm_up: Duration, watcher: Option<Watcher>) -> Sent {
        let until = Until::Time { warm_up, measured: MEASURED };
        load::run(Load { until, watcher, ..self.template(target, pace) }).await
    }

    fn template(&self, target: SocketAddr, pace: Pace) -> Load {
        Load {
            target,
            path: TO_SINK.to_owned(),
            events: self.events.clone(),
            first: EVENTS_APART * self.loads.fetch_add(1, Ordering::Relaxed),
            connections: CONNECTIONS,
            pace,
            until: Until::Events(0),
            insist: false,
            watcher: None,
        }
    }
}

/// A sink that keeps no bodies and tells of what arrives.
async fn followed_sink(delivered: &Delivered) -> anyhow::Result<Standin> {
    let config = Config { observer: Some(delivered.observer()), entries_max: 0, ..Config::default() };
    Ok(Standin::start(config).await?)
}
