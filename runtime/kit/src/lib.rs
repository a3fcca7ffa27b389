//! A plugin's cases: files that say what a plugin is called with, which HTTP exchanges it may make, and what is expected of
//! it; run in the real host, behind the real gate, with recordings in place of the network alone. Never learns how a plugin
//! was built or how a difference is shown. Start at [`Kit`] and [`Case`].

mod case;
mod compare;
mod fields;
mod judge;
mod kit;
mod numbers;
mod read;
mod recordings;
mod update;

pub use case::{
    Call, Case, ConnectionText, Exchange, ExpectedBody, ExpectedRequest, Reply, default_context, default_event,
};
pub use compare::{Difference, compare};
pub use judge::{Report, expected, is_json};
pub use kit::{Config, Kit, OpenError, Output, Way};
pub use numbers::{decimal, exact, keeps_numbers};
pub use read::read;
pub use update::{to_yaml, with_expectation};
pub use written::yaml::Problem;
