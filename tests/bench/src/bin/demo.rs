//! Sends signed events through a Weir of its own to stand-ins for a CRM and a chat, and shows what became of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bench::Delivered;
use bench::events::Events;
use bench::load::{self, Load, Moment, Pace, Sent, Until, Watcher};
use bench::weir::{Settled, TO_CRM, Weir};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use standin::{Config, Faults, Service, Standin, Summary};
use tokio::sync::Notify;

/// Shows Weir at work.
#[derive(Parser)]
struct Options {
    /// The binary.
    #[arg(long)]
    weir: PathBuf,
    /// The folder with the built plugins.
    #[arg(long)]
    plugins: PathBuf,
    /// How many events.
    #[arg(long, default_value_t = 1_000)]
    events: u64,
    /// Kill Weir with SIGKILL in the middle of the load, and start it again.
    #[arg(long)]
    kill: bool,
    /// Stop when the numbers are shown.
    #[arg(long)]
    once: bool,
}

/// The CRM misbehaves a little, as they do: some answers are errors, some never arrive although the work was done.
const CRM_FAULTS: Faults = Faults {
    unavailable: 0.03,
    drop_answer: 0.02,
    seed: 1,
    rate_limited: 0.0,
    retry_after_s: 1,
    drop_request: 0.0,
    slow: 0.0,
    slow_ms: 0,
};

const CONNECTIONS: usize = 16;
/// Enough to watch the bars move.
const EVENTS_PER_SECOND: f64 = 500.0;
/// The last retries wait for their backoff.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let delivered = Delivered::at(Service::Crm);
    let config = Config {
        observer: Some(delivered.observer()),
        faults: BTreeMap::from([(Service::Crm, CRM_FAULTS)]),
        ..Config::default()
    };
    let standin = Standin::start(config).await.context("cannot start the stand-ins")?;
    let mut weir = Weir::new(&options.weir, &options.plugins, standin.address())?;
    println!("Starting Weir in {}; the first start compiles the plugins.", weir.folder().display());
    println!("Ready after {:.1} s.", weir.start().await?.as_secs_f64());

    let sent = send(&options, &mut weir, &delivered).await?;
    let bar = bar("delivered", options.events);
    delivered.wait_for(options.events, |count| bar.set_position(count)).await?;
    bar.finish();
    let settled = weir.settled(SETTLED_WITHIN).await?;
    report(&sent, &delivered, settled, &standin.summary());
    judge(&options, &sent, &standin.summary())?;
    if !options.once {
        println!("\nWeir goes on running. Look at the executions, and at one of them, with");
        println!("  {} execution list --dir {}", options.weir.display(), weir.folder().display());
        println!("  {} execution show ID --dir {}", options.weir.display(), weir.folder().display());
        println!("Ctrl-C ends it and removes the folder.");
        tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    }
    weir.kill().await
}

/// Sends every event until it is accepted; with `--kill`, Weir is killed when half of them have been.
async fn send(options: &Options, weir: &mut Weir, delivered: &Delivered) -> anyhow::Result<Sent> {
    let bar = bar("accepted", options.events);
    let half = Arc::new(Notify::new());
    let load = Load {
        target: weir.ingress(),
        path: TO_CRM.to_owned(),
        events: Arc::new(Events::new(0)?),
        first: 1,
        connections: CONNECTIONS,
        pace: Pace::Open(EVENTS_PER_SECOND),
        until: Until::Events(options.events),
        insist: true,
        watcher: Some(watcher(delivered.watcher(), bar.clone(), half.clone(), options.events / 2)),
    };
    let kill = async {
        if options.kill {
            half.notified().await;
            bar.suspend(|| println!("kill -9 in the middle of the load …"));
            weir.kill().await?;
            let took = weir.start().await?;
            bar.suspend(|| println!("… and started again, ready after {:.1} s.", took.as_secs_f64()));
        }
        anyhow::Ok(())
    };
    let (sent, killed) = tokio::join!(load::run(load), kill);
    bar.finish();
    killed.map(|()| sent)
}

/// Follows the events, moves the bar, and gives a sign when so many have been accepted.
fn watcher(delivered: Watcher, bar: ProgressBar, half: Arc<Notify>, half_way: u64) -> Watcher {
    Arc::new(move |number, moment| {
        delivered(number, moment);
        if moment == Moment::Accepted {
            bar.inc(1);
            if bar.position() == half_way.max(1) {
                half.notify_one();
            }
        }
    })
}

fn bar(what: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:10} {wide_bar} {pos}/{len} {elapsed}");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(what)
}

fn report(sent: &Sent, delivered: &Delivered, settled: Settled, seen: &BTreeMap<Service, Summary>) {
    let latencies = delivered.take();
    let milliseconds = |share| latencies.quantile(share).as_secs_f64() * 1_000.0;
    let crm = seen.get(&Service::Crm).cloned().unwrap_or_default();
    let chat = seen.get(&Service::Chat).cloned().unwrap_or_default();
    println!("\naccepted    {:>6}   sent again by the sender: {}", sent.accepted, sent.broken + refused(sent));
    println!("delivered   {:>6}   contacts in the CRM; {} messages in the chat", latencies.len(), chat.effects);
    println!("retried     {:>6}   requests to the CRM with a key that it had seen before", crm.repeated_keys);
    println!("duplicates  {:>6}   effects that happened twice", twice(&crm));
    println!("parked      {:>6}   dead: {}", settled.parked, settled.dead);
    println!(
        "latency     {:>6.1} ms from sending to the CRM for half of them, {:.1} ms for 99 %",
        milliseconds(0.5),
        milliseconds(0.99)
    );
}

fn refused(sent: &Sent) -> u64 {
    sent.refused.values().sum()
}

fn twice(summary: &Summary) -> u64 {
    summary.keys_with_several_effects + summary.effects_repeated_under_another_key
}

/// Fails if an accepted event is missing, or one had its effect twice.
fn judge(options: &Options, sent: &Sent, seen: &BTreeMap<Service, Summary>) -> anyhow::Result<()> {
    let crm = seen.get(&Service::Crm).cloned().unwrap_or_default();
    if sent.accepted != options.events || crm.effects != options.events || twice(&crm) > 0 {
        bail!(
            "of {} events {} were accepted, {} delivered, {} twice",
            options.events,
            sent.accepted,
            crm.effects,
            twice(&crm)
        );
    }
    println!("Nothing lost, nothing twice.");
    Ok(())
}
