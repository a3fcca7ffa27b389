//! Decides what a plugin may reach: which method on which URL, and which address behind it. Pure: no I/O, no clock, no
//! async. Never learns what a flow is or what a request carries. Start at [`Grant::check`].

mod address;
mod grant;
mod rule;
mod url;

pub use address::{AddressDenied, check_address};
pub use grant::{Denied, Grant, GrantText, InvalidGrant};
pub use rule::{HttpRule, HttpRuleText};
pub use url::{CheckedUrl, UrlFault};

#[cfg(test)]
mod tests;
