//! The admin API: routes and their types over [`Control`]. Reading never writes. Never learns how anything is stored or
//! run. Start at [`router`].

mod control;
#[cfg(test)]
mod openapi_tests;
mod problem;
mod read;
mod routes;
mod serve;
pub mod types;

pub use control::{Applied, Control, ControlError, Counts, Deployed, FlowStatus, Status};
pub use routes::router;
pub use serve::{bind, serve};
