use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{EventId, Pairs, Timestamp};

/// What arrived, with what CloudEvents 1.0 and the transport say of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Weir's own id.
    pub id: EventId,
    /// When the last byte had been read.
    pub received: Timestamp,
    /// The context attributes.
    pub attributes: Attributes,
    /// What the transport said: `method`, `path`, `query`, and each header field as `header.NAME` in lower case, without
    /// those that authenticate the sender.
    pub transport: Pairs,
    /// The payload as it came, after decoding.
    pub data: Bytes,
}

/// The context attributes of CloudEvents 1.0.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attributes {
    /// `id`: unique at the source; Weir's id where the sender gave none.
    pub id: String,
    /// `source`: a URI reference; the path of the webhook where the sender gave none.
    pub source: String,
    /// `type`.
    pub kind: String,
    /// `subject`.
    pub subject: Option<String>,
    /// `time`: RFC 3339, as the sender wrote it.
    pub time: Option<String>,
    /// `dataschema`: a URI.
    pub schema: Option<String>,
    /// `datacontenttype`: the media type of the data.
    pub content_type: String,
    /// Extension attributes.
    pub extensions: Pairs,
}

/// Bytes with a media type: what goes into a step and comes out of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The media type (RFC 9110, section 8.3.1).
    pub content_type: String,
    /// The bytes.
    pub data: Bytes,
    /// What the format cannot say: file names, row numbers.
    pub metadata: Pairs,
}

impl Document {
    /// A document of `application/json`.
    pub fn json(data: impl Into<Bytes>) -> Self {
        Self { content_type: "application/json".to_owned(), data: data.into(), metadata: Vec::new() }
    }
}
