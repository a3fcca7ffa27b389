//! `weir execution show`: the timeline of one execution.

use std::fmt::Write as _;

use api::types::{ExecutionDetail, Payload, StepDetail};
use model::{
    Attempt, CallReport, Exchange, Fault, Gate, LogLevel, LogLine, Outcome, Reply, RequestRecord, State, StepState,
    Timestamp, WaitReason,
};

use super::case::kept;
use super::tone;
use crate::client::Client;
use crate::screen::{Screen, Tone, clean, cut, relative};
use crate::stop::{Exit, explain};

/// Characters of a payload that are shown; all of it is in `--json`.
const PAYLOAD_CHARS_MAX: usize = 200;
/// Characters of a digest that tell it from others.
const DIGEST_CHARS: usize = 12;

/// Shows one execution.
pub(crate) async fn run(id: &str, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
    let body = client.get(&format!("/executions/{id}")).await?;
    screen.answer(&body, |detail| Timeline { screen, text: String::new() }.of(detail))?;
    Ok(Exit::Done)
}

/// Text that grows line by line.
struct Timeline<'a> {
    screen: &'a Screen,
    text: String,
}

impl Timeline<'_> {
    fn of(mut self, detail: &ExecutionDetail) -> String {
        let row = &detail.row;
        let state = self.screen.paint(row.state.as_str(), tone(row.state));
        self.line(0, &format!("{}  {state}", row.id));
        if let Some(why) = self.why(&detail.state_detail) {
            self.line(2, &why);
        }
        if let Some(more) = more(&detail.state_detail) {
            let more = self.screen.paint(&more, Tone::Faint);
            self.line(2, &more);
        }
        self.text.push('\n');
        self.field("flow", &row.flow);
        self.field("event", &format!("{}  {}", row.event, row.kind));
        self.field("source", &row.source);
        let (received, updated) = (self.screen.time(&row.received), self.screen.time(&row.updated));
        self.field("received", &received);
        self.field("changed", &updated);
        detail.lane.iter().for_each(|lane| self.field("lane", lane));
        detail.replay_of.iter().for_each(|id| self.field("replay of", id));
        match &detail.event_detail {
            Some(event) => self.field("data", &payload(&event.data)),
            None => self.field("data", "gone: its time of retention has passed"),
        }
        let received = humantime::parse_rfc3339(&row.received).map(Timestamp::from).unwrap_or_default();
        detail.steps.iter().for_each(|step| self.step(step, received));
        self.text
    }

    /// What it waits for, why it is parked, what it died of.
    fn why(&self, state: &State) -> Option<String> {
        match state {
            State::Waiting { until, gate, reason } => {
                let until = match self.screen.width {
                    Some(_) => relative(self.screen.now(), *until),
                    None => format!("at {until}"),
                };
                Some(format!("goes on {until} at the earliest: {}{}", wait_reason(reason), gate_words(gate)))
            }
            State::Parked { message, .. } => Some(message.clone()),
            State::Dead { fault } => Some(fault.to_string()),
            State::Finished { filtered: true } => Some("filtered: the event went no further".to_owned()),
            State::Ready | State::Finished { .. } | State::Cancelled | State::Discarded => None,
        }
    }

    fn step(&mut self, step: &StepDetail, received: Timestamp) {
        let (word, tone) = match step.state {
            StepState::Pending => ("pending".to_owned(), Tone::Faint),
            StepState::Open => ("open".to_owned(), Tone::Waiting),
            StepState::Done => ("done".to_owned(), Tone::Good),
            StepState::Skipped => ("skipped".to_owned(), Tone::Faint),
            StepState::Split { children } => (format!("split into {children} children"), Tone::Good),
        };
        let word = self.screen.paint(&word, tone);
        self.line(0, "");
        self.line(0, &format!("step {}  {word}", clean(&step.id)));
        if step.attempts_dropped > 0 {
            self.line(
                2,
                &format!("{} attempts between the first and the latest are not listed", step.attempts_dropped),
            );
        }
        step.attempts.iter().for_each(|attempt| self.attempt(attempt, received));
        step.external_id.iter().for_each(|id| self.field("made there", id));
        step.output.iter().for_each(|output| self.field("output", &payload(output)));
    }

    fn attempt(&mut self, attempt: &Attempt, received: Timestamp) {
        let after = attempt.started.since(received);
        let (outcome, tone) = match &attempt.outcome {
            None => ("under way".to_owned(), Tone::Waiting),
            Some(Outcome::Succeeded) => ("succeeded".to_owned(), Tone::Good),
            Some(Outcome::Verified) => ("its answer was lost; verified: it had its effect".to_owned(), Tone::Good),
            Some(Outcome::Absent) => ("its answer was lost; verified: it had no effect".to_owned(), Tone::Waiting),
            Some(Outcome::Lost) => ("lost: Weir stopped while it was under way".to_owned(), Tone::Bad),
            Some(Outcome::Failed { fault }) => (format!("{} ({})", fault.kind, fault.code), Tone::Bad),
        };
        let outcome = self.screen.paint(&clean(&outcome), tone);
        let took = attempt.report.as_ref().map(|report| format!(" in {}", millis(report.duration_us)));
        let took = took.unwrap_or_default();
        self.line(2, &format!("attempt {}  +{:.3} s  {outcome}{took}", attempt.number, after.as_secs_f64()));
        if let Some(Outcome::Failed { fault }) = &attempt.outcome {
            self.fault(fault);
            // Without debug information the place of a panic is known from its message alone.
            if !fault.details.iter().any(|(name, _)| name == "source") {
                attempt
                    .report
                    .iter()
                    .filter_map(|report| panicked_at(&report.logs))
                    .for_each(|at| self.line(4, &format!("at {}", clean(at))));
            }
        }
        let exchanges = match &attempt.outcome {
            Some(Outcome::Failed { fault }) => kept(fault),
            _ => Vec::new(),
        };
        attempt.report.iter().for_each(|report| self.report(report, &exchanges));
    }

    fn fault(&mut self, fault: &Fault) {
        self.line(4, &clean(&fault.message));
        if let Some(millis) = fault.retry_after_ms {
            self.line(4, &format!("the destination asked to wait {:.1} s", f64::from(millis) / 1000.0));
        }
        for field in &fault.fields {
            self.line(4, &format!("field {}: {}", clean(&field.pointer), clean(&field.message)));
        }
        for (name, value) in &fault.details {
            match (name.as_str(), value.contains('\n')) {
                ("source", _) => self.line(4, &format!("at {}", clean(value))),
                ("backtrace", _) if is_nameless(value) => {}
                // Told beside the requests.
                (Exchange::DETAIL, _) => {}
                (_, false) => self.line(4, &format!("{}: {}", clean(name), clean(value))),
                (_, true) => {
                    self.line(4, &format!("{}:", clean(name)));
                    value.lines().for_each(|line| self.line(6, &clean(line)));
                }
            }
        }
    }

    fn report(&mut self, report: &CallReport, exchanges: &[Exchange]) {
        let plugin = &report.plugin;
        let digest: String = plugin.digest.trim_start_matches("sha256:").chars().take(DIGEST_CHARS).collect();
        let (cpu, mib) = (millis(report.cpu_us), report.memory_bytes as f64 / f64::from(1 << 20));
        let line = format!("by {} {} ({digest}), {cpu} of CPU, {mib:.1} MiB", plugin.name, plugin.version);
        let line = self.screen.paint(&line, Tone::Faint);
        self.line(4, &line);
        for request in &report.requests {
            let end = match (&request.status, &request.fault) {
                (Some(status), _) => {
                    self.screen.paint(&status.to_string(), if *status < 400 { Tone::Good } else { Tone::Bad })
                }
                (None, Some(fault)) => self.screen.paint(&clean(fault), Tone::Bad),
                (None, None) => self.screen.paint("no answer", Tone::Bad),
            };
            let target = clean(&format!("{} {}{}", request.method, request.origin, request.path));
            self.line(4, &format!("{target}  {end} in {}", millis(request.duration_us)));
            let body = exchanges.iter().find_map(|exchange| refusal(exchange, request));
            body.into_iter().for_each(|body| self.line(6, &clean(&cut(body, PAYLOAD_CHARS_MAX))));
        }
        for log in &report.logs {
            let level = match log.level {
                LogLevel::Debug => self.screen.paint("debug", Tone::Faint),
                LogLevel::Info => "info".to_owned(),
                LogLevel::Warn => self.screen.paint("warn", Tone::Waiting),
                LogLevel::Error => self.screen.paint("error", Tone::Bad),
            };
            let fields: String = log.fields.iter().map(|(name, value)| format!("  {name}={value}")).collect();
            self.line(4, &format!("{level}: {}{}", clean(&log.message), clean(&fields)));
        }
        if report.logs_dropped > 0 {
            self.line(4, &format!("{} log lines beyond the limit were dropped", report.logs_dropped));
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        self.line(2, &format!("{name:<10}  {}", clean(value)));
    }

    fn line(&mut self, indent: usize, line: &str) {
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }
}

/// What the destination said when it refused the request.
fn refusal<'e>(exchange: &'e Exchange, request: &RequestRecord) -> Option<&'e str> {
    let Reply::Answer { status: status @ 400.., body: Some(body), .. } = &exchange.reply else { return None };
    let url = format!("{}{}", request.origin, request.path);
    let is_its = request.status == Some(*status) && exchange.url.starts_with(&url);
    (is_its && !body.is_empty()).then_some(body)
}

/// The place in the source of the panic that the plugin has told of, as `FILE:LINE:COLUMN`: the SDK says it in a field,
/// Rust's own message within the line.
fn panicked_at(logs: &[LogLine]) -> Option<&str> {
    logs.iter().rev().find_map(|log| {
        let field = log.fields.iter().find(|(name, _)| name == "at").map(|(_, at)| at.as_str());
        let told = log.message.split_once(" panicked at ").map(|(_, at)| at.trim_end_matches(':'));
        field.filter(|_| log.message.starts_with("panicked")).or(told)
    })
}

/// A backtrace of numbers alone tells a reader nothing; `--json` has it.
fn is_nameless(backtrace: &str) -> bool {
    backtrace.lines().filter(|line| line.contains('!')).all(|line| line.contains("<unknown>!<wasm function "))
}

/// Where more is said of why it goes no further. A plugin's own codes have no page, the kinds of fault have.
fn more(state: &State) -> Option<String> {
    match state {
        State::Parked { reason, .. } => explain(reason.code()),
        State::Dead { fault } => explain(&fault.code).or_else(|| explain(fault.kind.as_str())),
        _ => None,
    }
}

fn wait_reason(reason: &WaitReason) -> String {
    match reason {
        WaitReason::Retry { fault } => format!("retry after {fault}"),
        WaitReason::BreakerOpen => "the connection did not answer too often and is tried now and then".to_owned(),
        WaitReason::PluginUnavailable => "no generation of the plugin serves".to_owned(),
        WaitReason::Lane => "an earlier execution of its lane has not ended".to_owned(),
        WaitReason::Verifying => "an answer was lost, and whether it had its effect is being found out".to_owned(),
        WaitReason::Children => "its children have not ended".to_owned(),
        WaitReason::Paused => "the flow is paused".to_owned(),
        WaitReason::Concurrency => "as many executions as may run at once are running".to_owned(),
    }
}

fn gate_words(gate: &Gate) -> String {
    match gate {
        Gate::Time | Gate::Children => String::new(),
        Gate::Connection(name) => format!(" (connection `{name}`)"),
        Gate::Flow(name) => format!(" (flow `{name}`)"),
        Gate::Plugin(name) => format!(" (plugin `{name}`)"),
        Gate::Lane(flow, key) => format!(" (lane `{key}` of flow `{flow}`)"),
    }
}

/// The beginning of a payload, in one line.
fn payload(payload: &Payload) -> String {
    match payload {
        Payload::Json(value) => cut(&value.to_string(), PAYLOAD_CHARS_MAX),
        Payload::Text(text) => cut(text, PAYLOAD_CHARS_MAX),
        Payload::Base64(text) => format!("base 64: {}", cut(text, PAYLOAD_CHARS_MAX)),
    }
}

fn millis(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} µs"),
        1000..10_000 => format!("{:.1} ms", micros as f64 / 1000.0),
        _ => format!("{} ms", micros / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_panic_is_found_in_both_ways_of_telling_it() {
        let line = |message: &str, at: Option<&str>| LogLine {
            level: LogLevel::Error,
            message: message.to_owned(),
            fields: at.map(|at| ("at".to_owned(), at.to_owned())).into_iter().collect(),
        };
        let place = |logs: Vec<LogLine>| panicked_at(&logs).map(str::to_owned);
        assert_eq!(place(vec![line("panicked: why", Some("src/lib.rs:5:9"))]).as_deref(), Some("src/lib.rs:5:9"));
        let thread = line("thread '<unnamed>' (1) panicked at src/lib.rs:8:5:", None);
        assert_eq!(place(vec![thread, line("no idea", None)]).as_deref(), Some("src/lib.rs:8:5"));
        assert_eq!(place(vec![line("arrived", Some("noon"))]), None);
    }

    #[test]
    fn a_backtrace_without_a_name_is_not_worth_its_lines() {
        assert!(is_nameless("error at:\n  0:  0x1596e - <unknown>!<wasm function 254>\n"));
        assert!(!is_nameless("error at:\n  0:  0x1 - <unknown>!<wasm function 2>\n  1: 0x2 - plugin!transform\n"));
    }
}
