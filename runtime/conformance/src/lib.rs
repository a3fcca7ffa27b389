//! What every plugin must keep to, checked in the real host: each check has an id that never changes its meaning, and a page
//! that says why it is there. Never learns how a plugin was built, or how a report is shown. Start at [`run`] and [`Report`].

mod answers;
mod bench;
mod chance;
mod checks;
mod destination;
mod hostile;
mod report;
mod samples;
mod suite;

pub use report::{Checked, InvalidReport, Outcome, Report};
pub use suite::{Check, Config, FUZZ, RunError, SUITE, checks, page, run};
