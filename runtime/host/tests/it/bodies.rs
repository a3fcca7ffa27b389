//! Answers that are slow, endless, or many and large at once.

use std::time::Duration;

use engine::PluginCaller;
use host::Limits;

use crate::destination::{Destination, LARGE_BYTES};
use crate::support::{Set, action_call, connector_manifest, fault, granting, guest, set};

async fn connector(limits: Limits) -> (Set, Destination) {
    let (set, destination) = (set(), Destination::start().await);
    set.install_good().await;
    let origins = [destination.origin.as_str()];
    set.install("crm", guest("many-bodies", &connector_manifest(&origins)), &granting(&origins, limits)).await;
    (set, destination)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_endless_answers_end_at_a_limit_whichever_way_they_come() {
    let limits = Limits { wall: Duration::from_millis(500), response_body_bytes: 64 * 1024, ..Limits::default() };
    let (set, destination) = connector(limits).await;
    // The gate's own limit and that of the call end at the same moment; which is first is the scheduler's matter.
    let out_of_time = ["weir.limit.wall", "weir.http.limit.total", "ErrorCode::HttpResponseTimeout"];
    let too_large = ["weir.http.limit.response-body", "ErrorCode::HttpResponseBodySize(None)", ""];
    for way in ["http", "wasi"] {
        for (path, codes) in [("/hang", out_of_time), ("/drip", out_of_time), ("/endless", too_large)] {
            let input = format!("{way} 16 {}{path}", destination.origin);
            let (host, call) = (set.host.clone(), action_call("crm", "look", &input));
            let called = set.beside(&input, 256, async move { host.invoke(call).await }).await.expect("is served");
            let fault = fault(&called);
            assert!(codes.contains(&fault.code.as_str()), "{input}: {fault}");
            if (way, path) == ("wasi", "/endless") {
                assert!(called.report.logs[0].message.contains("`response_body`"), "{:?}", called.report.logs);
            }
        }
    }
}

/// Bytes of answers that the host may hold for one call: what is under way at once, what is not taken yet, and room for the
/// sandbox and the allocator.
const HELD_MIB: u64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_host_holds_of_many_large_answers_is_bounded() {
    let (set, destination) = connector(Limits { cpu: Duration::from_secs(10), ..Limits::default() }).await;
    let all_mib = (40 * LARGE_BYTES as u64) >> 20;
    assert!(HELD_MIB < all_mib, "all of them would go unnoticed");
    for (way, code) in [("http", "weir.limit.output"), ("wasi", "ErrorCode::HttpResponseBodySize(None)")] {
        let input = format!("{way} 40 {}/large", destination.origin);
        let (host, call) = (set.host.clone(), action_call("crm", "look", &input));
        let called = set.beside(&input, HELD_MIB, async move { host.invoke(call).await }).await.expect("is served");
        assert_eq!(fault(&called).code, code);
        if way == "wasi" {
            let told = called.report.logs.iter().any(|line| line.message.contains("held at once exceed the limit"));
            assert!(told, "{:?}", called.report.logs);
        }
    }
    // One after another they are all taken: what has been let go of is not counted.
    for way in ["http", "wasi"] {
        let called = set.invoke(action_call("crm", "look", &format!("{way} 1 {}/large", destination.origin))).await;
        assert_eq!(called.answer.expect("it is within the limits").output.data, format!("200 {LARGE_BYTES} bytes"));
    }
}
