use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use capability::Grant;
use connection::Connection;
use egress::{Auth, Egress, HttpFault, HttpFaultKind, Request, Response};
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::Semaphore;

use crate::ledger::Ledger;
use crate::limits::{Exceeded, Limits};

/// Requests of one call that are under way at once: the host holds their answers until they are whole.
const SIDE_BY_SIDE: usize = 8;

/// The only way out of a connector's call, whichever import it uses: it counts, and hands the request to egress.
pub(crate) struct Gate {
    egress: Egress,
    grant: Arc<Grant>,
    connection: Option<Arc<Connection>>,
    limits: egress::Limits,
    /// When the call must have ended.
    deadline: Instant,
    side_by_side: Semaphore,
}

/// A request as a guest asks for it.
#[derive(Debug)]
pub(crate) struct HttpAsk {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) auth: Auth,
}

pub(crate) type HttpAnswer = Result<Response, HttpFault>;

impl Gate {
    pub(crate) fn new(
        egress: Egress,
        grant: Arc<Grant>,
        connection: Option<Arc<Connection>>,
        limits: &Limits,
        deadline: Instant,
    ) -> Self {
        let size = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        let limits = egress::Limits {
            request_body_bytes: size(limits.request_body_bytes),
            response_body_bytes: size(limits.response_body_bytes),
            ..egress::Limits::default()
        };
        Self { egress, grant, connection, limits, deadline, side_by_side: Semaphore::new(SIDE_BY_SIDE) }
    }

    /// The connection in use.
    pub(crate) fn connection(&self) -> Option<&Connection> {
        self.connection.as_deref()
    }

    /// Bytes that the body of a request may have.
    pub(crate) fn request_body_bytes_max(&self) -> usize {
        self.limits.request_body_bytes
    }

    /// Bytes that the body of an answer may have.
    pub(crate) fn response_body_bytes_max(&self) -> usize {
        self.limits.response_body_bytes
    }

    /// What is left of the call's time.
    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Sends requests side by side; their answers stand in the order of the requests.
    pub(crate) async fn send_all(
        &self,
        ledger: &Arc<Ledger>,
        asks: Vec<HttpAsk>,
        limits: &Limits,
    ) -> Result<Vec<HttpAnswer>, Exceeded> {
        let mut coming = stream::iter(asks.into_iter().map(|ask| self.send(ledger, ask))).buffered(SIDE_BY_SIDE);
        let (mut answers, mut bytes) = (Vec::new(), 0);
        while let Some(answer) = coming.next().await {
            // What the host holds for one call is bounded as if it were one answer, and counted before more is fetched.
            bytes += answer.as_ref().map_or(0, |response| response.body.len());
            limits.check_output(bytes)?;
            answers.push(answer);
        }
        Ok(answers)
    }

    /// Sends one request. However it ends, the ledger knows of it.
    pub(crate) async fn send(&self, ledger: &Arc<Ledger>, ask: HttpAsk) -> HttpAnswer {
        let can_have_effect = !matches!(ask.method.as_str(), "GET" | "HEAD" | "OPTIONS");
        let flight = ledger.begin_request(can_have_effect).map_err(refused)?;
        // It is never closed; whoever waits here too long ends with the call.
        let _turn = self.side_by_side.acquire().await;
        let HttpAsk { method, url, headers, body, auth } = ask;
        let limits = egress::Limits { total: self.limits.total.min(self.remaining()), ..self.limits };
        let (grant, connection) = (Arc::clone(&self.grant), self.connection.clone());
        let request = Request { grant, connection, method, url, headers, body, auth, limits };
        let (answer, record) = self.egress.send(request).await;
        let settled = answer.as_ref().map_or_else(|fault| !fault.request_sent, |_| true);
        flight.land(record, settled);
        answer
    }
}

fn refused(exceeded: Exceeded) -> HttpFault {
    HttpFault { kind: HttpFaultKind::Denied, code: exceeded.code(), message: exceeded.to_string(), request_sent: false }
}
