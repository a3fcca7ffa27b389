//! Sends the request that its input names, as `METHOD URL`, by `wasi:http` instead of the contract.

use guests::connector::weir::plugin::types::Fault;
use guests::{Call, Receipt, receipt, rejected};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme};

guests::connector!(invoke);

fn invoke(call: Call) -> Result<Receipt, Fault> {
    let line = String::from_utf8_lossy(&call.input.data).into_owned();
    match request(&line) {
        Ok(response) => Ok(receipt(format!("{} {}", response.status(), body(&response)))),
        Err(fault) => Err(rejected(&fault, "wasi:http gave no answer")),
    }
}

fn request(line: &str) -> Result<IncomingResponse, String> {
    let (method, url) = line.split_once(' ').ok_or("no method")?;
    let (scheme, rest) = url.split_once("://").ok_or("no scheme")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let request = OutgoingRequest::new(Fields::new());
    let sent = "the request refused what it was given";
    request.set_method(&if method == "GET" { Method::Get } else { Method::Post }).map_err(|()| sent)?;
    request.set_scheme(Some(&if scheme == "http" { Scheme::Http } else { Scheme::Https })).map_err(|()| sent)?;
    request.set_authority(Some(authority)).map_err(|()| sent)?;
    request.set_path_with_query(Some(path)).map_err(|()| sent)?;
    let outgoing = request.body().map_err(|()| sent)?;
    let coming = handle(request, None).map_err(|fault| format!("{fault:?}"))?;
    OutgoingBody::finish(outgoing, None).map_err(|fault| format!("{fault:?}"))?;
    coming.subscribe().block();
    match coming.get() {
        Some(Ok(answer)) => answer.map_err(|fault| format!("{fault:?}")),
        _ => Err("no answer".to_owned()),
    }
}

fn body(response: &IncomingResponse) -> String {
    let mut text = Vec::new();
    if let Ok(body) = response.consume()
        && let Ok(stream) = body.stream()
    {
        while let Ok(bytes) = stream.blocking_read(64 * 1024) {
            text.extend(bytes);
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}
