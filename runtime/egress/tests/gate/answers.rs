//! Answers are bounded in size and time, and `request_sent` is true exactly when something may have arrived.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use egress::{Config, HttpFaultKind, Limits, Request};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::{Answer, Bench, SHORT, Server, get, ok, post, read_request};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn coded(coding: &str, body: impl Into<Bytes>) -> Answer {
    let mut answer = ok(body);
    answer.headers_mut().insert("content-encoding", coding.parse().expect("a value"));
    answer
}

const LIMIT: usize = 64 * 1024;

fn limited(url: &str) -> Request {
    Request { limits: Limits { response_body_bytes: LIMIT, ..Limits::default() }, ..get(url) }
}

#[tokio::test]
async fn gzip_is_undone_and_other_codings_are_handed_on() {
    let server = Server::answering("127.0.0.1", |seen| match seen.target.as_str() {
        "/gzip" => coded("gzip", gzip(b"hello")),
        "/members" => coded("GZIP", [gzip(b"hel"), gzip(b"lo")].concat()),
        "/limit" => coded("gzip", gzip(&[b'a'; LIMIT])),
        "/empty" => coded("gzip", ""),
        _ => coded("br", "opaque"),
    })
    .await;
    let bench = Bench::new();
    for (path, body) in [("/gzip", "hello"), ("/members", "hello"), ("/limit", &"a".repeat(LIMIT)), ("/empty", "")] {
        let response = bench.response(limited(&server.url("a.test", path))).await;
        assert_eq!(response.body.as_ref(), body.as_bytes(), "{path}");
        assert!(response.headers.iter().all(|(name, _)| name != "content-encoding" && name != "content-length"));
    }
    let response = bench.response(limited(&server.url("a.test", "/br"))).await;
    assert!(response.headers.contains(&("content-encoding".to_owned(), "br".to_owned())));
    assert_eq!(response.body.as_ref(), b"opaque");
}

#[tokio::test]
async fn answers_beyond_a_limit_are_cut_at_the_limit() {
    let bomb = gzip(&vec![0; 64 << 20]);
    let ratio = (64 << 20) / bomb.len();
    let server = Server::answering("127.0.0.1", move |seen| match seen.target.as_str() {
        "/bomb" => coded("gzip", bomb.clone()),
        "/one-too-many" => coded("gzip", gzip(&[b'a'; LIMIT + 1])),
        "/long" => ok(vec![0; LIMIT + 1]),
        "/fits" => ok(vec![0; LIMIT]),
        other => panic!("{other}"),
    })
    .await;
    let bench = Bench::new();
    for path in ["/bomb", "/one-too-many", "/long"] {
        let fault = bench.fault(limited(&server.url("a.test", path))).await;
        assert_eq!((fault.kind, fault.request_sent), (HttpFaultKind::TooLarge, true), "{path}");
        assert_eq!(fault.code, "weir.http.limit.response-body");
        assert!(fault.message.contains("65536"), "{}", fault.message);
    }
    assert_eq!(bench.response(limited(&server.url("a.test", "/fits"))).await.body.len(), LIMIT);
    println!("bomb: 64 MiB packed 1:{ratio}, cut at 64 KiB");
}

/// What a raw server says after it has read a request.
async fn raw(answer: &'static [u8], then: fn(TcpStream) -> Then) -> Server {
    Server::raw("127.0.0.1", move |mut stream, _| async move {
        if read_request(&mut stream).await.is_some() && stream.write_all(answer).await.is_ok() {
            then(stream).await;
        }
    })
    .await
}

type Then = futures_util::future::BoxFuture<'static, ()>;

fn close(_: TcpStream) -> Then {
    Box::pin(std::future::ready(()))
}

fn hold(stream: TcpStream) -> Then {
    Box::pin(async move {
        let _stream = stream;
        std::future::pending().await
    })
}

/// Sends chunks for as long as anybody reads them.
fn flood(mut stream: TcpStream) -> Then {
    let chunk = [b"4000\r\n".to_vec(), vec![b'x'; 0x4000], b"\r\n".to_vec()].concat();
    Box::pin(async move { while stream.write_all(&chunk).await.is_ok() {} })
}

/// Sends header fields for as long as anybody reads them.
fn flood_fields(mut stream: TcpStream) -> Then {
    Box::pin(async move {
        while stream.write_all(b"x-field: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n").await.is_ok() {}
    })
}

/// Sends one byte of a body at a time, always within the idle limit.
fn trickle(mut stream: TcpStream) -> Then {
    Box::pin(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
            ticks.tick().await;
        }
    })
}

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn whatever_a_destination_does_the_request_ends_with_its_own_fault() {
    type Case = (&'static str, &'static [u8], fn(TcpStream) -> Then, HttpFaultKind, &'static str);
    let cases: [Case; 16] = [
        ("endless body", CHUNKED, flood, HttpFaultKind::TooLarge, "weir.http.limit.response-body"),
        (
            "endless head",
            b"HTTP/1.1 200 OK\r\n",
            flood_fields,
            HttpFaultKind::TooLarge,
            "weir.http.limit.response-head",
        ),
        ("no answer", b"", hold, HttpFaultKind::Timeout, "weir.http.limit.first-byte"),
        ("half a head", b"HTTP/1.1 200 OK\r\nx-a: b\r\n", hold, HttpFaultKind::Timeout, "weir.http.limit.first-byte"),
        ("no body", CHUNKED, hold, HttpFaultKind::Timeout, "weir.http.limit.idle"),
        (
            "half a body",
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
            hold,
            HttpFaultKind::Timeout,
            "weir.http.limit.idle",
        ),
        ("a trickle", CHUNKED, trickle, HttpFaultKind::Timeout, "weir.http.limit.total"),
        ("closed at once", b"", close, HttpFaultKind::Broken, "weir.http.closed"),
        ("closed in the head", b"HTTP/1.1 200", close, HttpFaultKind::Broken, "weir.http.closed"),
        (
            "closed in the body",
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
            close,
            HttpFaultKind::Broken,
            "weir.http.closed",
        ),
        (
            "closed in a chunk",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf",
            close,
            HttpFaultKind::Broken,
            "weir.http.closed",
        ),
        ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n", hold, HttpFaultKind::Broken, "weir.http.malformed"),
        (
            "two lengths",
            b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
            hold,
            HttpFaultKind::Broken,
            "weir.http.malformed",
        ),
        (
            "a bad chunk",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            hold,
            HttpFaultKind::Broken,
            "weir.http.closed",
        ),
        (
            "bad gzip",
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
            hold,
            HttpFaultKind::Broken,
            "weir.http.encoding",
        ),
        (
            "an upgrade",
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            hold,
            HttpFaultKind::Broken,
            "weir.http.malformed",
        ),
    ];
    let bench = Bench::new();
    for (name, answer, then, kind, code) in cases {
        let server = raw(answer, then).await;
        // Each case can only meet the limit that it is about.
        let mut limits = Limits { response_body_bytes: LIMIT, ..Limits::default() };
        match code {
            "weir.http.limit.first-byte" => limits.first_byte = SHORT,
            "weir.http.limit.idle" => limits.idle = SHORT,
            "weir.http.limit.total" => limits.total = SHORT * 4,
            _ => {}
        }
        let fault = bench.fault(Request { limits, ..get(&server.url("a.test", "/")) }).await;
        assert_eq!((fault.kind, fault.code, fault.request_sent), (kind, code, true), "{name}: {}", fault.message);
        assert_eq!(server.accepted(), 1, "{name}: a new connection was broken, so nothing is repeated");
    }
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_an_answer() {
    let server = raw(b"HTTP/1.0 200 OK\r\n\r\nhello", close).await;
    assert_eq!(Bench::new().response(get(&server.url("a.test", "/"))).await.body.as_ref(), b"hello");
    let truncated = raw(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x8b\x08\x00", close).await;
    assert_eq!(Bench::new().fault(get(&truncated.url("a.test", "/"))).await.code, "weir.http.encoding");
}

#[tokio::test]
async fn requests_beyond_the_cap_wait_for_their_turn() {
    let bench = Bench::with(Config { requests_max: 1, ..Config::default() });
    let slow = raw(b"", hold).await;
    let quick = Server::answering("127.0.0.1", |_| ok("")).await;
    let limits = Limits { total: SHORT, ..Limits::default() };
    // The first takes the only place for a long time; the second gives up.
    let first = bench.egress.send(post(&slow.url("a.test", "/"), ""));
    let second = bench.fault(Request { limits, ..get(&quick.url("a.test", "/")) });
    tokio::select! {
        biased;
        _ = first => panic!("nobody answers"),
        fault = second => {
            assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Timeout, "weir.http.limit.total", false));
        }
    }
    // Dropping the first has given its place back.
    assert_eq!(bench.response(get(&quick.url("a.test", "/"))).await.status, 200);
}
