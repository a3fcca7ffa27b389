//! What a step was called with: a step's input is not stored, it is made once more from the pinned flow and the outputs
//! before it.

use std::sync::Arc;

use flow::StepKind;
use model::{Attempt, Document, Event, ExecutionId, FlowRef, StepState};
use store::StoreError;

use crate::carried::{Carried, selector};
use crate::step::action_call;
use crate::{ActionCall, Engine, OrderError, TransformCall};

/// Which step of an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WhichStep {
    /// The one that was called last: of an execution that stands still, the one at which it stands.
    #[default]
    Latest,
    /// By its id.
    Named(String),
    /// The last that calls this plugin.
    Of(String),
}

/// What a step was called with, and what it gave.
#[derive(Clone, Debug)]
pub struct StepCall {
    /// The version of the flow.
    pub flow: FlowRef,
    /// The step.
    pub step: String,
    /// The event.
    pub event: Arc<Event>,
    /// The call, as it would be made again.
    pub call: Call,
    /// The latest attempt; none if there was none.
    pub attempt: Option<Attempt>,
    /// The documents that it gave; none if it has given nothing yet.
    pub output: Option<Vec<Document>>,
    /// The id that the destination gave.
    pub external_id: Option<String>,
}

/// The call of a mapper or of an action.
#[derive(Clone, Debug)]
pub enum Call {
    /// Of a mapper.
    Transform(TransformCall),
    /// Of an action.
    Action(ActionCall),
}

impl Engine {
    /// What a step of an execution was called with, and what it gave.
    ///
    /// # Errors
    /// The execution or the step is not there, the step calls no plugin, or a payload has been retired.
    pub async fn call_of(&self, id: &ExecutionId, which: &WhichStep) -> Result<StepCall, OrderError> {
        let execution = self.0.find(id).await?;
        let name = execution.flow.name.clone();
        let flow = self.0.flows.pinned(&execution.flow).await?.ok_or(OrderError::NoFlow(name))?;
        let (event, outputs) = self.0.read_all(&execution).await?;
        let carried = Carried { flow, execution, event: Arc::new(event), outputs };
        let index = choose(&carried, which)?;
        let call = call(&carried, index)?;
        let output = self.documents(&carried, index).await?;
        let Carried { flow, execution, event, .. } = carried;
        let step = &execution.steps[index];
        Ok(StepCall {
            flow: flow.reference(),
            step: flow.steps[index].id.clone(),
            event,
            call,
            attempt: step.attempts.last().cloned(),
            output,
            external_id: step.external_id.clone(),
        })
    }

    async fn documents(&self, carried: &Carried, index: usize) -> Result<Option<Vec<Document>>, OrderError> {
        let children = match (carried.execution.steps[index].state, &carried.outputs[index]) {
            (_, Some(document)) => return Ok(Some(vec![Document::clone(document)])),
            // A mapper that gave nothing: the event went no further.
            (StepState::Done, None) => return Ok(Some(Vec::new())),
            (StepState::Split { children }, None) => children,
            _ => return Ok(None),
        };
        let mut documents = Vec::with_capacity(children as usize);
        for number in 0..children {
            let id = carried.execution.id.child(index as u16, number);
            let child = self.0.store.load(id).await?.ok_or(StoreError::Gone)?;
            let output = child.steps[index].output.ok_or(StoreError::Gone)?;
            documents.push(self.0.read_blob(&child, output).await?);
        }
        Ok(Some(documents))
    }
}

fn choose(carried: &Carried, which: &WhichStep) -> Result<usize, OrderError> {
    let (flow, steps) = (&carried.flow, &carried.execution.steps);
    let no_call = |what: String| OrderError::NoCall { flow: flow.name.clone(), what };
    let calls = |index: &usize| !matches!(flow.steps[*index].kind, StepKind::Set(_));
    let index = match which {
        WhichStep::Named(id) => flow.step(id).ok_or_else(|| OrderError::no_step(flow, id))?,
        WhichStep::Of(plugin) => {
            let is_of = |index: &usize| match &flow.steps[*index].kind {
                StepKind::Mapper { plugin: of, .. } | StepKind::Action { plugin: of, .. } => of.name == *plugin,
                StepKind::Set(_) => false,
            };
            let found = (0..flow.steps.len()).rfind(is_of);
            found.ok_or_else(|| no_call(format!("no step that calls plugin `{plugin}`")))?
        }
        WhichStep::Latest => {
            let started = |index: &usize| steps[*index].attempts.last().map(|attempt| attempt.started);
            let latest = (0..steps.len()).filter(|index| started(index).is_some()).max_by_key(started);
            let latest = latest.or_else(|| carried.runnable().filter(calls));
            latest.ok_or_else(|| no_call("no step that has called a plugin or is about to".to_owned()))?
        }
    };
    if calls(&index) {
        return Ok(index);
    }
    let step = &flow.steps[index].id;
    Err(no_call(format!("a step `{step}` that calls no plugin: `set` stands in the flow itself")))
}

fn call(carried: &Carried, index: usize) -> Result<Call, OrderError> {
    let step = &carried.flow.steps[index];
    if let StepKind::Mapper { plugin, options } = &step.kind {
        let (event, input) = (carried.event.clone(), carried.input_of(index));
        return Ok(Call::Transform(TransformCall { plugin: selector(plugin), event, input, options: options.clone() }));
    }
    let failed = |cause| OrderError::Expression { step: step.id.clone(), cause };
    action_call(carried, index).map(Call::Action).map_err(failed)
}
