//! Swaps plugins under load: good ones, and every fifth time one that must not get in.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bench::events::Events;
use bench::load::{self, Load, Pace, Until};
use bench::weir::{Settled, TO_SINK};
use bench::{Delivered, Latencies};
use bytes::Bytes;
use standin::{Config, Service};

use crate::world::{PATIENCE, World, machine_alone, number_from_environment, show};

const CONNECTIONS: usize = 16;
/// Events go out as fast as they are taken, and after so many the sender waits until all have arrived, so that the
/// latency is that of Weir at its full rate and not that of an ever growing backlog.
const ROUND: u64 = 250;
/// What the latency without swaps is measured with, after one that warms everything up.
const CALM_ROUNDS: u64 = 8;
/// The swapped plugin's name in the project, and that of the connector behind it.
const MAPPER: &str = "lead-mapper";
const CONNECTOR: &str = "http";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plugins_are_swapped_under_load_and_no_event_notices() -> anyhow::Result<()> {
    let _turn = machine_alone().await;
    let swaps = number_from_environment("WEIR_SWAPS", 20)?;
    let delivered = Delivered::at(Service::Sink);
    let mut world = World::prepare(Config { observer: Some(delivered.observer()), ..Config::default() }, &[]).await?;
    world.weir.start().await?;
    let variants = Variants::read(world.plugins.path())?;
    let process = world.weir.id();

    let warm_up = send_rounds(&world, &delivered, 0, |rounds| rounds < 1).await?;
    let calm = send_rounds(&world, &delivered, warm_up.events, |rounds| rounds < CALM_ROUNDS).await?;
    let before = warm_up.events + calm.events;
    let done = AtomicBool::new(false);
    let load = send_rounds(&world, &delivered, before, |_| !done.load(Ordering::Relaxed));
    let swapping = async {
        let swapped = swap_all(&world, &variants, swaps).await;
        done.store(true, Ordering::Relaxed);
        swapped
    };
    let (swapped, refused) = tokio::join!(load, swapping);
    let (swapped, refused) = (swapped?, refused?);

    assert_eq!(world.weir.settled(PATIENCE).await?, Settled { parked: 0, dead: 0 });
    assert_eq!(world.weir.id(), process, "nothing is restarted");
    let events = before + swapped.events;
    assert_eq!(world.standin.summary()[&Service::Sink].requests, events, "each event arrives once");
    let digests = check_executions(&world, events).await?;
    show(&format!(
        "{swaps} swaps at {:.0} events/s, {refused} of them refused: {events} events, 0 lost, handled by {digests} digests of \
         one mapper, none by two; sent to delivered p99 {:.1} ms, without swaps {:.1} ms at {:.0} events/s",
        swapped.rate(),
        swapped.latencies.quantile(0.99).as_secs_f64() * 1e3,
        calm.latencies.quantile(0.99).as_secs_f64() * 1e3,
        calm.rate(),
    ));
    Ok(())
}

#[tokio::test]
async fn what_served_before_a_wider_request_serves_after_a_restart_too() -> anyhow::Result<()> {
    let mut world = World::start(&[]).await?;
    let variants = Variants::read(world.plugins.path())?;
    let wider = variants.bad.iter().find(|bad| bad.code.is_none()).context("no component asks for more")?;
    try_bad(&world, wider).await?;
    let before = serving(&world, CONNECTOR).await?;
    world.weir.kill().await?;
    world.weir.start().await?;
    assert_eq!(serving(&world, CONNECTOR).await?, before);
    let answer = world.send(TO_SINK, &Events::new(0)?.event(1)).await?;
    assert_eq!(answer.status(), 202);
    assert_eq!(world.weir.settled(PATIENCE).await?, Settled { parked: 0, dead: 0 });
    Ok(())
}

/// What came of some rounds.
struct Phase {
    events: u64,
    took: Duration,
    latencies: Latencies,
}

impl Phase {
    fn rate(&self) -> f64 {
        self.events as f64 / self.took.as_secs_f64()
    }
}

/// Sends rounds of events, numbered from `first`, as long as `go_on` says so of the number of rounds sent. Every event of a
/// round is accepted and delivered before the next begins.
async fn send_rounds(
    world: &World,
    delivered: &Delivered,
    first: u64,
    go_on: impl Fn(u64) -> bool,
) -> anyhow::Result<Phase> {
    let started = Instant::now();
    let mut phase = Phase { events: 0, took: Duration::ZERO, latencies: Latencies::default() };
    let events = Arc::new(Events::new(0)?);
    while go_on(phase.events / ROUND) {
        let sent = load::run(Load {
            target: world.weir.ingress(),
            path: TO_SINK.to_owned(),
            events: events.clone(),
            first: first + phase.events,
            connections: CONNECTIONS,
            pace: Pace::Closed,
            until: Until::Events(ROUND),
            insist: false,
            watcher: Some(delivered.watcher()),
        });
        let sent = sent.await;
        ensure!(sent.accepted == ROUND, "not every event was accepted: {sent:?}");
        delivered.wait_for(ROUND, |_| {}).await?;
        phase.latencies.merge(&delivered.take());
        phase.events += ROUND;
    }
    phase.took = started.elapsed();
    Ok(phase)
}

/// Installs one component after the other; gives how many of them were kept out.
async fn swap_all(world: &World, variants: &Variants, swaps: u64) -> anyhow::Result<u64> {
    let mut refused = 0;
    for swap in 0..swaps {
        if swap % 5 == 4 {
            let bad = &variants.bad[refused as usize % variants.bad.len()];
            try_bad(world, bad).await.with_context(|| format!("a component that {}", bad.what))?;
            refused += 1;
        } else {
            let (status, deployed) = world.install(MAPPER, variants.good(swap)?).await?;
            ensure!(status == 200 && deployed["state"] == "active", "swap {swap}: {status} {deployed:#}");
            let serving = serving(world, MAPPER).await?;
            ensure!(deployed["digest"] == serving.as_str(), "swap {swap}: {serving} serves after {deployed:#}");
        }
    }
    Ok(refused)
}

async fn try_bad(world: &World, bad: &Bad) -> anyhow::Result<()> {
    let before = serving(world, bad.plugin).await?;
    let (status, answer) = world.install(bad.plugin, bad.component.clone()).await?;
    match bad.code {
        Some(code) => ensure!(status == 422 && answer["code"] == code, "{status} {answer:#}"),
        None => ensure!(status == 200 && answer["state"] == "staged", "{status} {answer:#}"),
    }
    ensure!(serving(world, bad.plugin).await? == before, "it serves now");
    Ok(())
}

/// The digest that serves new calls.
pub(crate) async fn serving(world: &World, plugin: &str) -> anyhow::Result<String> {
    let generations = world.json("/api/v1/plugins").await?;
    let mut generations = generations.as_array().into_iter().flatten();
    let active = generations.find(|generation| generation["name"] == plugin && generation["state"] == "active");
    let digest = active.and_then(|generation| generation["digest"].as_str());
    Ok(digest.with_context(|| format!("no generation of `{plugin}` serves"))?.to_owned())
}

/// Every event has one execution, and no step of it was handled by two digests; gives how many digests handled the mapping.
async fn check_executions(world: &World, events: u64) -> anyhow::Result<usize> {
    let rows = world.executions("state=finished&").await?;
    assert_eq!(rows.len() as u64, events);
    let ids = rows.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned);
    let mut mappers = BTreeSet::new();
    for execution in world.details(ids).await? {
        for step in execution["steps"].as_array().context("an execution has no steps")? {
            let attempts = step["attempts"].as_array().context("a step has no attempts")?;
            let digests: BTreeSet<_> =
                attempts.iter().filter_map(|attempt| attempt["report"]["plugin"]["digest"].as_str()).collect();
            assert_eq!(digests.len(), 1, "{execution:#}");
            if step["id"] == "contact" {
                mappers.extend(digests.into_iter().map(str::to_owned));
            }
        }
    }
    Ok(mappers.len())
}

/// Components to install.
pub(crate) struct Variants {
    mapper: Vec<u8>,
    pub(crate) bad: Vec<Bad>,
}

/// A component that must not serve.
pub(crate) struct Bad {
    pub(crate) what: &'static str,
    pub(crate) plugin: &'static str,
    pub(crate) component: Bytes,
    /// What the refusal says; none: it is staged, and waits for a wider grant.
    pub(crate) code: Option<&'static str>,
}

impl Variants {
    pub(crate) fn read(plugins: &Path) -> anyhow::Result<Self> {
        let read = |name: &str| fs::read(plugins.join(name)).with_context(|| format!("cannot read {name}"));
        let (mapper, connector) = (read("lead-mapper.wasm")?, read("http-connector.wasm")?);
        let bad = |what, code, component: Vec<u8>| Bad {
            what,
            plugin: MAPPER,
            component: component.into(),
            code: Some(code),
        };
        let loops = wat::parse_str(include_str!("../../guests/text/loop-while-starting.wat"))?;
        let mut wider = manifest::extract(&connector)?;
        wider.http.push(manifest::HttpRequest {
            origin: "https://elsewhere.example.com".to_owned(),
            methods: vec!["GET".to_owned()],
            paths: vec!["/*".to_owned()],
            reason: "is curious".to_owned(),
        });
        let bad = vec![
            bad("is cut off", "weir.load.truncated", mapper[..mapper.len() / 2].to_vec()),
            bad("speaks another contract", "weir.load.contract", with_other_contract(&mapper)?),
            bad("is a core module", "weir.load.core-module", wat::parse_str("(module)")?),
            bad("loops for ever", "weir.load.canary", manifest::embed(&loops, &manifest::extract(&mapper)?)?),
            Bad {
                what: "wants more than it is granted",
                plugin: CONNECTOR,
                component: manifest::embed(&connector, &wider)?.into(),
                code: None,
            },
        ];
        Ok(Self { mapper, bad })
    }

    /// The mapper under a version of its own, and so with a digest of its own.
    fn good(&self, number: u64) -> anyhow::Result<Bytes> {
        let mut manifest = manifest::extract(&self.mapper)?;
        manifest.version = format!("1.1.{number}");
        Ok(manifest::embed(&self.mapper, &manifest)?.into())
    }
}

/// The same component with the role's name of a contract that is not spoken yet, of the same length.
fn with_other_contract(component: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (role, other) = (b"weir:plugin/mapper@0.1.0", b"weir:plugin/mapper@0.9.0");
    let mut component = component.to_vec();
    let mut found = 0;
    while let Some(place) = component.windows(role.len()).position(|window| window == role) {
        component[place..place + role.len()].copy_from_slice(other);
        found += 1;
    }
    ensure!(found > 0, "the mapper does not name its role");
    Ok(component)
}
