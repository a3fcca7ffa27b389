use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use connection::{Connection, Credential, SecretRef, SecretSource};
use egress::{NoAnswer, SentResponse};
use engine::CallContext;
use model::{Attributes, Document, Event, EventId, Origin, Timestamp};
use serde_json::{Map, Value};

/// The name that a case's connection has.
pub(crate) const CONNECTION: &str = "case";

/// When an event of a case was received unless the case says so, and when a connector's call is made: 2026-01-01T00:00:00Z,
/// because cases must not depend on the day on which they are run.
pub(crate) const RECEIVED: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// How long a call may take unless the case says so.
const REMAINING: Duration = Duration::from_secs(30);

/// One case: a call, the exchanges that it may make, and what is expected.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's name without its ending.
    pub name: String,
    /// What is called.
    pub call: Call,
    /// The exchanges that it makes, in this order.
    pub http: Vec<Exchange>,
    /// What it is expected to give, as it is written under `expect`; what is not written may be anything. None: nothing is
    /// expected yet, and any answer is a difference.
    pub expect: Option<Map<String, Value>>,
}

/// What is called, with what goes in.
#[derive(Clone, Debug)]
pub enum Call {
    /// A mapper.
    Transform {
        /// Where the document comes from.
        event: Box<Event>,
        /// The document.
        input: Document,
        /// The flow's options: JSON.
        options: String,
    },
    /// An action of a connector, or its verification.
    Action {
        /// Which.
        action: String,
        /// Whether it is asked what became of the attempt, instead of making it.
        verify: bool,
        /// The document.
        input: Document,
        /// Where the page begins.
        cursor: Option<String>,
        /// The circumstances.
        context: CallContext,
        /// The account at the destination.
        connection: Option<Box<ConnectionText>>,
    },
}

/// A connection as a case writes it. Its secrets are made up for the case, or kept elsewhere for live calls.
#[derive(Clone, Debug, Default)]
pub struct ConnectionText {
    /// See [`Connection`].
    pub base_url: Option<String>,
    /// That of the base URL first.
    pub origins: Vec<Origin>,
    /// A JSON object.
    pub settings: String,
    /// See [`Connection`].
    pub account: Option<String>,
    /// A secret under [`SecretRef::Store`] is its own text.
    pub credential: Credential<SecretRef>,
    /// Those by name.
    pub named: BTreeMap<String, Credential<SecretRef>>,
}

/// One exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What the plugin must send.
    pub request: ExpectedRequest,
    /// What comes back.
    pub reply: Reply,
}

/// A request that is expected, as it goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedRequest {
    /// The method.
    pub method: String,
    /// Absolute: with the secret filled in as it is sent, or with `{{slot}}` as the plugin asks for it.
    pub url: String,
    /// Fields that must be there, names in lower case; others may be there too.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: ExpectedBody,
}

/// A body that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedBody {
    /// Whatever it is.
    Any,
    /// JSON, by value.
    Json(Value),
    /// These bytes.
    Bytes(Bytes),
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An answer.
    Answer(SentResponse),
    /// None.
    Fault(NoAnswer),
}

/// An event with nothing in it but `input`.
pub fn default_event(name: &str, input: &Document) -> Event {
    let id = EventId::new(RECEIVED, [0; 10]);
    let attributes = Attributes {
        id: id.to_string(),
        source: format!("/cases/{name}"),
        kind: "case".to_owned(),
        content_type: input.content_type.clone(),
        ..Attributes::default()
    };
    Event { id, received: RECEIVED, attributes, transport: Vec::new(), data: input.data.clone() }
}

/// The circumstances of a call of which nothing is said.
pub fn default_context() -> CallContext {
    CallContext {
        execution: format!("exe_{}-0", EventId::new(RECEIVED, [0; 10]).to_string().trim_start_matches("evt_")),
        step: "case".to_owned(),
        idempotency_key: "key-1".to_owned(),
        attempt: 1,
        deadline: REMAINING,
        connection: String::new(),
    }
}

/// The origin at the beginning of a URL.
pub(crate) fn base_of(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |scheme| scheme + 3);
    url[authority..].find('/').map_or(url, |slash| &url[..authority + slash])
}

impl ConnectionText {
    /// The connection, for this plugin alone. `kept` reads the secrets that are kept elsewhere.
    pub(crate) fn resolve(&self, plugin: &str, kept: &dyn SecretSource) -> Result<Connection, String> {
        let source = Written(kept);
        let resolve = |credential: &Credential<SecretRef>| {
            credential.resolve(&source).map_err(|faults| {
                let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
                format!("the case's connection: {}", faults.join("; "))
            })
        };
        let mut connection = Connection::new(CONNECTION);
        connection.base_url = self.base_url.clone();
        connection.origins = self.origins.clone();
        connection.settings = self.settings.clone();
        connection.account = self.account.clone();
        connection.credential = resolve(&self.credential)?;
        for (name, credential) in &self.named {
            connection.named.insert(name.clone(), resolve(credential)?);
        }
        connection.plugins = vec![plugin.to_owned()];
        Ok(connection)
    }
}

/// Secrets that stand in the case themselves, beside those that are kept elsewhere.
struct Written<'a>(&'a dyn SecretSource);

impl SecretSource for Written<'_> {
    fn read(&self, reference: &SecretRef) -> Result<connection::Secret, connection::Unresolved> {
        match reference {
            SecretRef::Store(text) => Ok(connection::Secret::new(text.as_str())),
            kept => self.0.read(kept),
        }
    }
}
