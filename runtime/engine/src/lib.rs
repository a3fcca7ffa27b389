//! Carries an event through its flow: a pure step decides, a driver does. Never learns what a plugin is made of nor how
//! bytes reach the disk. Start at [`Engine`]; what an execution does next stands in `step.rs`, who does it in `drive.rs`.

mod accept;
mod admin;
mod breaker;
mod calls;
mod carried;
mod connections;
mod dispatch;
mod drive;
mod engine;
mod exchanges;
mod flows;
mod intake;
mod lanes;
mod operate;
mod plugin;
mod random;
mod retry;
mod stats;
mod step;
mod sweep;

pub use admin::*;
pub use calls::{Call, StepCall, WhichStep};
pub use engine::{Config, Engine};
pub use intake::{Acceptance, Answer, Incoming, Intake, Refused};
pub use operate::{Inspected, OrderError, RepeatedEffect, Replay};
pub use plugin::{
    ActionCall, CallContext, Called, NotServed, PluginCaller, PluginSelector, Receipt, Settlement, TransformCall,
};
pub use stats::{LATENCY_BOUNDS_MS, Stats};
pub use store::Dedupe;
