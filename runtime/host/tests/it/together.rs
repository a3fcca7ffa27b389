//! Every hostile guest at once on one host, beside a plugin that behaves.

use std::time::Duration;

use bytes::Bytes;
use engine::{AdminError, Called, PluginAdmin, PluginCaller};
use futures_util::future::{BoxFuture, join_all};
use host::{Host, Limits, PluginSettings, Slots};

use crate::destination::Destination;
use crate::hostile::compile_bomb;
use crate::support::{
    Set, action_call, connector_manifest, core_guest, embed, granting, guest, mapper_manifest, set, set_with,
    text_guest, transform_call,
};

/// Calls of each guest at once, each for an event of its own.
const AT_ONCE: u8 = 3;

/// Mappers, what they are given, and the code of the fault that each call ends in; none if it answers.
const MAPPERS: &[(&str, &str, &str)] = &[
    ("endless-loop", "[]", "weir.limit.cpu"),
    ("memory-growth", "[]", "weir.limit.memory"),
    ("deep-recursion", "[]", "weir.limit.stack"),
    ("giant-result", "[]", "weir.limit.output"),
    ("invalid-text", "[]", "weir.contract"),
    ("host-call-flood", "log", "weir.limit.host-calls"),
    ("host-call-flood", "wasi", "weir.limit.host-calls"),
    ("log-flood", "[]", ""),
    ("panic", "[]", "weir.trap"),
    ("surroundings", "[]", ""),
];

/// The same, written as core modules.
const CORE_MAPPERS: &[(&str, &str, &str)] = &[
    ("invalid-values", "b", "weir.contract"),
    ("invalid-values", "m", "weir.limit.output"),
    ("invalid-values", "o", "weir.limit.cpu"),
    ("lying-allocator", FIVE_THOUSAND_AND_ONE, "weir.contract"),
];

/// What the allocator gives memory for that is none.
const FIVE_THOUSAND_AND_ONE: &str = match str::from_utf8(&[b'x'; 5_001]) {
    Ok(text) => text,
    Err(_) => "",
};

/// Connectors; `DESTINATION` stands for where they may go. Between two limits that end at one moment the scheduler decides.
const CONNECTORS: &[(&str, &str, &str)] = &[
    ("http-flood", "DESTINATION/", "weir.limit.http-requests"),
    ("many-bodies", "http 16 DESTINATION/endless", "weir.http.limit.response-body"),
    ("many-bodies", "wasi 16 DESTINATION/endless", "ErrorCode::HttpResponseBodySize(None)"),
    ("many-bodies", "http 40 DESTINATION/large", "weir.limit.output"),
    ("many-bodies", "wasi 40 DESTINATION/large", "ErrorCode::HttpResponseBodySize(None)"),
    ("many-bodies", "http 4 DESTINATION/drip", "weir.limit.wall|weir.http.limit.total"),
    ("reach-inside", "DESTINATION\nhttp://169.254.169.254/", ""),
    ("credential-hunt", "DESTINATION\nhttp://169.254.169.254", ""),
];

/// What is refused before it can be called.
const REFUSED: &[(&str, &str)] = &[
    ("loop-while-starting", "weir.limit.cpu"),
    ("table-growth", "weir.limit.tables"),
    ("nothing-behind-its-name", "lacks a function"),
];

/// One call, or one attempt to load; gives what is wrong with how it ended.
type Attack = BoxFuture<'static, Option<String>>;

/// Short where the limit itself is what is met, and long enough everywhere else, however busy the machine is.
fn limits(input: &str, code: &str) -> Limits {
    Limits {
        cpu: if code == "weir.limit.cpu" { Duration::from_millis(200) } else { Duration::from_secs(20) },
        wall: if code.starts_with("weir.limit.wall") { Duration::from_millis(500) } else { Duration::from_secs(60) },
        response_body_bytes: if input.ends_with("endless") { 1 << 20 } else { 8 << 20 },
        ..Limits::default()
    }
}

fn wrong<T: std::fmt::Debug>(what: &str, called: &Called<T>, code: &str) -> Option<String> {
    let found = called.answer.as_ref().map_or_else(|fault| fault.code.as_str(), |_| "");
    (!code.split('|').any(|code| code == found))
        .then(|| format!("{what}: {found:?} instead of {code:?}, {:?}", called.answer))
}

async fn mappers(set: &Set) -> Vec<Attack> {
    let manifest = mapper_manifest("1.0.0");
    let written = MAPPERS.iter().map(|attack| (*attack, guest(attack.0, &manifest)));
    let cores = CORE_MAPPERS.iter().map(|attack| (*attack, core_guest(attack.0, &manifest)));
    let mut attacks: Vec<Attack> = Vec::new();
    for (index, ((what, input, code), component)) in written.chain(cores).enumerate() {
        let name = format!("mapper-{index}");
        set.install(&name, component, &PluginSettings { limits: limits(input, code), ..PluginSettings::default() })
            .await;
        for event in 1..=AT_ONCE {
            let (host, call) = (set.host.clone(), transform_call(&name, input, event));
            attacks.push(Box::pin(async move {
                let called = host.transform(call).await.expect("is served");
                wrong(what, &called, code)
            }));
        }
    }
    attacks
}

async fn connectors(set: &Set, destination: &Destination) -> Vec<Attack> {
    let origins = [destination.origin.as_str()];
    let mut attacks: Vec<Attack> = Vec::new();
    for (index, (what, input, code)) in CONNECTORS.iter().enumerate() {
        let name = format!("connector-{index}");
        let component = guest(what, &connector_manifest(&origins));
        set.install(&name, component, &granting(&origins, limits(input, code))).await;
        for event in 1..=AT_ONCE {
            let input = input.replace("DESTINATION", &destination.origin);
            let mut call = action_call(&name, "look", &input);
            call.context.execution = format!("exe_{event}");
            let host = set.host.clone();
            attacks.push(Box::pin(async move {
                let called = host.invoke(call).await.expect("is served");
                wrong(what, &called, code)
            }));
        }
    }
    attacks
}

async fn refusal(host: Host, what: &'static str, component: Bytes, expected: &'static str) -> Option<String> {
    match host.stage("bad", component).await {
        Err(AdminError::Refused { code, message }) if code == expected || message.contains(expected) => None,
        other => Some(format!("{what}: {other:?}")),
    }
}

fn refused(set: &Set) -> Vec<Attack> {
    let manifest = mapper_manifest("1.0.0");
    let bomb = ("compile-bomb", "weir.limit.compile-cpu", embed(&compile_bomb(12_000), &manifest));
    let texts = REFUSED.iter().map(|(what, expected)| (*what, *expected, text_guest(what, &manifest)));
    let attack =
        |(what, expected, component)| -> Attack { Box::pin(refusal(set.host.clone(), what, component, expected)) };
    texts.chain([bomb]).map(attack).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_them_at_once_hurt_nobody_else() {
    let destination = Destination::start().await;
    {
        // What is called has to be compiled before a limit is set that only the compile bomb is to meet.
        let warming = set();
        mappers(&warming).await;
        connectors(&warming, &destination).await;
        warming.install_good().await;
    }
    let set = set_with(|config| {
        config.slots = Slots { mappers: 64, connectors: 64, warm: 4, long_runners: 1 };
        config.compile.cpu = Duration::from_secs(1);
    });
    set.install_good().await;
    let mut attacks = mappers(&set).await;
    attacks.extend(connectors(&set, &destination).await);
    attacks.extend(refused(&set));
    let many = attacks.len();
    let endings = set.beside(&format!("{many} attacks at once"), 768, join_all(attacks)).await;
    let wrong: Vec<_> = endings.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Nothing is left behind: every call has ended, and the innocent plugin has never failed.
    let left: Vec<_> = set.host.list().into_iter().filter(|status| status.in_flight > 0).collect();
    assert!(left.is_empty(), "{left:?}");
    let good = set.host.list().into_iter().find(|status| status.plugin.name == "good").expect("it is there");
    assert_eq!(good.traps, 0);
}
