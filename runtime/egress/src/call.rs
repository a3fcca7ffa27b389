use std::borrow::Cow;
use std::time::Instant;

use bytes::Bytes;
use capability::{CheckedUrl, check_address};
use connection::{Connection, Credential, Outgoing, apply};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use model::{Exchange, Origin, RequestRecord};

use crate::body::{Collector, too_large};
use crate::dial::check;
use crate::fault::{Failure, chain};
use crate::gate::Gate;
use crate::hop::Hop;
use crate::kept::reply;
use crate::pool::Key;
use crate::timer::{Expired, Timer};
use crate::wire::Conn;
use crate::{Auth, HttpFault, HttpFaultKind, Request, Response, SentRequest, SentResponse, Transport, header};

const REDIRECTS_MAX: usize = 5;

/// What one request goes through, redirects included.
pub(crate) struct Call<'a> {
    gate: &'a Gate,
    request: &'a Request,
    timer: Timer<'a>,
    record: RequestRecord,
    /// The URL that was asked for first, once the gate has found its normal form.
    asked: Option<String>,
    /// Whether any byte of any of its requests may have reached a destination.
    is_sent: bool,
}

type Head = http::Response<Incoming>;

impl<'a> Call<'a> {
    pub(crate) fn new(gate: &'a Gate, request: &'a Request) -> Self {
        // What it is unless the gate finds a normal form: no query, and no more than a line.
        let written = request.url.split(['?', '#']).next().unwrap_or_default();
        let record = RequestRecord {
            method: request.method.clone(),
            origin: String::new(),
            path: written.chars().take(200).collect(),
            status: None,
            fault: None,
            duration_us: 0,
            exchange: None,
        };
        let timer = Timer::new(&*gate.dialler.clock, request.limits.total);
        Self { gate, request, timer, record, asked: None, is_sent: false }
    }

    /// Sends and records.
    pub(crate) async fn run(mut self) -> (Result<Response, HttpFault>, RequestRecord) {
        let started = Instant::now();
        let answer = self.answer().await;
        self.record.duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let answer = match answer {
            Ok(response) => {
                self.record.status = Some(response.status);
                Ok(response)
            }
            Err(failure) => {
                let message = self.redacted(&failure.message);
                self.record.fault = Some(failure.detail.map_or_else(|| message.clone(), |text| self.redacted(&text)));
                Err(HttpFault { kind: failure.kind, code: failure.code, message, request_sent: self.is_sent })
            }
        };
        let asked = self.asked.take();
        self.record.exchange =
            asked.map(|url| Box::new(Exchange { method: self.record.method.clone(), url, reply: reply(&answer) }));
        (answer, self.record)
    }

    async fn answer(&mut self) -> Result<Response, Failure> {
        let mut hop = self.first_hop()?;
        let _permit = match self.gate.permits.try_acquire() {
            Ok(permit) => permit,
            Err(_) => {
                let waiting = self.timer.limit(self.request.limits.total, self.gate.permits.acquire()).await;
                let permit =
                    waiting.map_err(|_| timeout("weir.http.limit.total", "a free place among all requests"))?;
                permit.map_err(|_| Failure::denied("weir.http.closed", "the outgoing gate is closed"))?
            }
        };
        for _ in 0..=REDIRECTS_MAX {
            let (asked, target, outgoing) = self.prepare(&hop)?;
            if let Some(transport) = &self.gate.transport {
                let answer = self.recorded(&**transport, &asked, &target, &outgoing).await?;
                match hop.redirected(&target, &answer)? {
                    Some(next) => hop = next,
                    None => return self.whole(&asked, answer),
                }
                continue;
            }
            let (mut conn, head) = self.exchange(&target, &outgoing).await?;
            match hop.redirected(&target, &head)? {
                // The connection is dropped with the answer's body unread, which might never end.
                Some(next) => hop = next,
                None => {
                    let response = self.read(&mut conn, &asked, head).await?;
                    self.gate.pool.put(self.key(&target), conn).await;
                    return Ok(response);
                }
            }
        }
        let message = format!("the destination redirects more than {REDIRECTS_MAX} times");
        Err(Failure::new(HttpFaultKind::Broken, "weir.http.redirects", message))
    }

    /// The request as it was asked for, with an absolute URL.
    fn first_hop(&self) -> Result<Hop, Failure> {
        let Request { grant, connection, method, url, headers, body, .. } = self.request;
        if let Some(connection) = connection.as_deref().filter(|connection| !connection.serves(grant.plugin())) {
            let (plugin, name) = (grant.plugin(), &connection.name);
            let message = format!(
                "plugin `{plugin}` may not use connection `{name}`; to allow it, add to the connection: plugins = [\"{plugin}\"]"
            );
            return Err(Failure::denied("weir.http.connection", message));
        }
        let url = match (url.starts_with('/'), connection.as_deref()) {
            (false, _) => url.clone(),
            (true, Some(Connection { base_url: Some(base), .. })) => format!("{}{url}", base.trim_end_matches('/')),
            (true, _) => {
                let message = "the URL is a path, and there is no connection with a base URL to append it to";
                return Err(Failure::denied("weir.http.url", message));
            }
        };
        Ok(Hop { method: method.clone(), url, headers: headers.clone(), body: body.clone(), is_redirect: false })
    }

    /// The gate: what was asked for is checked, the credential is added, and what came of it is checked again. Gives the
    /// URL without and with the credential.
    fn prepare(&mut self, hop: &Hop) -> Result<(CheckedUrl, CheckedUrl, Outgoing), Failure> {
        let asked = self.check(&hop.method, &hop.url)?;
        if hop.is_redirect {
            self.check_redirect(&asked)?;
        } else {
            self.note(&asked);
        }
        self.check_body(&hop.body)?;
        let credential = self.credential_for(asked.origin())?;
        let mut headers = header::check(&hop.headers, credential)?;
        if hop.is_redirect && matches!(credential, Credential::None) {
            headers.retain(|(_, value)| !value.contains("{{"));
        }
        // A template is filled as it was written: in the normal form its braces are encoded.
        let written = hop.url.split('#').next().unwrap_or_default();
        let url = if written.contains("{{") { written } else { asked.as_str() };
        let mut outgoing = Outgoing { url: url.to_owned(), headers, body: hop.body.clone() };
        apply(credential, &mut outgoing).map_err(|fault| Failure::denied("weir.http.credential", fault.to_string()))?;
        let target = if outgoing.url == asked.as_str() { asked.clone() } else { self.check_filled(&asked, &outgoing)? };
        Ok((asked, target, outgoing))
    }

    /// A destination that redirects wherever it is told to would hand the secret to anyone: the plugin only had to put a slot
    /// behind the place to go to.
    fn check_redirect(&self, asked: &CheckedUrl) -> Result<(), Failure> {
        let Some(connection) = self.request.connection.as_deref() else { return Ok(()) };
        if connection.covers(asked.origin()) || matches!(connection.redactor().text(asked.as_str()), Cow::Borrowed(_)) {
            return Ok(());
        }
        let message =
            "the destination redirects with the connection's secret to an origin that is not the connection's";
        Err(Failure::denied("weir.http.redirect", message))
    }

    fn check_body(&self, body: &Bytes) -> Result<(), Failure> {
        let (bytes, bytes_max) = (body.len(), self.request.limits.request_body_bytes);
        if bytes <= bytes_max {
            return Ok(());
        }
        let message = format!("the request's body has {bytes} bytes, and the limit `request_body` is {bytes_max}");
        Err(Failure::new(HttpFaultKind::TooLarge, "weir.http.limit.request-body", message))
    }

    fn check(&self, method: &str, url: &str) -> Result<CheckedUrl, Failure> {
        let origins = self.request.connection.as_deref().map_or(&[][..], |connection| &connection.origins);
        Ok(self.request.grant.check(method, url, origins)?)
    }

    fn check_filled(&self, asked: &CheckedUrl, outgoing: &Outgoing) -> Result<CheckedUrl, Failure> {
        let filled = self.check(asked.method(), &outgoing.url).map_err(|failure| {
            // What the check says would show the secret in its path.
            let message = "with the connection's secret filled in, the URL is no longer within the grant";
            Failure::denied(failure.code, message)
        })?;
        if filled.origin() == asked.origin() {
            Ok(filled)
        } else {
            Err(Failure::denied("weir.http.credential", "the connection's secret leads to another origin"))
        }
    }

    /// The credential for a request to this origin: none where the connection does not cover it.
    fn credential_for(&self, origin: &Origin) -> Result<&'a Credential, Failure> {
        let connection = self.request.connection.as_deref();
        let credential = match &self.request.auth {
            Auth::Anonymous => None,
            Auth::Default => connection.map(|connection| &connection.credential),
            Auth::Named(name) => {
                let credential = connection.and_then(|connection| connection.named.get(name));
                Some(credential.ok_or_else(|| {
                    let message = format!("the connection in use has no credential `{name}`; add it to the connection");
                    Failure::denied("weir.http.credential", message)
                })?)
            }
        };
        let is_covered = connection.is_some_and(|connection| connection.covers(origin));
        Ok(credential.filter(|_| is_covered).unwrap_or(&Credential::None))
    }

    /// Sends over a kept connection or a new one, and waits for the head of the answer.
    async fn exchange(&mut self, target: &CheckedUrl, outgoing: &Outgoing) -> Result<(Conn, Head), Failure> {
        let grant = &self.request.grant;
        let may_reach = |address| check_address(address, grant.private_networks()).is_ok();
        if let Some(mut conn) = self.gate.pool.take(&self.key(target), may_reach).await {
            match self.head(&mut conn, target, outgoing).await {
                // The destination closed it while the request was on its way. It has seen nothing of the request, or a
                // repetition changes nothing (RFC 9110, section 9.2.2).
                Err(failure) if failure.code == CLOSED && (!conn.wrote() || is_idempotent(target.method())) => {}
                head => return head.map(|head| (conn, head)),
            }
        }
        let connect = self.request.limits.connect;
        let dialling = self.timer.limit(connect, self.gate.dialler.dial(target.origin(), grant, connect)).await;
        let mut conn = dialling.map_err(|expired| match expired {
            Expired::Phase => timeout("weir.http.limit.connect", "a connection"),
            Expired::Total => timeout("weir.http.limit.total", "a connection"),
        })??;
        let head = self.head(&mut conn, target, outgoing).await?;
        Ok((conn, head))
    }

    /// Asks what stands in for the network. Only now: all that the gate has to say has been said.
    async fn recorded(
        &mut self,
        transport: &dyn Transport,
        asked: &CheckedUrl,
        target: &CheckedUrl,
        outgoing: &Outgoing,
    ) -> Result<http::Response<Bytes>, Failure> {
        let origin = target.origin();
        if let Some(address) = origin.address() {
            check(address, origin, &self.request.grant)?;
        }
        let sent = SentRequest {
            method: target.method().to_owned(),
            url: target.as_str().to_owned(),
            asked_url: with_slots(asked.as_str()),
            headers: outgoing.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect(),
            body: outgoing.body.clone(),
        };
        let answering = self.timer.limit(self.request.limits.first_byte, transport.answer(&sent)).await;
        let answer = answering.map_err(|_| timeout("weir.http.limit.first-byte", "the head of the answer"))?;
        self.is_sent |= answer.as_ref().map_or_else(|none| none.request_sent, |_| true);
        let SentResponse { status, headers, body } =
            answer.map_err(|none| Failure::new(none.kind, none.code, none.message))?;
        let malformed =
            |_| Failure::new(HttpFaultKind::Broken, "weir.http.malformed", "the answer cannot be written as HTTP/1.1");
        let mut answer = http::Response::new(body);
        *answer.status_mut() = http::StatusCode::from_u16(status).map_err(|_| malformed(()))?;
        for (name, value) in &headers {
            let name = http::HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed(()))?;
            let value = http::HeaderValue::from_bytes(value.as_bytes()).map_err(|_| malformed(()))?;
            answer.headers_mut().append(name, value);
        }
        Ok(answer)
    }

    /// An answer whose body is there already.
    fn whole(&self, asked: &CheckedUrl, answer: http::Response<Bytes>) -> Result<Response, Failure> {
        let (head, body) = answer.into_parts();
        let mut collector = Collector::new(is_gzipped(&head), self.request.limits.response_body_bytes);
        collector.push(body)?;
        Ok(self.response(asked, &head, collector.finish()?))
    }

    async fn head(&mut self, conn: &mut Conn, target: &CheckedUrl, outgoing: &Outgoing) -> Result<Head, Failure> {
        let mut request = http::Request::new(Full::new(outgoing.body.clone()));
        let unfit = || Failure::denied("weir.http.url", "the URL or the method cannot be written as HTTP/1.1");
        *request.method_mut() = target.method().parse().map_err(|_| unfit())?;
        *request.uri_mut() = target.path_and_query().parse().map_err(|_| unfit())?;
        *request.headers_mut() = header::to_map(&outgoing.headers, target.origin().authority())?;
        let answer = self.timer.limit(self.request.limits.first_byte, conn.request(request)).await;
        self.is_sent |= conn.wrote();
        let answer = answer.map_err(|expired| match expired {
            Expired::Phase => timeout("weir.http.limit.first-byte", "the head of the answer"),
            Expired::Total => timeout("weir.http.limit.total", "the head of the answer"),
        })?;
        answer.map_err(|error| broken(&error))
    }

    /// Reads the answer to its end.
    async fn read(&mut self, conn: &mut Conn, asked: &CheckedUrl, head: Head) -> Result<Response, Failure> {
        let limits = &self.request.limits;
        let (head, mut body) = head.into_parts();
        if head.status.is_informational() {
            let message = "the destination wants to speak another protocol than HTTP/1.1";
            return Err(Failure::new(HttpFaultKind::Broken, "weir.http.malformed", message));
        }
        if body.size_hint().lower() > limits.response_body_bytes as u64 {
            return Err(too_large(limits.response_body_bytes));
        }
        let mut collector = Collector::new(is_gzipped(&head), limits.response_body_bytes);
        while !body.is_end_stream() {
            let frame =
                self.timer.limit(limits.idle, conn.frame(&mut body)).await.map_err(|expired| match expired {
                    Expired::Phase => timeout("weir.http.limit.idle", "more of the answer's body"),
                    Expired::Total => timeout("weir.http.limit.total", "the whole answer"),
                })?;
            let Some(frame) = frame.transpose().map_err(|error| broken(&error))? else { break };
            if let Ok(piece) = frame.into_data() {
                collector.push(piece)?;
            }
        }
        let body = collector.finish()?;
        Ok(self.response(asked, &head, body))
    }

    /// The answer as a plugin may see it.
    fn response(&self, asked: &CheckedUrl, head: &http::response::Parts, body: Bytes) -> Response {
        let is_gzip = is_gzipped(head);
        let is_stale = |name: &str| is_gzip && matches!(name, "content-encoding" | "content-length");
        let headers = header::from_map(&head.headers).filter(|(name, _)| !is_stale(name));
        Response {
            status: head.status.as_u16(),
            url: self.redacted(asked.as_str()),
            headers: headers.map(|(name, value)| (name, self.redacted_owned(value))).collect(),
            body: self.redacted_body(body),
        }
    }

    /// Notes what was asked for in its normal form, but for the braces of slots.
    fn note(&mut self, asked: &CheckedUrl) {
        self.record.origin = asked.origin().to_string();
        self.record.path = self.redacted(&with_slots(asked.path()));
        self.asked = Some(self.redacted(&with_slots(asked.as_str())));
    }

    fn key(&self, target: &CheckedUrl) -> Key {
        Key {
            plugin: self.request.grant.plugin().clone(),
            connection: self.request.connection.as_ref().map(|connection| connection.name.clone()),
            origin: target.origin().clone(),
        }
    }

    fn redacted(&self, text: &str) -> String {
        match &self.request.connection {
            Some(connection) => connection.redactor().text(text).into_owned(),
            None => text.to_owned(),
        }
    }

    fn redacted_owned(&self, text: String) -> String {
        match self.request.connection.as_ref().map(|connection| connection.redactor().text(&text)) {
            Some(Cow::Owned(clean)) => clean,
            _ => text,
        }
    }

    fn redacted_body(&self, body: Bytes) -> Bytes {
        let clean = self.request.connection.as_ref().and_then(|connection| connection.redactor().bytes(&body));
        clean.map_or(body, Bytes::from)
    }
}

/// A normal form with the braces of slots as they were written.
fn with_slots(url: &str) -> String {
    url.replace("%7B%7B", "{{").replace("%7D%7D", "}}")
}

/// The connection ended before an answer had begun.
const CLOSED: &str = "weir.http.closed";

fn broken(error: &hyper::Error) -> Failure {
    let (kind, code, message) = if error.is_parse_too_large() {
        (HttpFaultKind::TooLarge, "weir.http.limit.response-head", "the head of the answer is too large")
    } else if error.is_parse() {
        (HttpFaultKind::Broken, "weir.http.malformed", "the answer is not HTTP/1.1")
    } else {
        (HttpFaultKind::Broken, CLOSED, "the connection ended before the answer did")
    };
    Failure::new(kind, code, message).with_detail(chain(error))
}

fn timeout(code: &'static str, missing: &str) -> Failure {
    let limit = code.trim_start_matches("weir.http.limit.");
    Failure::new(HttpFaultKind::Timeout, code, format!("no {missing} within the limit `{limit}`"))
}

fn is_gzipped(head: &http::response::Parts) -> bool {
    let is_gzip = |encoding: &http::HeaderValue| {
        encoding.as_bytes().eq_ignore_ascii_case(b"gzip") || encoding.as_bytes().eq_ignore_ascii_case(b"x-gzip")
    };
    head.headers.get(http::header::CONTENT_ENCODING).is_some_and(is_gzip)
}

fn is_idempotent(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE")
}
