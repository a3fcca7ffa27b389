//! How much the gate costs: the same requests over the gate and over a bare hyper client.

use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{Bench, Server, bearer, connection, ok, post};

const CONNECTIONS: usize = 16;
const REQUESTS_EACH: usize = 1000;
const BODY: &str = concat!("{\"name\":\"", "a customer of quite ordinary length", "\"}");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gate_keeps_pace() {
    let server = Server::answering("127.0.0.1", |_| ok("{}")).await;
    let started = Instant::now();
    bare(&server).await;
    let control = rate(started);

    let bench = Bench::new();
    let origin = server.url("a.test", "");
    let account = connection("crm", &[&origin], bearer());
    let request = egress::Request { connection: Some(account), ..post(&server.url("a.test", "/v1/contacts"), BODY) };
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (egress, request) = (bench.egress.clone(), request.clone());
        callers.spawn(async move {
            for _ in 0..REQUESTS_EACH {
                assert_eq!(egress.send(request.clone()).await.0.expect("an answer").status, 200);
            }
        });
    }
    callers.join_all().await;
    let gate = rate(started);
    assert_eq!(server.seen().len(), 2 * CONNECTIONS * REQUESTS_EACH);
    assert!(server.accepted() <= 2 * CONNECTIONS, "connections are reused");
    println!("throughput: gate {gate:.0}/s, control (bare hyper client) {control:.0}/s, ratio {:.2}", gate / control);
}

fn rate(started: Instant) -> f64 {
    (CONNECTIONS * REQUESTS_EACH) as f64 / started.elapsed().as_secs_f64()
}

/// As hyper's own examples have it: a connection for each caller, and a task for each connection.
async fn bare(server: &Server) {
    let mut callers = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(server.address).await.expect("a connection");
        let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
        callers.spawn(async { driver.await.expect("a connection to the end") });
        callers.spawn(async move {
            for _ in 0..REQUESTS_EACH {
                let request = http::Request::post("/v1/contacts")
                    .header("host", "a.test")
                    .header("authorization", "Bearer x")
                    .body(Full::new(Bytes::from_static(BODY.as_bytes())))
                    .expect("a request");
                sender.ready().await.expect("a connection");
                let answer = sender.send_request(request).await.expect("an answer");
                assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes().as_ref(), b"{}");
            }
        });
    }
    callers.join_all().await;
}
