use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use engine::{AdminError, GenerationState, PluginAdmin, PluginCaller, PluginSelector};
use host::PluginSettings;
use model::PluginRef;

use crate::support::{fault, guest, mapper_manifest, selector, set, text_guest, transform_call};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swaps_under_load_lose_no_call_and_none_is_handled_twice() {
    const SWAPS: usize = 20;
    let set = set();
    let first = guest("echo", &mapper_manifest("1.0.0"));
    set.install("mapper", first, &PluginSettings::default()).await;
    let (stop, made) = (AtomicBool::new(false), AtomicUsize::new(0));
    let caller = async |number: usize| {
        let mut seen: Vec<(Instant, PluginRef, Duration)> = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let input = format!("[{number},{}]", made.fetch_add(1, Ordering::Relaxed));
            let began = Instant::now();
            let called = set.transform("mapper", &input).await;
            assert_eq!(called.answer.expect("no call is lost")[0].data, input);
            seen.push((began, called.report.plugin, began.elapsed()));
            tokio::task::yield_now().await;
        }
        seen
    };
    let swapper = async {
        let mut switched = Vec::new();
        for swap in 1..=SWAPS {
            if swap % 5 == 0 {
                // A bad one in between changes nothing.
                set.host
                    .stage("mapper", text_guest("loop-while-starting", &mapper_manifest("1.9.0")))
                    .await
                    .expect_err("bad");
                continue;
            }
            let component = guest("echo", &mapper_manifest(&format!("1.{swap}.0")));
            let staged = set.host.stage("mapper", component).await.expect("stages");
            let active = set.host.activate(&selector("mapper"), &staged.plugin.digest).await.expect("activates");
            switched.push((Instant::now(), active.plugin));
        }
        stop.store(true, Ordering::Relaxed);
        switched
    };
    let (switched, left, right) = tokio::join!(swapper, caller(0), caller(1));
    let calls: Vec<_> = left.into_iter().chain(right).collect();
    assert_eq!(calls.len(), made.load(Ordering::Relaxed));
    for (began, handled_by, _) in &calls {
        // A call that began after a switch is never handled by what was there before it.
        let last = switched.iter().rev().find(|(at, _)| at <= began);
        let position = |plugin: &PluginRef| switched.iter().position(|(_, switched)| switched == plugin);
        assert!(last.is_none_or(|(_, plugin)| position(handled_by) >= position(plugin)), "{handled_by:?}");
    }
    let counted: u64 = set.host.list().iter().map(|status| status.in_flight).sum();
    assert_eq!(counted, 0, "everything has drained");
    let mut latencies: Vec<_> = calls.iter().map(|(_, _, latency)| *latency).collect();
    latencies.sort();
    println!(
        "{} calls over {} swaps, 99th percentile {:?}, slowest {:?}",
        calls.len(),
        switched.len(),
        latencies[latencies.len() * 99 / 100],
        latencies[latencies.len() - 1],
    );
}

#[tokio::test]
async fn a_call_in_flight_ends_on_its_generation_and_a_rollback_is_at_once() {
    let set = set();
    let limits = host::Limits { cpu: Duration::from_millis(150), ..host::Limits::default() };
    let settings = PluginSettings { limits, ..PluginSettings::default() };
    let old = set.install("mapper", guest("endless-loop", &mapper_manifest("1.0.0")), &settings).await;
    let plugin = selector("mapper");
    let refused = set.host.rollback(&plugin).await.expect_err("there is nothing before it");
    assert_eq!(refused, AdminError::NoPrevious("mapper".to_owned()));
    let new = set.host.stage("mapper", guest("echo", &mapper_manifest("1.1.0"))).await.expect("stages");
    let switch = async {
        // The call has begun when it is counted.
        while set.host.list()[0].in_flight == 0 {
            tokio::task::yield_now().await;
        }
        set.host.activate(&plugin, &new.plugin.digest).await.expect("activates");
        let states: Vec<_> = set.host.list().iter().map(|status| status.state).collect();
        assert_eq!(states, [GenerationState::Draining, GenerationState::Active]);
        assert_eq!(set.transform("mapper", "[1]").await.report.plugin.version, "1.1.0");
    };
    let (in_flight, ()) = tokio::join!(set.transform("mapper", "[1]"), switch);
    assert_eq!(in_flight.report.plugin, old.plugin);
    assert_eq!(fault(&in_flight).code, "weir.limit.cpu");
    let states: Vec<_> = set.host.list().iter().map(|status| status.state).collect();
    assert_eq!(states, [GenerationState::Retired, GenerationState::Active]);
    let back = set.host.rollback(&plugin).await.expect("goes back");
    assert_eq!((back.plugin, back.state), (old.plugin, GenerationState::Active));
    let left = set.host.list().into_iter().find(|status| status.plugin.version == "1.1.0").expect("is kept");
    assert_eq!((left.state, left.rolled_back), (GenerationState::Retired, true));
    let again =
        set.host.rollback(&plugin).await.expect_err("what was rolled back from does not come back by a roll-back");
    assert_eq!(again, AdminError::NoPrevious("mapper".to_owned()));
}

#[tokio::test]
async fn majors_live_side_by_side_and_a_retired_one_serves_no_more() {
    let set = set();
    set.install("mapper", guest("echo", &mapper_manifest("1.4.0")), &PluginSettings::default()).await;
    let second = set.host.stage("mapper", guest("echo", &mapper_manifest("2.0.0"))).await.expect("stages");
    let plugin = PluginSelector { name: "mapper".to_owned(), major: 2 };
    let call = || engine::TransformCall { plugin: plugin.clone(), ..transform_call("mapper", "[1]", 1) };
    let refused = set.host.transform(call()).await.expect_err("it is not active");
    assert!(refused.to_string().contains("`weir apply` brings"), "{refused}");
    set.host.activate(&plugin, &second.plugin.digest).await.expect("activates");
    assert_eq!(set.host.transform(call()).await.expect("is served").report.plugin.version, "2.0.0");
    assert_eq!(set.transform("mapper", "[1]").await.report.plugin.version, "1.4.0");
    assert_eq!(set.host.manifest(&plugin).map(|manifest| manifest.version.clone()).as_deref(), Some("2.0.0"));
    set.host.retire(&plugin).await.expect("retires");
    assert_eq!(
        set.host.transform(call()).await.expect_err("is gone"),
        engine::NotServed::NotInstalled("mapper@2".to_owned())
    );
    assert_eq!(set.host.retire(&plugin).await, Err(AdminError::NoPlugin { name: "mapper".to_owned(), major: 2 }));
    assert_eq!(set.host.list().len(), 1);
}

#[tokio::test]
async fn a_sandbox_that_is_used_again_is_let_go_after_its_last_call_and_after_a_trap() {
    let set = set();
    let settings = PluginSettings { calls_per_sandbox: 3, ..PluginSettings::default() };
    set.install("mapper", guest("surroundings", &mapper_manifest("1.0.0")), &settings).await;
    for random in 1..=7 {
        let called = set.host.transform(transform_call("mapper", "[]", random)).await.expect("is served");
        // Each call has its own log and its own surroundings, whatever the sandbox has seen before.
        assert_eq!(called.report.logs.len(), 2);
        called.answer.expect("it answers");
    }
    set.install("panic", guest("panic", &mapper_manifest("1.0.0")), &settings).await;
    for _ in 0..3 {
        assert_eq!(fault(&set.transform("panic", "[1]").await).code, "weir.trap");
    }
}
