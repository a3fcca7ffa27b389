//! Beginning and end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ingress::{BuildError, Config, Ingress, Limits, Tls};
use lifecycle::ManualClock;
use rcgen::CertifiedKey;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::support::*;

#[tokio::test]
async fn a_port_in_use_is_named_with_the_cure() {
    let running = start(vec![]).await;
    let config = Config { address: running.address(), tls: None, limits: Limits::default() };
    let clock = Arc::new(ManualClock::at(UNIX_EPOCH));
    let error = Ingress::build(config, running.intake.clone(), clock).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen on {}: another process listens there: stop it, or choose another port",
            running.address()
        )
    );
}

#[test]
fn certificates_that_cannot_work_are_refused() {
    let pair = |name: &str| {
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    };
    let ((chain, key), (_, other_key)) = (pair("a"), pair("b"));
    let load = |chain: &str, key: &str| Tls::from_pem(chain.as_bytes(), key.as_bytes());
    load(&chain, &key).unwrap();
    assert!(matches!(load(&key, &key), Err(BuildError::Certificates(_))));
    assert!(matches!(load(&chain, &chain), Err(BuildError::Key(_))));
    assert!(matches!(load(&chain, &other_key), Err(BuildError::Pair(_))));
}

fn request() -> hyper::Request<Full<Bytes>> {
    hyper::Request::post("https://localhost/in").header("host", "localhost").body(Full::from("{}")).unwrap()
}

#[tokio::test]
async fn both_protocols_are_spoken_over_tls() {
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls::from_pem(cert.pem().as_bytes(), signing_key.serialize_pem().as_bytes()).unwrap();
    let running = start_with(vec![route("/in")], Limits::default(), Some(tls)).await;
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = builder.with_root_certificates(roots).with_no_client_auth();
    for protocol in ["h2", "http/1.1"] {
        let mut client = client.clone();
        client.alpn_protocols = vec![protocol.into()];
        let stream = TcpStream::connect(running.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
        let stream = TokioIo::new(stream);
        let answer = if protocol == "h2" {
            let (mut client, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
            running.tasks.spawn("client", async { drop(connection.await) });
            client.send_request(request()).await
        } else {
            let (mut client, connection) = http1::handshake(stream).await.unwrap();
            running.tasks.spawn("client", async { drop(connection.await) });
            client.send_request(request()).await
        };
        assert_eq!(answer.unwrap().status(), 202);
    }
    assert_eq!(running.take_seen().len(), 2);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let tls = Tls::from_pem(cert.pem().as_bytes(), signing_key.serialize_pem().as_bytes()).unwrap();
    let limits = Limits { first_byte: Duration::from_millis(50), ..Limits::default() };
    let running = start_with(vec![], limits, Some(tls)).await;
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
}

/// Ends when nobody listens there any more.
async fn refused(address: SocketAddr) {
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_end() {
    let mut running = start(vec![route("/in")]).await;
    let gate = Arc::new(Semaphore::new(0));
    *running.intake.gate.lock().unwrap() = Some(gate.clone());
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    stream.write_all(b"POST /in HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    running.intake.arrived.subscribe().wait_for(|arrived| *arrived == 1).await.unwrap();

    running.trigger.fire();
    timeout(PATIENCE, refused(running.address())).await.unwrap();
    assert!(!*running.ended.borrow());
    gate.add_permits(1);
    assert!(read_to_end(&mut stream).await.starts_with("HTTP/1.1 202 Accepted\r\n"));
    timeout(PATIENCE, running.ended.wait_for(|ended| *ended)).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_outlives_the_grace_period_is_interrupted() {
    let limits = Limits { drain: Duration::from_millis(50), ..Limits::default() };
    let mut running = start_with(vec![route("/in")], limits, None).await;
    *running.intake.gate.lock().unwrap() = Some(Arc::new(Semaphore::new(0)));
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    stream.write_all(b"POST /in HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
    running.intake.arrived.subscribe().wait_for(|arrived| *arrived == 1).await.unwrap();
    running.trigger.fire();
    timeout(PATIENCE, running.ended.wait_for(|ended| *ended)).await.unwrap().unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_under_load_loses_no_answer() {
    let mut running = start(vec![route("/in")]).await;
    let answered = Arc::new(AtomicUsize::new(0));
    let clients = lifecycle::Tasks::default();
    for _ in 0..16 {
        let (address, answered, tasks) = (running.address(), answered.clone(), running.tasks.clone());
        clients.spawn("client", async move {
            let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
            let (mut client, connection) = http1::handshake(stream).await.unwrap();
            tasks.spawn("connection", async { drop(connection.await) });
            // Ends with the connection.
            while let Ok(answer) = client.send_request(request()).await {
                assert_eq!(answer.status(), 202);
                answered.fetch_add(1, Ordering::Relaxed);
                if client.ready().await.is_err() {
                    break;
                }
            }
        });
    }
    running.intake.arrived.subscribe().wait_for(|arrived| *arrived >= 2000).await.unwrap();
    running.trigger.fire();
    timeout(PATIENCE, running.ended.wait_for(|ended| *ended)).await.unwrap().unwrap();
    assert_eq!(clients.stop(PATIENCE).await, [""; 0]);
    let accepted = running.take_seen().len();
    println!("{accepted} events accepted, {} answers received", answered.load(Ordering::Relaxed));
    assert_eq!(accepted, answered.load(Ordering::Relaxed));
}
