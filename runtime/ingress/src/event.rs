use std::borrow::Cow;

use bytes::Bytes;
use engine::Dedupe;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::request::Parts;
use model::{Attributes, Event, EventId, Pairs, Timestamp};
use serde::Deserialize;
use signature::Scheme;

use crate::problem::Refusal;
use crate::random::event_id;
use crate::{Decode, DedupeRule, Route};

/// The kind of an event whose sender gives none.
const KIND: &str = "webhook";

/// Names go into keys and lists: longer ones are no names.
const NAME_BYTES_MAX: usize = 256;
const REFERENCE_BYTES_MAX: usize = 1024;
const EXTENSIONS_MAX: usize = 64;

/// Proofs of well-known senders, also where their route does not verify them.
const PROOFS: [&str; 7] = [
    "webhook-signature",
    "x-hub-signature",
    "x-hub-signature-256",
    "stripe-signature",
    "x-slack-signature",
    "x-shopify-hmac-sha256",
    "x-api-key",
];

/// What a request says of an event, before Weir adds what it knows.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The id is empty where the sender gave none.
    pub(crate) attributes: Attributes,
    pub(crate) data: Bytes,
    /// What is the same when the sender sends it again.
    pub(crate) sender_id: Option<String>,
}

/// An event that is not a CloudEvent. `id` is the one that the scheme's header gave.
pub(crate) fn plain(route: &Route, head: &Parts, id: Option<String>, content_type: String, data: Bytes) -> Draft {
    let said = Said::by(route, &data);
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let kind = match &route.kind_header {
        Some(name) => header(name),
        None => header("x-github-event").or_else(|| header("x-shopify-topic")).or(said.kind),
    };
    let sender_id = id.or(said.id);
    let attributes = Attributes {
        id: sender_id.clone().unwrap_or_default(),
        source: head.uri.path().to_owned(),
        kind: kind.unwrap_or_else(|| KIND.to_owned()),
        content_type,
        ..Attributes::default()
    };
    Draft { attributes, data, sender_id }
}

impl Draft {
    /// The event, and how a repeat of it is known.
    pub(crate) fn finish(
        self,
        route: &Route,
        transport: Pairs,
        received: Timestamp,
    ) -> Result<(Event, Option<Dedupe>), Refusal> {
        self.check_sizes()?;
        let Self { mut attributes, data, sender_id } = self;
        let id: EventId = event_id(received);
        if attributes.id.is_empty() {
            attributes.id = id.to_string();
        }
        let event = Event { id, received, attributes, transport, data };
        let (key, window) = match &route.dedupe {
            DedupeRule::None => return Ok((event, None)),
            DedupeRule::SenderId { window } => (sender_id, *window),
            DedupeRule::By { key, window } => {
                let key = key(&event);
                (
                    key.map_err(|why| Refusal::malformed(format!("the event has no key for its repeats: {why}")))?,
                    *window,
                )
            }
        };
        if let Some(key) = &key {
            check_size("the key for repeats", key, REFERENCE_BYTES_MAX + NAME_BYTES_MAX + 1)?;
        }
        let dedupe = key.map(|key| Dedupe { source: route.source.clone(), key, window });
        Ok((event, dedupe))
    }

    fn check_sizes(&self) -> Result<(), Refusal> {
        let attributes = &self.attributes;
        check_size("attribute `id`", &attributes.id, NAME_BYTES_MAX)?;
        check_size("attribute `type`", &attributes.kind, NAME_BYTES_MAX)?;
        check_size("attribute `datacontenttype`", &attributes.content_type, NAME_BYTES_MAX)?;
        check_size("attribute `source`", &attributes.source, REFERENCE_BYTES_MAX)?;
        check_size("attribute `subject`", attributes.subject.as_deref().unwrap_or_default(), REFERENCE_BYTES_MAX)?;
        check_size("attribute `dataschema`", attributes.schema.as_deref().unwrap_or_default(), REFERENCE_BYTES_MAX)?;
        check_size("attribute `time`", attributes.time.as_deref().unwrap_or_default(), NAME_BYTES_MAX)?;
        if attributes.extensions.len() > EXTENSIONS_MAX {
            return Err(Refusal::malformed(format!("an event has at most {EXTENSIONS_MAX} extension attributes")));
        }
        attributes.extensions.iter().try_for_each(|(name, value)| {
            check_size("the name of an extension attribute", name, NAME_BYTES_MAX)?;
            check_size("an extension attribute", value, REFERENCE_BYTES_MAX)
        })
    }
}

fn check_size(what: &str, text: &str, max: usize) -> Result<(), Refusal> {
    if text.len() > max {
        return Err(Refusal::malformed(format!("{what} has {} bytes: at most {max} are taken", text.len())));
    }
    Ok(())
}

/// What a body says of itself, for the senders that say it there.
#[derive(Default)]
struct Said {
    kind: Option<String>,
    id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Fields<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    event_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    challenge: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Enveloping<'a> {
    #[serde(borrow)]
    event: Enveloped<'a>,
}

#[derive(Deserialize)]
struct Enveloped<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

impl Said {
    fn by(route: &Route, data: &[u8]) -> Self {
        let scheme = match &route.verifier {
            Some(verifier) if route.decode == Decode::Json => verifier.scheme(),
            _ => return Self::default(),
        };
        // A body of another shape says nothing.
        let fields = || serde_json::from_slice::<Fields>(data).unwrap_or_default();
        let owned = |text: Option<Cow<str>>| text.map(Cow::into_owned);
        match scheme {
            Scheme::Stripe => {
                let fields = fields();
                Self { kind: owned(fields.kind), id: owned(fields.id) }
            }
            Scheme::Slack => {
                let inner = serde_json::from_slice::<Enveloping>(data).ok().map(|body| body.event.kind);
                let fields = fields();
                Self { kind: owned(inner.or(fields.kind)), id: owned(fields.event_id) }
            }
            Scheme::StandardWebhooks => Self { kind: owned(fields().kind), id: None },
            _ => Self::default(),
        }
    }
}

/// What Slack sends to find out whether an address is its owner's, to be sent back.
pub(crate) fn slack_challenge(route: &Route, body: &[u8]) -> Option<String> {
    let is_slack = route.verifier.as_ref().is_some_and(|verifier| *verifier.scheme() == Scheme::Slack);
    let fields = serde_json::from_slice::<Fields>(body).ok().filter(|_| is_slack)?;
    fields.challenge.filter(|_| fields.kind.as_deref() == Some("url_verification")).map(Cow::into_owned)
}

/// What the transport said, without what proves the sender.
pub(crate) fn transport(route: &Route, head: &Parts) -> Pairs {
    let own_proof = route.verifier.as_ref().map_or("", |verifier| verifier.scheme().header());
    let mut pairs = Pairs::with_capacity(head.headers.len() + 3);
    pairs.push(("method".to_owned(), head.method.as_str().to_owned()));
    pairs.push(("path".to_owned(), head.uri.path().to_owned()));
    pairs.push(("query".to_owned(), head.uri.query().unwrap_or_default().to_owned()));
    for (name, value) in &head.headers {
        let is_proof = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(name)
            || PROOFS.contains(&name.as_str())
            || name.as_str().eq_ignore_ascii_case(own_proof);
        if !is_proof {
            let name = ["header.", name.as_str()].concat();
            pairs.push((name, String::from_utf8_lossy(value.as_bytes()).into_owned()));
        }
    }
    pairs
}
