//! From a plugin's folder to a component: finds out which language it is written in, runs that language's ordinary
//! toolchain, and puts the manifest in. Says what is missing and how to get it; fetches and installs nothing itself. Never
//! learns what the plugin does, and runs nothing of it but its build. Start at [`build()`].

mod build;
mod error;
mod finish;
mod language;
mod rust;
mod tool;

pub use build::{Built, build};
pub use error::BuildError;
pub use finish::{MANIFEST, finish, read_manifest};
pub use language::Language;
