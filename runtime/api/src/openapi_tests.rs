//! Holds `openapi.json` against the code in both directions: a route, a query parameter, a field or a word that only one
//! of them knows fails here.

use std::collections::BTreeSet;

use model::{
    Attempt, CallReport, Fault, FaultKind, FieldFault, Gate, LogLevel, LogLine, Outcome, ParkReason, PluginRef,
    RequestRecord, State, StateKind, StepState, Timestamp, WaitReason,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::routes::{CallQuery, InstallQuery, ListQuery, v1};
use crate::types::*;
use crate::{Applied, Counts, Deployed, FlowStatus, Status};

fn published() -> Value {
    serde_json::from_str(include_str!("../openapi.json")).expect("openapi.json is JSON")
}

#[test]
fn every_route_is_published_and_no_other() {
    let served: BTreeSet<_> = v1().iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let mut said = BTreeSet::new();
    for (path, operations) in published()["paths"].as_object().unwrap() {
        said.extend(operations.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    assert_eq!(said, served);
}

#[test]
fn every_query_parameter_is_published_and_no_other() {
    assert_eq!(said_parameters("/executions", "get"), known_fields::<ListQuery>());
    assert_eq!(said_parameters("/plugins", "post"), known_fields::<InstallQuery>());
    assert_eq!(said_parameters("/executions/{id}/call", "get"), known_fields::<CallQuery>());
}

fn said_parameters(path: &str, method: &str) -> BTreeSet<String> {
    let parameters = &published()["paths"][path][method]["parameters"];
    let in_query = parameters.as_array().unwrap().iter().filter(|parameter| parameter["in"] == "query");
    in_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
}

/// The fields of a type that refuses unknown ones: the refusal names them.
fn known_fields<T: DeserializeOwned>() -> BTreeSet<String> {
    let refused = serde_json::from_value::<T>(json!({ "?": 0 })).err().expect("unknown fields are refused").to_string();
    let words = regex::Regex::new("`([a-z_]+)`").unwrap();
    words.captures_iter(&refused).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_answer_is_as_published() {
    let samples = samples();
    let published = published();
    let said: BTreeSet<_> =
        published["components"]["schemas"].as_object().unwrap().keys().map(String::as_str).collect();
    for (name, sample) in &samples {
        assert!(said.contains(name), "`{name}` is not published");
        let mut schema =
            json!({ "$ref": format!("#/components/schemas/{name}"), "components": published["components"] });
        close(&mut schema);
        let validator = jsonschema::validator_for(&schema).expect("the schemas are valid");
        let faults: Vec<_> =
            validator.iter_errors(sample).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{name}: {faults:#?} in {sample:#}");
    }
}

#[test]
fn every_published_field_and_word_is_in_an_answer() {
    let mut words = BTreeSet::new();
    samples().iter().for_each(|(_, sample)| collect_words(sample, &mut words));
    let mut said = BTreeSet::new();
    collect_said(&published()["components"]["schemas"], &mut said);
    assert!(said.len() > 100, "{said:?}");
    let never: Vec<_> = said.difference(&words).collect();
    assert!(never.is_empty(), "published, but never answered: {never:?}");
}

/// Fields that are not published are faults: for this test only, because what is answered may grow.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.get("properties").is_some_and(Value::is_object) && object.contains_key("type") {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn collect_words(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, value)| {
            words.insert(name.clone());
            collect_words(value, words);
        }),
        Value::Array(items) => items.iter().for_each(|item| collect_words(item, words)),
        Value::String(text) => drop(words.insert(text.clone())),
        _ => {}
    }
}

/// The names of properties and the words of enumerations.
fn collect_said(schema: &Value, said: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            let properties = object.get("properties").and_then(Value::as_object);
            said.extend(properties.into_iter().flatten().map(|(name, _)| name.clone()));
            let words = object.get("enum").and_then(Value::as_array).into_iter().flatten();
            said.extend(words.filter_map(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| collect_said(value, said));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_said(item, said)),
        _ => {}
    }
}

/// Every type that is answered, with every variant of what is in it.
fn samples() -> Vec<(&'static str, Value)> {
    let mut samples = vec![
        sample("Status", &status()),
        sample("Applied", &Applied { plugins: vec![deployed()], flows: texts(), troubles: texts() }),
        sample("ExecutionPage", &ExecutionPage { executions: vec![row(StateKind::Ready)], next: Some(text()) }),
        sample("ExecutionPage", &ExecutionPage { executions: Vec::new(), next: None }),
        sample("EventPage", &EventPage { event: Some(event()), executions: vec![row(StateKind::Dead)] }),
        sample("ReplayOrder", &ReplayOrder { from: Some(text()), current_version: true, repeat_effects: false }),
        sample("Replayed", &Replayed { id: text() }),
        sample("EffectRow", &EffectRow { step: text(), action: text(), connection: None, external_id: Some(text()) }),
        sample("PluginRow", &plugin_row()),
        sample("StepCallDetail", &step_call()),
        sample("Problem", &problem()),
    ];
    samples.extend(StateKind::ALL.map(|kind| sample("ExecutionRow", &row(kind))));
    samples.extend(states().into_iter().map(|state| sample("ExecutionDetail", &detail(state))));
    samples
}

fn sample(name: &'static str, value: &impl Serialize) -> (&'static str, Value) {
    (name, serde_json::to_value(value).expect("it can be serialised"))
}

fn text() -> String {
    "text".to_owned()
}

fn texts() -> Vec<String> {
    vec![text()]
}

fn status() -> Status {
    let flow = FlowStatus {
        name: text(),
        version: text(),
        owner: text(),
        path: text(),
        steps: texts(),
        open: 1,
        parked: 2,
        dead: 3,
    };
    Status {
        version: text(),
        pid: 1,
        project: text().into(),
        listen: text(),
        accepting: true,
        paused: false,
        troubles: texts(),
        flows: vec![flow],
        counts: Counts::default(),
    }
}

fn deployed() -> Deployed {
    Deployed { name: text(), version: text(), digest: text(), state: text(), missing: texts(), message: text() }
}

fn plugin_row() -> PluginRow {
    PluginRow {
        name: text(),
        version: text(),
        digest: text(),
        state: text(),
        roles: texts(),
        actions: texts(),
        imports: texts(),
        asks: texts(),
        missing: texts(),
        description: text(),
        owner: text(),
        licence: text(),
        in_flight: 1,
        calls: 2,
        traps: 3,
    }
}

fn problem() -> Problem {
    Problem { kind: text(), title: text(), status: 404, code: text(), faults: texts() }
}

fn row(state: StateKind) -> ExecutionRow {
    ExecutionRow {
        id: text(),
        event: text(),
        flow: text(),
        source: text(),
        kind: text(),
        state,
        reason: Some(text()),
        received: Timestamp::default().to_string(),
        updated: Timestamp::default().to_string(),
        attempts: 1,
    }
}

fn event() -> EventDetail {
    EventDetail {
        id: text(),
        sender_id: text(),
        source: text(),
        received: Timestamp::default().to_string(),
        kind: text(),
        subject: Some(text()),
        time: None,
        content_type: text(),
        schema: None,
        extensions: vec![(text(), text())],
        transport: vec![(text(), text())],
        data: Payload::Json(json!({ "text": [1] })),
    }
}

fn step_call() -> StepCallDetail {
    let document =
        DocumentDetail { content_type: text(), data: Payload::Base64(text()), metadata: vec![(text(), text())] };
    let connection = ConnectionDetail {
        base_url: Some(text()),
        origins: texts(),
        settings: json!({ "tenant": "text" }),
        account: None,
        credential: json!({ "scheme": "none" }),
        credentials: json!({}),
    };
    StepCallDetail {
        execution: text(),
        flow: text(),
        step: text(),
        plugin: text(),
        action: Some(text()),
        event: event(),
        input: document.clone(),
        options: None,
        context: Some(ContextDetail { idempotency_key: text(), attempt: 1, remaining_ms: 2 }),
        connection: Some(connection),
        attempt: Some(attempt(None)),
        output: Some(vec![document]),
        external_id: None,
    }
}

fn detail(state: State) -> ExecutionDetail {
    let payloads = [Payload::Json(Value::Null), Payload::Text(text()), Payload::Base64(text())];
    let step = |(index, state): (usize, StepState)| StepDetail {
        id: text(),
        state,
        attempts: outcomes().into_iter().map(attempt).collect(),
        attempts_dropped: 1,
        output: payloads.get(index).cloned(),
        external_id: Some(text()),
    };
    let steps =
        [StepState::Pending, StepState::Open, StepState::Done, StepState::Skipped, StepState::Split { children: 2 }];
    ExecutionDetail {
        row: row(state.kind()),
        state_detail: state,
        lane: Some(text()),
        replay_of: Some(text()),
        revision: 1,
        event_detail: Some(event()),
        steps: steps.into_iter().enumerate().map(step).collect(),
    }
}

fn attempt(outcome: Option<Outcome>) -> Attempt {
    let request = RequestRecord {
        method: text(),
        origin: text(),
        path: text(),
        status: Some(200),
        fault: None,
        duration_us: 1,
        exchange: None,
    };
    let log = |level| LogLine { level, message: text(), fields: vec![(text(), text())] };
    let report = CallReport {
        plugin: PluginRef { name: text(), version: text(), digest: text() },
        duration_us: 1,
        cpu_us: 2,
        memory_bytes: 3,
        requests: vec![request],
        logs: [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error].map(log).into(),
        logs_dropped: 4,
    };
    Attempt { number: 1, started: Timestamp::default(), outcome, report: Some(report) }
}

fn outcomes() -> Vec<Option<Outcome>> {
    use FaultKind::*;
    let kinds = [
        InvalidInput,
        Unauthorized,
        Forbidden,
        NotFound,
        Conflict,
        RateLimited,
        Unavailable,
        Timeout,
        Rejected,
        UnknownOutcome,
        Internal,
    ];
    let failed = kinds.map(|kind| Some(Outcome::Failed { fault: fault(kind) }));
    let others = [None, Some(Outcome::Succeeded), Some(Outcome::Verified), Some(Outcome::Absent), Some(Outcome::Lost)];
    failed.into_iter().chain(others).collect()
}

fn fault(kind: FaultKind) -> Fault {
    let field = FieldFault { pointer: text(), message: text() };
    Fault { fields: vec![field], ..Fault::new(kind, text(), text()).with_detail(text(), text()) }
}

fn states() -> Vec<State> {
    let gates = [
        Gate::Time,
        Gate::Connection(text()),
        Gate::Flow(text()),
        Gate::Plugin(text()),
        Gate::Lane(text(), text()),
        Gate::Children,
    ];
    let reasons = [
        WaitReason::Retry { fault: fault(FaultKind::Timeout) },
        WaitReason::BreakerOpen,
        WaitReason::PluginUnavailable,
        WaitReason::Lane,
        WaitReason::Verifying,
        WaitReason::Children,
        WaitReason::Paused,
        WaitReason::Concurrency,
    ];
    let parked = [
        ParkReason::Credential,
        ParkReason::Data,
        ParkReason::Plugin,
        ParkReason::UnknownOutcome,
        ParkReason::Configuration,
        ParkReason::Failure,
    ];
    let until = Timestamp::default();
    let at_gate = |gate| State::Waiting { until, gate, reason: WaitReason::Paused };
    let for_reason = |reason| State::Waiting { until, gate: Gate::Time, reason };
    let mut states = vec![
        State::Ready,
        State::Dead { fault: fault(FaultKind::Rejected) },
        State::Finished { filtered: true },
        State::Cancelled,
        State::Discarded,
    ];
    states.extend(gates.map(at_gate));
    states.extend(reasons.map(for_reason));
    states.extend(parked.map(|reason| State::Parked { reason, message: text() }));
    states
}

/// Does not compile when a variant comes that the samples lack.
#[test]
fn the_samples_have_every_variant() {
    for state in states() {
        match &state {
            State::Ready | State::Dead { .. } | State::Finished { .. } | State::Cancelled | State::Discarded => {}
            State::Parked { reason, .. } => match reason {
                ParkReason::Credential | ParkReason::Data | ParkReason::Plugin => {}
                ParkReason::UnknownOutcome | ParkReason::Configuration | ParkReason::Failure => {}
            },
            State::Waiting { gate, reason, .. } => {
                match gate {
                    Gate::Time
                    | Gate::Connection(_)
                    | Gate::Flow(_)
                    | Gate::Plugin(_)
                    | Gate::Lane(..)
                    | Gate::Children => {}
                }
                match reason {
                    WaitReason::Retry { .. } | WaitReason::BreakerOpen | WaitReason::PluginUnavailable => {}
                    WaitReason::Lane | WaitReason::Verifying | WaitReason::Children => {}
                    WaitReason::Paused | WaitReason::Concurrency => {}
                }
            }
        }
    }
    let words: BTreeSet<_> = outcomes().iter().map(|outcome| json!(outcome).to_string()).collect();
    assert_eq!(words.len(), outcomes().len());
}
