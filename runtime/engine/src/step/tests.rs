//! What becomes of an execution when its plugins answer so and so. Each case is a flow, a script of answers, and the
//! timeline that follows; jitter is at its longest, so that the times are the bounds.

use std::collections::VecDeque;
use std::sync::Arc;

use expect_test::{Expect, expect};
use flow::{ActionInfo, Catalogue, ConnectionInfo, MapperInfo, PluginName};
use model::{Attributes, Blob, Event, EventId, ExecutionId, PluginRef};

use super::*;
use crate::carried::{encode, fresh};

mod reactions;

/// Every plugin is there; an action is what its name says: `keyed`, `unsafe`, anything else is idempotent.
struct Everything;

impl Catalogue for Everything {
    fn mapper(&self, _: &PluginName) -> Option<MapperInfo> {
        Some(MapperInfo::default())
    }

    fn action(&self, _: &PluginName, action: &str) -> Option<ActionInfo> {
        let (effect, key_lifetime) = match action {
            "keyed" => (Effect::Keyed, Some(Duration::from_secs(60))),
            "unsafe" => (Effect::Unsafe, None),
            _ => (Effect::Idempotent, None),
        };
        Some(ActionInfo { effect, key_lifetime })
    }

    fn connection(&self, _: &str) -> Option<ConnectionInfo> {
        Some(ConnectionInfo::default())
    }

    fn plugins(&self) -> Vec<PluginName> {
        Vec::new()
    }

    fn actions(&self, _: &PluginName) -> Vec<String> {
        Vec::new()
    }

    fn connections(&self) -> Vec<String> {
        Vec::new()
    }
}

const HEAD: &str = "flow: test\nowner: a@example.com\nsource: { webhook: { path: /in, verify: none } }\n";

fn carried(steps: &str) -> Carried {
    let flow = match flow::check("test", &format!("{HEAD}{steps}"), &|_| None, &Everything) {
        Ok(flow) => Arc::new(flow),
        Err(problems) => panic!("{problems:#?}"),
    };
    let id = EventId::new(Timestamp::from_millis(0), [7; 10]);
    let attributes =
        Attributes { kind: "lead".to_owned(), content_type: "application/json".to_owned(), ..Attributes::default() };
    let data = br#"{"name":"Ada","vip":true}"#.as_slice().into();
    let event = Event { id, received: Timestamp::from_millis(0), attributes, transport: Vec::new(), data };
    let encoded = Arc::new(Blob::new(encode(&event)));
    let execution = fresh(ExecutionId::new(id, 0), &flow, "/in", &event, encoded);
    let outputs = vec![None; execution.steps.len()];
    Carried { flow, execution, event: Arc::new(event), outputs }
}

/// Answers in the words of the script: `ok`, `2 documents`, `none`, a kind of fault with `after N` in milliseconds,
/// `killed`, `gone`; for `verify`: `happened`, `absent`, `undecided`, `cannot`.
fn check_flow(steps: &str, script: &[&str], expected: Expect) {
    let mut carried = carried(steps);
    let mut script: VecDeque<_> = script.iter().copied().collect();
    let (mut now, mut input, mut told) = (Timestamp::from_millis(0), Input::TakenUp, String::new());
    loop {
        let mut circumstances = Circumstances { now, random: u64::MAX, admit: &mut |_| Ok(()) };
        let action = step(&mut carried, input, &mut circumstances);
        let line = describe(&carried, &action);
        let seconds = format!("{}s", now.as_millis() as f64 / 1000.0);
        told.push_str(&format!("{seconds:<4}{line}\n"));
        input = match action {
            Action::Rest(_) => match (&carried.execution.state, script.is_empty()) {
                (State::Waiting { until, .. }, false) => {
                    now = *until;
                    Input::TakenUp
                }
                _ => break,
            },
            Action::Transform(index, _) => mapper_answer(index, next(&mut script)),
            Action::Invoke(index, _) => action_answer(index, next(&mut script)),
            Action::Verify(index, _) => verify_answer(index, next(&mut script)),
        };
    }
    assert!(script.is_empty(), "answers left over: {script:?}\n{told}");
    expected.assert_eq(&told);
}

fn next<'s>(script: &mut VecDeque<&'s str>) -> &'s str {
    script.pop_front().expect("the script has an answer for every call")
}

fn describe(carried: &Carried, action: &Action) -> String {
    let id = |index: &usize| carried.flow.steps[*index].id.clone();
    match action {
        Action::Transform(index, _) => format!("map {}", id(index)),
        Action::Invoke(index, call) => {
            let input = String::from_utf8_lossy(&call.input.data).into_owned();
            format!(
                "call {} (attempt {}, {}) with {input}",
                id(index),
                call.context.attempt,
                call.context.idempotency_key
            )
        }
        Action::Verify(index, _) => format!("verify {}", id(index)),
        Action::Rest(children) if !children.is_empty() => format!("split into {}", children.len()),
        Action::Rest(_) => match &carried.execution.state {
            State::Waiting { until, gate, reason } => {
                let reason = serde_json::to_string(reason).expect("a reason is JSON");
                let reason = reason.split("\"message\"").next().unwrap_or_default();
                format!("wait until {}s, {gate:?}: {reason}", until.as_millis() as f64 / 1000.0)
            }
            state => format!("{state:?}"),
        },
    }
}

fn fault(word: &str) -> Fault {
    let (kind, after) = word.split_once(" after ").map_or((word, None), |(kind, after)| (kind, after.parse().ok()));
    let kind: FaultKind = serde_json::from_value(kind.into()).expect("a kind of fault");
    Fault { retry_after_ms: after, ..Fault::new(kind, "test", "as scripted") }
}

fn called<T>(answer: Result<T, Fault>) -> Called<T> {
    let plugin = PluginRef { name: "p".to_owned(), version: "1.0.0".to_owned(), digest: String::new() };
    let report = CallReport {
        plugin,
        duration_us: 1,
        cpu_us: 1,
        memory_bytes: 1,
        requests: Vec::new(),
        logs: Vec::new(),
        logs_dropped: 0,
    };
    Called { answer, report, host_calls: 0 }
}

fn receipt() -> Receipt {
    let output = Document::json(br#"{"id":"c-1"}"#.as_slice());
    Receipt { output, external_id: Some("c-1".to_owned()), next: None, metadata: Vec::new() }
}

fn mapper_answer(index: usize, word: &str) -> Input {
    let document = || Document::json(br#"{"mapped":1}"#.as_slice());
    Input::Mapped(
        index,
        called(match word.split_once(' ') {
            _ if word == "ok" => Ok(vec![document()]),
            _ if word == "none" => Ok(Vec::new()),
            Some((count, "documents")) => Ok((0..count.parse().expect("a number")).map(|_| document()).collect()),
            _ => Err(fault(word)),
        }),
    )
}

fn action_answer(index: usize, word: &str) -> Input {
    match word {
        "ok" => Input::Answered(index, called(Ok(receipt()))),
        "killed" => Input::TakenUp,
        "gone" => Input::NotServed(index, NotServed::NotInstalled("p".to_owned())),
        _ => Input::Answered(index, called(Err(fault(word)))),
    }
}

fn verify_answer(index: usize, word: &str) -> Input {
    match word {
        "cannot" => Input::NoVerification(index),
        "happened" => Input::Verified(index, called(Ok(Settlement::Happened(receipt())))),
        "absent" => Input::Verified(index, called(Ok(Settlement::Absent))),
        "undecided" => Input::Verified(index, called(Ok(Settlement::Undecided(None)))),
        _ => Input::Verified(index, called(Err(fault(word)))),
    }
}

const MAP_AND_SEND: &str = "steps:
  - { id: contact, mapper: lead@1 }
  - { id: create, action: crm@1.create, connection: crm, retry: { attempts: 3, within: 1h, first: 1s, max: 1m } }
";

#[test]
fn the_happy_path() {
    check_flow(
        MAP_AND_SEND,
        &["ok", "ok"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  Finished { filtered: false }
        "#]],
    );
}

#[test]
fn faults_of_the_moment_are_repeated_until_the_policy_ends() {
    check_flow(
        MAP_AND_SEND,
        &["ok", "unavailable", "timeout", "rate-limited"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  wait until 1s, Time: {"retry":{"fault":{"kind":"unavailable","code":"test",
            1s  call create (attempt 2, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            1s  wait until 3s, Time: {"retry":{"fault":{"kind":"timeout","code":"test",
            3s  call create (attempt 3, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            3s  Dead { fault: Fault { kind: RateLimited, code: "test", message: "as scripted", retry_after_ms: None, fields: [], details: [] } }
        "#]],
    );
}

#[test]
fn the_destination_says_when() {
    check_flow(
        MAP_AND_SEND,
        &["ok", "rate-limited after 30000", "ok"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  wait until 30s, Time: {"retry":{"fault":{"kind":"rate-limited","code":"test",
            30s call create (attempt 2, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            30s Finished { filtered: false }
        "#]],
    );
}

#[test]
fn each_kind_of_fault_meets_its_reaction() {
    check_flow(
        MAP_AND_SEND,
        &["ok", "unauthorized"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  Parked { reason: Credential, message: "unauthorized (test): as scripted" }
        "#]],
    );
    check_flow(
        MAP_AND_SEND,
        &["ok", "forbidden"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  Dead { fault: Fault { kind: Forbidden, code: "test", message: "as scripted", retry_after_ms: None, fields: [], details: [] } }
        "#]],
    );
    check_flow(
        MAP_AND_SEND,
        &["ok", "not-found"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  Dead { fault: Fault { kind: NotFound, code: "test", message: "as scripted", retry_after_ms: None, fields: [], details: [] } }
        "#]],
    );
    check_flow(
        MAP_AND_SEND,
        &["ok", "conflict"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  Dead { fault: Fault { kind: Conflict, code: "test", message: "as scripted", retry_after_ms: None, fields: [], details: [] } }
        "#]],
    );
    check_flow(
        MAP_AND_SEND,
        &["ok", "rejected"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  Dead { fault: Fault { kind: Rejected, code: "test", message: "as scripted", retry_after_ms: None, fields: [], details: [] } }
        "#]],
    );
    check_flow(
        MAP_AND_SEND,
        &["ok", "invalid-input"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  Parked { reason: Data, message: "invalid-input (test): as scripted" }
        "#]],
    );
}

#[test]
fn a_fault_in_the_plugin_is_tried_three_times_and_parked() {
    check_flow(
        MAP_AND_SEND,
        &["internal", "internal", "internal"],
        expect![[r#"
            0s  map contact
            0s  wait until 1s, Time: {"retry":{"fault":{"kind":"internal","code":"test",
            1s  map contact
            1s  wait until 3s, Time: {"retry":{"fault":{"kind":"internal","code":"test",
            3s  map contact
            3s  Parked { reason: Plugin, message: "internal (test): as scripted" }
        "#]],
    );
}

#[test]
fn a_lost_answer_is_verified() {
    check_flow(
        MAP_AND_SEND,
        &["ok", "unknown-outcome", "happened"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  verify create
            0s  Finished { filtered: false }
        "#]],
    );
    check_flow(
        MAP_AND_SEND,
        &["ok", "unknown-outcome", "absent", "ok"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  verify create
            0s  call create (attempt 2, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  Finished { filtered: false }
        "#]],
    );
    check_flow(
        MAP_AND_SEND,
        &["ok", "unknown-outcome", "undecided", "happened"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  verify create
            0s  wait until 1s, Time: "verifying"
            1s  verify create
            1s  Finished { filtered: false }
        "#]],
    );
}

#[test]
fn being_killed_in_a_call_is_a_lost_answer() {
    check_flow(
        MAP_AND_SEND,
        &["ok", "killed", "cannot", "ok"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  verify create
            0s  wait until 1s, Time: {"retry":{"fault":{"kind":"unknown-outcome","code":"weir.lost",
            1s  call create (attempt 2, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            1s  Finished { filtered: false }
        "#]],
    );
}

#[test]
fn without_verification_the_effect_decides() {
    let with = |action: &str| format!("steps:\n  - {{ id: send, action: crm@1.{action}, connection: crm }}\n");
    check_flow(
        &with("keyed"),
        &["unknown-outcome", "cannot", "ok"],
        expect![[r#"
            0s  call send (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.send) with {"name":"Ada","vip":true}
            0s  verify send
            0s  wait until 1s, Time: {"retry":{"fault":{"kind":"unknown-outcome","code":"weir.lost",
            1s  call send (attempt 2, exe_0000000000ew3re1r70w3ge1r7-0.send) with {"name":"Ada","vip":true}
            1s  Finished { filtered: false }
        "#]],
    );
    check_flow(
        &with("unsafe"),
        &["unknown-outcome", "cannot"],
        expect![[r#"
            0s  call send (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.send) with {"name":"Ada","vip":true}
            0s  verify send
            0s  Parked { reason: UnknownOutcome, message: "the answer to action `unsafe` was lost and repeating it is not safe; find out whether it had its effect, then `weir execution retry exe_0000000000ew3re1r70w3ge1r7-0` to repeat it or `weir execution discard exe_0000000000ew3re1r70w3ge1r7-0`" }
        "#]],
    );
    // The key lives for 60 s: the wait that the destination asked for outlasts it.
    check_flow(
        &with("keyed"),
        &["rate-limited after 90000", "unknown-outcome", "cannot"],
        expect![[r#"
            0s  call send (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.send) with {"name":"Ada","vip":true}
            0s  wait until 90s, Time: {"retry":{"fault":{"kind":"rate-limited","code":"test",
            90s call send (attempt 2, exe_0000000000ew3re1r70w3ge1r7-0.send) with {"name":"Ada","vip":true}
            90s verify send
            90s Parked { reason: UnknownOutcome, message: "the answer to action `keyed` was lost and repeating it is not safe; find out whether it had its effect, then `weir execution retry exe_0000000000ew3re1r70w3ge1r7-0` to repeat it or `weir execution discard exe_0000000000ew3re1r70w3ge1r7-0`" }
        "#]],
    );
}

#[test]
fn a_mapper_filters_and_splits() {
    check_flow(
        MAP_AND_SEND,
        &["none"],
        expect![[r#"
            0s  map contact
            0s  Finished { filtered: true }
        "#]],
    );
    check_flow(
        MAP_AND_SEND,
        &["3 documents"],
        expect![[r#"
            0s  map contact
            0s  split into 3
        "#]],
    );
    check_flow(
        MAP_AND_SEND,
        &["1001 documents", "unknown-outcome", "internal"],
        expect![[r#"
            0s  map contact
            0s  wait until 1s, Time: {"retry":{"fault":{"kind":"internal","code":"weir.limit.documents",
            1s  map contact
            1s  wait until 3s, Time: {"retry":{"fault":{"kind":"unknown-outcome","code":"test",
            3s  map contact
            3s  Parked { reason: Plugin, message: "internal (test): as scripted" }
        "#]],
    );
}

#[test]
fn a_plugin_that_is_not_there_is_waited_for_without_an_attempt() {
    check_flow(
        MAP_AND_SEND,
        &["ok", "gone", "ok"],
        expect![[r#"
            0s  map contact
            0s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            0s  wait until 5s, Plugin("p"): "plugin-unavailable"
            5s  call create (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.create) with {"mapped":1}
            5s  Finished { filtered: false }
        "#]],
    );
}

#[test]
fn expressions_decide_and_put_together() {
    let steps = "steps:
  - { id: vip, set: { greeting: \"Dear ${event.data.name}\", vip: \"${event.data.vip}\" } }
  - { id: plain, when: \"!event.data.vip\", action: crm@1.send, connection: crm }
  - { id: send, when: steps.vip.output.vip, action: crm@1.send, connection: crm }
  - { id: again, action: crm@1.send, connection: crm, with: { id: \"${steps.send.output.id}\" } }
";
    check_flow(
        steps,
        &["ok", "ok"],
        expect![[r#"
            0s  call send (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.send) with {"greeting":"Dear Ada","vip":true}
            0s  call again (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.again) with {"id":"c-1"}
            0s  Finished { filtered: false }
        "#]],
    );
    let broken = "steps:\n  - { id: set, set: { x: \"${event.data.missing.field}\" } }\n";
    check_flow(
        broken,
        &[],
        expect![[r#"
            0s  Parked { reason: Data, message: "`event.data.missing.field` (line 5, column 40): there is no field `missing`" }
        "#]],
    );
}

#[test]
fn what_is_not_expected_is_not_sent() {
    let steps = "steps:
  - { id: contact, mapper: lead@1, expect: { type: object, required: [email] } }
  - { id: create, action: crm@1.create, connection: crm }
";
    check_flow(
        steps,
        &["ok"],
        expect![[r#"
            0s  map contact
            0s  Parked { reason: Data, message: "what step `contact` gave is not what the flow expects: ``: \"email\" is a required property; correct the data or the schema, then replay" }
        "#]],
    );
}

#[test]
fn what_fails_may_wait_for_a_person_instead_of_dying() {
    let steps = "on_failure: { park: true }\nsteps:\n  - { id: send, action: crm@1.send, connection: crm }\n";
    check_flow(
        steps,
        &["rejected"],
        expect![[r#"
            0s  call send (attempt 1, exe_0000000000ew3re1r70w3ge1r7-0.send) with {"name":"Ada","vip":true}
            0s  Parked { reason: Failure, message: "rejected (test): as scripted" }
        "#]],
    );
}

#[test]
fn an_execution_that_is_cancelled_keeps_what_it_has_done() {
    let mut carried = carried(MAP_AND_SEND);
    let mut at = Circumstances { now: Timestamp::from_millis(0), random: 0, admit: &mut |_| Ok(()) };
    step(&mut carried, Input::TakenUp, &mut at);
    let next = step(&mut carried, mapper_answer(0, "ok"), &mut at);
    assert!(matches!(next, Action::Invoke(1, _)));
    assert!(matches!(cancel(&mut carried, next), Action::Rest(children) if children.is_empty()));
    let [contact, create] = &carried.execution.steps[..] else { panic!("two steps") };
    assert_eq!((contact.state, contact.attempts.len()), (StepState::Done, 1));
    assert_eq!((create.state, create.attempts.len()), (StepState::Pending, 0), "the call was not made");
    assert_eq!(carried.execution.state, State::Cancelled);
}
