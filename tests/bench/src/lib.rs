//! Load for Weir and what it is measured against: signed events at a pace ([`load`]), latencies ([`Latencies`]), bare
//! servers as controls ([`control`]), and a Weir of its own in a temporary folder ([`weir::Weir`]). Knows Weir only from
//! outside: its files, its commands, its ports. Start at [`load::run`].

pub mod client;
pub mod control;
mod delivered;
pub mod events;
mod latency;
pub mod load;
pub mod program;
pub mod weir;

pub use delivered::Delivered;
pub use latency::Latencies;
