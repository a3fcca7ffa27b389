//! Sends the request that its input names, as `METHOD URL`, by `wasi:http` instead of the contract.

use guests::connector::weir::plugin::types::Fault;
use guests::wasi::{Ask, send};
use guests::{Call, Receipt, receipt, rejected};

guests::connector!(invoke);

fn invoke(call: Call) -> Result<Receipt, Fault> {
    let line = String::from_utf8_lossy(&call.input.data).into_owned();
    let (method, url) = line.split_once(' ').unwrap_or(("GET", &line));
    // As clients of HTTP do: a body goes with its length.
    let body: &[u8] = if method == "GET" { b"" } else { b"an order" };
    let length = ("content-length".to_owned(), body.len().to_string());
    let headers = if body.is_empty() { &[][..] } else { &[length][..] };
    match send(&Ask { method, url, headers, body }) {
        Ok(answer) => Ok(receipt(format!("{} {}", answer.status(), answer.body()))),
        Err(fault) => Err(rejected(&fault, "wasi:http gave no answer")),
    }
}
