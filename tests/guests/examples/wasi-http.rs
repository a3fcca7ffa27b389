//! Sends the request that its input names, as `METHOD URL`, by `wasi:http` instead of the contract.

use guests::connector::weir::plugin::types::Fault;
use guests::wasi::{Ask, send};
use guests::{Call, Receipt, receipt, rejected};

guests::connector!(invoke);

fn invoke(call: Call) -> Result<Receipt, Fault> {
    let line = String::from_utf8_lossy(&call.input.data).into_owned();
    let (method, url) = line.split_once(' ').unwrap_or(("GET", &line));
    match send(&Ask { method, url, headers: &[], body: &[] }) {
        Ok(answer) => Ok(receipt(format!("{} {}", answer.status(), answer.body()))),
        Err(fault) => Err(rejected(&fault, "wasi:http gave no answer")),
    }
}
