use capability::Denied;

use crate::HttpFaultKind;

/// Why a request has no answer, before it is known whether any of it was sent.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: HttpFaultKind,
    pub(crate) code: &'static str,
    /// For the plugin: nothing about what lies inside the network.
    pub(crate) message: String,
    /// For the record, which only operators see; the message where there is no more to say.
    pub(crate) detail: Option<String>,
}

impl Failure {
    pub(crate) fn new(kind: HttpFaultKind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), detail: None }
    }

    pub(crate) fn denied(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(HttpFaultKind::Denied, code, message)
    }

    pub(crate) fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::denied(denied.code(), denied.to_string())
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
