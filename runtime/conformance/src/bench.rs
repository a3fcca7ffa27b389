use std::sync::Arc;

use connection::{Algorithm, Credential, Encoding, SecretRef, Slot};
use egress::SentRequest;
use engine::{Called, Receipt, Settlement};
use kit::{Call, ConnectionText, Kit, OpenError, Output, Reply, default_context, default_event};
use manifest::{Action, AuthScheme, Effect, Manifest, Role};
use model::{Document, Fault, FaultKind};
use serde_json::Value;

use crate::answers;
use crate::destination::{Destination, Replies, status};
use crate::samples;

/// Where a connection leads unless the manifest asks for certain origins alone.
const BASE_URL: &str = "https://destination.example.com";

/// Stands in for every secret. Nothing that a plugin could write by chance.
pub(crate) const SECRET: &str = "conformance-secret-5f2c81";

/// The idempotency key of a call of which nothing else is said.
pub(crate) const KEY: &str = "conformance-key-8d14ab";

/// A component in the real host, with a destination that answers as it is told to, and samples to call it with.
pub(crate) struct Bench {
    kit: Kit,
    destination: Arc<Destination>,
    pub(crate) manifest: Manifest,
    pub(crate) mapper: Option<MapperSample>,
    pub(crate) actions: Vec<Act>,
    pub(crate) seed: u64,
    pub(crate) fuzz: u32,
    /// Of every connection: a JSON object.
    settings: String,
}

/// What the suite does with a component unless it is told otherwise.
pub(crate) struct Measure {
    pub(crate) seed: u64,
    pub(crate) fuzz: u32,
    pub(crate) settings: String,
}

/// What a mapper is called with.
pub(crate) struct MapperSample {
    pub(crate) input: Document,
    /// A JSON object.
    options: String,
    /// The author wrote it: it must work.
    pub(crate) is_authors: bool,
}

/// An action, and how it can be called.
pub(crate) struct Act {
    pub(crate) name: String,
    pub(crate) about: Action,
    pub(crate) input: Document,
    pub(crate) connection: Box<ConnectionText>,
    /// An answer of the destination with which the sample works, if one was found.
    pub(crate) answer: Option<Reply>,
    /// The call with that answer; without one, the call that came furthest.
    pub(crate) shot: Shot,
}

/// A call and what came of it.
pub(crate) struct Shot {
    pub(crate) called: Called<Output>,
    /// The requests that passed the gate.
    pub(crate) requests: Vec<SentRequest>,
}

/// What is asked of an action; the rest is the sample's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask<'a> {
    pub(crate) verify: bool,
    pub(crate) input: Option<&'a Document>,
    pub(crate) cursor: Option<String>,
    pub(crate) key: Option<&'a str>,
    pub(crate) attempt: u32,
}

impl Shot {
    pub(crate) fn fault(&self) -> Option<&Fault> {
        self.called.answer.as_ref().err()
    }

    pub(crate) fn receipt(&self) -> Option<&Receipt> {
        match &self.called.answer {
            Ok(Output::Receipt(receipt)) => Some(receipt),
            _ => None,
        }
    }

    pub(crate) fn settlement(&self) -> Option<&Settlement> {
        match &self.called.answer {
            Ok(Output::Settlement(settlement)) => Some(settlement),
            _ => None,
        }
    }

    /// A trap, a limit, or an answer that breaks the contract: what the host says, not the plugin.
    pub(crate) fn breakdown(&self) -> Option<&Fault> {
        self.fault().filter(|fault| is_breakdown(fault))
    }
}

/// A fault that the host made of a trap, a limit or an answer that breaks the contract.
pub(crate) fn is_breakdown(fault: &Fault) -> bool {
    let code = fault.code.as_str();
    let is_of_call = code.starts_with("weir.limit.") || code == "weir.trap" || code == "weir.contract";
    // In service a connector that is out of time has waited for its destination; here every answer comes at once.
    if code == "weir.limit.wall" {
        return true;
    }
    // Egress has limits too, and a plugin passes their codes on.
    is_of_call && (fault.kind == FaultKind::Internal || fault.details.iter().any(|(name, _)| name == "kind-before"))
}

impl Bench {
    pub(crate) async fn set_up(kit: Kit, destination: Arc<Destination>, measure: Measure) -> Result<Self, OpenError> {
        let Measure { seed, fuzz, settings } = measure;
        let manifest = kit.manifest().clone();
        let mapper = manifest.has(Role::Mapper).then(|| mapper_sample(&manifest));
        let mut bench = Self { kit, destination, manifest, mapper, actions: Vec::new(), seed, fuzz, settings };
        for (name, about) in bench.manifest.actions.clone() {
            let act = bench.prepare(name, about).await?;
            bench.actions.push(act);
        }
        Ok(bench)
    }

    /// Finds a connection with which the action sends its requests, and an answer with which it works.
    async fn prepare(&self, name: String, about: Action) -> Result<Act, OpenError> {
        let sample = about.sample.clone().or_else(|| about.input.as_ref().and_then(samples::sample));
        let input = Document::json(sample.unwrap_or(Value::Object(serde_json::Map::new())).to_string());
        let named = self.manifest.auth.iter().map(|(name, scheme)| (name.clone(), credential(scheme))).collect();
        let text = ConnectionText { settings: self.settings.clone(), named, ..ConnectionText::default() };
        let replies = answers::plausible(&name, &about);
        let mut credentials: Vec<_> = text.named.values().cloned().collect();
        credentials.push(Credential::None);
        let bases = base_urls(&self.manifest);
        let tries = bases.iter().flat_map(|base| credentials.iter().map(move |credential| (base, credential)));
        let mut act: Option<Act> = None;
        for (base, credential) in tries {
            // Scheme and authority; a path may follow.
            let origin = base.split('/').take(3).collect::<Vec<_>>().join("/");
            let origins = origin.parse().into_iter().collect();
            let (base_url, credential) = (Some(base.clone()), credential.clone());
            let connection = Box::new(ConnectionText { base_url, origins, credential, ..text.clone() });
            let shot = self.shoot(&name, &connection, &input, &Ask::default(), status(500).into()).await?;
            let goes_out = !shot.requests.is_empty();
            if goes_out || act.is_none() {
                let (name, about, input) = (name.clone(), about.clone(), input.clone());
                act = Some(Act { name, about, input, connection, answer: None, shot });
            }
            if goes_out {
                break;
            }
        }
        let mut act = act.expect("at least one credential was tried");
        for reply in replies {
            let shot = self.act(&act, &Ask::default(), reply.clone()).await?;
            if shot.receipt().is_some() {
                (act.answer, act.shot) = (Some(reply), shot);
                break;
            }
        }
        Ok(act)
    }

    /// The ways in which an action is called: it is made, and, where its answer can be lost, asked about.
    pub(crate) fn ways(&self, act: &Act) -> &'static [bool] {
        let is_verified = self.manifest.has(Role::Verification) && act.about.effect != Effect::Read;
        if is_verified { &[false, true] } else { &[false] }
    }

    /// Calls the action; what it asks of its destination is answered so.
    pub(crate) async fn act(&self, act: &Act, ask: &Ask<'_>, replies: impl Into<Replies>) -> Result<Shot, OpenError> {
        self.shoot(&act.name, &act.connection, &act.input, ask, replies.into()).await
    }

    async fn shoot(
        &self,
        action: &str,
        connection: &ConnectionText,
        sample: &Document,
        ask: &Ask<'_>,
        replies: Replies,
    ) -> Result<Shot, OpenError> {
        let mut context = default_context();
        context.step = "conformance".to_owned();
        context.idempotency_key = ask.key.unwrap_or(KEY).to_owned();
        context.attempt = ask.attempt.max(1);
        let call = Call::Action {
            action: action.to_owned(),
            verify: ask.verify,
            input: ask.input.unwrap_or(sample).clone(),
            cursor: ask.cursor.clone(),
            context,
            connection: Some(Box::new(connection.clone())),
        };
        self.make(&call, replies).await
    }

    /// Calls the mapper.
    pub(crate) async fn transform(&self, input: &Document) -> Result<Shot, OpenError> {
        let event = Box::new(default_event("conformance", input));
        let options = self.mapper.as_ref().map_or_else(|| "{}".to_owned(), |sample| sample.options.clone());
        let call = Call::Transform { event, input: input.clone(), options };
        self.make(&call, Replies::default()).await
    }

    async fn make(&self, call: &Call, replies: Replies) -> Result<Shot, OpenError> {
        self.destination.begin(replies);
        let called = self.kit.make(call).await;
        let requests = self.destination.end();
        Ok(Shot { called: called?, requests })
    }

    /// See [`Kit::reuse_sandboxes`].
    pub(crate) fn reuse_sandboxes(&self, calls: u32) -> Result<(), OpenError> {
        self.kit.reuse_sandboxes(calls)
    }

    /// The lines that the manifest lacks for the requests that were denied in a call.
    pub(crate) fn missing(&self, act: &Act, shot: &Shot) -> Vec<(String, String)> {
        let denied = shot.called.report.requests.iter().filter(|request| request.status.is_none());
        let missing = denied.filter_map(|request| {
            let line = self.kit.manifest_line(request, Some(&act.connection))?;
            Some((format!("{} {}{}", request.method, request.origin, request.path), line))
        });
        missing.collect()
    }
}

/// Addresses that the plugin may reach: anywhere, or an origin of its own; and, where the base URL of a connection holds a
/// path such as a tenant's, what the manifest asks for.
fn base_urls(manifest: &Manifest) -> Vec<String> {
    let origin = match manifest.http.first() {
        Some(first) if manifest.http.iter().all(|ask| ask.origin != "connection") => {
            first.origin.replace('*', "conformance")
        }
        _ => BASE_URL.to_owned(),
    };
    let paths = manifest.http.iter().flat_map(|ask| &ask.paths);
    let below = paths.filter_map(|path| Some(format!("{origin}{}conformance", path.strip_suffix('*')?)));
    std::iter::once(origin.clone()).chain(below).collect()
}

/// The first example of the input's schema, or what fits it; an empty object where nothing is said.
fn mapper_sample(manifest: &Manifest) -> MapperSample {
    let schema = manifest.mapper.as_ref().and_then(|schemas| schemas.input.as_ref());
    let example = schema.and_then(|schema| schema.get("examples")?.get(0));
    let made = example.cloned().or_else(|| schema.and_then(samples::sample).filter(|value| !value.is_null()));
    let text = made.map_or_else(|| "{}".to_owned(), |value| value.to_string());
    MapperSample { input: Document::json(text), options: mapper_options(manifest), is_authors: example.is_some() }
}

/// The first example of the options' schema; else none, or what fits it if some are required.
fn mapper_options(manifest: &Manifest) -> String {
    let none = Value::Object(serde_json::Map::new());
    let Some(schema) = manifest.mapper.as_ref().and_then(|schemas| schemas.options.as_ref()) else {
        return none.to_string();
    };
    let example = schema.get("examples").and_then(|examples| examples.get(0)).filter(|example| example.is_object());
    let made = || samples::sample(schema).filter(|made| made.is_object() && !samples::fits(schema, &none));
    example.cloned().or_else(made).unwrap_or(none).to_string()
}

fn credential(scheme: &AuthScheme) -> Credential<SecretRef> {
    let secret = SecretRef::Store(SECRET.to_owned());
    match scheme {
        AuthScheme::ApiKeyHeader { name } => {
            Credential::ApiKeyHeader { name: name.clone(), prefix: String::new(), secret }
        }
        AuthScheme::ApiKeyQuery { name } => Credential::ApiKeyQuery { name: name.clone(), secret },
        AuthScheme::Basic {} => Credential::Basic { user: "conformance".to_owned(), secret },
        AuthScheme::Bearer {} => Credential::Bearer { secret },
        AuthScheme::Slots { slots } => {
            let slot = |name: &str| Slot { name: name.to_owned(), secret: secret.clone(), raw: true, body: true };
            Credential::Slots { slots: slots.iter().map(|known| slot(&known.name)).collect() }
        }
        AuthScheme::Hmac { header, algorithm, encoding, prefix } => Credential::Hmac {
            header: header.clone(),
            algorithm: if algorithm == "sha1" { Algorithm::Sha1 } else { Algorithm::Sha256 },
            encoding: if encoding == "base64" { Encoding::Base64 } else { Encoding::Hex },
            prefix: prefix.clone(),
            secret,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_without_end_breaks_down_whatever_the_host_calls_it() {
        let fault = |kind, code| is_breakdown(&Fault::new(kind, code, "it is out of time"));
        assert!(fault(FaultKind::Timeout, "weir.limit.wall"));
        assert!(fault(FaultKind::Internal, "weir.trap"));
        assert!(!fault(FaultKind::Timeout, "weir.http.limit.first-byte"));
        assert!(!fault(FaultKind::Rejected, "weir.limit.http-requests"));
    }
}
