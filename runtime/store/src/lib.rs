//! Keeps events and executions: [`Store`] says what the engine may ask of it, [`LocalStore`] does it on a journal and a
//! projection. Knows what an execution is and nothing of how it goes on.
//!
//! A record of the journal holds after-images and their payloads. The *sequencer* judges it against the newest rows and
//! puts its own into the *overlay*, a memory of what the projection has not yet; the *maintenance* moves them on, and
//! retires what is old.

mod api;
mod core;
mod error;
mod filter;
mod judge;
mod key;
mod local;
mod maintenance;
mod overlay;
mod projection;
mod query;
mod record;
mod recovery;
mod retirement;
mod row;
mod sequencer;

pub use api::*;
pub use local::{Config, LocalStore, Retention, Stats};
pub use projection::{MemoryProjection, Projection, ProjectionError, VALUE_BYTES_MAX, Write};
pub use recovery::{OpenError, Opened, Progress};
