//! Where a request may go: grants, names, addresses, header fields.

use std::sync::Arc;

use capability::{Grant, GrantText, HttpRuleText};
use egress::{HttpFaultKind, Limits, Request};
use tokio::io::AsyncWriteExt as _;

use crate::support::{Bench, SHORT, Server, get, grant, ok, post, read_request, status};

#[tokio::test]
async fn a_granted_request_arrives_as_it_was_asked_for() {
    let server = Server::answering("127.0.0.1", |_| status(201, &[("x-id", "7"), ("keep-alive", "timeout=5")])).await;
    let url = server.url("a.test", "/v1/x?q=1#part");
    let headers = vec![("Content-Type".to_owned(), "text/plain".to_owned()), ("X-A".to_owned(), "ä".to_owned())];
    let (answer, record) = Bench::new().send(Request { headers, ..post(&url, "hello") }).await;
    let response = answer.expect("an answer");
    assert_eq!((response.status, response.url.as_str()), (201, server.url("a.test", "/v1/x?q=1").as_str()));
    let names: Vec<_> = response.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x-id", "content-length", "date"]);

    let [seen] = &server.seen()[..] else { panic!("one request") };
    assert_eq!((seen.method.as_str(), seen.target.as_str(), seen.body.as_ref()), ("POST", "/v1/x?q=1", &b"hello"[..]));
    assert_eq!(seen.header("host"), format!("a.test:{}", server.address.port()));
    assert_eq!((seen.header("content-length"), seen.header("content-type")), ("5", "text/plain"));
    assert_eq!((seen.header("accept-encoding"), seen.header("transfer-encoding")), ("gzip", ""));
    assert_eq!(seen.headers["x-a"].as_bytes(), "ä".as_bytes());

    assert_eq!((record.method.as_str(), record.path.as_str(), record.status), ("POST", "/v1/x", Some(201)));
    assert_eq!(record.origin, server.url("a.test", ""));
    assert_eq!(record.fault, None);
}

#[tokio::test]
async fn what_is_not_granted_reaches_nobody() {
    let server = Server::answering("127.0.0.1", |_| ok("")).await;
    let bench = Bench::new();
    let other = grant("crm", &["https://api.example.com"]);
    let (answer, record) = bench.send(Request { grant: other, ..get(&server.url("a.test", "/v1/x")) }).await;
    let fault = answer.expect_err("no grant");
    assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Denied, "weir.http.not-granted", false));
    let origin = server.url("a.test", "");
    assert_eq!(
        fault.message,
        format!(
            "plugin `crm` may not reach a.test:{}; to allow it, add to its grant: \
             http = [{{ origin = \"{origin}\", methods = [\"GET\"], paths = [\"/v1/*\"] }}]",
            server.address.port()
        )
    );
    assert_eq!(record.fault, Some(fault.message));
    for (url, code) in [("/v1/x", "weir.http.url"), ("http://127.1/", "weir.http.url"), ("nonsense", "weir.http.url")] {
        let request = Request { url: url.to_owned(), ..get("https://a.test") };
        assert_eq!(bench.fault(request).await.code, code);
    }
    assert_eq!((server.accepted(), bench.names.queries()), (0, 0));
}

#[tokio::test]
async fn every_address_of_a_name_is_checked_before_any_is_dialled() {
    let granted = Server::answering("127.0.0.1", |_| ok("")).await;
    let bench = Bench::new();
    let url = granted.url("a.test", "/");
    for refused in [
        &["127.0.0.2"][..],
        &["127.0.0.1", "127.0.0.2"],
        &["127.0.0.1", "169.254.169.254"],
        &["10.0.0.1", "127.0.0.1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["2002:7f00:1::"],
        &["0.0.0.0"],
        &["255.255.255.255"],
    ] {
        bench.names.set("a.test", &[refused]);
        let (answer, record) = bench.send(get(&url)).await;
        let fault = answer.expect_err("a refused address");
        assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Denied, "weir.http.address", false));
        // The plugin learns nothing about the network; the operator learns what to do.
        let detail = record.fault.expect("a fault");
        assert!(refused.iter().all(|address| !fault.message.contains(address)), "{}", fault.message);
        assert!(detail.contains("private_networks = ["), "{detail}");
    }
    let literal = bench.fault(get(&granted.url("[::1]", "/"))).await;
    assert_eq!(literal.code, "weir.http.address");
    assert_eq!(granted.accepted(), 0);
    bench.names.set("a.test", &[&["127.0.0.1"]]);
    assert_eq!(bench.response(get(&url)).await.status, 200);
    assert_eq!(bench.response(get(&granted.url("127.0.0.1", "/"))).await.status, 200);
}

#[tokio::test]
async fn a_name_that_changes_its_answers_is_dialled_at_the_address_that_was_checked() {
    const TRIES: usize = 500;
    let forbidden = Server::answering("127.0.0.2", |_| ok("")).await;
    let port = forbidden.address.port();
    let granted = loopback_at(port).await;
    let bench = Bench::new();
    let answers: Vec<&[&str]> = (0..TRIES)
        .map(|query| match query % 4 {
            0 => &["127.0.0.1"][..],
            1 => &["127.0.0.2"],
            2 => &["127.0.0.1", "127.0.0.2"],
            _ => &["127.0.0.2", "127.0.0.1"],
        })
        .collect();
    bench.names.set("a.test", &answers);
    let mut passed = 0;
    for _ in 0..TRIES {
        match bench.send(get(&format!("http://a.test:{port}/"))).await.0 {
            Ok(response) => passed += usize::from(response.status == 200),
            Err(fault) => assert_eq!(fault.code, "weir.http.address"),
        }
    }
    // One query for each dial: nothing is looked up again between the check and the connection.
    assert_eq!((passed, granted.accepted(), bench.names.queries()), (TRIES / 4, TRIES / 4, TRIES));
    assert_eq!(forbidden.accepted(), 0);
    println!("rebinding: {TRIES} tries, {passed} of them to the granted address, 0 to the forbidden one");
}

/// A server on 127.0.0.1 that closes each connection after one answer, at a given port.
async fn loopback_at(port: u16) -> Server {
    Server::raw_at("127.0.0.1", port, |mut stream, _| async move {
        if read_request(&mut stream).await.is_some() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await
}

#[tokio::test]
async fn header_fields_that_frame_authenticate_or_break_out_are_refused() {
    let server = Server::answering("127.0.0.1", |_| ok("")).await;
    let bench = Bench::new();
    let url = server.url("a.test", "/");
    let table = [
        ("Host", "b.test"),
        ("content-length", "0"),
        ("Content-Length", "5"),
        ("transfer-encoding", "chunked"),
        ("Transfer-Encoding", "\x0bchunked"),
        ("connection", "close"),
        ("Keep-Alive", "timeout=5"),
        ("upgrade", "websocket"),
        ("te", "trailers"),
        ("trailer", "x"),
        ("expect", "100-continue"),
        ("proxy-authorization", "Basic eA=="),
        ("Proxy-Connection", "keep-alive"),
        ("http2-settings", "x"),
        ("accept-encoding", "br"),
        ("authorization", "Bearer guest"),
        ("Cookie", "a=b"),
        ("", "x"),
        ("x y", "x"),
        ("x:", "x"),
        ("x\r\ny", "x"),
        ("content-length ", "0"),
        (" host", "x"),
        ("x\0", "x"),
        ("ä", "x"),
        ("x", "a\r\nHost: b.test"),
        ("x", "a\nb"),
        ("x", "a\rb"),
        ("x", "a\0b"),
        ("x", "\x7f"),
        ("x", "a\r\n\r\nGET /admin HTTP/1.1"),
    ];
    for (name, value) in table {
        let request = Request { headers: vec![(name.to_owned(), value.to_owned())], ..post(&url, "hello") };
        let fault = bench.fault(request).await;
        assert_eq!((fault.code, fault.request_sent), ("weir.http.header", false), "{name:?}: {value:?}");
    }
    let many = vec![("x".to_owned(), "y".to_owned()); 65];
    let long = vec![("x".to_owned(), "y".repeat(33_000))];
    for headers in [many, long] {
        let fault = bench.fault(Request { headers, ..get(&url) }).await;
        assert_eq!((fault.kind, fault.code), (HttpFaultKind::TooLarge, "weir.http.limit.headers"));
    }
    let limits = Limits { request_body_bytes: 4, ..Limits::default() };
    let fault = bench.fault(Request { limits, ..post(&url, "hello") }).await;
    assert_eq!((fault.kind, fault.code), (HttpFaultKind::TooLarge, "weir.http.limit.request-body"));
    for method in ["GET /admin HTTP/1.1\r\nX:", "CONNECT", "", "G\u{e9}T"] {
        assert_eq!(bench.fault(Request { method: method.to_owned(), ..get(&url) }).await.code, "weir.http.url");
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn a_destination_that_cannot_be_reached_is_told_from_one_that_is_slow() {
    let bench = Bench::new();
    // Nobody listens on this port of 127.0.0.3.
    let port = Server::answering("127.0.0.1", |_| ok("")).await.address.port();
    let url = format!("http://127.0.0.3:{port}");
    let rule = HttpRuleText { origin: url.clone(), methods: vec!["GET".to_owned()], paths: vec!["/*".to_owned()] };
    let text = GrantText { http: vec![rule], private_networks: vec!["127.0.0.3".to_owned()] };
    let grant = Arc::new(Grant::parse("crm", &text).expect("a grant"));
    let fault = bench.fault(Request { grant, ..get(&url) }).await;
    assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Unreachable, "weir.http.connect", false));
    assert!(!fault.message.contains("refused"), "{}", fault.message);

    let fault = bench.fault(get("http://unknown.test/")).await;
    assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Unreachable, "weir.http.name", false));
    bench.names.set("none.test", &[&[]]);
    assert_eq!(bench.fault(get("http://none.test/")).await.code, "weir.http.name");

    bench.names.hang("slow.test");
    let limits = Limits { connect: SHORT, ..Limits::default() };
    let fault = bench.fault(Request { limits, ..get("http://slow.test/") }).await;
    assert_eq!(
        (fault.kind, fault.code, fault.request_sent),
        (HttpFaultKind::Timeout, "weir.http.limit.connect", false)
    );
}
