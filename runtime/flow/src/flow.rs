use std::sync::Arc;
use std::time::Duration;

use manifest::Effect;
use model::FlowRef;

use crate::{Condition, Expect, Expression, PluginName, Set, With};

/// The configured path of an event: checked, compiled and ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its file without the ending.
    pub name: String,
    /// What it is for, in a sentence.
    pub description: Option<String>,
    /// Who answers for it: an e-mail address or a URL.
    pub owner: String,
    /// Where its events come from.
    pub source: Source,
    /// The events it takes; none takes all of its source's.
    pub when: Option<Condition>,
    /// The key within which events keep their order; none if order does not matter.
    pub lane: Option<Expression>,
    /// How many of its executions may be worked on at once; none leaves it to the engine.
    pub concurrency: Option<u32>,
    /// The nodes, each behind those it comes [`after`](Step::after).
    pub steps: Vec<Step>,
    /// What happens to an execution that cannot go on.
    pub on_failure: OnFailure,
    pub(crate) bundle: Arc<str>,
    pub(crate) version: String,
}

impl Flow {
    /// Name and version: the version is the first 12 hexadecimal digits of the SHA-256 of [`bundle`](Self::bundle).
    pub fn reference(&self) -> FlowRef {
        FlowRef { name: self.name.clone(), version: self.version.clone() }
    }

    /// Everything that makes up this version, as JSON: the text and the files that it refers to. What
    /// [`from_bundle`](Self::from_bundle) takes.
    pub fn bundle(&self) -> &str {
        &self.bundle
    }

    /// The place of the step with this id.
    pub fn step(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.id == id)
    }
}

/// Where events come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// What kind, and its settings.
    pub kind: SourceKind,
    /// How a repeat of an event is known; none if every event counts as new.
    pub dedupe: Option<Dedupe>,
}

impl Source {
    /// The name under which ingress hands in its events: the path of a webhook. Flows with the same name share a source.
    pub fn name(&self) -> &str {
        match &self.kind {
            SourceKind::Webhook(webhook) => &webhook.path,
        }
    }
}

/// The kinds of source.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SourceKind {
    /// Requests that others send.
    Webhook(Webhook),
}

/// A path at which requests are taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Begins with a slash; neither query nor empty segments.
    pub path: String,
    /// In capitals; `POST` where the flow says nothing.
    pub methods: Vec<String>,
    /// How the sender is authenticated.
    pub verify: Verify,
    /// What the body is.
    pub decode: Decode,
    /// When the sender gets its answer.
    pub reply: Reply,
    /// The largest body; none leaves it to the server.
    pub body_bytes_max: Option<u64>,
}

/// How a sender is authenticated. Data only: the room `signature` does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// The scheme with its parameters.
    pub scheme: Scheme,
    /// The names of the secrets, any of which will do, so that they can be rotated. Empty for [`Scheme::None`] only.
    pub secrets: Vec<String>,
    /// How far the sender's clock may be off, either way; of schemes that sign a time.
    pub tolerance: Duration,
}

/// The schemes that senders use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Standard Webhooks 1.0.
    StandardWebhooks,
    /// `X-Hub-Signature-256`.
    Github,
    /// `Stripe-Signature`.
    Stripe,
    /// `X-Slack-Signature`, version 0.
    Slack,
    /// `X-Shopify-Hmac-Sha256`.
    Shopify,
    /// An HMAC of the body in a header field.
    Hmac {
        /// The header field.
        header: String,
        /// The hash.
        algorithm: HmacAlgorithm,
        /// How the code is written.
        encoding: HmacEncoding,
        /// What stands before it.
        prefix: String,
    },
    /// RFC 7617; the secret is `user:password`.
    Basic,
    /// RFC 6750; the secret is the token.
    Bearer,
    /// The secret stands in a header field.
    ApiKey {
        /// The header field.
        header: String,
    },
    /// Everybody may send.
    None,
}

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmacAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// SHA-1.
    Sha1,
}

/// How an HMAC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmacEncoding {
    /// Hexadecimal digits.
    Hex,
    /// Base 64 with padding (RFC 4648, section 4).
    Base64,
}

/// What the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decode {
    /// JSON; anything else is refused.
    Json,
    /// `application/x-www-form-urlencoded`; becomes a JSON object.
    Form,
    /// Bytes, as they are.
    Bytes,
}

/// When the sender gets its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// As soon as the event is durable.
    Async,
    /// When the flow has answered.
    Sync {
        /// Or this time has passed.
        within: Duration,
    },
}

/// How a repeat of an event is known.
#[derive(Clone, Debug)]
pub struct Dedupe {
    /// The key; two events of a source with one key are one.
    pub key: Expression,
    /// For how long.
    pub window: Duration,
}

/// One node of a flow.
#[derive(Clone, Debug)]
pub struct Step {
    /// Unique in the flow: letters, digits and underscores, beginning with a letter.
    pub id: String,
    /// The places of the steps that must have ended before this one begins, each smaller than its own. Empty for a step
    /// that begins with the event.
    pub after: Vec<usize>,
    /// Whether it is run at all.
    pub when: Option<Condition>,
    /// What it does.
    pub kind: StepKind,
    /// What its output must be.
    pub expect: Option<Expect>,
    /// How failed attempts are repeated.
    pub retry: Retry,
    /// How long one attempt may take; none leaves it to the plugin's limits.
    pub timeout: Option<Duration>,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// Runs a mapper on the output of the step before, or the event's data.
    Mapper {
        /// Which.
        plugin: PluginName,
        /// What it is told: JSON, `{}` if nothing.
        options: Arc<str>,
    },
    /// Puts a document together from fields.
    Set(Set),
    /// Calls an action.
    Action {
        /// Of which plugin.
        plugin: PluginName,
        /// Which.
        action: String,
        /// The account to use.
        connection: Option<String>,
        /// The input; none takes the output of the step before, or the event's data.
        with: Option<With>,
        /// What a repetition does.
        effect: Effect,
        /// For how long the destination honours an idempotency key.
        key_lifetime: Option<Duration>,
    },
}

/// How failed attempts of a step are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many attempts in all.
    pub attempts: u32,
    /// Counted from the first attempt.
    pub within: Duration,
    /// The first wait; it doubles from then on.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        // From a second to an hour in twelve steps: a restart at the destination is bridged at once, an outage within the
        // two days that a weekend takes.
        Self {
            attempts: 12,
            within: Duration::from_secs(2 * 86_400),
            first: Duration::from_secs(1),
            max: Duration::from_secs(3_600),
        }
    }
}

/// What happens to an execution that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnFailure {
    /// Whether it waits for a person; otherwise it becomes a dead letter at once.
    pub park: bool,
    /// Who is told.
    pub alert: Alert,
}

impl Default for OnFailure {
    fn default() -> Self {
        Self { park: false, alert: Alert::Owner }
    }
}

/// Who is told of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alert {
    /// The flow's owner.
    Owner,
    /// Nobody.
    Nobody,
    /// An e-mail address or a URL.
    Address(String),
}
