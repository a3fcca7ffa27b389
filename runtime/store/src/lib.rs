//! Keeps events and executions: [`Store`] says what the engine may ask of it, [`LocalStore`] does it on a journal and a
//! projection. Knows what an execution is and nothing of how it goes on.

mod api;

pub use api::*;
