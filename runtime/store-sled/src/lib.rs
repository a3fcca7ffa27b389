//! The projection of the store on sled 0.34.7, with what that version needs to be trusted. Knows keys and values, and
//! nothing of what they mean; no other room names sled. Start at [`SledProjection`].

mod projection;
mod session;

pub use projection::{Left, OpenError, Opened, Options, SledFault, SledProjection, look};
