//! Sends as many requests as it can, by `send-all`, and says how the last one ended.

use guests::connector::weir::plugin::http::{Auth, Request, send_all};
use guests::connector::weir::plugin::types::Fault;
use guests::{Call, Receipt, receipt, rejected};

guests::connector!(invoke);

fn invoke(call: Call) -> Result<Receipt, Fault> {
    let request = Request {
        method: "GET".to_owned(),
        url: String::from_utf8_lossy(&call.input.data).into_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        auth: Auth::Anonymous,
    };
    match send_all(&vec![request; 500]).pop() {
        Some(Err(fault)) => Err(rejected(&fault.code, &fault.message)),
        _ => Ok(receipt("all of them were sent".to_owned())),
    }
}
