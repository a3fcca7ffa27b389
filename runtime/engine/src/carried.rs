use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flow::{Flow, Scope, StepKind};
use model::{Attempt, Blob, CallReport, Document, Event, Execution, ExecutionId, Outcome, State, Step, StepState};

use crate::{ActionCall, CallContext, PluginSelector};

/// How long a call may take where the flow says nothing.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// An execution in memory, with everything that its steps may look at.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) flow: Arc<Flow>,
    pub(crate) execution: Execution,
    pub(crate) event: Arc<Event>,
    /// One for each step of the flow: what it gave.
    pub(crate) outputs: Vec<Option<Arc<Document>>>,
}

impl Carried {
    /// What expressions see.
    pub(crate) fn scope(&self) -> Scope<'_> {
        let records = self.execution.steps.iter().zip(&self.outputs);
        self.flow.steps.iter().zip(records).fold(Scope::new(&self.event), |scope, (step, record)| match record {
            (_, Some(output)) => scope.with_output(&step.id, output),
            (Step { state: StepState::Skipped, .. }, None) => scope.with_skipped(&step.id),
            _ => scope,
        })
    }

    /// The step that can go on: the first that has not ended and whose predecessors all have.
    pub(crate) fn runnable(&self) -> Option<usize> {
        let ended = |index: &usize| {
            matches!(self.execution.steps[*index].state, StepState::Done | StepState::Skipped | StepState::Split { .. })
        };
        (0..self.flow.steps.len()).find(|index| !ended(index) && self.flow.steps[*index].after.iter().all(ended))
    }

    /// What a step without `with` takes: what the nearest step before it gave, else the event.
    pub(crate) fn input_of(&self, index: usize) -> Document {
        let mut before = self.flow.steps[index].after.first().copied();
        while let Some(step) = before {
            if let Some(output) = &self.outputs[step] {
                return Document::clone(output);
            }
            before = self.flow.steps[step].after.first().copied();
        }
        Document {
            content_type: self.event.attributes.content_type.clone(),
            data: self.event.data.clone(),
            metadata: Vec::new(),
        }
    }

    /// The call of the action of step `index`.
    pub(crate) fn action_call(&self, index: usize, input: Document) -> ActionCall {
        let step = &self.flow.steps[index];
        let StepKind::Action { plugin, action, connection, .. } = &step.kind else {
            unreachable!("only actions are opened")
        };
        ActionCall {
            plugin: selector(plugin),
            action: action.clone(),
            input,
            cursor: None,
            context: CallContext {
                execution: self.execution.id.to_string(),
                step: step.id.clone(),
                idempotency_key: self.execution.idempotency_key(&step.id),
                attempt: self.execution.steps[index].attempts_made(),
                deadline: step.timeout.unwrap_or(CALL_DEADLINE),
                connection: connection.clone().unwrap_or_default(),
            },
        }
    }

    /// Notes what the latest attempt of a step came to.
    pub(crate) fn end_attempt(&mut self, index: usize, outcome: Outcome, report: Option<CallReport>) {
        let Some(attempt) = self.latest_attempt(index) else { return };
        attempt.outcome = Some(outcome);
        match (&mut attempt.report, report) {
            // A verification adds to what its attempt did.
            (Some(before), Some(after)) => {
                before.requests.extend(after.requests);
                before.logs.extend(after.logs);
                before.logs_dropped += after.logs_dropped;
            }
            (slot, Some(report)) => *slot = Some(report),
            (_, None) => {}
        }
        crate::exchanges::keep(&mut self.execution.steps[index].attempts);
    }

    pub(crate) fn latest_attempt(&mut self, index: usize) -> Option<&mut Attempt> {
        self.execution.steps[index].attempts.last_mut()
    }

    /// Notes what a step gave.
    pub(crate) fn keep_output(&mut self, index: usize, output: Document) {
        let blob = self.execution.add_blob(Arc::new(Blob::new(encode(&output))));
        let step = &mut self.execution.steps[index];
        step.output = Some(blob);
        step.state = StepState::Done;
        self.outputs[index] = Some(Arc::new(output));
    }

    /// The executions that the documents of step `index` become: each goes on behind it with its own document.
    pub(crate) fn split(&mut self, index: usize, documents: Vec<Document>) -> Vec<Execution> {
        let step_number = index as u16;
        self.execution.steps[index].state = StepState::Split { children: documents.len() as u32 };
        let parent = &self.execution;
        let child = |(number, document): (usize, Document)| {
            let mut child = Execution {
                id: parent.id.child(step_number, number as u32),
                revision: 0,
                state: State::Ready,
                keys_of: parent.keys_of.as_ref().map(|of| of.child(step_number, number as u32)),
                first_step: step_number + 1,
                steps: parent.steps.iter().map(without_attempts).collect(),
                ..parent.clone()
            };
            let blob = child.add_blob(Arc::new(Blob::new(encode(&document))));
            child.steps[index] = Step { state: StepState::Done, output: Some(blob), ..Step::default() };
            child
        };
        documents.into_iter().enumerate().map(child).collect()
    }
}

/// A plugin as the engine's own type names it.
pub(crate) fn selector(plugin: &flow::PluginName) -> PluginSelector {
    PluginSelector { name: plugin.name.clone(), major: plugin.major }
}

/// What a fresh execution of an event on a flow looks like.
pub(crate) fn fresh(id: ExecutionId, flow: &Flow, source: &str, event: &Event, encoded: Arc<Blob>) -> Execution {
    Execution {
        id,
        revision: 0,
        flow: flow.reference(),
        source: source.to_owned(),
        kind: event.attributes.kind.clone(),
        received: event.received,
        updated: event.received,
        state: State::Ready,
        lane: None,
        replay_of: None,
        keys_of: None,
        first_step: 0,
        event: model::BlobIndex(0),
        steps: vec![Step::default(); flow.steps.len()],
        blobs: vec![encoded],
    }
}

/// The bytes under which events and documents lie in the journal: a version byte, then postcard.
pub(crate) fn encode<T: serde::Serialize>(value: &T) -> Bytes {
    // Writing to memory cannot fail, and the types have no shape that postcard refuses.
    postcard::to_extend(value, vec![ENCODING]).map(Bytes::from).unwrap_or_default()
}

/// The inverse of [`encode`].
pub(crate) fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (&ENCODING, rest) = bytes.split_first()? else { return None };
    postcard::from_bytes(rest).ok()
}

const ENCODING: u8 = 1;

fn without_attempts(step: &Step) -> Step {
    Step { attempts: Vec::new(), attempts_dropped: 0, attempts_forgiven: 0, tried_since: None, ..step.clone() }
}
