//! Sends the request that its input names, as `METHOD URL`, and says what came of it. The action `insist` then loops for
//! ever, `shrug` takes every fault for nothing, and `tell` tells what it was told of the call.

use guests::connector::weir::plugin::http::{Auth, HttpFault, Request, Response, send};
use guests::connector::weir::plugin::types::Fault;
use guests::{Call, Receipt, receipt, rejected};

guests::connector!(invoke);

fn invoke(call: Call) -> Result<Receipt, Fault> {
    if call.action == "tell" {
        let context = call.context;
        return Ok(receipt(format!("{} {:?} {}", context.connection, context.account, context.settings)));
    }
    let answer = request(&String::from_utf8_lossy(&call.input.data));
    if call.action == "insist" {
        loop {
            std::hint::black_box(&answer);
        }
    }
    match answer {
        Ok(response) => Ok(receipt(format!("{} {}", response.status, String::from_utf8_lossy(&response.body)))),
        Err(fault) if call.action == "shrug" => Ok(receipt(fault.code)),
        Err(fault) => Err(rejected(&fault.code, &fault.message)),
    }
}

fn request(line: &str) -> Result<Response, HttpFault> {
    let (method, url) = line.split_once(' ').unwrap_or(("GET", line));
    let body = if method == "GET" { Vec::new() } else { b"hello".to_vec() };
    send(&Request { method: method.to_owned(), url: url.to_owned(), headers: Vec::new(), body, auth: Auth::Default })
}
