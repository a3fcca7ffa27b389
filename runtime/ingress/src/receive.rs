use std::sync::{Arc, PoisonError};

use engine::{Acceptance, Incoming, Intake};
use futures_util::future::join_all;
use http::header::{CONTENT_ENCODING, EXPECT};
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use lifecycle::Clock;
use model::Timestamp;
use signature::{Field, Headers, Scheme};

use crate::cloudevents::{self, Mode};
use crate::decode::{content_type, decode};
use crate::event::{self, Draft};
use crate::listen::SharedRoutes;
use crate::problem::{Answer, Refusal};
use crate::{Decode, Limits, Reply, Route, answer, body};

/// Turns requests into events, and what became of them into answers.
pub(crate) struct Receiver {
    pub(crate) routes: SharedRoutes,
    pub(crate) intake: Arc<dyn Intake>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
}

impl Receiver {
    /// Receives one request.
    pub(crate) async fn answer(&self, request: Request<hyper::body::Incoming>) -> Answer {
        let (head, mut body) = request.into_parts();
        let received = self.receive(&head, &mut body).await;
        let mut answer = received.unwrap_or_else(|refusal| {
            tracing::debug!(path = head.uri.path(), %refusal, "request refused");
            refusal.respond()
        });
        let is_early = answer.status().is_client_error() && answer.status() != StatusCode::REQUEST_TIMEOUT;
        // A client that waits for leave to send its body has not begun.
        if is_early && !head.headers.contains_key(EXPECT) {
            body::discard(&mut body).await;
        }
        // hyper keeps a connection of HTTP/1.0 only for an answer of a later version, and nobody needs that.
        if head.version < Version::HTTP_11 {
            *answer.version_mut() = head.version;
        }
        answer
    }

    async fn receive(&self, head: &Parts, body: &mut hyper::body::Incoming) -> Result<Answer, Refusal> {
        let route = self.route(head)?;
        let body = body::read(body, route.body_bytes_max, &self.limits).await?;
        let received = self.clock.now();
        let id = match &route.verifier {
            None => None,
            Some(verifier) => {
                let verified = verifier.verify(&Fields(&head.headers), &body, received).map_err(|rejected| {
                    tracing::warn!(source = route.source, path = head.uri.path(), %rejected, "sender not proven");
                    Refusal::Unproven { challenge: challenge(verifier.scheme()) }
                })?;
                if let Some(challenge) = event::slack_challenge(&route, &body) {
                    return Ok(answer::text(challenge));
                }
                verified.id
            }
        };
        let content_type = content_type(&head.headers)?;
        check_encoding(&route, head)?;
        let rule = route.decode;
        let draft = match Mode::of(&head.headers, content_type)? {
            None => {
                let (content_type, data) = decode(rule, content_type, body)?;
                event::plain(&route, head, id, content_type, data)
            }
            Some(Mode::Binary) => cloudevents::binary(&head.headers, content_type, body, rule)?,
            Some(Mode::Structured) => cloudevents::structured(&body, rule)?,
            Some(Mode::Batched) => {
                return self.accept_batch(&route, head, received.into(), cloudevents::batched(&body, rule)?).await;
            }
        };
        self.accept(&route, self.incoming(&route, head, received.into(), draft)?).await
    }

    /// The route of a request, if its header keeps to the rules.
    fn route(&self, head: &Parts) -> Result<Arc<Route>, Refusal> {
        let max = self.limits.header_fields_max;
        if head.headers.len() > max {
            return Err(Refusal::HeaderFields { max });
        }
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner).clone();
        let route = routes.find(head.uri.path()).ok_or(Refusal::UnknownPath)?;
        if !route.methods.contains(&head.method) {
            let allowed: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
            return Err(Refusal::Method { allowed: allowed.join(", ") });
        }
        Ok(route.clone())
    }

    fn incoming(&self, route: &Route, head: &Parts, received: Timestamp, draft: Draft) -> Result<Incoming, Refusal> {
        let (event, dedupe) = draft.finish(route, event::transport(route, head), received)?;
        Ok(Incoming { source: route.source.clone(), event, dedupe })
    }

    async fn accept(&self, route: &Route, incoming: Incoming) -> Result<Answer, Refusal> {
        let acceptance = self.intake.accept(incoming).await.map_err(Refusal::NotAccepted)?;
        let Reply::Sync { within } = route.reply else { return Ok(answer::accepted(acceptance)) };
        match self.intake.answer(acceptance.event, within).await {
            None => Ok(answer::accepted(acceptance)),
            Some(settled) => answer::settled(acceptance, settled),
        }
    }

    /// Nothing is accepted before the whole batch is known to be good. If the engine takes a part of it only, the sender
    /// is told so and sends it again; the events that were taken are then known as repeats.
    async fn accept_batch(
        &self,
        route: &Route,
        head: &Parts,
        received: Timestamp,
        drafts: Vec<Draft>,
    ) -> Result<Answer, Refusal> {
        let in_batch = |index: usize, cause| Refusal::InBatch { index, cause: Box::new(cause) };
        let incoming =
            |(index, draft)| self.incoming(route, head, received, draft).map_err(|cause| in_batch(index, cause));
        let incoming: Vec<Incoming> = drafts.into_iter().enumerate().map(incoming).collect::<Result<_, _>>()?;
        let accepted = join_all(incoming.into_iter().map(|incoming| self.intake.accept(incoming))).await;
        let accepted: Vec<Acceptance> = accepted
            .into_iter()
            .enumerate()
            .map(|(index, accepted)| accepted.map_err(|refused| in_batch(index, Refusal::NotAccepted(refused))))
            .collect::<Result<_, _>>()?;
        Ok(answer::batch_accepted(&accepted))
    }
}

/// Compressed data can be kept, not looked into.
fn check_encoding(route: &Route, head: &Parts) -> Result<(), Refusal> {
    match head.headers.get(CONTENT_ENCODING) {
        Some(encoding) if route.decode != Decode::Bytes => {
            Err(Refusal::ContentEncoding(String::from_utf8_lossy(encoding.as_bytes()).into_owned()))
        }
        _ => Ok(()),
    }
}

/// What a 401 must name (RFC 9110, section 11.6.1).
fn challenge(scheme: &Scheme) -> &'static str {
    match scheme {
        Scheme::Basic => "Basic realm=\"weir\", charset=\"UTF-8\"",
        Scheme::Bearer => "Bearer realm=\"weir\"",
        Scheme::ApiKey { .. } => "ApiKey realm=\"weir\"",
        _ => "Signature realm=\"weir\"",
    }
}

/// Header fields as the schemes look at them.
struct Fields<'a>(&'a HeaderMap);

impl Headers for Fields<'_> {
    fn field(&self, name: &str) -> Field<'_> {
        let mut values = self.0.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Field::Absent,
            (Some(value), None) => Field::Once(value.as_bytes()),
            (Some(_), Some(_)) => Field::Repeated,
        }
    }
}
