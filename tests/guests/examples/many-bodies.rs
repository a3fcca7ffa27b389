//! Asks for the same answer many times at once and holds on to all of them. Its input says `WAY COUNT URL`, with the way
//! `http` or `wasi`. Tells how the first one ended that was not answered, or else the last.

use guests::connector::weir::plugin::http::{Auth, Request, send_all};
use guests::connector::weir::plugin::types::Fault;
use guests::wasi::{self, Ask};
use guests::{Call, Receipt, receipt, rejected};

guests::connector!(invoke);

fn invoke(call: Call) -> Result<Receipt, Fault> {
    let input = String::from_utf8_lossy(&call.input.data).into_owned();
    let mut words = input.split(' ');
    let (way, count, url) = (words.next(), words.next(), words.next().unwrap_or_default());
    let count = count.and_then(|count| count.parse().ok()).unwrap_or(1);
    let last = if way == Some("wasi") { by_wasi(count, url) } else { by_contract(count, url) };
    last.map(receipt).map_err(|code| rejected(&code, "one of them was not answered"))
}

fn by_contract(count: usize, url: &str) -> Result<String, String> {
    let (method, url) = ("GET".to_owned(), url.to_owned());
    let request = Request { method, url, headers: Vec::new(), body: Vec::new(), auth: Auth::Default };
    let answers = send_all(&vec![request; count]);
    let answers = answers.into_iter().collect::<Result<Vec<_>, _>>().map_err(|fault| fault.code)?;
    let last = answers.last().ok_or("nothing")?;
    Ok(format!("{} {} bytes", last.status, last.body.len()))
}

fn by_wasi(count: usize, url: &str) -> Result<String, String> {
    let ask = Ask { method: "GET", url, headers: &[], body: &[] };
    let coming = (0..count).map(|_| wasi::begin(&ask)).collect::<Result<Vec<_>, _>>()?;
    // None of them is dropped, and none of their bodies read, before the last has come.
    let answers = coming.iter().map(wasi::finish).collect::<Vec<_>>();
    let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
    let last = answers.last().ok_or("nothing")?;
    Ok(format!("{} {} bytes", last.status(), last.body().len()))
}
