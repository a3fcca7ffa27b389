//! From a folder of files to a running Weir, and back to a stopped one: reads the project, builds every part, joins them,
//! runs them, drains them. Knows what the parts are called and nothing of how they work. Start at [`Project`], then
//! [`Server`].

mod apply;
mod catalogue;
mod connections;
mod control;
mod deploy;
mod doctor;
#[cfg(test)]
mod example_tests;
mod metrics;
mod project;
mod routes;
mod secrets;
mod server;
mod settings;
mod shape;
mod watch;
mod whole;

pub use catalogue::Catalogue;
pub use deploy::digest;
pub use doctor::{Diagnosis, DoctorError, Finding, SegmentState, examine};
pub use project::{COMPONENT_BYTES_MAX, Development, FileProblem, Project, ProjectPlugin, read_component};
pub use routes::ClosedRoute;
pub use secrets::SecretsError;
pub use server::{Server, StartError};
pub use settings::{ConnectionSettings, PluginSettings, Settings};
