//! The tables of `wit/FAULTS.md`, held against what the SDK makes of answers and of requests without one.

use weir_sdk::http::HttpFaultKind;
use weir_sdk::testing::{Reply, Script};
use weir_sdk::{Fault, FaultKind, Request, Response};

const PAGE: &str = include_str!("../../../wit/FAULTS.md");

/// The rows of the table below a heading, without the table's own head and without backticks.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(heading)).expect("the heading");
    let table = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cell = |cell: &str| cell.trim().replace('`', "");
    table.map(|line| line.trim_matches('|').split(" | ").map(cell).collect()).collect()
}

fn holds(statuses: &str, status: u16) -> bool {
    statuses.split(", ").any(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        (first.parse().expect("a status")..=last.parse().expect("a status")).contains(&status)
    })
}

fn answer(method: &str, reply: Reply) -> Result<Response, Fault> {
    let request = Request::new(method, "/");
    Script::new().on(request.clone(), reply).http().send(request)?.check()
}

/// The word that the contract has for a kind.
fn word(kind: FaultKind) -> String {
    let mut word = String::new();
    for char in format!("{kind:?}").trim_start_matches("FaultKind::").chars() {
        if char.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(char.to_lowercase());
    }
    word
}

#[test]
fn every_status_is_the_kind_that_the_page_says() {
    let table = rows("From an answer to a kind");
    for status in 100..600 {
        let row = table.iter().find(|row| holds(&row[0], status)).unwrap_or_else(|| panic!("no row holds {status}"));
        for (methods, kind) in [("GET HEAD OPTIONS PUT DELETE", &row[1]), ("POST PATCH PURGE", &row[2])] {
            for method in methods.split(' ') {
                match answer(method, Reply::status(status).header("retry-after", "7")) {
                    Ok(_) => assert_eq!(kind, "none", "{method} {status}"),
                    Err(fault) => {
                        let expected = (kind.clone(), format!("http-{status}"));
                        assert_eq!((word(fault.kind), fault.code.clone()), expected, "{method} {status}");
                        let is_heard = row[3] == "yes" || row[3] == format!("if {kind}");
                        let millis = fault.into_wire().retry_after_ms;
                        assert_eq!(millis, is_heard.then_some(7000), "{method} {status}");
                    }
                }
            }
        }
    }
}

#[test]
fn retry_after_waits_as_long_as_the_page_says() {
    for row in rows("`Retry-After`") {
        let reply = Reply::status(503).header("retry-after", &row[0]).header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let millis = answer("GET", reply).expect_err("a fault").into_wire().retry_after_ms;
        assert_eq!(millis.map_or("none".to_owned(), |millis| millis.to_string()), row[1], "{}", row[0]);
    }
}

#[test]
fn every_request_without_an_answer_is_the_kind_that_the_page_says() {
    use HttpFaultKind::{Broken, Denied, Timeout, Tls, TooLarge, Unreachable};
    let table = rows("From a request without an answer to a kind");
    let kinds = [Denied, Unreachable, Tls, Timeout, TooLarge, Broken];
    assert_eq!(table.len(), kinds.len());
    for (row, why) in table.iter().zip(kinds) {
        for (method, sent, kind) in
            [("GET", false, &row[1]), ("POST", false, &row[1]), ("GET", true, &row[2]), ("POST", true, &row[3])]
        {
            let fault = answer(method, Reply::fault(why, sent)).expect_err("a fault");
            assert_eq!((&word(fault.kind), fault.code.as_str()), (kind, "scripted"), "{}, {method}, {sent}", row[0]);
        }
    }
}
