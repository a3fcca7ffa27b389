//! Takes webhooks and CloudEvents in over HTTP and hands them to the engine: bounded before read, authenticated before
//! parsed, answered when durable. Never learns what a flow is, nor how an event is stored. Start at [`Route`] for what can
//! be configured and at [`Ingress`] for its life.

mod answer;
mod body;
mod cloudevents;
mod config;
mod connection;
mod decode;
mod event;
mod listen;
mod problem;
mod random;
mod receive;
mod route;
mod unreadable;

pub use config::{BuildError, Config, Limits, Tls};
pub use listen::{Ingress, IngressHandle};
pub use route::{BadRoute, Decode, DedupeRule, Identify, Reply, Route};
