use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use flow::{Flow, Scope};
use futures_util::future::BoxFuture;
use model::{Blob, Document, Event, EventId, Execution, ExecutionId, Gate, ParkReason, State, StateKind, WaitReason};
use store::{Accept, Accepted, Query, StoreError};
use tokio::sync::Notify;

use crate::carried::{Carried, encode, fresh};
use crate::engine::{Inner, Work, lock};
use crate::{Acceptance, Answer, Engine, Incoming, Intake, Refused};

impl Intake for Engine {
    fn accept(&self, incoming: Incoming) -> BoxFuture<'_, Result<Acceptance, Refused>> {
        Box::pin(self.0.accept(incoming))
    }

    fn answer(&self, event: EventId, within: Duration) -> BoxFuture<'_, Option<Answer>> {
        Box::pin(self.0.answer(event, within))
    }
}

impl Inner {
    async fn accept(&self, incoming: Incoming) -> Result<Acceptance, Refused> {
        let current = self.flows.current();
        let flows = current.of_source(&incoming.source).ok_or_else(|| Refused::NoFlow(incoming.source.clone()))?;
        self.hold(flows).await;
        if flows.iter().any(|flow| flow.lane.is_some()) {
            // Whoever joins a lane must find those that stood in it before a restart.
            self.know_lanes().await.map_err(refused)?;
        }
        let event = Arc::new(incoming.event);
        let encoded = Arc::new(Blob::new(encode(&*event)));
        let executions: Vec<_> = flows
            .iter()
            .zip(0..)
            .map(|(flow, ordinal)| {
                let id = ExecutionId::new(event.id, ordinal);
                self.route(flow, fresh(id, flow, &incoming.source, &event, encoded.clone()), &event)
            })
            .collect();
        let accept = Accept { event: event.clone(), dedupe: incoming.dedupe, executions: executions.clone() };
        let accepted = self.store.accept(accept).await;
        if !matches!(accepted, Ok(Accepted::New)) {
            executions.iter().for_each(|execution| self.withdraw(execution));
        }
        match accepted.map_err(refused)? {
            Accepted::New => {
                self.counters.accepted();
                for (execution, flow) in executions.into_iter().zip(flows) {
                    self.begin(execution, flow, &event).await;
                }
                Ok(Acceptance { event: event.id, repeat: false })
            }
            Accepted::Repeat { first, same_data: true } => {
                self.counters.repeated();
                Ok(Acceptance { event: first, repeat: true })
            }
            Accepted::Repeat { first, same_data: false } => Err(Refused::Differs { first }),
        }
    }

    /// Decides how an execution begins: at once, behind others, or not at all.
    fn route(&self, flow: &Flow, mut execution: Execution, event: &Event) -> Execution {
        let scope = Scope::new(event);
        let (takes, lane) = match (
            flow.when.as_ref().map_or(Ok(true), |when| when.holds(&scope)),
            flow.lane.as_ref().map(|lane| lane.to_text(&scope)).transpose(),
        ) {
            (Ok(takes), Ok(lane)) => (takes, lane),
            (Err(error), _) | (_, Err(error)) => {
                execution.state = State::Parked { reason: ParkReason::Data, message: error.to_string() };
                return execution;
            }
        };
        execution.lane = lane;
        if !takes {
            execution.lane = None;
            execution.state = State::Finished { filtered: true };
        } else if flow.steps.is_empty() {
            execution.state = State::Finished { filtered: false };
        } else if let Some(lane) = &execution.lane
            && let key = (flow.name.clone(), lane.clone())
            && let Some(until) = lock(&self.lanes).enter(&key, &execution.id, event.received)
        {
            execution.state = State::Waiting { until, gate: Gate::Lane(key.0, key.1), reason: WaitReason::Lane };
        } else if !self.has_room(&flow.name) {
            let gate = Gate::Flow(flow.name.clone());
            execution.state = State::Waiting { until: event.received, gate, reason: WaitReason::Concurrency };
        }
        execution
    }

    /// Takes an execution that was not stored out of its lane.
    fn withdraw(&self, execution: &Execution) {
        if let Some(lane) = &execution.lane {
            lock(&self.lanes).withdraw(&(execution.flow.name.clone(), lane.clone()), &execution.id);
        }
    }

    /// Hands a durable execution over from memory, if it can go on at once.
    async fn begin(&self, mut execution: Execution, flow: &Arc<Flow>, event: &Arc<Event>) {
        execution.revision = 1;
        if execution.state != State::Ready {
            if execution.is_settled() {
                self.counters.rested(&execution, self.now());
                self.settle(&execution).await;
            }
            return;
        }
        if self.claim(&execution.id) {
            let outputs = vec![None; execution.steps.len()];
            let name = Arc::from(flow.name.as_str());
            let carried = Carried { flow: flow.clone(), execution, event: event.clone(), outputs };
            self.hand_over(&name, Work::Loaded(Box::new(carried)));
        }
    }

    async fn answer(&self, event: EventId, within: Duration) -> Option<Answer> {
        let settled = match lock(&self.answers).entry(event) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => entry.insert(Arc::new(Notify::new())).clone(),
        };
        let look_until_settled = async {
            loop {
                let mut changed = std::pin::pin!(settled.notified());
                changed.as_mut().enable();
                if let Some(answer) = self.settled_answer(event).await {
                    return answer;
                }
                changed.await;
            }
        };
        let answer = tokio::select! {
            answer = look_until_settled => Some(answer),
            () = self.clock.sleep(within) => None,
        };
        let mut answers = lock(&self.answers);
        // One is held by the map and one here: nobody else waits.
        if Arc::strong_count(&settled) == 2 {
            answers.remove(&event);
        }
        answer
    }

    async fn settled_answer(&self, event: EventId) -> Option<Answer> {
        let query = Query { event: Some(event), limit: usize::from(u16::MAX), ..Query::default() };
        let executions = self.store.query(query).await.ok()?.executions;
        if executions.is_empty() || !executions.iter().all(Execution::is_settled) {
            return None;
        }
        let worst = executions.iter().max_by_key(|execution| severity(execution.state.kind()))?;
        let fault = match &worst.state {
            State::Dead { fault } => Some(fault.clone()),
            State::Parked { reason, message } => {
                Some(model::Fault::new(model::FaultKind::Unavailable, reason.code(), message.clone()))
            }
            _ => None,
        };
        let first = executions.iter().min_by(|one, other| one.id.cmp(&other.id))?;
        Some(Answer { state: worst.state.kind(), output: self.last_output(first).await, fault })
    }

    async fn last_output(&self, execution: &Execution) -> Option<Document> {
        let index = execution.steps.iter().rev().find_map(|step| step.output)?;
        self.read_blob(execution, index).await.ok()
    }
}

/// How much an end needs to be known of.
fn severity(state: StateKind) -> u8 {
    match state {
        StateKind::Finished => 0,
        StateKind::Discarded => 1,
        StateKind::Cancelled => 2,
        StateKind::Ready | StateKind::Waiting => 3,
        StateKind::Parked => 4,
        StateKind::Dead => 5,
    }
}

fn refused(error: StoreError) -> Refused {
    match error {
        StoreError::Busy { reason, retry_after } => Refused::Busy { reason, retry_after },
        other => Refused::Store(other),
    }
}
