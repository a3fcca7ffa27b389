use serde::{Deserialize, Serialize};

use crate::Pairs;

/// What a request asked for and what came back, without anything secret: what a plugin's author needs to make a failed call
/// once more. Bounded, and kept for the latest failed attempt of a step alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The absolute URL as the plugin asked for it, `{{slot}}` unfilled.
    pub url: String,
    /// What came back.
    #[serde(flatten)]
    pub reply: Reply,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reply {
    /// An answer.
    Answer {
        /// The status.
        status: u16,
        /// The header fields, without those that prove who somebody is.
        headers: Pairs,
        /// The beginning of the body; none if it is not kept, because it is no text or because others were longer.
        body: Option<String>,
        /// How many bytes the whole body has.
        body_bytes: u64,
    },
    /// None.
    Fault {
        /// The kind of fault, in the word that cases use for it.
        fault: String,
        /// Whether any byte of the request may have reached the destination.
        sent: bool,
    },
}

impl Exchange {
    /// Bytes of a body that are kept.
    pub const BODY_BYTES_MAX: usize = 4 * 1024;
    /// Bytes of all bodies that are kept of one attempt.
    pub const BODIES_BYTES_MAX: usize = 8 * 1024;
    /// Bytes of the header fields of an answer that are kept.
    pub const HEADERS_BYTES_MAX: usize = 2 * 1024;
    /// The detail of a fault under which the host keeps the exchanges of its call: a list of these in JSON.
    pub const DETAIL: &'static str = "weir.exchanges";

    /// Whether all of the body is kept.
    pub fn is_whole(&self) -> bool {
        match &self.reply {
            Reply::Answer { body, body_bytes, .. } => *body_bytes == body.as_ref().map_or(0, |body| body.len() as u64),
            Reply::Fault { .. } => true,
        }
    }
}
