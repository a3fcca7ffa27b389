use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Attempt, Blob, BlobIndex, ExecutionId, Fault, Timestamp};

/// Counts the commits of one record. 0: does not exist yet. Each commit names the revision it expects and raises it by 1.
pub type Revision = u64;

/// One version of a flow.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FlowRef {
    /// The name of the flow: its file without the ending.
    pub name: String,
    /// The first 12 hexadecimal digits of the SHA-256 of its checked text.
    pub version: String,
}

/// One event on one version of one flow: all that is known of it, and all that is needed to go on after a crash.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Execution {
    /// Which.
    pub id: ExecutionId,
    /// How often it has been committed.
    pub revision: Revision,
    /// Pinned when it was made.
    pub flow: FlowRef,
    /// The source of the event, for lists.
    pub source: String,
    /// The kind of the event, for lists.
    pub kind: String,
    /// When the event was received.
    pub received: Timestamp,
    /// When the record was last committed.
    pub updated: Timestamp,
    /// Where it stands.
    pub state: State,
    /// The key of its lane, if its flow asks for order.
    pub lane: Option<String>,
    /// The execution that this one repeats.
    pub replay_of: Option<ExecutionId>,
    /// The dead letter whose idempotency keys it carries on.
    pub keys_of: Option<ExecutionId>,
    /// The first step that it runs itself: of a child, the one behind the split. What the steps before it gave came with it.
    pub first_step: u16,
    /// The body of the event, encoded by [`Event`](crate::Event)'s serde form.
    pub event: BlobIndex,
    /// One for each step of the flow, in its order.
    pub steps: Vec<Step>,
    /// The bytes that the record refers to. Kept by the store beside the record.
    #[serde(skip)]
    pub blobs: Vec<Arc<Blob>>,
}

/// Where an execution stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Can go on at once, or is being worked on by this process: claims live in memory.
    Ready,
    /// Goes on by itself.
    Waiting {
        /// Not before.
        until: Timestamp,
        /// What else must open.
        gate: Gate,
        /// Why.
        reason: WaitReason,
    },
    /// Waits for a person or a repair.
    Parked {
        /// Why.
        reason: ParkReason,
        /// In a sentence, with the cure.
        message: String,
    },
    /// Will not be tried again by itself.
    Dead {
        /// What it died of.
        fault: Fault,
    },
    /// Done.
    Finished {
        /// The flow's condition or a mapper let the event go no further.
        filtered: bool,
    },
    /// Ended by a person.
    Cancelled,
    /// A dead or parked execution that a person has put away.
    Discarded,
}

/// [`State`] without its circumstances: for lists, counts and filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateKind {
    /// See [`State::Ready`].
    Ready,
    /// See [`State::Waiting`].
    Waiting,
    /// See [`State::Parked`].
    Parked,
    /// See [`State::Dead`].
    Dead,
    /// See [`State::Finished`].
    Finished,
    /// See [`State::Cancelled`].
    Cancelled,
    /// See [`State::Discarded`].
    Discarded,
}

/// What must open before waiting executions may go on. Work is indexed by gate first, so that what waits behind a closed
/// one costs the others nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Nothing but the time.
    #[default]
    Time,
    /// The breaker or the limit of a connection.
    Connection(String),
    /// The concurrency or the pause of a flow.
    Flow(String),
    /// A plugin that serves again.
    Plugin(String),
    /// The head of a lane: flow and key.
    Lane(String, String),
    /// The children of an execution.
    Children,
}

/// Why an execution waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitReason {
    /// An attempt failed and is repeated later.
    Retry {
        /// The fault of that attempt.
        fault: Fault,
    },
    /// The breaker of the connection is open.
    BreakerOpen,
    /// No generation of the plugin serves.
    PluginUnavailable,
    /// An earlier execution of the lane has not ended.
    Lane,
    /// An answer was lost, and `verify` is undecided.
    Verifying,
    /// The children have not ended.
    Children,
    /// The flow is paused.
    Paused,
    /// As many executions of the flow as may run at once are running.
    Concurrency,
}

/// Why an execution is parked; decides who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParkReason {
    /// The connection's owner must renew the credential.
    Credential,
    /// The flow's owner must mend the data.
    Data,
    /// The plugin's author must mend the plugin.
    Plugin,
    /// Somebody must find out whether the request had its effect.
    UnknownOutcome,
    /// The flow names something that is no longer there.
    Configuration,
    /// The destination declined, and the flow asks that this waits for a person instead of becoming a dead letter.
    Failure,
}

/// What is known of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Where it stands.
    pub state: StepState,
    /// Its attempts, oldest first; of many, the first and the latest are kept.
    pub attempts: Vec<Attempt>,
    /// Attempts that were made and are no longer listed.
    pub attempts_dropped: u32,
    /// Attempts made before the latest retry by hand: the retry policy counts from there.
    pub attempts_forgiven: u32,
    /// When the first attempt that the retry policy counts began.
    pub tried_since: Option<Timestamp>,
    /// What came out: an encoded [`Document`](crate::Document).
    pub output: Option<BlobIndex>,
    /// The id that the destination gave.
    pub external_id: Option<String>,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    /// Not begun.
    #[default]
    Pending,
    /// Its connector may have been called: after a crash its outcome is unknown.
    Open,
    /// Done; never run again but by a replay.
    Done,
    /// Its `when` was false.
    Skipped,
    /// It gave several documents, each of which went on as a child.
    Split {
        /// How many.
        children: u32,
    },
}

impl Step {
    /// Attempts of which the latest are listed; the first one always is.
    pub const ATTEMPTS_LISTED_MAX: usize = 20;

    /// How many attempts have been made.
    pub fn attempts_made(&self) -> u32 {
        self.attempts_dropped + self.attempts.len() as u32
    }

    /// Adds the next attempt, under way since `now`.
    pub fn begin_attempt(&mut self, now: Timestamp) {
        if self.attempts.len() == Self::ATTEMPTS_LISTED_MAX {
            self.attempts.remove(1);
            self.attempts_dropped += 1;
        }
        self.tried_since.get_or_insert(now);
        self.attempts.push(Attempt { number: self.attempts_made() + 1, started: now, outcome: None, report: None });
    }
}

impl Execution {
    /// The key under which step `step_id` calls its destination: the same for every attempt.
    pub fn idempotency_key(&self, step_id: &str) -> String {
        format!("{}.{step_id}", self.keys_of.as_ref().unwrap_or(&self.id))
    }

    /// Whether it will not change any more but by a person.
    pub fn is_settled(&self) -> bool {
        !matches!(self.state.kind(), StateKind::Ready | StateKind::Waiting)
    }

    /// The blob at `index`, which every index in a valid record has.
    pub fn blob(&self, index: BlobIndex) -> Option<&Arc<Blob>> {
        self.blobs.get(usize::from(index.0))
    }

    /// Adds a blob and gives its index. A step has an input and an output, and a flow at most some hundred steps.
    pub fn add_blob(&mut self, blob: Arc<Blob>) -> BlobIndex {
        let index = u16::try_from(self.blobs.len()).unwrap_or_else(|_| unreachable!("a flow of over 30,000 steps"));
        self.blobs.push(blob);
        BlobIndex(index)
    }
}

impl State {
    /// The state without its circumstances.
    pub fn kind(&self) -> StateKind {
        match self {
            Self::Ready => StateKind::Ready,
            Self::Waiting { .. } => StateKind::Waiting,
            Self::Parked { .. } => StateKind::Parked,
            Self::Dead { .. } => StateKind::Dead,
            Self::Finished { .. } => StateKind::Finished,
            Self::Cancelled => StateKind::Cancelled,
            Self::Discarded => StateKind::Discarded,
        }
    }
}

impl ParkReason {
    /// The code by which it is known outside.
    pub fn code(self) -> &'static str {
        match self {
            Self::Credential => "weir.parked.credential",
            Self::Data => "weir.parked.data",
            Self::Plugin => "weir.parked.plugin",
            Self::UnknownOutcome => "weir.parked.unknown-outcome",
            Self::Configuration => "weir.parked.configuration",
            Self::Failure => "weir.parked.failure",
        }
    }
}

impl StateKind {
    /// Every kind, in the order in which an execution may pass through them.
    pub const ALL: [Self; 7] =
        [Self::Ready, Self::Waiting, Self::Parked, Self::Dead, Self::Finished, Self::Cancelled, Self::Discarded];

    /// The word that output and filters use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Parked => "parked",
            Self::Dead => "dead",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Discarded => "discarded",
        }
    }
}

impl std::fmt::Display for StateKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for FlowRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}
