//! Runs plugins in sandboxes: reads a component and refuses what cannot be a plugin, compiles it in a limited child, links
//! what it may import and nothing else, calls it within limits, and switches between generations while calls are in flight.
//! For whoever writes a plugin it runs it as a process instead ([`Host::stage_native`]). The only room that names wasmtime.
//! Never learns what a flow, a step's retry or a stored execution is. Start at [`Host`].

mod admin;
mod bounds;
mod cache;
mod call;
mod compile;
mod cpu;
mod fault;
mod gate;
mod generation;
mod host;
mod imports;
mod ledger;
mod limits;
mod load;
mod native;
mod preinit;
mod registry;
mod sandbox;
mod shape;
mod state;
mod v0_1;
mod wasi;

pub use call::Slots;
pub use compile::{COMPILE_CHILD, CompileConfig, CompileError, compile_child_main};
pub use host::{BuildError, ConnectionLookup, Host, HostConfig};
pub use limits::Limits;
pub use load::{LoadError, Read, judge, look};
pub use native::Program;
pub use preinit::{PreinitError, preinitialise};
pub use registry::PluginSettings;
