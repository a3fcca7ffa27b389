//! The admin API: routes and their types over [`Control`]. Reading never writes. Never learns how anything is stored or
//! run. Start at [`Control`].

mod control;

pub use control::{Applied, Control, ControlError, Counts, Deployed, FlowStatus, Status};
