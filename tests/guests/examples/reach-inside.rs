//! Tries to get at what lies inside the network. Its input names an ally that redirects wherever it is asked to, and then
//! the URLs to try; each is tried by both ways out, straight and through the ally. Tells how every one of them ended.

use guests::connector::weir::plugin::http::{Auth, Request, send};
use guests::connector::weir::plugin::types::Fault;
use guests::wasi::{self, Ask};
use guests::{Call, Receipt, receipt};

guests::connector!(invoke);

fn invoke(call: Call) -> Result<Receipt, Fault> {
    let input = String::from_utf8_lossy(&call.input.data).into_owned();
    let mut lines = input.lines();
    let ally = lines.next().unwrap_or_default();
    let mut told = String::new();
    for url in lines {
        let through = format!("{ally}/redirect?to={url}");
        for (path, url) in [("straight", url), ("redirect", &through)] {
            told += &format!("http {path} {url} {}\n", by_contract(url));
            told += &format!("wasi {path} {url} {}\n", by_wasi(url));
        }
    }
    Ok(receipt(told))
}

fn by_contract(url: &str) -> String {
    let (method, url) = ("GET".to_owned(), url.to_owned());
    match send(&Request { method, url, headers: Vec::new(), body: Vec::new(), auth: Auth::Default }) {
        Ok(response) => format!("{} {}", response.status, String::from_utf8_lossy(&response.body)),
        Err(fault) => fault.code,
    }
}

fn by_wasi(url: &str) -> String {
    match wasi::send(&Ask { method: "GET", url, headers: &[], body: &[] }) {
        Ok(answer) => format!("{} {}", answer.status(), answer.body()),
        Err(fault) => fault,
    }
}
