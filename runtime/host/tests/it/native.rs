//! Plugins that are processes of this machine: what they say is read as a component's answers are, their requests pass the same
//! gate, and however they end, the host goes on.

use std::time::Duration;

use connection::{Connection, Credential, Secret};
use engine::{AdminError, GenerationState, PluginAdmin, PluginCaller, Settlement};
use host::{Limits, PluginSettings, Program};
use manifest::Manifest;
use model::{FaultKind, LogLevel};
use serde_json::{Value, json};

use crate::destination::Destination;
use crate::support::{
    Set, action_call, connector_manifest, fault, granting, mapper_manifest, selector, set, transform_call,
};

/// `say` writes a message; what is called with lies in `$line`.
const PREAMBLE: &str = r#"
say() { printf '\036%s\n' "$1"; }
ok() { say "{\"tag\":\"returned\",\"val\":{\"tag\":\"ok\",\"val\":$1}}"; }
hear() { read -r line || exit 0; }
document() { printf '{"content_type":"text/plain","data":"%s","metadata":[]}' "$(printf %s "$1" | base64 -w 0)"; }
"#;

const READY: &str = r#"say '{"tag":"ready","val":{"contract":"0.1"}}'; "#;

/// A program of the shell that says `before` it is ready, and then does this for each call.
fn program(before: &str, each: &str) -> Program {
    let script = format!("{PREAMBLE}\n{before}\n{READY}\nwhile hear; do\n{each}\ndone");
    Program {
        program: "sh".to_owned(),
        arguments: vec!["-c".to_owned(), script],
        environment: vec![("WORD".to_owned(), "given".to_owned())],
        folder: std::env::temp_dir(),
        digest: "native:1".to_owned(),
    }
}

fn manifest(manifest: Value) -> Manifest {
    serde_json::from_value(manifest).expect("a manifest")
}

async fn mapper(each: &str, limits: Limits) -> Set {
    let set = set();
    let settings = PluginSettings { limits, ..PluginSettings::default() };
    set.host.configure("guest", &settings).expect("valid settings");
    let staged = set.host.stage_native("guest", manifest(mapper_manifest("1.0.0")), program("", each)).await;
    let staged = staged.expect("starts");
    set.host.activate(&selector("guest"), &staged.plugin.digest).await.expect("activates");
    set
}

async fn connector(each: &str) -> (Set, Destination) {
    let (set, destination) = (set(), Destination::start().await);
    let origins = ["connection"];
    set.host.configure("crm", &granting(&origins, Limits::default())).expect("valid settings");
    let mut connection = Connection::new("account");
    connection.plugins = vec!["crm".to_owned()];
    connection.base_url = Some(destination.origin.clone());
    connection.origins = vec![destination.origin.parse().expect("an origin")];
    connection.settings = r#"{"tenant":"acme"}"#.to_owned();
    connection.credential = Credential::Bearer { secret: Secret::new("hidden") };
    set.connections.add(connection);
    let staged = set.host.stage_native("crm", manifest(connector_manifest(&origins)), program("", each)).await;
    let staged = staged.expect("starts");
    set.host.activate(&selector("crm"), &staged.plugin.digest).await.expect("activates");
    (set, destination)
}

#[tokio::test]
async fn a_mapper_answers_and_what_it_prints_is_logged() {
    let each = r#"
        echo "printed by $WORD"; echo "complained" >&2; printf 'begun'
        say '{"tag":"log","val":{"level":"debug","message":"said","fields":[["n","1"]]}}'
        count=$((count + 1)); ok "[$(document "$count $line")]""#;
    let set = mapper(each, Limits::default()).await;
    let called = set.transform("guest", r#"{"a":1}"#).await;
    let documents = called.answer.expect("is no fault");
    let text = String::from_utf8(documents[0].data.to_vec()).expect("is text");
    // The first call was the one that tried it: the process is the same.
    let (count, ask) = text.split_once(' ').expect("two words");
    let ask: Value = serde_json::from_str(ask).expect("is JSON");
    assert_eq!((count, &ask["tag"], &ask["val"]["input"]["data"]), ("2", &json!("transform"), &json!("eyJhIjoxfQ==")));
    assert_eq!(ask["val"]["origin"]["transport"], json!([["method", "POST"]]));
    let lines: Vec<_> = called.report.logs.iter().map(|line| (line.level, line.message.as_str())).collect();
    for line in [
        (LogLevel::Info, "printed by given"),
        (LogLevel::Warn, "complained"),
        (LogLevel::Debug, "said"),
        (LogLevel::Info, "begun"),
    ] {
        assert!(lines.contains(&line), "{line:?} in {lines:?}");
    }
    assert_eq!((lines.len(), called.host_calls), (4, 1));
}

#[tokio::test]
async fn requests_pass_the_gate_with_the_credential_of_the_connection() {
    let each = r#"
        say '{"tag":"send","val":[
            {"method":"POST","url":"/echo","headers":[["x-own","1"]],"body":"aGk=","auth":{"tag":"default"}},
            {"method":"GET","url":"https://evil.example.com/","headers":[],"body":"","auth":{"tag":"anonymous"}}]}'"#
        .replace('\n', " ");
    let each = format!(
        "asked=$line\n{each}\nhear\n{}",
        r#"ok "{\"output\":$(document "$asked
$line"),\"external_id\":\"7\",\"next\":\"p2\",\"metadata\":[]}""#
    );
    let (set, destination) = connector(&each).await;
    let mut call = action_call("crm", "send", "input");
    call.context.connection = "account".to_owned();
    let called = set.invoke(call).await;
    let receipt = called.answer.expect("is no fault");
    assert_eq!((receipt.external_id.as_deref(), receipt.next.as_deref()), (Some("7"), Some("p2")));
    let text = String::from_utf8(receipt.output.data.to_vec()).expect("is text");
    let (asked, answers) = text.split_once('\n').expect("two lines");
    let asked: Value = serde_json::from_str(asked).expect("is JSON");
    let context = &asked["val"]["context"];
    assert_eq!((&context["idempotency_key"], &context["settings"]), (&json!("key"), &json!(r#"{"tenant":"acme"}"#)));
    let answers: Value = serde_json::from_str(answers).expect("is JSON");
    assert_eq!((&answers["tag"], &answers["val"][0]["tag"]), (&json!("answers"), &json!("ok")));
    let denied = &answers["val"][1];
    assert_eq!((&denied["tag"], &denied["val"]["kind"]), (&json!("err"), &json!("denied")), "{denied}");
    assert_eq!(denied["val"]["request_sent"], false);
    let seen = destination.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let lower = seen[0].to_lowercase();
    assert!(
        lower.contains("authorization: bearer hidden") && lower.contains("x-own: 1") && lower.ends_with("hi"),
        "{lower}"
    );
    assert_eq!(called.report.requests.len(), 2);
}

#[tokio::test]
async fn a_lost_answer_stays_an_unknown_outcome_when_the_process_ends() {
    let send = r#"say '{"tag":"send","val":[{"method":"POST","url":"/drop","headers":[],"body":"","auth":{"tag":"default"}}]}'"#;
    let (set, _destination) = connector(&format!("{send}\nhear\nexit 3")).await;
    let mut call = action_call("crm", "send", "");
    call.context.connection = "account".to_owned();
    let called = set.invoke(call.clone()).await;
    assert_eq!(fault(&called).kind, FaultKind::UnknownOutcome);
    let settled = set.host.verify(call).await.expect("is served");
    assert_eq!(settled.answer.expect_err("the process ended").code, "weir.trap");
}

#[tokio::test]
async fn a_settlement_is_read() {
    let (set, _destination) = connector(r#"ok '{"tag":"undecided","val":1500}'"#).await;
    let mut call = action_call("crm", "send", "");
    call.context.connection = "account".to_owned();
    let settled = set.host.verify(call).await.expect("is served").answer;
    assert_eq!(settled, Ok(Settlement::Undecided(Some(Duration::from_millis(1500)))));
}

#[tokio::test]
async fn however_a_process_misbehaves_the_next_call_is_served() {
    // What each event makes of it, and the code of the fault. The first call tries the plugin, and must go well.
    let each = r#"
        case $line in
            *ImV4aXQi*) echo "last words" >&2; exit 3 ;;
            *ImtpbGwi*) kill -9 $$ ;;
            *Imhhbmci*) sleep 60 ;;
            *Im5vSnNvbiI*) say 'no JSON' ;;
            *ImZvcmVpZ24i*) say '{"tag":"sing","val":{}}' ;;
            *ImFnYWluIg*) say '{"tag":"ready","val":{"contract":"0.1"}}' ;;
            *InNlbmQi*) say '{"tag":"send","val":[]}' ;;
            *InNoYXBlIg*) ok '{"tag":"absent"}' ;;
            *Imxhcmdlci*) ok "[$(document "$(head -c 3000 /dev/zero | tr '\0' x)")]" ;;
            *ImVuZGxlc3Mi*) printf '\036'; while :; do printf '%09999d' 0; done ;;
            *) ok "[$(document fine)]" ;;
        esac"#;
    let limits =
        Limits { wall: Duration::from_millis(1500), output_bytes: 2_000, memory_bytes: 4_096, ..Limits::default() };
    let set = mapper(each, limits).await;
    for (input, code) in [
        (r#""exit""#, "weir.trap"),
        (r#""kill""#, "weir.trap"),
        (r#""hang""#, "weir.limit.wall"),
        (r#""noJson""#, "weir.contract"),
        (r#""foreign""#, "weir.contract"),
        (r#""again""#, "weir.contract"),
        (r#""send""#, "weir.contract"),
        (r#""shape""#, "weir.contract"),
        (r#""larger""#, "weir.limit.output"),
        (r#""endless""#, "weir.limit.memory"),
    ] {
        let called = set.transform("guest", input).await;
        let fault = fault(&called);
        println!("{input:10} {fault}");
        assert_eq!((fault.code.as_str(), fault.kind), (code, FaultKind::Internal), "{input}: {fault}");
        if input == r#""exit""# {
            assert!(fault.message.contains("exit status: 3"), "{fault}");
            assert_eq!(called.report.logs[0].message, "last words");
        }
        let answer = set.transform("guest", "[]").await.answer.expect("the next one is served");
        assert_eq!(&*answer[0].data, b"fine", "after {input}");
    }
}

#[tokio::test]
async fn calls_side_by_side_have_a_process_each_and_no_process_outlives_its_generation() {
    let set = mapper(r#"sleep 0.2; ok "[$(document $$)]""#, Limits::default()).await;
    let calls = (0..4).map(|random| set.host.transform(transform_call("guest", "[]", random)));
    let called = futures_util::future::join_all(calls).await;
    let pid = |answer: &model::Document| String::from_utf8_lossy(&answer.data).into_owned();
    let pids: Vec<_> =
        called.into_iter().map(|called| pid(&called.expect("is served").answer.expect("is no fault")[0])).collect();
    let mut different = pids.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 4, "{pids:?}");

    // One of them is called while another generation takes over, and has to be let go when it has answered.
    let swap = async {
        let again = Program { digest: "native:2".to_owned(), ..program("", r#"ok "[$(document second)]""#) };
        let staged = set.host.stage_native("guest", manifest(mapper_manifest("1.0.0")), again).await.expect("starts");
        assert_eq!(staged.state, GenerationState::Verified);
        set.host.activate(&selector("guest"), "native:2").await.expect("activates");
    };
    let (called, ()) = futures_util::future::join(set.transform("guest", "[]"), swap).await;
    assert!(pids.contains(&pid(&called.answer.expect("is no fault")[0])));
    let answer = set.transform("guest", "[]").await.answer.expect("is no fault");
    assert_eq!(&*answer[0].data, b"second");
    for pid in &pids {
        ended(pid).await;
    }
}

/// Waits until there is no such process, or nothing but its entry.
async fn ended(pid: &str) {
    for _ in 0..500 {
        if !std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("process {pid} lives on");
}

#[tokio::test]
async fn a_process_that_ended_between_calls_costs_none() {
    // The call that tries the plugin is not to end it: nobody would know when it has.
    let each = r#"ok "[$(document $$)]"; case $line in *ImJ5ZSI=*) exit 0 ;; esac"#;
    let set = mapper(each, Limits::default()).await;
    let mut pids = Vec::new();
    for _ in 0..3 {
        let answer = set.transform("guest", r#""bye""#).await.answer.expect("is no fault");
        pids.push(String::from_utf8_lossy(&answer[0].data).into_owned());
        ended(pids.last().expect("is there")).await;
    }
    pids.dedup();
    assert_eq!(pids.len(), 3);
}

#[tokio::test]
async fn a_signal_at_the_terminal_is_not_for_plugins() {
    // Its own group: the fifth field of its entry (proc(5)).
    let set = mapper(r#"ok "[$(document "$$ $(cut -d' ' -f5 /proc/$$/stat)")]""#, Limits::default()).await;
    let answer = set.transform("guest", "[]").await.answer.expect("is no fault");
    let text = String::from_utf8_lossy(&answer[0].data).into_owned();
    let (process, group) = text.split_once(' ').expect("two numbers");
    assert_eq!(process, group);
}

#[tokio::test]
async fn a_program_that_does_not_start_says_why_and_what_serves_goes_on() {
    let set = mapper(r#"ok "[$(document fine)]""#, Limits::default()).await;
    let start = async |program: Program| {
        let program = Program { digest: "native:2".to_owned(), ..program };
        let started = set.host.stage_native("guest", manifest(mapper_manifest("1.0.0")), program).await;
        match started.expect_err("does not start") {
            AdminError::Refused { code, message } => (code, message),
            other => panic!("{other}"),
        }
    };
    let (code, message) = start(program("echo 'line 9: no such name' >&2; exit 1", "")).await;
    assert_eq!(code, "weir.load.native");
    assert!(message.contains("exit status: 1") && message.contains("\nline 9: no such name"), "{message}");
    let missing = Program { program: "no-such-program".to_owned(), ..program("", "") };
    let (code, message) = start(missing).await;
    assert!(code == "weir.load.native" && message.contains("`no-such-program` cannot be started"), "{message}");
    let (code, message) = start(program(r#"say '{"tag":"ready","val":{"contract":"0.2"}}'"#, "")).await;
    assert!(code == "weir.load.contract" && message.contains("contract 0.2"), "{message}");
    let (code, message) = start(program("", "exit 4")).await;
    assert!(code == "weir.load.canary" && message.contains("exit status: 4"), "{message}");
    let answer = set.transform("guest", "[]").await.answer.expect("is no fault");
    assert_eq!(&*answer[0].data, b"fine");
}
