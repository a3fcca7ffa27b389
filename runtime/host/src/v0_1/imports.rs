use std::sync::Arc;

use bytes::Bytes;
use egress::{HttpFaultKind, Response};
use model::LogLevel;
use wasmtime::Result;

use super::bindings::weir::plugin::{http, log, types};
use crate::gate::{HttpAnswer, HttpAsk};
use crate::state::CallState;

impl types::Host for CallState {}

impl log::Host for CallState {
    fn write(&mut self, level: log::Level, message: String, fields: Vec<(String, String)>) -> Result<()> {
        self.check_host_calls()?;
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        self.ledger.log(level, &message, fields);
        Ok(())
    }
}

impl http::Host for CallState {
    async fn send(&mut self, request: http::Request) -> Result<std::result::Result<http::Response, http::HttpFault>> {
        self.check_host_calls()?;
        let (gate, ledger) = (self.gate()?, Arc::clone(&self.ledger));
        Ok(answer(gate.send(&ledger, ask(request)).await))
    }

    async fn send_all(
        &mut self,
        requests: Vec<http::Request>,
    ) -> Result<Vec<std::result::Result<http::Response, http::HttpFault>>> {
        self.check_host_calls()?;
        let (gate, ledger, limits) = (self.gate()?, Arc::clone(&self.ledger), Arc::clone(&self.limits));
        let answers = gate.send_all(&ledger, requests.into_iter().map(ask).collect(), &limits).await?;
        Ok(answers.into_iter().map(answer).collect())
    }
}

fn ask(request: http::Request) -> HttpAsk {
    let auth = match request.auth {
        http::Auth::Default => egress::Auth::Default,
        http::Auth::Named(name) => egress::Auth::Named(name),
        http::Auth::Anonymous => egress::Auth::Anonymous,
    };
    let (method, url, headers, body) = (request.method, request.url, request.headers, Bytes::from(request.body));
    HttpAsk { method, url, headers, body, auth }
}

fn answer(answer: HttpAnswer) -> std::result::Result<http::Response, http::HttpFault> {
    match answer {
        Ok(Response { status, url, headers, body }) => Ok(http::Response { status, url, headers, body: body.into() }),
        Err(fault) => Err(http::HttpFault {
            kind: match fault.kind {
                HttpFaultKind::Denied => http::HttpFaultKind::Denied,
                HttpFaultKind::Unreachable => http::HttpFaultKind::Unreachable,
                HttpFaultKind::Tls => http::HttpFaultKind::Tls,
                HttpFaultKind::Timeout => http::HttpFaultKind::Timeout,
                HttpFaultKind::TooLarge => http::HttpFaultKind::TooLarge,
                HttpFaultKind::Broken => http::HttpFaultKind::Broken,
            },
            code: fault.code.to_owned(),
            message: fault.message,
            request_sent: fault.request_sent,
        }),
    }
}
