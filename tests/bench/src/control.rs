//! Bare servers that do the least of what Weir does: what the machine gives without sandboxes and durability.

use std::net::SocketAddr;

use bytes::Bytes;
use clap::ValueEnum;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::client::Client;

/// Which control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Control {
    /// Reads the body and answers `202`.
    Accept,
    /// Parses the body, maps it natively, posts it to the sink, and answers `202` when the sink has answered.
    Forward,
}

/// Serves until it is ended. `listening` is told the address.
///
/// # Errors
/// Those of the listening socket.
pub async fn serve(control: Control, sink: SocketAddr, listening: impl FnOnce(SocketAddr)) -> std::io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    listening(listener.local_addr()?);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                connections.spawn(serve_connection(control, sink, accepted?.0));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(control: Control, sink: SocketAddr, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    // One connection to the sink for each that comes in: a pool with nobody waiting.
    let onward = Mutex::new(None);
    let service = service_fn(|request| answer(control, sink, &onward, request));
    // An error is a client that went away.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    control: Control,
    sink: SocketAddr,
    onward: &Mutex<Option<Client>>,
    request: Request<Incoming>,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let body = request.into_body().collect().await?.to_bytes();
    if control == Control::Forward {
        forward(sink, &mut *onward.lock().await, &body).await?;
    }
    let mut response = Response::new(Full::new(Bytes::from_static(br#"{"accepted":true}"#)));
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

async fn forward(sink: SocketAddr, onward: &mut Option<Client>, body: &[u8]) -> anyhow::Result<()> {
    let contact = map(&serde_json::from_slice(body)?);
    let client = match onward {
        Some(client) => client,
        None => onward.insert(Client::connect(sink).await?),
    };
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    client.post("/sink", &headers, Bytes::from(serde_json::to_vec(&contact)?)).await?;
    Ok(())
}

/// What the lead mapper does.
fn map(lead: &Value) -> Value {
    let text = |key: &str| lead[key].as_str().unwrap_or_default().trim();
    json!({
        "email": text("email").to_lowercase(),
        "name": format!("{} {}", text("first_name"), text("last_name")),
        "company": text("company"),
        "note": text("message"),
        "source": "web form",
    })
}
