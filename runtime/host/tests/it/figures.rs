use std::time::{Duration, Instant};

use engine::PluginCaller;
use host::PluginSettings;
use model::Document;

use crate::support::{guest, mapper_manifest, set, transform_call};

/// What the mapper does, natively.
fn echo(input: &Document) -> Vec<Document> {
    vec![input.clone()]
}

/// The median and the 99th percentile of many calls.
async fn measure(mut call: impl AsyncFnMut()) -> (Duration, Duration) {
    let mut taken = Vec::with_capacity(3_000);
    for _ in 0..3_000 {
        let began = Instant::now();
        call().await;
        taken.push(began.elapsed());
    }
    taken.sort();
    (taken[taken.len() / 2], taken[taken.len() * 99 / 100])
}

/// Prints what a call costs; how long it may take is for the benches to say.
#[tokio::test]
async fn what_a_call_costs() {
    let set = set();
    let component = guest("echo", &mapper_manifest("1.0.0"));
    set.install("fresh", component.clone(), &PluginSettings::default()).await;
    let settings = PluginSettings { calls_per_sandbox: 1_000_000, ..PluginSettings::default() };
    set.install("warm", component, &settings).await;
    let input = format!("\"{}\"", "x".repeat(1022));
    for name in ["fresh", "warm"] {
        let call = transform_call(name, &input, 1);
        let (median, high) = measure(async || {
            let called = set.host.transform(call.clone()).await.expect("is served");
            assert_eq!(called.answer.expect("it answers")[0].data.len(), 1024);
        })
        .await;
        println!("{name:6} call of 1 KiB: median {median:?}, 99th percentile {high:?}");
    }
    let document = Document::json(input);
    let (median, _) = measure(async || {
        std::hint::black_box(echo(std::hint::black_box(&document)));
    })
    .await;
    println!("native call of 1 KiB: median {median:?}");
}
