//! Clients that are slow, silent or try to be understood in two ways.

use std::time::Duration;

use bytes::Bytes;
use expect_test::expect;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use ingress::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::support::*;

const SHORT: Duration = Duration::from_millis(50);

async fn with(limits: Limits) -> (Running, TcpStream) {
    let running = start_with(vec![route("/in")], limits, None).await;
    let stream = TcpStream::connect(running.address()).await.unwrap();
    (running, stream)
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let (_running, mut stream) = with(Limits { first_byte: SHORT, ..Limits::default() }).await;
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn a_header_that_drips_is_cut_off() {
    let (_running, mut stream) = with(Limits { header: SHORT, ..Limits::default() }).await;
    let start = Instant::now();
    let mut sent = b"POST /in HTTP/1.1\r\nx: ".to_vec();
    loop {
        // Each byte comes in time for a limit that would start again with it.
        if stream.write_all(&sent).await.is_err() {
            break;
        }
        let mut byte = [0];
        match timeout(SHORT / 5, stream.read(&mut byte)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(_)) => panic!("a header that is not complete was answered"),
            Err(_) => sent = b"x".to_vec(),
        }
    }
    assert!(start.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_second_header_that_stops_is_cut_off_before_the_idle_time() {
    let (_running, mut stream) = with(Limits { header: SHORT, idle: PATIENCE * 2, ..Limits::default() }).await;
    stream.write_all(b"POST /in HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 202");
    stream.write_all(b"POST /in").await.unwrap();
    read_to_end(&mut stream).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let (_running, mut stream) = with(Limits { idle: SHORT, ..Limits::default() }).await;
    stream.write_all(b"POST /in HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    expect![[r#"
        HTTP/1.1 202 Accepted
        content-type: application/json
        content-length: 42

        {"event":"evt_01m830mq20…"}"#]]
    .assert_eq(&blot(&read_to_end(&mut stream).await));
}

#[tokio::test]
async fn a_body_that_is_too_slow_is_answered() {
    let limits = Limits { body_grace: SHORT, body_rate_min: 10_000, ..Limits::default() };
    let (running, mut stream) = with(limits).await;
    stream.write_all(b"POST /in HTTP/1.1\r\nhost: test\r\ncontent-length: 500\r\n\r\n{").await.unwrap();
    expect![[r#"
        HTTP/1.1 408 Request Timeout
        content-type: application/problem+json
        content-length: 170

        {"title":"Request Timeout","status":408,"code":"body-too-slow","detail":"the body came too slowly: at least 10000 bytes a second are expected, and all of it within 60 s"}"#]].assert_eq(&blot(&read_to_end(&mut stream).await));
    assert_eq!(*running.intake.arrived.borrow(), 0);
}

#[tokio::test]
async fn a_body_may_take_so_long_in_all() {
    let limits = Limits { body: SHORT, body_rate_min: 1, ..Limits::default() };
    let (_running, mut stream) = with(limits).await;
    stream.write_all(b"POST /in HTTP/1.1\r\nhost: test\r\ncontent-length: 500\r\n\r\n{").await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_in_many_pieces_arrives_whole() {
    let (running, mut stream) = with(Limits::default()).await;
    let head = "POST /in HTTP/1.1\r\nhost: test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in ["1\r\n[\r\n", "4\r\n1,2,\r\n", "2\r\n3]\r\n", "0\r\n\r\n"] {
        stream.write_all(piece.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
    read_to_end(&mut stream).await;
    assert_eq!(running.take_one().event.data, "[1,2,3]");
}

/// What a client tries to smuggle in must never be taken for a request.
const SMUGGLED: &str = "POST /in HTTP/1.1\r\nhost: smuggled\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn two_lengths_that_differ_end_the_connection() {
    for lengths in [
        "content-length: 2\r\ncontent-length: 3",
        "content-length: +2",
        "content-length: 2, 3",
        "content-length: -1",
        "content-length: 0x2",
        "transfer-encoding: identity",
        "transfer-encoding: chunked, gzip",
        "content-length : 2",
        "x: y\r\n content-length: 2",
    ] {
        let (running, mut stream) = with(Limits::default()).await;
        let request = format!("POST /in HTTP/1.1\r\nhost: test\r\n{lengths}\r\n\r\n{{}}{SMUGGLED}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{lengths}: {answer}");
        assert!(answer.contains("application/problem+json") && answer.contains("RFC 9112"), "{lengths}: {answer}");
        assert_eq!(*running.intake.arrived.borrow(), 0, "{lengths}");
    }
}

#[tokio::test]
async fn nothing_behind_a_chunked_body_with_a_length_is_read() {
    for lengths in
        ["content-length: 5\r\ntransfer-encoding: chunked", "transfer-encoding: chunked\r\ncontent-length: 5"]
    {
        let (running, mut stream) = with(Limits::default()).await;
        let request = format!("POST /in HTTP/1.1\r\nhost: test\r\n{lengths}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n{SMUGGLED}");
        stream.write_all(request.as_bytes()).await.unwrap();
        // What is left unread may reset the connection behind the answer.
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer).matches("HTTP/1.1").count(), 1, "{lengths}");
        let event = running.take_one().event;
        assert!(event.transport.contains(&("header.host".to_owned(), "test".to_owned())));
    }
}

#[tokio::test]
async fn a_chunk_that_is_broken_is_refused() {
    let (running, mut stream) = with(Limits::default()).await;
    let request = "POST /in HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
    assert_eq!(*running.intake.arrived.borrow(), 0);
}

#[tokio::test]
async fn http_1_0_gets_one_answer_per_connection() {
    let (_running, mut stream) = with(Limits::default()).await;
    let request = "POST /in HTTP/1.0\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}";
    stream.write_all(request.as_bytes()).await.unwrap();
    expect![[r#"
        HTTP/1.0 202 Accepted
        content-type: application/json
        content-length: 42

        {"event":"evt_01m830mq20…"}"#]]
    .assert_eq(&blot(&read_to_end(&mut stream).await));
}

#[tokio::test]
async fn a_header_that_is_too_large_is_refused() {
    let (_running, mut stream) = with(Limits { header_bytes_max: 8 * 1024, ..Limits::default() }).await;
    let request = format!("POST /in HTTP/1.1\r\nhost: test\r\nx: {}\r\n", "x".repeat(8 * 1024));
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
    assert!(body.contains("header_bytes_max") && body.contains("unreadable-request"), "{answer}");
}

#[tokio::test]
async fn who_asks_before_sending_too_much_is_told_at_once() {
    let (_running, mut stream) = with(Limits::default()).await;
    let request = "POST /in HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 5000\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answer}");
}

#[tokio::test]
async fn who_is_still_sending_too_much_gets_the_answer() {
    let (_running, mut stream) = with(Limits::default()).await;
    let request = post("/in", &[], "x".repeat(900 * 1024));
    stream.write_all(&request).await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 Payload Too Large\r\n"), "{answer}");
}

#[tokio::test]
async fn a_connection_beyond_the_limit_waits_for_a_place() {
    let (running, mut first) = with(Limits { connections_max: 1, ..Limits::default() }).await;
    // Once it is answered it surely has the place.
    first.write_all(b"POST /in HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    first.read_exact(&mut [0; 12]).await.unwrap();
    let mut second = TcpStream::connect(running.address()).await.unwrap();
    second.write_all(&post("/in", &[], "{}")).await.unwrap();
    timeout(SHORT, second.read_u8()).await.expect_err("no answer while there is no place");
    assert_eq!(*running.intake.arrived.borrow(), 1);
    drop(first);
    assert!(read_to_end(&mut second).await.starts_with("HTTP/1.1 202 Accepted\r\n"));
}

type Http2 = http2::SendRequest<Full<Bytes>>;

/// A client of HTTP/2; its connection lives until the client is dropped or the server ends it.
async fn http2(running: &Running) -> Http2 {
    let stream = TcpStream::connect(running.address()).await.unwrap();
    let (client, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    running.tasks.spawn("client", async move { drop(connection.await) });
    client
}

fn request(body: impl Into<Bytes>) -> hyper::Request<Full<Bytes>> {
    hyper::Request::post("http://test/in").body(Full::new(body.into())).unwrap()
}

#[tokio::test]
async fn many_requests_share_an_http_2_connection() {
    let running = start(vec![route("/in")]).await;
    let gate = std::sync::Arc::new(Semaphore::new(0));
    *running.intake.gate.lock().unwrap() = Some(gate.clone());
    let client = http2(&running).await;
    let requests = (0..50).map(|number| {
        let mut client = client.clone();
        async move { client.send_request(request(format!("[{number}]"))).await.unwrap().status() }
    });
    let all = futures_util::future::join_all(requests);
    let release = async {
        running.intake.arrived.subscribe().wait_for(|arrived| *arrived == 50).await.unwrap();
        gate.add_permits(50);
    };
    let (statuses, ()) = timeout(PATIENCE, futures_util::future::join(all, release)).await.unwrap();
    assert!(statuses.iter().all(|status| *status == 202), "{statuses:?}");
    assert_eq!(running.take_seen().len(), 50);
}

#[tokio::test]
async fn too_much_over_http_2_is_refused_alike() {
    let running = start(vec![route("/in")]).await;
    let mut client = http2(&running).await;
    let answer = client.send_request(request("x".repeat(100_000))).await.unwrap();
    assert_eq!(answer.status(), 413);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    expect![[r#"{"title":"Payload Too Large","status":413,"code":"body-too-large","detail":"the body has more than 1024 bytes (limit `body_bytes_max` of this path)"}"#]].assert_eq(std::str::from_utf8(&body).unwrap());

    let mut many = request("{}");
    for number in 0..101 {
        let name = http::HeaderName::try_from(format!("x-{number}")).unwrap();
        many.headers_mut().insert(name, http::HeaderValue::from_static("1"));
    }
    assert_eq!(client.send_request(many).await.unwrap().status(), 431);
    // The connection serves on.
    assert_eq!(client.send_request(request("{}")).await.unwrap().status(), 202);
}

#[tokio::test]
async fn an_idle_http_2_connection_is_closed() {
    let running = start_with(vec![route("/in")], Limits { idle: SHORT, ..Limits::default() }, None).await;
    let stream = TcpStream::connect(running.address()).await.unwrap();
    let (mut client, connection) =
        http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let exchange = async {
        assert_eq!(client.send_request(request("{}")).await.unwrap().status(), 202);
        // Held, so that the client does not end the connection.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = timeout(PATIENCE, connection) => drop(ended.expect("the server ends it")),
        () = exchange => {}
    }
}
