//! What an execution does next. Pure: what happened goes in, what is to be done comes out, and the record changes in
//! between. Reads top to bottom: [`step`], what came back, how a step begins, how a fault is met.

use std::time::Duration;

use flow::{EvalError, StepKind};
use manifest::Effect;
use model::{
    CallReport, Document, Execution, Fault, FaultKind, Gate, Outcome, ParkReason, State, StepState, Timestamp,
    WaitReason,
};

use crate::carried::{Carried, selector};
use crate::retry::backoff;
use crate::{ActionCall, CallContext, Called, NotServed, Receipt, Settlement, TransformCall};

/// A fault in a plugin may come from the machine's circumstances, so it is tried again, but not for long.
const INTERNAL_ATTEMPTS_MAX: u32 = 3;
/// A split is one record; more documents than this do not belong into one event.
const SPLIT_MAX: usize = 1000;
/// How often to look whether a plugin serves again, if nothing says so earlier.
const PLUGIN_POLL: Duration = Duration::from_secs(5);

/// What happened to an execution.
#[derive(Debug)]
pub(crate) enum Input {
    /// It was taken up: for the first time, when its time had come, or after a crash.
    TakenUp,
    /// A mapper answered.
    Mapped(usize, Called<Vec<Document>>),
    /// An action answered.
    Answered(usize, Called<Receipt>),
    /// A verification answered.
    Verified(usize, Called<Settlement>),
    /// The mapper or action could not be called at all.
    NotServed(usize, NotServed),
    /// The plugin cannot verify.
    NoVerification(usize),
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Action {
    /// Call the mapper.
    Transform(usize, TransformCall),
    /// Commit the record, which opens the step, and then call the action.
    Invoke(usize, ActionCall),
    /// Ask what became of the latest attempt.
    Verify(usize, ActionCall),
    /// Commit the record with these children, and let go of it: its state says what it waits for.
    Rest(Vec<Execution>),
}

/// What a decision depends on beside the record.
pub(crate) struct Circumstances<'a> {
    pub(crate) now: Timestamp,
    pub(crate) random: u64,
    /// Whether a connection takes calls, and if not, when to ask again.
    pub(crate) admit: &'a mut dyn FnMut(&str) -> Result<(), Timestamp>,
}

/// Takes what happened into the record and says what to do.
pub(crate) fn step(carried: &mut Carried, input: Input, at: &mut Circumstances<'_>) -> Action {
    let rest = match input {
        Input::TakenUp => None,
        Input::Mapped(index, called) => mapped(carried, index, called, at),
        Input::Answered(index, called) => answered(carried, index, called, at),
        Input::Verified(index, called) => verified(carried, index, called, at),
        Input::NotServed(index, reason) => Some(not_served(carried, index, reason, at)),
        Input::NoVerification(index) => repeat_if_allowed(carried, index, at),
    };
    rest.unwrap_or_else(|| advance(carried, at))
}

/// Ends an execution instead of doing what it would do next. What it has done stays noted; a call that has not been made
/// leaves no attempt behind.
pub(crate) fn cancel(carried: &mut Carried, next: Action) -> Action {
    match next {
        Action::Transform(index, _) | Action::Invoke(index, _) => cancel_call(carried, index, false),
        Action::Verify(index, _) => cancel_call(carried, index, true),
        Action::Rest(children) if carried.execution.is_settled() && !is_parked(carried) => {
            return Action::Rest(children);
        }
        Action::Rest(_) => carried.execution.state = State::Cancelled,
    }
    Action::Rest(Vec::new())
}

fn is_parked(carried: &Carried) -> bool {
    matches!(carried.execution.state, State::Parked { .. })
}

/// Ends an execution instead of making its next call.
pub(crate) fn cancel_call(carried: &mut Carried, index: usize, verifies: bool) {
    if !verifies {
        unbegin(carried, index);
    }
    carried.execution.state = State::Cancelled;
}

/// Goes on until something must be awaited.
fn advance(carried: &mut Carried, at: &mut Circumstances<'_>) -> Action {
    while let Some(index) = carried.runnable() {
        if let Some(action) = begin(carried, index, at) {
            return action;
        }
    }
    rest(carried, State::Finished { filtered: false })
}

fn begin(carried: &mut Carried, index: usize, at: &mut Circumstances<'_>) -> Option<Action> {
    if carried.execution.steps[index].state == StepState::Open {
        return reopen(carried, index, at);
    }
    let flow = carried.flow.clone();
    let step = &flow.steps[index];
    match step.when.as_ref().map_or(Ok(true), |when| when.holds(&carried.scope())) {
        Ok(true) => {}
        Ok(false) => {
            carried.execution.steps[index].state = StepState::Skipped;
            return None;
        }
        Err(error) => return Some(park_expression(carried, &error)),
    }
    match &step.kind {
        StepKind::Set(set) => match set.apply(&carried.scope()) {
            Ok(output) => finish(carried, index, output),
            Err(error) => Some(park_expression(carried, &error)),
        },
        StepKind::Mapper { plugin, options } => {
            carried.execution.steps[index].begin_attempt(at.now);
            let call = TransformCall {
                plugin: selector(plugin),
                event: carried.event.clone(),
                input: carried.input_of(index),
                options: options.clone(),
            };
            Some(Action::Transform(index, call))
        }
        StepKind::Action { .. } => Some(open(carried, index, at)),
    }
}

/// Opens the step of an action, or opens it again: the record that the caller commits names the attempt before it is made.
fn open(carried: &mut Carried, index: usize, at: &mut Circumstances<'_>) -> Action {
    let call = match action_call(carried, index) {
        Ok(call) => call,
        Err(error) => return park_expression(carried, &error),
    };
    let connection = call.context.connection.clone();
    if let Err(until) = (at.admit)(&connection) {
        return wait(carried, until, Gate::Connection(connection), WaitReason::BreakerOpen);
    }
    carried.execution.state = State::Ready;
    carried.execution.steps[index].state = StepState::Open;
    carried.execution.steps[index].begin_attempt(at.now);
    let attempt = carried.execution.steps[index].attempts_made();
    Action::Invoke(index, ActionCall { context: CallContext { attempt, ..call.context }, ..call })
}

/// What the action of a step is called with, made of the flow and the outputs before it.
pub(crate) fn action_call(carried: &Carried, index: usize) -> Result<ActionCall, EvalError> {
    let input = match &carried.flow.steps[index].kind {
        StepKind::Action { with: Some(with), .. } => with.apply(&carried.scope())?,
        _ => carried.input_of(index),
    };
    Ok(carried.action_call(index, input))
}

/// Takes up a step that was open when its execution was let go of, or when Weir was killed.
fn reopen(carried: &mut Carried, index: usize, at: &mut Circumstances<'_>) -> Option<Action> {
    let verifying = matches!(carried.execution.state, State::Waiting { reason: WaitReason::Verifying, .. });
    let decided = !verifying && matches!(carried.execution.state, State::Waiting { .. });
    let killed = match carried.latest_attempt(index) {
        Some(attempt) if attempt.outcome.is_none() => {
            attempt.outcome = Some(Outcome::Lost);
            true
        }
        Some(attempt) => attempt.outcome == Some(Outcome::Lost) && !decided,
        None => false,
    };
    if killed || verifying || is_uncertain(carried, index, at.now) {
        Some(verify(carried, index))
    } else {
        Some(open(carried, index, at))
    }
}

/// Whether an attempt may have had its effect and the key under which it was made is no longer honoured. A person who
/// retries has decided about the attempts before.
fn is_uncertain(carried: &Carried, index: usize, now: Timestamp) -> bool {
    let record = &carried.execution.steps[index];
    let is_lost = record.attempts.iter().any(|attempt| attempt.number > record.attempts_forgiven && attempt.is_lost());
    is_lost && !is_key_honoured(carried, index, now)
}

/// Whether the destination still knows the first attempt by its key, or does not need to.
fn is_key_honoured(carried: &Carried, index: usize, now: Timestamp) -> bool {
    let StepKind::Action { effect: Effect::Keyed, key_lifetime: Some(lifetime), .. } = carried.flow.steps[index].kind
    else {
        return true;
    };
    let first = carried.execution.steps[index].attempts.first().map_or(now, |attempt| attempt.started);
    now.since(first) < lifetime
}

fn verify(carried: &mut Carried, index: usize) -> Action {
    match action_call(carried, index) {
        Ok(call) => Action::Verify(index, call),
        Err(error) => park_expression(carried, &error),
    }
}

fn mapped(
    carried: &mut Carried,
    index: usize,
    called: Called<Vec<Document>>,
    at: &mut Circumstances<'_>,
) -> Option<Action> {
    let mut documents = match called.answer {
        Err(fault) => return Some(failed(carried, index, fault, Some(called.report), at)),
        Ok(documents) if documents.len() > SPLIT_MAX => {
            let message = format!("the mapper gave {} documents; at most {SPLIT_MAX} are taken", documents.len());
            let fault = Fault::new(FaultKind::Internal, "weir.limit.documents", message);
            return Some(failed(carried, index, fault, Some(called.report), at));
        }
        Ok(documents) => documents,
    };
    carried.end_attempt(index, Outcome::Succeeded, Some(called.report));
    match documents.len() {
        0 => {
            carried.execution.steps[index].state = StepState::Done;
            Some(rest(carried, State::Finished { filtered: true }))
        }
        1 => finish(carried, index, documents.remove(0)),
        _ => {
            if let Some(park) = documents.iter().find_map(|document| unexpected(carried, index, document)) {
                return Some(park);
            }
            let children = carried.split(index, documents);
            carried.execution.state = State::Finished { filtered: false };
            Some(Action::Rest(children))
        }
    }
}

fn answered(
    carried: &mut Carried,
    index: usize,
    called: Called<Receipt>,
    at: &mut Circumstances<'_>,
) -> Option<Action> {
    match called.answer {
        Ok(receipt) => {
            carried.end_attempt(index, Outcome::Succeeded, Some(called.report));
            received(carried, index, receipt)
        }
        Err(fault) => Some(failed(carried, index, fault, Some(called.report), at)),
    }
}

fn verified(
    carried: &mut Carried,
    index: usize,
    called: Called<Settlement>,
    at: &mut Circumstances<'_>,
) -> Option<Action> {
    match called.answer {
        Ok(Settlement::Happened(receipt)) => {
            carried.end_attempt(index, Outcome::Verified, Some(called.report));
            received(carried, index, receipt)
        }
        Ok(Settlement::Absent) => {
            carried.end_attempt(index, Outcome::Absent, Some(called.report));
            let fault = Fault::new(FaultKind::UnknownOutcome, "weir.absent", "the lost attempt had no effect");
            exhausted(carried, index, fault, at).or_else(|| Some(open(carried, index, at)))
        }
        Ok(Settlement::Undecided(after)) => Some(ask_again(carried, index, after, at)),
        Err(fault) if fault.kind == FaultKind::Unauthorized => Some(park(carried, ParkReason::Credential, &fault)),
        Err(fault) => {
            let after = fault.retry_after_ms.map(|millis| Duration::from_millis(millis.into()));
            Some(ask_again(carried, index, after, at))
        }
    }
}

/// Asks `verify` again later, for as long as the flow's retry policy allows.
fn ask_again(carried: &mut Carried, index: usize, after: Option<Duration>, at: &Circumstances<'_>) -> Action {
    let retry = &carried.flow.steps[index].retry;
    let since = carried.execution.steps[index].tried_since.unwrap_or(at.now);
    if at.now.since(since) >= retry.within {
        let message = "whether the request had its effect could not be found out in time";
        return park(carried, ParkReason::UnknownOutcome, &message);
    }
    let made = carried.execution.steps[index].attempts_made();
    let pause = after.unwrap_or_else(|| backoff(retry, made, None, at.random).max(retry.first));
    wait(carried, at.now + pause, Gate::Time, WaitReason::Verifying)
}

/// No plugin was called: an attempt that was opened for it did not happen; one that was to be verified did, and still is
/// to be.
fn not_served(carried: &mut Carried, index: usize, reason: NotServed, at: &Circumstances<'_>) -> Action {
    let verifying = carried.latest_attempt(index).is_some_and(|attempt| attempt.outcome.is_some());
    if !verifying {
        unbegin(carried, index);
    }
    match reason {
        NotServed::NotInstalled(ref name) | NotServed::Unavailable { ref name, .. } => {
            let gate = Gate::Plugin(name.clone());
            let reason = if verifying { WaitReason::Verifying } else { WaitReason::PluginUnavailable };
            wait(carried, at.now + PLUGIN_POLL, gate, reason)
        }
        NotServed::Lacks { .. } | NotServed::Connection(_) => park(carried, ParkReason::Configuration, &reason),
    }
}

/// Takes an attempt back that was begun and not made.
fn unbegin(carried: &mut Carried, index: usize) {
    let step = &mut carried.execution.steps[index];
    step.attempts.pop();
    if step.attempts_made() == 0 {
        step.state = StepState::Pending;
        step.tried_since = None;
    }
}

fn received(carried: &mut Carried, index: usize, receipt: Receipt) -> Option<Action> {
    carried.execution.steps[index].external_id = receipt.external_id;
    finish(carried, index, receipt.output)
}

/// Notes what a step gave, unless the flow expects something else.
fn finish(carried: &mut Carried, index: usize, output: Document) -> Option<Action> {
    let unexpected = unexpected(carried, index, &output);
    carried.keep_output(index, output);
    if unexpected.is_some() && !is_action(carried, index) {
        // A retry runs it again: whatever was at fault may have been mended.
        carried.execution.steps[index].state = StepState::Pending;
    }
    unexpected
}

fn unexpected(carried: &mut Carried, index: usize, output: &Document) -> Option<Action> {
    let flow = carried.flow.clone();
    let fields = flow.steps[index].expect.as_ref()?.check(output).err()?;
    let listed: Vec<_> = fields.iter().take(5).map(|field| format!("`{}`: {}", field.pointer, field.message)).collect();
    let message = format!(
        "what step `{}` gave is not what the flow expects: {}; correct the data or the schema, then replay",
        flow.steps[index].id,
        listed.join(", ")
    );
    Some(park(carried, ParkReason::Data, &message))
}

/// Meets a fault as its kind asks.
fn failed(
    carried: &mut Carried,
    index: usize,
    fault: Fault,
    report: Option<CallReport>,
    at: &mut Circumstances<'_>,
) -> Action {
    carried.end_attempt(index, Outcome::Failed { fault: fault.clone() }, report);
    match fault.kind {
        FaultKind::Unavailable | FaultKind::Timeout | FaultKind::RateLimited => retry(carried, index, fault, at),
        // A credential that is not refreshed by Weir does not mend by waiting.
        FaultKind::Unauthorized => park(carried, ParkReason::Credential, &fault),
        FaultKind::Forbidden | FaultKind::NotFound | FaultKind::Conflict | FaultKind::Rejected => die(carried, fault),
        FaultKind::InvalidInput => park(carried, ParkReason::Data, &fault),
        FaultKind::UnknownOutcome if is_action(carried, index) => verify(carried, index),
        // A mapper has no effect whose outcome could be unknown.
        FaultKind::Internal | FaultKind::UnknownOutcome => {
            let counted = counted_attempts(carried, index);
            if counted >= INTERNAL_ATTEMPTS_MAX {
                return park(carried, ParkReason::Plugin, &fault);
            }
            retry(carried, index, fault, at)
        }
    }
}

/// The plugin cannot find out what became of a lost attempt: what repeating does decides.
fn repeat_if_allowed(carried: &mut Carried, index: usize, at: &mut Circumstances<'_>) -> Option<Action> {
    let flow = carried.flow.clone();
    let StepKind::Action { action, effect, .. } = &flow.steps[index].kind else { return None };
    if *effect == Effect::Unsafe || !is_key_honoured(carried, index, at.now) {
        let message = format!(
            "the answer to action `{action}` was lost and repeating it is not safe; find out whether it had its effect, then \
             `weir execution retry {id}` to repeat it or `weir execution discard {id}`",
            id = carried.execution.id,
        );
        return Some(park(carried, ParkReason::UnknownOutcome, &message));
    }
    let fault =
        Fault::new(FaultKind::UnknownOutcome, "weir.lost", "the answer was lost; the step is repeated with its key");
    Some(retry(carried, index, fault, at))
}

fn retry(carried: &mut Carried, index: usize, fault: Fault, at: &mut Circumstances<'_>) -> Action {
    if let Some(end) = exhausted(carried, index, fault.clone(), at) {
        return end;
    }
    let made = counted_attempts(carried, index);
    let retry_after = fault.retry_after_ms.map(|millis| Duration::from_millis(millis.into()));
    let pause = backoff(&carried.flow.steps[index].retry, made, retry_after, at.random);
    wait(carried, at.now + pause, Gate::Time, WaitReason::Retry { fault })
}

/// The end, if the flow's retry policy allows no further attempt.
fn exhausted(carried: &mut Carried, index: usize, fault: Fault, at: &Circumstances<'_>) -> Option<Action> {
    let retry = &carried.flow.steps[index].retry;
    let since = carried.execution.steps[index].tried_since.unwrap_or(at.now);
    let over = counted_attempts(carried, index) >= retry.attempts || at.now.since(since) >= retry.within;
    over.then(|| die(carried, fault))
}

fn is_action(carried: &Carried, index: usize) -> bool {
    matches!(carried.flow.steps[index].kind, StepKind::Action { .. })
}

fn counted_attempts(carried: &Carried, index: usize) -> u32 {
    let step = &carried.execution.steps[index];
    step.attempts_made().saturating_sub(step.attempts_forgiven)
}

fn die(carried: &mut Carried, fault: Fault) -> Action {
    if carried.flow.on_failure.park {
        return park(carried, ParkReason::Failure, &fault);
    }
    rest(carried, State::Dead { fault })
}

fn park_expression(carried: &mut Carried, error: &EvalError) -> Action {
    park(carried, ParkReason::Data, error)
}

fn park(carried: &mut Carried, reason: ParkReason, message: &dyn std::fmt::Display) -> Action {
    rest(carried, State::Parked { reason, message: message.to_string() })
}

fn wait(carried: &mut Carried, until: Timestamp, gate: Gate, reason: WaitReason) -> Action {
    rest(carried, State::Waiting { until, gate, reason })
}

fn rest(carried: &mut Carried, state: State) -> Action {
    carried.execution.state = state;
    Action::Rest(Vec::new())
}

#[cfg(test)]
mod tests;
