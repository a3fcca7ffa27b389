use std::time::Duration;

use futures_util::future::BoxFuture;
use model::{Document, Event, EventId, Fault, StateKind};
use store::Dedupe;

/// Takes events in. The engine implements it; ingress calls it.
pub trait Intake: Send + Sync + 'static {
    /// Takes an event in for every flow that listens to its source. Ends when the event and its executions are durable.
    fn accept(&self, incoming: Incoming) -> BoxFuture<'_, Result<Acceptance, Refused>>;

    /// The answer of the event's executions: waits for them to settle, for at most `within`. None if they did not.
    fn answer(&self, event: EventId, within: Duration) -> BoxFuture<'_, Option<Answer>>;
}

/// An event on its way in.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The name of the source; flows listen to sources.
    pub source: String,
    /// The event.
    pub event: Event,
    /// How a repeat of it is known.
    pub dedupe: Option<Dedupe>,
}

/// An event that has been taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Its id; of a repeat, the first one's.
    pub event: EventId,
    /// Whether it had been taken in before.
    pub repeat: bool,
}

/// How the executions of an event ended.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How the worst of them ended.
    pub state: StateKind,
    /// What the last step of the first one gave.
    pub output: Option<Document>,
    /// Why it ended badly.
    pub fault: Option<Fault>,
}

/// Why an event was not taken in.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// The same id came with other data.
    #[error("event `{first}` was accepted under the same id with other data")]
    Differs {
        /// The event that was taken in under this id.
        first: EventId,
    },
    /// Try again later.
    #[error("events are not taken in at the moment: {reason}")]
    Busy {
        /// What is the matter.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// No flow listens to the source.
    #[error("no flow listens to source `{0}`")]
    NoFlow(String),
    /// The store has failed.
    #[error("the event could not be stored")]
    Store(#[source] store::StoreError),
}
