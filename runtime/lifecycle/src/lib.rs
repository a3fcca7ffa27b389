//! How long-lived parts live and end: a [`Clock`] that tests can hold, a [`Tasks`] set that knows its tasks by name and
//! joins them, and a [`Shutdown`] signal in stages. Knows nothing of what the tasks do.

mod clock;
mod shutdown;
mod tasks;

pub use clock::{Clock, ManualClock, SystemClock};
pub use shutdown::{Shutdown, ShutdownTrigger};
pub use tasks::{TaskFailed, Tasks};
