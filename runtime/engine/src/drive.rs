//! Does what [`step`] says: calls, commits, lets go.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::{Document, Event, Execution, ExecutionId, ParkReason, State, StateKind};
use store::{Commit, StoreError};

use crate::carried::{Carried, decode};
use crate::engine::{Inner, Work, lock};
use crate::step::{Action, Circumstances, Input, cancel, cancel_call, step};
use crate::{ActionCall, Called, NotServed};

/// The next action after a call, or that the work has been passed on or let go of.
type Next = Option<(Box<Carried>, Input)>;

impl Inner {
    /// One of the tasks that carry executions, one at a time.
    pub(crate) async fn carry_for_ever(self: Arc<Self>) {
        while let Some((flow, work)) = self.next_work().await {
            let begun = match work {
                Work::Loaded(carried) => Some((carried, Input::TakenUp)),
                Work::Stored(id) => self.load(&flow, &id).await.map(|carried| (carried, Input::TakenUp)),
                Work::Call { carried, step, call, verifies, .. } => {
                    self.call(&flow, carried, step, *call, verifies).await
                }
            };
            if let Some((carried, input)) = begun {
                self.carry(&flow, carried, input).await;
            }
        }
    }

    /// Carries an execution until it rests, or until it is passed on.
    async fn carry(&self, flow: &Arc<str>, mut carried: Box<Carried>, mut input: Input) {
        loop {
            let mut action = self.decide(&mut carried, input);
            if self.is_cancelled(&carried.execution.id) {
                if let Action::Invoke(_, call) = &action {
                    self.connections.found_nothing_out(&call.context.connection);
                }
                action = cancel(&mut carried, action);
            }
            let next = match action {
                Action::Transform(index, call) => Some(self.transform(carried, index, call).await),
                Action::Invoke(index, call) => self.call_in_turn(flow, carried, index, call, false).await,
                Action::Verify(index, call) => self.call_in_turn(flow, carried, index, call, true).await,
                Action::Rest(children) => return self.rest(flow, carried, children).await,
            };
            match next {
                Some(next) => (carried, input) = next,
                None => return,
            }
        }
    }

    fn decide(&self, carried: &mut Carried, input: Input) -> Action {
        let now = self.now();
        let mut circumstances = Circumstances {
            now,
            random: self.random.next(),
            admit: &mut |connection: &str| self.connections.admit(connection, now),
        };
        step(carried, input, &mut circumstances)
    }

    async fn transform(
        &self,
        carried: Box<Carried>,
        index: usize,
        call: crate::TransformCall,
    ) -> (Box<Carried>, Input) {
        let input = match self.plugins.transform(call).await {
            Ok(called) => Input::Mapped(index, called),
            Err(reason) => Input::NotServed(index, reason),
        };
        (carried, input)
    }

    /// Calls when the connection has a place: at once, or from [`next_work`](Self::next_work).
    async fn call_in_turn(
        &self,
        flow: &Arc<str>,
        carried: Box<Carried>,
        step: usize,
        call: ActionCall,
        verifies: bool,
    ) -> Next {
        let connection = call.context.connection.clone();
        let work = Work::Call { flow: flow.clone(), carried, step, call: Box::new(call), verifies };
        match self.connections.begin(&connection, work) {
            Some(Work::Call { carried, step, call, .. }) => self.call(flow, carried, step, *call, verifies).await,
            _ => None,
        }
    }

    /// Calls the action, or asks what became of a call, and gives the place at the connection back.
    async fn call(
        &self,
        flow: &Arc<str>,
        mut carried: Box<Carried>,
        index: usize,
        call: ActionCall,
        verifies: bool,
    ) -> Next {
        let connection = call.context.connection.clone();
        // It may have been ordered while the call waited for its place.
        let is_cancelled = self.is_cancelled(&carried.execution.id);
        let answer = match (is_cancelled, verifies) {
            (true, _) => None,
            (false, true) => Some(self.verify(index, call).await),
            (false, false) => self.invoke(&mut carried, index, call).await,
        };
        if answer.is_none() && !verifies {
            self.connections.found_nothing_out(&connection);
        }
        if let Some(work) = self.connections.end(&connection) {
            self.hand_on(work);
        }
        match answer {
            Some(input) => return Some((carried, input)),
            None if is_cancelled => {
                cancel_call(&mut carried, index, verifies);
                self.rest(flow, carried, Vec::new()).await;
            }
            None => self.drop_claim(flow, &carried.execution.id).await,
        }
        None
    }

    /// Commits the record that opens the step, and calls the action. None: it could not be committed.
    async fn invoke(&self, carried: &mut Carried, index: usize, call: ActionCall) -> Option<Input> {
        if let Some(attempt) = carried.latest_attempt(index) {
            attempt.started = self.now();
        }
        self.commit(carried, Vec::new()).await.ok()?;
        let connection = call.context.connection.clone();
        let answer = self.plugins.invoke(call).await;
        self.counters.attempted();
        Some(match answer {
            Ok(called) => {
                self.note(&connection, &called);
                Input::Answered(index, called)
            }
            Err(reason) => {
                self.connections.found_nothing_out(&connection);
                Input::NotServed(index, reason)
            }
        })
    }

    async fn verify(&self, index: usize, call: ActionCall) -> Input {
        match self.plugins.verify(call).await {
            Ok(called) => Input::Verified(index, called),
            Err(NotServed::Lacks { .. }) => Input::NoVerification(index),
            Err(reason) => Input::NotServed(index, reason),
        }
    }

    fn note<T>(&self, connection: &str, called: &Called<T>) {
        let fault = called.answer.as_ref().err().map(|fault| fault.kind);
        match fault {
            // A fault in the plugin says nothing about the destination.
            Some(model::FaultKind::Internal) => self.connections.found_nothing_out(connection),
            fault => self.connections.note(connection, fault, self.now()),
        }
    }

    /// Commits the last record of this stretch of work and lets go.
    async fn rest(&self, flow: &Arc<str>, mut carried: Box<Carried>, children: Vec<Execution>) {
        let id = carried.execution.id.clone();
        // Before anybody can find the children in the store: those behind them in the lane wait for the last of them.
        let lane = carried.execution.lane.clone().map(|lane| (carried.execution.flow.name.clone(), lane));
        let heads: Vec<_> = children.iter().map(|child| child.id.clone()).collect();
        if let Some(key) = &lane {
            for child in &heads {
                lock(&self.lanes).lead(key, child);
            }
        }
        let children = match self.commit(&mut carried, children).await {
            Ok(children) => children,
            Err(_) => {
                if let Some(key) = &lane {
                    heads.iter().for_each(|child| lock(&self.lanes).leave(key, child));
                }
                return self.drop_claim(flow, &id).await;
            }
        };
        self.counters.rested(&carried.execution, self.now());
        tell(&carried.execution);
        children.into_iter().for_each(|child| self.hand_over_child(flow, &carried, child));
        self.drop_claim(flow, &id).await;
        self.settle(&carried.execution).await;
    }

    fn hand_over_child(&self, flow: &Arc<str>, parent: &Carried, child: Execution) {
        let outputs = child.steps.iter().zip(&parent.outputs).map(|(step, output)| match output {
            Some(output) => Some(output.clone()),
            // Only the step that was split has an output that the parent has not.
            None => {
                step.output.and_then(|index| child.blob(index)?.bytes().and_then(|bytes| decode(bytes))).map(Arc::new)
            }
        });
        let outputs = outputs.collect();
        if self.claim(&child.id) {
            let (flow_definition, event) = (parent.flow.clone(), parent.event.clone());
            let carried = Carried { flow: flow_definition, execution: child, event, outputs };
            self.hand_over(flow, Work::Loaded(Box::new(carried)));
        }
    }

    /// Everything that must happen when an execution will not go on by itself.
    pub(crate) async fn settle(&self, execution: &Execution) {
        if !execution.is_settled() {
            return;
        }
        if let Some(waiting) = lock(&self.answers).get(&execution.id.event()) {
            waiting.notify_waiters();
        }
        // A parked head blocks its lane; a dead letter releases it.
        if execution.state.kind() != StateKind::Parked
            && let Some(lane) = execution.lane.clone()
        {
            let key = (execution.flow.name.clone(), lane);
            lock(&self.lanes).leave(&key, &execution.id);
            self.promote(key).await;
        }
    }

    async fn drop_claim(&self, flow: &Arc<str>, id: &ExecutionId) {
        self.let_go(flow);
        self.unclaim(id).await;
    }

    /// Writes the record and its children. The store raises the revisions; so do the copies in memory. A full store is
    /// waited for: what has been done must be noted.
    pub(crate) async fn commit(
        &self,
        carried: &mut Carried,
        mut children: Vec<Execution>,
    ) -> Result<Vec<Execution>, StoreError> {
        carried.execution.updated = self.now();
        loop {
            let mut executions = Vec::with_capacity(1 + children.len());
            executions.push(carried.execution.clone());
            executions.extend(children.iter().cloned());
            match self.store.commit(Commit { executions, rows: Vec::new() }).await {
                Ok(()) => break,
                Err(StoreError::Busy { retry_after, .. }) => {
                    self.clock.sleep(retry_after.min(Duration::from_secs(1))).await;
                }
                Err(error) => {
                    tracing::error!(execution = %carried.execution.id, %error, "execution could not be committed");
                    return Err(error);
                }
            }
        }
        carried.execution.revision += 1;
        children.iter_mut().for_each(|child| child.revision += 1);
        Ok(children)
    }

    /// Brings a claimed execution into memory. None: it cannot go on, its claim is gone and the reason is in its record.
    async fn load(&self, flow: &Arc<str>, id: &ExecutionId) -> Option<Box<Carried>> {
        match self.try_load(id).await {
            // A person has ended it, or another has carried it on, between the look and the claim.
            Ok(Ok(carried)) if carried.execution.is_settled() => self.settle(&carried.execution).await,
            Ok(Ok(carried)) => return Some(Box::new(carried)),
            Ok(Err(Unloadable { execution, message })) => self.park(*execution, &message).await,
            Err(error) => tracing::error!(execution = %id, %error, "execution could not be loaded"),
        }
        self.drop_claim(flow, id).await;
        None
    }

    pub(crate) async fn try_load(&self, id: &ExecutionId) -> Result<Result<Carried, Unloadable>, StoreError> {
        let Some(execution) = self.store.load(id.clone()).await? else {
            return Err(StoreError::Gone);
        };
        let Some(flow) = self.flows.pinned(&execution.flow).await? else {
            let message = format!(
                "flow {} can no longer be checked against the plugins and connections that are there; put them back, or \
                 replay the execution on the current version",
                execution.flow
            );
            return Ok(Err(Unloadable { execution: Box::new(execution), message }));
        };
        match self.read_all(&execution).await {
            Ok((event, outputs)) => Ok(Ok(Carried { flow, execution, event: Arc::new(event), outputs })),
            Err(StoreError::Gone) => {
                let message = StoreError::Gone.to_string();
                Ok(Err(Unloadable { execution: Box::new(execution), message }))
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn read_all(
        &self,
        execution: &Execution,
    ) -> Result<(Event, Vec<Option<Arc<Document>>>), StoreError> {
        let event = self.read_blob(execution, execution.event).await?;
        let mut outputs = Vec::with_capacity(execution.steps.len());
        for step in &execution.steps {
            outputs.push(match step.output {
                Some(index) => Some(Arc::new(self.read_blob(execution, index).await?)),
                None => None,
            });
        }
        Ok((event, outputs))
    }

    /// Reads and decodes one of an execution's blobs.
    pub(crate) async fn read_blob<T: serde::de::DeserializeOwned>(
        &self,
        execution: &Execution,
        index: model::BlobIndex,
    ) -> Result<T, StoreError> {
        let damaged = || StoreError::Damaged(format!("blob {} of {}", index.0, execution.id));
        let blob = execution.blob(index).ok_or_else(damaged)?.clone();
        let bytes: Bytes = self.store.read(blob).await?;
        decode(&bytes).ok_or_else(damaged)
    }

    async fn park(&self, mut execution: Execution, message: &str) {
        if execution.is_settled() {
            return self.settle(&execution).await;
        }
        execution.state = State::Parked { reason: ParkReason::Configuration, message: message.to_owned() };
        execution.updated = self.now();
        tell(&execution);
        match self.store.commit(Commit { executions: vec![execution.clone()], rows: Vec::new() }).await {
            Ok(()) => self.settle(&execution).await,
            Err(error) => tracing::error!(%error, "execution could not be parked"),
        }
    }
}

/// An execution that cannot go on as things are.
pub(crate) struct Unloadable {
    pub(crate) execution: Box<Execution>,
    pub(crate) message: String,
}

/// Nothing that needs a person is silent.
fn tell(execution: &Execution) {
    let (id, flow) = (&execution.id, &execution.flow);
    match &execution.state {
        State::Parked { reason, message } => tracing::warn!(%id, %flow, ?reason, %message, "execution parked"),
        State::Dead { fault } => tracing::warn!(%id, %flow, %fault, "execution dead-lettered"),
        _ => {}
    }
}
