//! Kills Weir again and again under load. What it acknowledged must arrive, and what arrives twice must be a repeat under
//! the same key of a request that was under way at a kill.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use bench::events::{Events, is_large, number_in};
use bench::load::{self, Load, Moment, Pace, Until, Watcher};
use bench::weir::{Settled, TO_CRM, TO_SINK};
use standin::{Config, Entry, Faults, Service};

use crate::world::{World, machine_alone, number_from_environment, show};

/// More than a start takes, so that some of these kills hit it and some what comes right after.
const START_MS_MAX: u64 = 400;
const RUN_MS_MAX: u64 = 800;
/// A part of what one core takes in, so that the backlog does not grow from kill to kill.
const EVENTS_PER_SECOND: f64 = 150.0;
const CONNECTIONS: usize = 8;
/// The numbers of the two loads do not meet.
const FIRST_TO_CRM: u64 = 1_000_000_000;
/// Every other answer comes late, so that at any moment there are requests that were done and not yet answered.
const LATE: Faults = Faults {
    slow: 0.5,
    slow_ms: 40,
    seed: 1,
    unavailable: 0.0,
    rate_limited: 0.0,
    retry_after_s: 1,
    drop_request: 0.0,
    drop_answer: 0.0,
};
/// What was under way at a kill may wait for a retry afterwards.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_repeats_keep_their_keys() -> anyhow::Result<()> {
    let _turn = machine_alone().await;
    let kills = number_from_environment("WEIR_KILLS", 200)?;
    let seed = number_from_environment("WEIR_SEED", 1)?;
    let faults = [Service::Sink, Service::Crm, Service::Chat].map(|service| (service, LATE));
    let config = Config { entries_max: usize::MAX, faults: faults.into(), ..Config::default() };
    let mut world = World::prepare(config, &[]).await?;
    let (to_sink, to_crm) = (Acknowledged::default(), Acknowledged::default());
    let loads = [(TO_SINK, 1, &to_sink), (TO_CRM, FIRST_TO_CRM, &to_crm)];
    let loads = loads.map(|(path, first, acknowledged)| endless_load(&world, path, first, acknowledged.watcher()));
    let [sink_load, crm_load] = loads.map(|load| load.map(load::run));
    let killed = tokio::select! {
        killed = kill_again_and_again(&mut world, kills, seed) => killed?,
        _ = sink_load? => unreachable!("the load has no end"),
        _ = crm_load? => unreachable!("the load has no end"),
    };
    world.weir.start().await?;
    let settled = world.weir.settled(SETTLED_WITHIN).await?;

    let entries = world.standin.entries();
    let sink = check_arrivals(&world, &entries, &to_sink.numbers(), &killed).await?;
    let parked = check_parked(&world, settled).await?;
    check_crm_and_chat(&world, &entries, &to_crm.numbers(), &parked);
    show(&format!(
        "{kills} kills (WEIR_SEED={seed}): {} events acknowledged, 0 lost; {} of {} requests to the sink came again, each \
         under its key; {} unsafe messages that were under way are parked",
        to_sink.numbers().len() + to_crm.numbers().len(),
        sink.repeats,
        sink.requests,
        parked.len()
    ));
    Ok(())
}

/// The numbers of the events that Weir answered for.
#[derive(Clone, Default)]
struct Acknowledged(Arc<Mutex<HashSet<u64>>>);

impl Acknowledged {
    fn watcher(&self) -> Watcher {
        let this = self.clone();
        Arc::new(move |number, moment| {
            if moment == Moment::Accepted {
                this.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
            }
        })
    }

    fn numbers(&self) -> HashSet<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn endless_load(world: &World, path: &str, first: u64, watcher: Watcher) -> anyhow::Result<Load> {
    Ok(Load {
        target: world.weir.ingress(),
        path: path.to_owned(),
        events: Arc::new(Events::new(0)?),
        first,
        connections: CONNECTIONS,
        pace: Pace::Open(EVENTS_PER_SECOND),
        until: Until::Events(u64::MAX),
        insist: true,
        watcher: Some(watcher),
    })
}

/// When a kill was, by the clock of the stand-ins: begun, and certainly done.
struct Killed {
    from_ms: u64,
    to_ms: u64,
}

/// Every other kill comes after so long a time since the start was asked for, the others since Weir took connections.
async fn kill_again_and_again(world: &mut World, kills: u64, seed: u64) -> anyhow::Result<Vec<Killed>> {
    let mut random = Random(seed);
    let mut killed = Vec::new();
    for kill in 0..kills {
        world.weir.launch()?;
        if kill % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(random.below(START_MS_MAX))).await;
        } else {
            world.weir.ready().await.with_context(|| format!("after {kill} kills"))?;
            tokio::time::sleep(Duration::from_millis(random.below(RUN_MS_MAX))).await;
        }
        let from_ms = world.standin.now_ms();
        world.weir.kill().await?;
        killed.push(Killed { from_ms, to_ms: world.standin.now_ms() });
    }
    Ok(killed)
}

struct Arrivals {
    requests: usize,
    repeats: usize,
}

/// Everything acknowledged has arrived at the sink. What arrived twice did so under one key and with a kill in between,
/// and Weir knows of no success but the last.
async fn check_arrivals(
    world: &World,
    entries: &[Entry],
    acknowledged: &HashSet<u64>,
    killed: &[Killed],
) -> anyhow::Result<Arrivals> {
    let mut arrivals = BTreeMap::<u64, Vec<&Entry>>::new();
    for entry in entries.iter().filter(|entry| entry.service == Service::Sink) {
        let number = number_in(entry.body.as_bytes()).context("a request to the sink is none of ours")?;
        arrivals.entry(number).or_default().push(entry);
    }
    let lost: Vec<_> = acknowledged.iter().filter(|number| !arrivals.contains_key(number)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let mut repeated = BTreeMap::new();
    for (number, entries) in arrivals.iter().filter(|(_, entries)| entries.len() > 1) {
        for pair in entries.windows(2) {
            let (first, again) = (pair[0], pair[1]);
            assert!(first.key.is_some() && first.key == again.key, "{number} came under two keys: {pair:#?}");
            let was_killed = killed.iter().any(|kill| first.at_ms <= kill.to_ms && kill.from_ms <= again.at_ms);
            assert!(was_killed, "{number} came again, and no kill was between: {pair:#?}");
        }
        let key = entries[0].key.as_deref().unwrap_or_default();
        let (execution, _step) = key.split_once('.').context("the key names no execution")?;
        repeated.insert(execution.to_owned(), entries.len());
    }
    for (execution, requests) in world.details(repeated.keys().cloned()).await?.iter().zip(repeated.values()) {
        let attempts = execution["steps"][1]["attempts"].as_array().context("the step has no attempts")?;
        let known = attempts.iter().filter(|attempt| attempt["outcome"] == "succeeded").count();
        assert!(known == 1 && attempts.len() >= *requests, "repeated though its outcome was known: {execution:#}");
    }
    let requests = arrivals.values().map(Vec::len).sum();
    Ok(Arrivals { requests, repeats: requests - arrivals.len() })
}

/// What is parked was under way at a kill and must not be repeated; gives the addresses of those leads.
async fn check_parked(world: &World, settled: Settled) -> anyhow::Result<HashSet<u64>> {
    let rows = world.executions("state=parked,dead&").await?;
    assert_eq!((rows.len() as u64, 0), (settled.parked, settled.dead), "{rows:#?}");
    let ids = rows.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned);
    let numbers = world.details(ids).await?.into_iter().map(|execution| {
        assert_eq!(execution["state_detail"]["parked"]["reason"], "unknown-outcome", "{execution:#}");
        let states: Vec<_> = execution["steps"].as_array().into_iter().flatten().map(|step| &step["state"]).collect();
        assert_eq!(states, ["done", "done", "open"], "only the message to the chat may not be repeated: {execution:#}");
        number_in(execution["event_detail"]["data"].to_string().as_bytes()).context("the event is none of ours")
    });
    numbers.collect()
}

/// The CRM has every acknowledged lead once, whatever was asked twice; the chat has every large one but those parked.
fn check_crm_and_chat(world: &World, entries: &[Entry], acknowledged: &HashSet<u64>, parked: &HashSet<u64>) {
    let effects = |service: Service| -> HashSet<u64> {
        let seen = entries.iter().filter(|entry| entry.service == service && entry.effect);
        seen.filter_map(|entry| number_in(entry.body.as_bytes())).collect()
    };
    let (crm, chat) = (effects(Service::Crm), effects(Service::Chat));
    let lost: Vec<_> = acknowledged.difference(&crm).collect();
    assert!(lost.is_empty(), "acknowledged and not in the CRM: {lost:?}");
    let mut unheard = acknowledged.iter().filter(|number| is_large(**number) && !chat.contains(number));
    assert!(unheard.all(|number| parked.contains(number)), "acknowledged, and the chat never heard of it");
    for (service, summary) in world.standin.summary() {
        assert_eq!(summary.effects_repeated_under_another_key, 0, "{service:?}: {summary:#?}");
        assert_eq!(summary.statuses.get(&409), None, "{service:?}: {summary:#?}");
    }
    assert_eq!(world.standin.summary()[&Service::Crm].keys_with_several_effects, 0);
}

/// SplitMix64: the same seed gives the same numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }
}
