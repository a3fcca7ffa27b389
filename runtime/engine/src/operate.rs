//! What people do to executions: look, retry, replay, cancel, discard.

use std::sync::Arc;

use flow::{Flow, StepKind};
use manifest::Effect;
use model::{
    Document, Event, Execution, ExecutionId, Fault, FaultKind, Gate, Outcome, State, StateKind, Step, StepState,
    WaitReason,
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
    /// The store failed.
    #[error("the order could not be stored")]
    Store(#[from] StoreError),
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
        let execution = inner
            .change(id, |execution, now| {
                let (State::Parked { .. } | State::Dead { .. } | State::Waiting { .. }) = &execution.state else {
                    return Err("only what is parked, dead or waiting can be retried; to run it once more, replay it");
                };
                if let State::Waiting { gate: Gate::Lane(..) | Gate::Children, .. } = &execution.state {
                    return Err("it goes on as soon as the executions before it in its lane have ended");
                }
                for step in &mut execution.steps {
                    step.attempts_forgiven = step.attempts_made();
                    step.tried_since = None;
                }
                let fault = latest_fault(execution);
                execution.state = State::Waiting { until: now, gate: Gate::Time, reason: WaitReason::Retry { fault } };
                Ok(())
            })
            .await?;
        inner.take_up_now(execution);
        Ok(())
    }

    /// Ends an execution that has not ended. If a call is under way, it ends after that call.
    pub async fn cancel(&self, id: &ExecutionId) -> Result<(), OrderError> {
        if let Some(claim) = lock(&self.0.claims).get_mut(id) {
            claim.cancelled = true;
            return Ok(());
        }
        let cancel = |execution: &mut Execution, _| match execution.is_settled() {
            true if execution.state.kind() != StateKind::Parked => Err("it has ended already"),
            _ => {
                execution.state = State::Cancelled;
                Ok(())
            }
        };
        let before = self.0.find(id).await?;
        let execution = self.0.change(id, cancel).await?;
        self.0.leave_lane(&before, &execution).await;
        Ok(())
    }

    /// Puts a parked or dead execution away.
    pub async fn discard(&self, id: &ExecutionId) -> Result<(), OrderError> {
        let before = self.0.find(id).await?;
        let discard = |execution: &mut Execution, _| match execution.state.kind() {
            StateKind::Parked | StateKind::Dead => {
                execution.state = State::Discarded;
                Ok(())
            }
            _ => Err("only what is parked or dead can be discarded; to end it, cancel it"),
        };
        let execution = self.0.change(id, discard).await?;
        self.0.leave_lane(&before, &execution).await;
        Ok(())
    }

    /// The effects that a replay would have again.
    pub async fn effects(&self, id: &ExecutionId, replay: &Replay) -> Result<Vec<RepeatedEffect>, OrderError> {
        let execution = self.0.find(id).await?;
        let flow = self.0.flow_for(&execution, replay).await?;
        let first = first_step(&flow, replay)?;
        let made = |index: usize| execution.steps.get(index).filter(|step| had_effect(step));
        let effects = flow.steps.iter().enumerate().skip(first).filter_map(|(index, step)| {
            let StepKind::Action { plugin, action, connection, effect, .. } = &step.kind else { return None };
            let record = made(index).filter(|_| *effect != Effect::Read)?;
            Some(RepeatedEffect {
                step: step.id.clone(),
                action: format!("{plugin}.{action}"),
                connection: connection.clone(),
                external_id: record.external_id.clone(),
            })
        });
        Ok(effects.collect())
    }

    /// Runs an execution once more, as a new one with new keys.
    pub async fn replay(&self, id: &ExecutionId, replay: &Replay) -> Result<ExecutionId, OrderError> {
        let before = self.0.find(id).await?;
        let flow = self.0.flow_for(&before, replay).await?;
        let first = first_step(&flow, replay)?;
        let old_flow = self.0.flows.pinned(&before.flow).await?;
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
    async fn find(&self, id: &ExecutionId) -> Result<Execution, OrderError> {
        self.store.load(id.clone()).await?.ok_or_else(|| OrderError::Unknown(id.clone()))
    }

    /// Changes an execution that nobody is working on.
    async fn change(
        &self,
        id: &ExecutionId,
        change: impl Fn(&mut Execution, model::Timestamp) -> Result<(), &'static str>,
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

    async fn leave_lane(&self, before: &Execution, after: &Execution) {
        if let (Some(lane), State::Waiting { gate: Gate::Lane(..), .. }) = (&before.lane, &before.state) {
            lock(&self.lanes).withdraw(&(before.flow.name.clone(), lane.clone()), &before.id);
        }
        self.settle(after).await;
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

fn first_step(flow: &Flow, replay: &Replay) -> Result<usize, OrderError> {
    let Some(from) = &replay.from else { return Ok(0) };
    flow.step(from).ok_or_else(|| OrderError::NoStep {
        flow: flow.name.clone(),
        step: from.clone(),
        steps: flow.steps.iter().map(|step| step.id.as_str()).collect::<Vec<_>>().join(", "),
    })
}

/// Whether a step may have changed something at its destination.
fn had_effect(step: &Step) -> bool {
    step.state == StepState::Done || step.attempts.iter().any(|attempt| {
        matches!(&attempt.outcome, None | Some(Outcome::Lost | Outcome::Succeeded | Outcome::Verified))
            || matches!(&attempt.outcome, Some(Outcome::Failed { fault }) if fault.kind == FaultKind::UnknownOutcome)
    })
}

fn latest_fault(execution: &Execution) -> Fault {
    let latest = execution.steps.iter().flat_map(|step| &step.attempts).next_back();
    match latest.and_then(|attempt| attempt.outcome.clone()) {
        Some(Outcome::Failed { fault }) => fault,
        _ => Fault::new(FaultKind::Internal, "weir.retried", "taken up again by hand"),
    }
}
