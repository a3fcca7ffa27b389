use std::time::{Duration, Instant};

use engine::{AdminError, GenerationState, PluginAdmin, PluginCaller};
use host::{Limits, PluginSettings};
use model::{FaultKind, LogLevel};

use crate::support::{
    embed, fault, guest, mapper_manifest, resident_mib, selector, set, set_with, text_guest, transform_call,
};

/// Runs a guest that misbehaves, twice at once, and gives what the host says of it.
#[track_caller]
fn check(name: &str, input: &str, limits: Limits, code: &str) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let set = set();
        set.install_good().await;
        let settings = PluginSettings { limits, ..PluginSettings::default() };
        set.install("bad", guest(name, &mapper_manifest("1.0.0")), &settings).await;
        let (host, call) = (set.host.clone(), transform_call("bad", input, 1));
        let bad = async move { tokio::join!(host.transform(call.clone()), host.transform(call)).0 };
        let called = set.beside(&format!("{name} {code}"), 256, bad).await.expect("is served");
        let fault = fault(&called);
        assert_eq!((fault.code.as_str(), fault.kind), (code, FaultKind::Internal), "{fault}");
        assert_eq!(set.transform("good", "[2]").await.answer.expect("the host lives")[0].data, "[2]");
    });
}

#[test]
fn an_endless_loop_ends_with_its_cpu_time() {
    check("endless-loop", "[]", Limits { cpu: Duration::from_millis(200), ..Limits::default() }, "weir.limit.cpu");
}

#[test]
fn whoever_has_too_little_time_on_the_clock_ends_with_it() {
    check("endless-loop", "[]", Limits { wall: Duration::from_millis(100), ..Limits::default() }, "weir.limit.wall");
}

#[test]
fn memory_is_bounded_and_the_limit_named_instead_of_the_abort() {
    check("memory-growth", "[]", Limits::default(), "weir.limit.memory");
}

#[test]
fn deep_recursion_ends_with_the_stack() {
    check("deep-recursion", "[]", Limits::default(), "weir.limit.stack");
}

#[test]
fn a_giant_result_is_not_taken() {
    check("giant-result", "[]", Limits::default(), "weir.limit.output");
}

#[test]
fn a_result_within_what_can_be_carried_and_beyond_the_limit_is_not_taken() {
    let text = format!("\"{}\"", "x".repeat(100));
    check_echo(&text, Limits { output_bytes: 50, ..Limits::default() }, "weir.limit.output");
    check_echo("[]", Limits { documents: 0, ..Limits::default() }, "weir.limit.documents");
}

#[track_caller]
fn check_echo(input: &str, limits: Limits, code: &str) {
    check("echo", input, limits, code);
}

#[test]
fn text_that_is_no_utf8_breaks_the_contract() {
    check("invalid-text", "[]", Limits::default(), "weir.contract");
}

#[test]
fn calls_of_the_host_are_counted_whichever_interface_they_use() {
    check("host-call-flood", "log", Limits::default(), "weir.limit.host-calls");
    check("host-call-flood", "wasi", Limits::default(), "weir.limit.host-calls");
}

#[tokio::test]
async fn a_panic_names_its_line_and_its_message_is_logged() {
    let set = set();
    set.install("panic", guest("panic", &mapper_manifest("1.0.0")), &PluginSettings::default()).await;
    let called = set.transform("panic", "[1]").await;
    let fault = fault(&called);
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Internal, "weir.trap"));
    let detail = |name: &str| fault.details.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert!(detail("source").is_some_and(|source| source.contains("examples/panic.rs:8")), "{:?}", fault.details);
    assert!(detail("backtrace").is_some_and(|frames| frames.contains("- transform\n")), "{:?}", fault.details);
    let message = called.report.logs.iter().find(|line| line.message.contains("no idea what to do with 3 bytes"));
    assert_eq!(message.map(|line| line.level), Some(LogLevel::Warn), "{:?}", called.report.logs);
    assert!(called.report.cpu_us > 0 && called.report.memory_bytes >= 64 * 1024);
}

#[tokio::test]
async fn a_flood_of_log_lines_is_cut_cleaned_and_counted_and_the_call_goes_on() {
    let set = set();
    let limits = Limits { log_lines: 10, ..Limits::default() };
    let settings = PluginSettings { limits, ..PluginSettings::default() };
    set.install("flood", guest("log-flood", &mapper_manifest("1.0.0")), &settings).await;
    let called = set.transform("flood", "[1]").await;
    assert_eq!(called.answer.expect("it answers")[0].data, "[1]");
    assert_eq!((called.report.logs.len(), called.report.logs_dropped), (10, 990));
    assert_eq!(called.report.logs[3].message, "[2Jline 3");
    assert_eq!(called.report.logs[3].fields, [("key".to_owned(), "value".to_owned())]);
}

#[tokio::test]
async fn one_poisonous_event_is_left_alone_and_many_quarantine_the_plugin() {
    let set = set();
    let component = guest("panic", &mapper_manifest("1.0.0"));
    let installed = set.install("panic", component, &PluginSettings::default()).await;
    for _ in 0..30 {
        set.transform("panic", "[1]").await;
    }
    assert_eq!(set.host.list()[0].state, GenerationState::Active);
    let mut calls = 0;
    let refused = loop {
        calls += 1;
        match set.host.transform(transform_call("panic", "[1]", calls)).await {
            Ok(called) => assert!(called.answer.is_err()),
            Err(refused) => break refused,
        }
        assert!(calls < 100, "it is not quarantined");
    };
    assert!(refused.to_string().contains("weir rollback panic"), "{refused}");
    assert_eq!(set.host.list()[0].state, GenerationState::Quarantined);
    let plugin = selector("panic");
    let again = set.host.activate(&plugin, &installed.plugin.digest).await.expect("an operator may try again");
    assert_eq!(again.state, GenerationState::Active);
}

/// What fails before it can be called is refused when it is staged.
#[tokio::test]
async fn whoever_misbehaves_while_starting_is_not_loaded() {
    let set = set();
    for (name, expected) in [
        ("loop-while-starting", "weir.limit.cpu"),
        ("table-growth", "weir.limit.tables"),
        ("nothing-behind-its-name", "lacks a function"),
    ] {
        let refused = set.host.stage("bad", text_guest(name, &mapper_manifest("1.0.0"))).await;
        let Err(AdminError::Refused { message, .. }) = refused else { panic!("{name}: {refused:?}") };
        assert!(message.contains(expected), "{message}");
    }
    assert!(set.host.list().is_empty());
}

/// A function whose compilation takes far longer than reading it.
pub(crate) fn compile_bomb(loops: usize) -> Vec<u8> {
    let locals = "(local i64)".repeat(200);
    let mut body = String::new();
    for depth in 0..loops {
        let (to, left, right) = (depth % 200, depth * 7 % 200, depth * 13 % 200);
        body += &format!("loop local.get {left} local.get {right} i64.add local.set {to} ");
    }
    body += &"end ".repeat(loops);
    let module = format!("(core module (func (export \"f\") {locals} {body}))");
    let text = format!("(component {module} (instance $m) (export \"weir:plugin/mapper@0.1.0\" (instance $m)))");
    wat::parse_str(text).expect("valid text")
}

#[tokio::test]
async fn a_compile_bomb_is_ended_in_its_own_process() {
    let bomb = embed(&compile_bomb(12_000), &mapper_manifest("1.0.0"));
    for (what, code) in [
        ("cpu", "weir.limit.compile-cpu"),
        ("wall", "weir.limit.compile-wall"),
        ("memory", "weir.limit.compile-memory"),
    ] {
        let set = set_with(|config| match what {
            "cpu" => config.compile.cpu = Duration::from_secs(1),
            "wall" => config.compile.wall = Duration::from_millis(500),
            _ => config.compile.memory_bytes = 128 << 20,
        });
        let (began, before_mib) = (Instant::now(), resident_mib());
        let refused = set.host.stage("bomb", bomb.clone()).await;
        let Err(AdminError::Refused { code: found, message }) = refused else { panic!("{what}: {refused:?}") };
        assert_eq!(found, code, "{message}");
        println!(
            "compile bomb of {} KiB: {found} after {:?}, memory +{} MiB",
            bomb.len() / 1024,
            began.elapsed(),
            resident_mib().saturating_sub(before_mib)
        );
    }
}
