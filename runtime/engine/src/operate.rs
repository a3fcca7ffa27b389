//! What people do to executions: look, retry, replay, cancel, discard.

use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flow::{EvalError, Flow, StepKind};
use manifest::Effect;
use model::{
    Attempt, Document, Event, Execution, ExecutionId, Fault, FaultKind, Gate, Outcome, ParkReason, State, StateKind,
    Step, StepState, Timestamp, WaitReason,
};
use store::{Commit, Page, Query, Store, StoreError};

use crate::Engine;
use crate::engine::{Inner, Work, lock};

/// Why an order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// There is no such execution.
    #[error("there is no execution `{0}`")]
    Unknown(ExecutionId),
    /// Its state does not allow it.
    #[error("execution `{id}` is {state}: {instead}")]
    WrongState {
        /// Which.
        id: ExecutionId,
        /// Where it stands.
        state: StateKind,
        /// What can be done instead.
        instead: &'static str,
    },
    /// The flow is not there, or not in the version that is needed.
    #[error("flow `{0}` is not there: put its file back, or replay on the version the execution was pinned to")]
    NoFlow(String),
    /// The flow has no such step.
    #[error("flow `{flow}` has no step `{step}`; its steps are {steps}")]
    NoStep {
        /// The flow.
        flow: String,
        /// What was asked for.
        step: String,
        /// What there is.
        steps: String,
    },
    /// The flow has no such call.
    #[error("flow `{flow}` has {what}")]
    NoCall {
        /// The flow.
        flow: String,
        /// What it has instead.
        what: String,
    },
    /// What a step is given cannot be made.
    #[error("what step `{step}` is given cannot be made")]
    Expression {
        /// The step.
        step: String,
        /// Why.
        #[source]
        cause: EvalError,
    },
    /// The store failed.
    #[error("the order could not be stored")]
    Store(#[from] StoreError),
}

impl OrderError {
    pub(crate) fn no_step(flow: &Flow, step: &str) -> Self {
        let steps = flow.steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>().join(", ");
        Self::NoStep { flow: flow.name.clone(), step: step.to_owned(), steps }
    }
}

/// How to replay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// Begin with this step and keep what those before it gave; none: begin with the event.
    pub from: Option<String>,
    /// On the flow's current version instead of the one that the execution was pinned to.
    pub current_version: bool,
}

/// An effect that a replay would have again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedEffect {
    /// The step.
    pub step: String,
    /// Plugin and action, as the flow names them.
    pub action: String,
    /// The account at which it would happen.
    pub connection: Option<String>,
    /// What the destination called what it made the first time.
    pub external_id: Option<String>,
}

/// An execution with the definition of its flow and its documents.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The record.
    pub execution: Execution,
    /// The ids of its steps; empty if the flow can no longer be read.
    pub step_ids: Vec<String>,
    /// The event; none if it has been retired.
    pub event: Option<Event>,
    /// What each step gave, as far as it is still there.
    pub outputs: Vec<Option<Document>>,
}

impl Engine {
    /// A page of executions.
    pub async fn list(&self, query: Query) -> Result<Page, StoreError> {
        self.0.store.query(query).await
    }

    /// The store, for reading.
    pub fn store(&self) -> Arc<dyn Store> {
        self.0.store.clone()
    }

    /// All that is known of an execution.
    pub async fn inspect(&self, id: &ExecutionId) -> Result<Inspected, OrderError> {
        let execution = self.0.find(id).await?;
        let flow = self.0.flows.pinned(&execution.flow).await?;
        let event = self.0.read_blob(&execution, execution.event).await.ok();
        let mut outputs = Vec::with_capacity(execution.steps.len());
        for step in &execution.steps {
            outputs.push(match step.output {
                Some(index) => self.0.read_blob(&execution, index).await.ok(),
                None => None,
            });
        }
        let step_ids = flow.map_or_else(Vec::new, |flow| flow.steps.iter().map(|step| step.id.clone()).collect());
        Ok(Inspected { execution, step_ids, event, outputs })
    }

    /// Lets a parked, dead or waiting execution go on now. Finished steps are not run again; the step that failed is
    /// tried with the same key, and its retry policy begins anew.
    pub async fn retry(&self, id: &ExecutionId) -> Result<(), OrderError> {
        let inner = &self.0;
        let before = inner.find(id).await?;
        let key = before.lane.map(|lane| (before.flow.name, lane));
        // A dead letter has left its lane; those that have not gone yet wait for it again.
        let rejoins =
            before.state.kind() == StateKind::Dead && key.as_ref().is_some_and(|key| lock(&inner.lanes).lead(key, id));
        let changed = inner.change(id, go_on).await;
        if let (Err(_), true, Some(key)) = (&changed, rejoins, key) {
            lock(&inner.lanes).leave(&key, id);
            inner.promote(key).await;
        }
        inner.take_up_now(changed?);
        Ok(())
    }

    /// Ends an execution that has not ended. If a call is under way, it ends after that call.
    pub async fn cancel(&self, id: &ExecutionId) -> Result<(), OrderError> {
        if let Some(claim) = lock(&self.0.claims).get_mut(id) {
            claim.cancelled = true;
            return Ok(());
        }
        self.0.end(id, cancel).await
    }

    /// Puts a parked or dead execution away.
    pub async fn discard(&self, id: &ExecutionId) -> Result<(), OrderError> {
        let discard = |execution: &mut Execution, _| match execution.state.kind() {
            StateKind::Parked | StateKind::Dead => {
                execution.state = State::Discarded;
                Ok(())
            }
            _ => Err("only what is parked or dead can be discarded; to end it, cancel it"),
        };
        self.0.end(id, discard).await
    }

    /// The effects that a replay would have again.
    pub async fn effects(&self, id: &ExecutionId, replay: &Replay) -> Result<Vec<RepeatedEffect>, OrderError> {
        let execution = self.0.find(id).await?;
        let flow = self.0.flow_for(&execution, replay).await?;
        let old_flow = self.0.flows.pinned(&execution.flow).await?;
        let Begin { first, .. } = begin(&flow, old_flow.as_deref(), &execution, replay)?;
        let query = Query { event: Some(id.event()), limit: usize::from(u16::MAX), ..Query::default() };
        let mut descendants = self.0.store.query(query).await?.executions;
        descendants
            .retain(|other| iter::successors(other.id.parent(), ExecutionId::parent).any(|parent| parent == *id));
        // Newest first, which is not the order of the documents.
        let again: Vec<_> = iter::once(execution).chain(descendants.into_iter().rev()).collect();
        let effects = flow.steps.iter().enumerate().skip(first).flat_map(|(index, step)| {
            again.iter().filter_map(move |execution| repeated_effect(step, execution.steps.get(index)?))
        });
        Ok(effects.collect())
    }

    /// Runs an execution once more, as a new one with new keys. Only what repeats a dead letter as it was keeps the keys:
    /// its destinations may have had some of its calls.
    pub async fn replay(&self, id: &ExecutionId, replay: &Replay) -> Result<ExecutionId, OrderError> {
        let before = self.0.find(id).await?;
        let flow = self.0.flow_for(&before, replay).await?;
        let old_flow = self.0.flows.pinned(&before.flow).await?;
        let Begin { first, first_own } = begin(&flow, old_flow.as_deref(), &before, replay)?;
        let is_the_same = before.state.kind() == StateKind::Dead && flow.reference() == before.flow;
        let steps = flow.steps.iter().enumerate().map(|(index, step)| {
            let old = old_flow.as_ref().and_then(|old| old.step(&step.id));
            match old.and_then(|old| before.steps.get(old)) {
                Some(kept) if index < first => Step { attempts: Vec::new(), attempts_dropped: 0, ..kept.clone() },
                _ => Step::default(),
            }
        });
        let mut execution = Execution {
            revision: 0,
            flow: flow.reference(),
            state: State::Waiting { until: self.0.now(), gate: Gate::Time, reason: WaitReason::Concurrency },
            lane: None,
            replay_of: Some(id.clone()),
            keys_of: is_the_same.then(|| before.keys_of.as_ref().unwrap_or(id).clone()),
            first_step: first_own as u16,
            updated: self.0.now(),
            steps: steps.collect(),
            ..before
        };
        loop {
            execution.id = self.0.next_id(id).await?;
            let commit = Commit { executions: vec![execution.clone()], rows: Vec::new() };
            match self.0.store.commit(commit).await {
                Ok(()) => break,
                // Somebody else has replayed at the same time and taken the id.
                Err(StoreError::Stale { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        let id = execution.id.clone();
        self.0.take_up_now(execution);
        Ok(id)
    }
}

impl Inner {
    pub(crate) async fn find(&self, id: &ExecutionId) -> Result<Execution, OrderError> {
        self.store.load(id.clone()).await?.ok_or_else(|| OrderError::Unknown(id.clone()))
    }

    /// Changes an execution that nobody is working on.
    async fn change(
        &self,
        id: &ExecutionId,
        change: impl Fn(&mut Execution, Timestamp) -> Result<(), &'static str>,
    ) -> Result<Execution, OrderError> {
        loop {
            let mut execution = self.find(id).await?;
            let now = self.now();
            change(&mut execution, now).map_err(|instead| OrderError::WrongState {
                id: id.clone(),
                state: execution.state.kind(),
                instead,
            })?;
            execution.updated = now;
            match self.store.commit(Commit { executions: vec![execution.clone()], rows: Vec::new() }).await {
                Ok(()) => {
                    execution.revision += 1;
                    return Ok(execution);
                }
                Err(StoreError::Stale { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take_up_now(&self, execution: Execution) {
        if self.claim(&execution.id) {
            self.hand_over(&Arc::from(execution.flow.name), Work::Stored(execution.id));
        }
    }

    /// Ends an execution by a person's order, and takes it out of its lane.
    async fn end(
        &self,
        id: &ExecutionId,
        end: impl Fn(&mut Execution, Timestamp) -> Result<(), &'static str>,
    ) -> Result<(), OrderError> {
        let waited = AtomicBool::new(false);
        let end = |execution: &mut Execution, now| {
            waited.store(matches!(&execution.state, State::Waiting { gate: Gate::Lane(..), .. }), Ordering::Relaxed);
            end(execution, now)
        };
        let execution = self.change(id, end).await?;
        if let (Some(lane), true) = (&execution.lane, waited.into_inner()) {
            lock(&self.lanes).withdraw(&(execution.flow.name.clone(), lane.clone()), id);
        }
        self.settle(&execution).await;
        Ok(())
    }

    /// What is left of an order to cancel: whoever worked on the execution had let go of it in its own way by then.
    pub(crate) async fn cancel_unclaimed(&self, id: &ExecutionId) {
        match self.end(id, cancel).await {
            Ok(()) | Err(OrderError::WrongState { .. }) => {}
            Err(error) => tracing::error!(execution = %id, %error, "execution could not be cancelled"),
        }
    }

    async fn flow_for(&self, execution: &Execution, replay: &Replay) -> Result<Arc<Flow>, OrderError> {
        let name = &execution.flow.name;
        let flow = if replay.current_version {
            self.flows.current().named(name).cloned()
        } else {
            self.flows.pinned(&execution.flow).await?
        };
        flow.ok_or_else(|| OrderError::NoFlow(name.clone()))
    }

    /// The id behind the last execution of the event.
    async fn next_id(&self, id: &ExecutionId) -> Result<ExecutionId, OrderError> {
        let query = Query { event: Some(id.event()), limit: usize::from(u16::MAX), ..Query::default() };
        let last = self.store.query(query).await?.executions.iter().map(|each| each.id.ordinal()).max();
        Ok(ExecutionId::new(id.event(), last.map_or(0, |last| last.saturating_add(1))))
    }
}

/// Where a replay begins.
struct Begin {
    /// The first step that it runs.
    first: usize,
    /// The first that it could run: see [`Execution::first_step`].
    first_own: usize,
}

fn begin(flow: &Flow, old: Option<&Flow>, before: &Execution, replay: &Replay) -> Result<Begin, OrderError> {
    let place = |step: &str| flow.step(step).ok_or_else(|| OrderError::no_step(flow, step));
    let wrong = |instead| OrderError::WrongState { id: before.id.clone(), state: before.state.kind(), instead };
    let old_steps = old.map_or(&[][..], |old| &old.steps);
    let first_own = match usize::from(before.first_step).checked_sub(1).and_then(|split| old_steps.get(split)) {
        Some(split) => place(&split.id)? + 1,
        None => 0,
    };
    let first = replay.from.as_deref().map(place).transpose()?.unwrap_or(first_own);
    if first < first_own {
        return Err(wrong(
            "it goes on with one of its parent's documents; to repeat the steps before, replay the parent",
        ));
    }
    let is_split = |step: &flow::Step| {
        let old = old_steps.iter().position(|old| old.id == step.id);
        old.and_then(|old| before.steps.get(old)).is_some_and(|old| matches!(old.state, StepState::Split { .. }))
    };
    if flow.steps[..first].iter().any(is_split) {
        return Err(wrong("its documents have gone on as children; replay those, or it from the step that gave them"));
    }
    Ok(Begin { first, first_own })
}

fn repeated_effect(step: &flow::Step, record: &Step) -> Option<RepeatedEffect> {
    let StepKind::Action { plugin, action, connection, effect, .. } = &step.kind else { return None };
    (*effect != Effect::Read && had_effect(record)).then(|| RepeatedEffect {
        step: step.id.clone(),
        action: format!("{plugin}.{action}"),
        connection: connection.clone(),
        external_id: record.external_id.clone(),
    })
}

/// Whether a step may have changed something at its destination.
fn had_effect(step: &Step) -> bool {
    step.state == StepState::Done || step.attempts.iter().any(|attempt| {
        matches!(&attempt.outcome, None | Some(Outcome::Lost | Outcome::Succeeded | Outcome::Verified))
            || matches!(&attempt.outcome, Some(Outcome::Failed { fault }) if fault.kind == FaultKind::UnknownOutcome)
    })
}

fn cancel(execution: &mut Execution, _: Timestamp) -> Result<(), &'static str> {
    if execution.is_settled() && execution.state.kind() != StateKind::Parked {
        return Err("it has ended already");
    }
    execution.state = State::Cancelled;
    Ok(())
}

/// What a retry makes of an execution.
fn go_on(execution: &mut Execution, now: Timestamp) -> Result<(), &'static str> {
    let (State::Parked { .. } | State::Dead { .. } | State::Waiting { .. }) = &execution.state else {
        return Err("only what is parked, dead or waiting can be retried; to run it once more, replay it");
    };
    if let State::Waiting { gate: Gate::Lane(..) | Gate::Children, .. } = &execution.state {
        return Err("it goes on as soon as the executions before it in its lane have ended");
    }
    let reason = reason_to_go_on(execution);
    for step in &mut execution.steps {
        step.attempts_forgiven = step.attempts_made();
        step.tried_since = step.tried_since.map(|_| now);
    }
    execution.state = State::Waiting { until: now, gate: Gate::Time, reason };
    Ok(())
}

/// What a retry goes on with. An outcome that is unknown is verified; only who retries what was parked because of it, or
/// what is dead, has decided that it is to be repeated.
fn reason_to_go_on(execution: &Execution) -> WaitReason {
    use ParkReason::{Failure, UnknownOutcome};
    let is_decided = match &execution.state {
        State::Parked { reason: UnknownOutcome | Failure, .. } | State::Dead { .. } => true,
        State::Waiting { reason, .. } => *reason != WaitReason::Verifying,
        _ => false,
    };
    let open = execution.steps.iter().find(|step| step.state == StepState::Open);
    let is_lost = open.and_then(|step| step.attempts.last()).is_some_and(Attempt::is_lost);
    if is_lost && !is_decided { WaitReason::Verifying } else { WaitReason::Retry { fault: latest_fault(execution) } }
}

fn latest_fault(execution: &Execution) -> Fault {
    let latest = execution.steps.iter().flat_map(|step| &step.attempts).next_back();
    match latest.and_then(|attempt| attempt.outcome.clone()) {
        Some(Outcome::Failed { fault }) => fault,
        _ => Fault::new(FaultKind::Internal, "weir.retried", "taken up again by hand"),
    }
}
