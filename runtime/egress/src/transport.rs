use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::HttpFaultKind;

/// Takes the place of the network for requests that have passed the gate. Everything else stays as it is with the network:
/// grant, credential, limits on sizes, redirects, decompression, redaction. Names are not resolved, so of addresses only
/// those that a URL itself holds are checked.
pub trait Transport: Send + Sync + 'static {
    /// Answers one request; a redirect that it answers with comes back as a request of its own.
    fn answer<'a>(&'a self, request: &'a SentRequest) -> BoxFuture<'a, Result<SentResponse, NoAnswer>>;
}

/// A request as it would go over the wire, credential included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRequest {
    /// The method.
    pub method: String,
    /// The absolute URL in its normal form.
    pub url: String,
    /// The same without the credential, as the plugin asked for it: `{{slot}}` unfilled.
    pub asked_url: String,
    /// The header fields, names in lower case, with those of the credential and without those that frame the message.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// An answer as it would come over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentResponse {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// What kind of fault.
    pub kind: HttpFaultKind,
    /// A stable word for machines.
    pub code: &'static str,
    /// What happened, for the plugin.
    pub message: String,
    /// Whether any byte of the request may have reached the destination.
    pub request_sent: bool,
}
