//! Connections are reused within one plugin and connection and never across; stale ones do no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use capability::{Grant, GrantText, HttpRuleText};
use egress::{Config, HttpFaultKind, Request};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;

use crate::support::{Bench, SHORT, Server, bearer, connection, get, grant, ok, post, read_request};

#[tokio::test]
async fn no_connection_serves_two_plugins_or_two_accounts() {
    const ROUNDS: usize = 100;
    let server = Server::answering("127.0.0.1", |_| ok("")).await;
    let bench = Bench::new();
    let (url, origin) = (server.url("a.test", "/"), server.url("a.test", ""));
    let accounts = [None, Some(connection("one", &[&origin], bearer())), Some(connection("two", &[&origin], bearer()))];
    for _ in 0..ROUNDS {
        for plugin in ["crm", "chat"] {
            for account in &accounts {
                let name = account.as_ref().map_or("none", |account| &account.name);
                let headers = vec![("x-who".to_owned(), format!("{plugin} with {name}"))];
                let grant = grant(plugin, &[&origin]);
                bench.response(Request { grant, connection: account.clone(), headers, ..get(&url) }).await;
            }
        }
    }
    let mut by_connection: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for seen in server.seen() {
        by_connection.entry(seen.connection).or_default().insert(seen.header("x-who").to_owned());
    }
    assert!(by_connection.values().all(|who| who.len() == 1), "{by_connection:?}");
    // Six kinds of callers, one connection each: they were reused.
    assert_eq!((by_connection.len(), server.seen().len()), (6, 6 * ROUNDS));
    println!("pool: {} requests of 6 kinds of callers over 6 connections, none shared", 6 * ROUNDS);
}

#[tokio::test]
async fn a_narrower_grant_ends_the_use_of_kept_connections() {
    let server = Server::answering("127.0.0.1", |_| ok("")).await;
    let bench = Bench::new();
    let url = server.url("a.test", "/");
    bench.response(get(&url)).await;
    let rule = HttpRuleText { origin: server.url("a.test", ""), methods: vec!["GET".into()], paths: vec!["/*".into()] };
    let narrowed = GrantText { http: vec![rule], private_networks: Vec::new() };
    let narrowed = Arc::new(Grant::parse("crm", &narrowed).expect("a grant"));
    assert_eq!(bench.fault(Request { grant: narrowed, ..get(&url) }).await.code, "weir.http.address");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced() {
    let closed = Arc::new(Notify::new());
    let told = closed.clone();
    // Answers once as if it would go on, then closes.
    let server = Server::raw("127.0.0.1", move |mut stream, _| {
        let told = told.clone();
        async move {
            read_request(&mut stream).await.expect("a request");
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("a reader");
            stream.shutdown().await.expect("a peer");
            told.notify_one();
        }
    })
    .await;
    let bench = Bench::new();
    for round in 1..=20 {
        // A POST, which may not be repeated once it was written.
        let request = Request { body: bytes::Bytes::new(), ..post(&server.url("a.test", "/"), "") };
        assert_eq!(bench.response(request).await.status, 200);
        closed.notified().await;
        assert_eq!(server.accepted(), round);
    }
}

/// A server whose first connection answers once and closes when it has read the second request; further ones serve on.
async fn closing_on_the_second() -> Server {
    Server::raw("127.0.0.1", |mut stream, connection| async move {
        while read_request(&mut stream).await.is_some() {
            if connection > 0 {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnew").await.expect("a reader");
                continue;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nold").await.expect("a reader");
            // The second request is on its way; it is read, and not answered.
            let _ = read_request(&mut stream).await;
            return;
        }
    })
    .await
}

#[tokio::test]
async fn a_request_on_a_stale_connection_is_repeated_only_if_that_is_safe() {
    for (method, is_repeated) in [("GET", true), ("HEAD", true), ("PUT", true), ("DELETE", true), ("POST", false)] {
        let server = closing_on_the_second().await;
        let bench = Bench::new();
        let url = server.url("a.test", "/");
        assert_eq!(bench.response(get(&url)).await.body.as_ref(), b"old");
        let (answer, _) = bench.send(Request { method: method.to_owned(), ..get(&url) }).await;
        if is_repeated {
            let expected: &[u8] = if method == "HEAD" { b"" } else { b"new" };
            assert_eq!(answer.expect(method).body.as_ref(), expected);
            assert_eq!(server.accepted(), 2, "{method}");
        } else {
            let fault = answer.expect_err(method);
            assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Broken, "weir.http.closed", true));
            assert_eq!(server.accepted(), 1, "{method}");
        }
    }
}

#[tokio::test]
async fn dropping_a_request_closes_its_connection() {
    let (arrived, left) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell_arrived, tell_left) = (arrived.clone(), left.clone());
    let server = Server::raw("127.0.0.1", move |mut stream, _| {
        let (arrived, left) = (tell_arrived.clone(), tell_left.clone());
        async move {
            read_request(&mut stream).await.expect("a request");
            arrived.notify_one();
            assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0, "nothing more is sent");
            left.notify_one();
        }
    })
    .await;
    let bench = Bench::new();
    tokio::select! {
        _ = bench.egress.send(get(&server.url("a.test", "/"))) => panic!("nobody answers"),
        () = arrived.notified() => {}
    }
    left.notified().await;
}

#[tokio::test]
async fn idle_connections_are_bounded_in_number_and_time() {
    let server = Server::answering("127.0.0.1", |_| ok("")).await;
    let url = server.url("a.test", "/");
    let none = Bench::with(Config { idle_per_origin_max: 0, ..Config::default() });
    let expired = Bench::with(Config { idle_for: std::time::Duration::ZERO, ..Config::default() });
    let full = Bench::with(Config { idle_max: 0, ..Config::default() });
    for (index, bench) in [none, expired, full].iter().enumerate() {
        bench.response(get(&url)).await;
        bench.response(get(&url)).await;
        assert_eq!(server.accepted(), 2 * (index + 1));
    }
}

#[tokio::test]
async fn what_is_idle_for_too_long_is_closed_without_another_request() {
    let left = Arc::new(Notify::new());
    let tell_left = left.clone();
    let server = Server::raw("127.0.0.1", move |mut stream, _| {
        let left = tell_left.clone();
        async move {
            read_request(&mut stream).await.expect("a request");
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("a reader");
            assert!(read_request(&mut stream).await.is_none(), "nothing more is sent");
            left.notify_one();
        }
    })
    .await;
    let bench = Bench::with(Config { idle_for: SHORT, ..Config::default() });
    bench.response(get(&server.url("a.test", "/"))).await;
    let (trigger, shutdown) = lifecycle::ShutdownTrigger::new();
    let run = bench.egress.run(shutdown);
    tokio::pin!(run);
    tokio::select! {
        () = &mut run => panic!("nobody said stop"),
        () = left.notified() => {}
    }
    trigger.fire();
    run.await;
}
