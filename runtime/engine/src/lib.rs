//! Carries an event through its flow: a pure step decides, a driver does. Never learns what a plugin is
//! made of nor how bytes reach the disk. Start at [`PluginCaller`] for what it needs from a host.

mod admin;
mod intake;
mod plugin;

pub use admin::{AdminError, GenerationState, GenerationStatus, Inspection, PluginAdmin, Reach};
pub use intake::{Acceptance, Answer, Incoming, Intake, Refused};
pub use plugin::{
    ActionCall, CallContext, Called, NotServed, PluginCaller, PluginSelector, Receipt, Settlement, TransformCall,
};
