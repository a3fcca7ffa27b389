use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use egress::{Auth, HttpFault, HttpFaultKind};
use http_body_util::{BodyExt, Full};
use wasmtime::Result as WasmtimeResult;
use wasmtime::component::Linker;
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::http::{outgoing_handler, types};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks};

use super::Surroundings;
use crate::gate::{Gate, HttpAsk};
use crate::ledger::Ledger;
use crate::state::CallState;

/// Bytes of the header fields of one message, as they lie in memory.
const FIELDS_BYTES_MAX: usize = 64 * 1024;

pub(super) fn link(linker: &mut Linker<CallState>) -> WasmtimeResult<()> {
    outgoing_handler::add_to_linker::<_, WasiHttp>(linker, CallState::counted_http)?;
    types::add_to_linker::<_, WasiHttp>(linker, &(&LinkOptions::default()).into(), CallState::counted_http)
}

/// What `wasi:http` needs of one call.
pub(crate) struct WasiHttpState {
    context: WasiHttpCtx,
    hooks: Hooks,
}

impl WasiHttpState {
    pub(crate) fn new(surroundings: &Surroundings, ledger: &Arc<Ledger>) -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(FIELDS_BYTES_MAX);
        Self { context, hooks: Hooks { gate: surroundings.gate(), ledger: Arc::clone(ledger), held: Arc::default() } }
    }
}

impl CallState {
    fn counted_http(&mut self) -> WasiHttpCtxView<'_> {
        let state = self.counted();
        let WasiHttpState { context, hooks } = &mut state.wasi_http;
        WasiHttpCtxView { ctx: context, table: &mut state.table, hooks }
    }
}

/// Leads every request of `wasi:http` to the gate.
struct Hooks {
    gate: Option<Arc<Gate>>,
    ledger: Arc<Ledger>,
    held: Arc<Held>,
}

/// Bytes of bodies that the host holds for the guest, because it can have many requests and answers at once: what it has
/// written of requests that are not answered yet, and answers that it has not let go of.
#[derive(Default)]
struct Held {
    requests: AtomicUsize,
    answers: AtomicUsize,
}

/// What one body adds to a sum, until it is dropped.
struct Share {
    held: Arc<Held>,
    sum: fn(&Held) -> &AtomicUsize,
    bytes: usize,
}

impl Share {
    fn of_requests(held: &Arc<Held>) -> Self {
        Self { held: Arc::clone(held), sum: |held| &held.requests, bytes: 0 }
    }

    fn of_answers(held: &Arc<Held>) -> Self {
        Self { held: Arc::clone(held), sum: |held| &held.answers, bytes: 0 }
    }

    /// Adds bytes; whether the sum is still within so many.
    fn grow(&mut self, bytes: usize, bytes_max: usize) -> bool {
        self.bytes += bytes;
        (self.sum)(&self.held).fetch_add(bytes, Ordering::Relaxed) + bytes <= bytes_max
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        (self.sum)(&self.held).fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

type Answered = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl WasiHttpHooks for Hooks {
    // The gate writes `Host` itself, from the URL that it has checked.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answered, Error>> + Send> {
        let (gate, ledger, held) = (self.gate.clone(), Arc::clone(&self.ledger), Arc::clone(&self.held));
        Box::new(async move {
            let gate = gate.ok_or(Error::HttpRequestDenied)?;
            // WASI has no words for the reason; the log has.
            let log = |code: &str, message: &str| {
                ledger.log(model::LogLevel::Warn, message, vec![("code".to_owned(), code.to_owned())]);
            };
            let (mut asked, mut answered) = (Share::of_requests(&held), Share::of_answers(&held));
            let ask = ask(request, &mut asked, gate.request_body_bytes_max()).await.inspect_err(|fault| {
                if matches!(fault, Error::HttpRequestBodySize(_)) {
                    log("weir.http.limit.request-body", "requests under way at once exceed the limit `request_body`");
                }
            })?;
            let response = gate.send(&ledger, ask).await.map_err(|fault| {
                log(fault.code, &fault.message);
                error(&fault)
            })?;
            if !answered.grow(response.body.len(), gate.response_body_bytes_max()) {
                log("weir.http.limit.response-body", "answers held at once exceed the limit `response_body`");
                return Err(Error::HttpResponseBodySize(None));
            }
            let processed: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
            Ok((answer(response, answered)?, processed))
        })
    }
}

async fn ask(request: http::Request<WasiBody>, share: &mut Share, body_bytes_max: usize) -> Result<HttpAsk, Error> {
    let (head, mut body) = request.into_parts();
    let mut headers = Vec::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        // Clients of WASI say the length themselves, as they may there. The host has compared it with the body, and the
        // gate writes its own.
        if name == http::header::CONTENT_LENGTH {
            continue;
        }
        let value = value.to_str().map_err(|_| Error::HttpProtocolError)?;
        headers.push((name.as_str().to_owned(), value.to_owned()));
    }
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else { continue };
        if !share.grow(piece.len(), body_bytes_max) {
            return Err(Error::HttpRequestBodySize(Some(body_bytes_max as u64)));
        }
        whole.extend_from_slice(&piece);
    }
    let (method, url) = (head.method.as_str().to_owned(), head.uri.to_string());
    Ok(HttpAsk { method, url, headers, body: whole.into(), auth: Auth::Default })
}

fn answer(response: egress::Response, share: Share) -> Result<http::Response<WasiBody>, Error> {
    let mut answer = http::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        answer = answer.header(name, value);
    }
    let body = Full::<Bytes>::new(response.body).map_err(move |never| {
        // Nothing ever fails here; the share lies in the body until the guest lets go of it.
        let _ = &share;
        match never {}
    });
    let body = body.boxed_unsync();
    answer.body(body).map_err(|_| Error::HttpProtocolError)
}

fn error(fault: &HttpFault) -> Error {
    match fault.kind {
        HttpFaultKind::Denied => Error::HttpRequestDenied,
        HttpFaultKind::Unreachable => Error::DestinationUnavailable,
        HttpFaultKind::Tls => Error::TlsProtocolError,
        HttpFaultKind::Timeout => Error::HttpResponseTimeout,
        HttpFaultKind::TooLarge => Error::HttpResponseBodySize(None),
        HttpFaultKind::Broken => Error::ConnectionTerminated,
    }
}
