use std::error::Error;
use std::panic::Location;
use std::time::Duration;

use crate::generated::imports::weir::plugin::types;
use crate::{FaultKind, FieldFault};

/// How a call failed. Its kind decides what Weir does next, so choose it by name:
///
/// ```
/// # use std::time::Duration;
/// # use weir_sdk::Fault;
/// let later = Fault::rate_limited(Duration::from_secs(30));
/// let data = Fault::invalid_input("the lead cannot be filed").field("/email", "is missing");
/// let gone = Fault::not_found("the contact was deleted").code("contact-deleted");
/// ```
///
/// `?` makes an `internal` fault of any other error and notes the line it stands in. A fault is not an
/// [`Error`], just as the general error types of applications are not, because only so can it be made from all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Decides what Weir does.
    pub kind: FaultKind,
    /// A stable word for machines.
    pub code: String,
    /// What happened, in a sentence for people. Never anything secret.
    pub message: String,
    /// How long the destination asked to wait.
    pub retry_after: Option<Duration>,
    /// The fields at fault.
    pub fields: Vec<FieldFault>,
    /// Anything else worth knowing.
    pub details: Vec<(String, String)>,
}

/// Constructors by name: `(function, kind, code)`.
macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident, $kind:ident, $code:literal;)*) => {
        $($(#[$doc])*
        pub fn $name(message: impl Into<String>) -> Self {
            Self::new(FaultKind::$kind, $code, message)
        })*
    };
}

impl Fault {
    /// A fault of any kind.
    pub fn new(kind: FaultKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        let (code, message) = (code.into(), message.into());
        Self { kind, code, message, retry_after: None, fields: Vec::new(), details: Vec::new() }
    }

    constructors! {
        /// The data cannot be processed; somebody has to mend it. Name the fields with [`Fault::field`].
        invalid_input, InvalidInput, "invalid-input";
        /// The destination does not accept the credential.
        unauthorized, Unauthorized, "unauthorized";
        /// The credential is accepted and not sufficient.
        forbidden, Forbidden, "forbidden";
        /// What the call is about does not exist.
        not_found, NotFound, "not-found";
        /// The state of the destination contradicts the call.
        conflict, Conflict, "conflict";
        /// The destination cannot be reached or cannot answer now, and the call had no effect.
        unavailable, Unavailable, "unavailable";
        /// No answer in time, and the call had no effect or may be repeated.
        timeout, Timeout, "timeout";
        /// The destination understood the call and declined it.
        rejected, Rejected, "rejected";
        /// The call may or may not have had its effect.
        unknown_outcome, UnknownOutcome, "unknown-outcome";
        /// A case that cannot be: a fault in the plugin.
        internal, Internal, "internal";
    }

    /// Too many calls; the destination asks to wait so long.
    pub fn rate_limited(after: Duration) -> Self {
        Self::new(FaultKind::RateLimited, "rate-limited", "too many calls").retry_after(after)
    }

    /// The same with another code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// The same with one more field at fault; the pointer is a JSON Pointer (RFC 6901) into the input.
    #[must_use]
    pub fn field(mut self, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        self.fields.push(FieldFault { pointer: pointer.into(), message: message.into() });
        self
    }

    /// The same with one more detail.
    #[must_use]
    pub fn detail(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.details.push((name.into(), value.into()));
        self
    }

    /// The same with the time to wait.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }
}

impl<E: Error> From<E> for Fault {
    /// An `internal` fault. Its details hold the causes and, as `at`, the line that the error came through.
    #[track_caller]
    fn from(error: E) -> Self {
        let mut fault = Self::internal(error.to_string()).detail("at", Location::caller().to_string());
        let mut cause = error.source();
        while let Some(error) = cause {
            fault = fault.detail("cause", error.to_string());
            cause = error.source();
        }
        fault
    }
}

#[doc(hidden)]
impl Fault {
    /// What crosses the boundary.
    pub fn into_wire(self) -> types::Fault {
        types::Fault {
            kind: self.kind,
            code: self.code,
            message: self.message,
            retry_after_ms: self.retry_after.map(to_millis),
            fields: self.fields,
            details: self.details,
        }
    }
}

/// As the contract counts: longer times become the longest, which is 49 days.
pub(crate) fn to_millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_notes_the_line_and_the_causes() {
        fn fails() -> Result<u8, Fault> {
            Ok("x".parse::<u8>()?)
        }
        let line = line!() - 2;
        let fault = fails().expect_err("x is no number");
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Internal, "invalid digit found in string"));
        let (name, at) = &fault.details[0];
        assert_eq!(name, "at");
        assert!(at.contains(&format!("fault.rs:{line}:")), "{at}");
    }

    #[test]
    fn a_time_beyond_the_contract_is_the_longest() {
        assert_eq!(Fault::rate_limited(Duration::MAX).into_wire().retry_after_ms, Some(u32::MAX));
    }
}
