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
use serde::Serialize;
use standin::{Config, Service, Standin};

/// One figure. `ratio` is value to control.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) control: Option<f64>,
    pub(crate) ratio: Option<f64>,
}

pub(crate) type Figures = BTreeMap<&'static str, Figure>;

type Measuring<'a> = Pin<Box<dyn Future<Output = anyhow::Result<Figures>> + 'a>>;

/// Figures that are measured together.
pub(crate) struct Group {
    pub(crate) names: &'static [&'static str],
    pub(crate) measure: fn(&Bench) -> Measuring<'_>,
}

/// Every figure.
pub(crate) const GROUPS: &[Group] = &[
    Group { names: &["accept_rate", "accept_p99"], measure: |bench| Box::pin(bench.accept()) },
    Group { names: &["end_to_end_rate", "delivered_p99", "rss_full"], measure: |bench| Box::pin(bench.end_to_end()) },
    Group { names: &["rss_idle", "start_warm"], measure: |bench| Box::pin(bench.idle()) },
];

const BODY_BYTES: usize = 1024;
const CONNECTIONS: usize = 256;
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURED: Duration = Duration::from_secs(10);
/// Between the first events of two loads: the numbers of one must not come again in the next, or they would be repeats.
const EVENTS_APART: u64 = 100_000_000;

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
    events: Arc<Events>,
    loads: AtomicU64,
}

impl Bench {
    pub(crate) fn new(weir: PathBuf, plugins: PathBuf) -> anyhow::Result<Self> {
        Ok(Self { weir, plugins, events: Arc::new(Events::new(BODY_BYTES)?), loads: AtomicU64::new(0) })
    }

    /// How fast events are taken in while none is carried on.
    async fn accept(&self) -> anyhow::Result<Figures> {
        let sink = Standin::start(Config::default()).await?;
        let (_program, address) = control(Control::Accept, sink.address()).await?;
        let control = self.load(address, Pace::Closed, WARM_UP, None).await;
        let weir = self.started(&sink).await?;
        weir.command(&["pause"]).await?;
        let sent = self.load(weir.ingress(), Pace::Closed, WARM_UP, None).await;
        Ok(Figures::from([
            ("accept_rate", figure(sent.rate(), "events/s", Some(control.rate()))),
            ("accept_p99", figure(p99(&sent.latencies), "ms", Some(p99(&control.latencies)))),
        ]))
    }

    /// How fast events come through to the sink; then, at half of that, how long they take.
    async fn end_to_end(&self) -> anyhow::Result<Figures> {
        let delivered = Delivered::at(Service::Sink);
        let config = Config { observer: Some(delivered.observer()), entries_max: 0, ..Config::default() };
        let sink = Standin::start(config).await?;
        let (program, address) = control(Control::Forward, sink.address()).await?;
        let control = self.load(address, Pace::Closed, WARM_UP, None).await;
        program.kill().await?;

        let weir = self.started(&sink).await?;
        let started = Instant::now();
        let sent = self.load(weir.ingress(), Pace::Closed, Duration::ZERO, Some(delivered.watcher())).await;
        let rss_full = weir.resident_mib()?;
        delivered.wait_for(sent.accepted, |_| {}).await?;
        // Until the last was delivered: what was only taken in counts for nothing.
        let rate = delivered.take().len() as f64 / started.elapsed().as_secs_f64();

        let half = Pace::Open(rate / 2.0);
        let sent = self.load(weir.ingress(), half, Duration::ZERO, Some(delivered.watcher())).await;
        delivered.wait_for(sent.accepted, |_| {}).await?;
        Ok(Figures::from([
            ("end_to_end_rate", figure(rate, "events/s", Some(control.rate()))),
            ("delivered_p99", figure(p99(&delivered.take()), "ms", None)),
            ("rss_full", figure(rss_full, "MiB", None)),
        ]))
    }

    /// What it takes to start and to stand by. The first start fills the cache of compiled plugins.
    async fn idle(&self) -> anyhow::Result<Figures> {
        let sink = Standin::start(Config::default()).await?;
        let mut weir = self.started(&sink).await?;
        weir.kill().await?;
        let start = weir.start().await?;
        Ok(Figures::from([
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
        load::run(Load {
            target,
            path: TO_SINK.to_owned(),
            events: self.events.clone(),
            first: EVENTS_APART * self.loads.fetch_add(1, Ordering::Relaxed),
            connections: CONNECTIONS,
            pace,
            until: Until::Time { warm_up, measured: MEASURED },
            insist: false,
            watcher,
        })
        .await
    }
}
