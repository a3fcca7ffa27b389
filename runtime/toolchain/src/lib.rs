//! From a plugin's folder to a component: finds out which language it is written in, runs that language's ordinary
//! toolchain, and puts the manifest in. Or to a program that answers the plugin's calls without WebAssembly. Says what is missing
//! and how to get it; fetches and installs no tool itself. Never learns what the plugin does, and runs nothing of it but its
//! build. Start at [`build()`].

mod build;
mod c;
mod component;
mod data;
mod error;
mod finish;
mod go;
mod javascript;
mod language;
mod lasting;
mod link;
mod native;
mod python;
mod rust;
mod workshop;

pub use build::{Built, Preinitialise, build};
pub use error::BuildError;
pub use finish::read_manifest;
pub use language::Language;
pub use native::{Native, native};
