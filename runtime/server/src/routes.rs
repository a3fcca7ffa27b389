//! From checked flows to the ways in that ingress serves.

use std::sync::Arc;
use std::time::Duration;

use connection::Secret;
use flow::{Flow, Scope, SourceKind, Webhook};
use ingress::{Decode, DedupeRule, Identify, Reply, Route};
use signature::{HmacHeader, Scheme, Verifier};

/// Why a flow cannot take events at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedRoute {
    /// The flow.
    pub flow: String,
    /// Its path.
    pub path: String,
    /// Why, and what to do.
    pub reason: String,
}

/// The routes of these flows, one for each source, and the flows whose route cannot be served. `secret` gives a secret by
/// the name that flows use for it, or says what to do.
pub(crate) fn routes(
    flows: &[Flow],
    body_bytes_max: usize,
    secret: &dyn Fn(&str) -> Result<Secret, String>,
) -> (Vec<Route>, Vec<ClosedRoute>) {
    let (mut routes, mut closed) = (Vec::<Route>::new(), Vec::new());
    for flow in flows {
        let SourceKind::Webhook(webhook) = &flow.source.kind else { continue };
        if routes.iter().any(|route| route.path == webhook.path) {
            continue;
        }
        match verifier(webhook, secret) {
            Ok(verifier) => routes.push(Route {
                path: webhook.path.clone(),
                methods: webhook.methods.iter().filter_map(|method| method.parse().ok()).collect(),
                source: flow.source.name().to_owned(),
                verifier,
                decode: decode(webhook.decode),
                reply: reply(webhook.reply),
                body_bytes_max: webhook.body_bytes_max.map_or(body_bytes_max, |bytes| bytes as usize),
                dedupe: dedupe(flow),
                kind_header: None,
            }),
            Err(reason) => closed.push(ClosedRoute { flow: flow.name.clone(), path: webhook.path.clone(), reason }),
        }
    }
    (routes, closed)
}

fn verifier(webhook: &Webhook, secret: &dyn Fn(&str) -> Result<Secret, String>) -> Result<Option<Verifier>, String> {
    let verify = &webhook.verify;
    let scheme = match &verify.scheme {
        flow::Scheme::None => return Ok(None),
        flow::Scheme::StandardWebhooks => Scheme::StandardWebhooks,
        flow::Scheme::Github => Scheme::GitHub,
        flow::Scheme::Stripe => Scheme::Stripe,
        flow::Scheme::Slack => Scheme::Slack,
        flow::Scheme::Shopify => Scheme::Shopify,
        flow::Scheme::Hmac { header, algorithm, encoding, prefix } => Scheme::Hmac(HmacHeader {
            header: header.clone(),
            algorithm: match algorithm {
                flow::HmacAlgorithm::Sha256 => signature::Algorithm::Sha256,
                flow::HmacAlgorithm::Sha1 => signature::Algorithm::Sha1,
                flow::HmacAlgorithm::Sha512 => signature::Algorithm::Sha512,
            },
            encoding: match encoding {
                flow::HmacEncoding::Hex => signature::Encoding::Hex,
                flow::HmacEncoding::Base64 => signature::Encoding::Base64,
            },
            prefix: prefix.clone(),
        }),
        flow::Scheme::Basic => Scheme::Basic,
        flow::Scheme::Bearer => Scheme::Bearer,
        flow::Scheme::ApiKey { header } => Scheme::ApiKey { header: header.clone() },
    };
    let secrets = verify.secrets.iter().map(|name| secret(name)).collect::<Result<Vec<_>, _>>()?;
    let secrets = secrets.iter().map(Secret::expose);
    let verifier = Verifier::new(scheme, secrets, verify.tolerance).map_err(|error| error.to_string())?;
    Ok(Some(verifier))
}

fn decode(decode: flow::Decode) -> Decode {
    match decode {
        flow::Decode::Json => Decode::Json,
        flow::Decode::Form => Decode::Form,
        flow::Decode::Bytes => Decode::Bytes,
    }
}

fn reply(reply: flow::Reply) -> Reply {
    match reply {
        flow::Reply::Async => Reply::Async,
        flow::Reply::Sync { within } => Reply::Sync { within },
    }
}

fn dedupe(flow: &Flow) -> DedupeRule {
    let Some(flow::Dedupe { key, window }) = &flow.source.dedupe else { return DedupeRule::None };
    let window: Duration = *window;
    // The sender's id is at hand before the event is put together; anything else is computed from the event.
    if key.source() == "event.id" {
        return DedupeRule::SenderId { window };
    }
    let key = key.clone();
    let identify: Arc<Identify> =
        Arc::new(move |event| key.to_text(&Scope::new(event)).map(Some).map_err(|error| error.to_string()));
    DedupeRule::By { key: identify, window }
}
