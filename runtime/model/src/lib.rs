//! The nouns of Weir and the rules that hold between them: events, documents, faults, executions, attempts.
//! No I/O, no async, no clock: whoever needs the time is told it. Start at [`Execution`].

mod attempt;
mod blob;
mod event;
mod exchange;
mod execution;
mod fault;
mod id;
mod origin;
mod time;

pub use attempt::{Attempt, CallReport, LogLevel, LogLine, Outcome, PluginRef, RequestRecord};
pub use blob::{Blob, BlobIndex, Position};
pub use event::{Attributes, Document, Event};
pub use exchange::{Exchange, Reply};
pub use execution::{Execution, FlowRef, Gate, ParkReason, Revision, State, StateKind, Step, StepState, WaitReason};
pub use fault::{Fault, FaultKind, FieldFault};
pub use id::{EventId, ExecutionId, ParseIdError};
pub use origin::{Origin, ParseOriginError};
pub use time::Timestamp;

/// A list of names and values that keeps its order and may repeat a name, as header fields do.
pub type Pairs = Vec<(String, String)>;
