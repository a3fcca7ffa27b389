use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use egress::{Auth, HttpFault, HttpFaultKind};
use http_body_util::{BodyExt, Full, Limited};
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
        Self { context, hooks: Hooks { gate: surroundings.gate(), ledger: Arc::clone(ledger) } }
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
        let (gate, ledger) = (self.gate.clone(), Arc::clone(&self.ledger));
        Box::new(async move {
            let gate = gate.ok_or(Error::HttpRequestDenied)?;
            let ask = ask(request, gate.request_body_bytes_max()).await?;
            let response = gate.send(&ledger, ask).await.map_err(|fault| {
                // WASI has no words for the reason; the log has.
                ledger.log(model::LogLevel::Warn, &fault.message, vec![("code".to_owned(), fault.code.to_owned())]);
                error(&fault)
            })?;
            let processed: Box<dyn Future<Output = _> + Send> = Box::new(async { Ok(()) });
            Ok((answer(response)?, processed))
        })
    }
}

async fn ask(request: http::Request<WasiBody>, body_bytes_max: usize) -> Result<HttpAsk, Error> {
    let (head, body) = request.into_parts();
    let mut headers = Vec::with_capacity(head.headers.len());
    for (name, value) in &head.headers {
        let value = value.to_str().map_err(|_| Error::HttpProtocolError)?;
        headers.push((name.as_str().to_owned(), value.to_owned()));
    }
    let body = Limited::new(body, body_bytes_max).collect().await;
    let body = body.map_err(|_| Error::HttpRequestBodySize(Some(body_bytes_max as u64)))?.to_bytes();
    let (method, url) = (head.method.as_str().to_owned(), head.uri.to_string());
    Ok(HttpAsk { method, url, headers, body, auth: Auth::Default })
}

fn answer(response: egress::Response) -> Result<http::Response<WasiBody>, Error> {
    let mut answer = http::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        answer = answer.header(name, value);
    }
    let body = Full::<Bytes>::new(response.body).map_err(|never| match never {}).boxed_unsync();
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
