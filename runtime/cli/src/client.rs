//! Speaks to the Weir that runs on a project, by its admin socket.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use api::types::Problem;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use lifecycle::Tasks;
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::stop::{Exit, Stop};

/// Connects when something is asked for the first time.
pub(crate) struct Client {
    dir: PathBuf,
    sender: Option<SendRequest<Full<Bytes>>>,
    tasks: Tasks,
}

impl Client {
    /// For the Weir that runs on the project in this folder.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), sender: None, tasks: Tasks::default() }
    }

    /// What the API says at a path below `/api/v1`.
    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<Bytes> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    /// Gives an order without a body.
    pub(crate) async fn post(&mut self, path: &str) -> anyhow::Result<Bytes> {
        self.ask(Method::POST, path, Bytes::new()).await
    }

    /// Gives an order with JSON.
    pub(crate) async fn post_json(&mut self, path: &str, body: &impl Serialize) -> anyhow::Result<Bytes> {
        self.ask(Method::POST, path, serde_json::to_vec(body)?.into()).await
    }

    /// Asks, and gives the answer's body; an answer that tells of a problem is an error.
    pub(crate) async fn ask(&mut self, method: Method, path: &str, body: Bytes) -> anyhow::Result<Bytes> {
        let (status, body) = self.send(method, path, body).await?;
        if status.is_success() { Ok(body) } else { Err(refusal(status, &body).into()) }
    }

    /// What the API says at a path below `/api/v1`, or the problem that it tells of.
    pub(crate) async fn try_get(&mut self, path: &str) -> anyhow::Result<Result<Bytes, Problem>> {
        let (status, body) = self.send(Method::GET, path, Bytes::new()).await?;
        if status.is_success() {
            return Ok(Ok(body));
        }
        serde_json::from_slice(&body).map(Err).map_err(|_| refusal(status, &body).into())
    }

    async fn send(&mut self, method: Method, path: &str, body: Bytes) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::HOST, "weir")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let sender = match &mut self.sender {
            Some(sender) => sender,
            none => none.insert(connect(&self.dir, &self.tasks).await?),
        };
        answer(sender, request).await.context("Weir has stopped answering")
    }
}

/// Sends one request to an address such as `127.0.0.1:8080`.
pub(crate) async fn send_to(address: &str, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Bytes)> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    let tasks = Tasks::default();
    answer(&mut begin(stream, &tasks).await?, request).await
}

async fn connect(dir: &Path, tasks: &Tasks) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let settings = server::Project::read_settings(dir).map_err(|problems| Stop {
        exit: Exit::Faults,
        title: "weir.toml has faults, so it cannot be known where Weir runs".to_owned(),
        faults: problems.iter().map(ToString::to_string).collect(),
    })?;
    let socket = settings.data.join("weir.sock");
    match UnixStream::connect(&socket).await {
        Ok(stream) => begin(stream, tasks).await,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            let (place, option) = (dir.canonicalize().unwrap_or_else(|_| dir.to_owned()), dir_option(dir));
            let title = format!("no Weir is running in {}: start it with `weir up{option}`", place.display());
            Err(Stop::new(Exit::NotRunning, title).into())
        }
        Err(error) => Err(error).with_context(|| format!("cannot use the socket `{}`", socket.display())),
    }
}

/// What must be typed behind a command to mean this folder.
pub(crate) fn dir_option(dir: &Path) -> String {
    if dir == Path::new(".") { String::new() } else { format!(" --dir {}", dir.display()) }
}

async fn begin(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    tasks: &Tasks,
) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // What goes wrong on the connection is seen by whoever waits for the answer.
    tasks.spawn("connection", async move { drop(connection.await) });
    Ok(sender)
}

async fn answer(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    sender.ready().await?;
    let response: Response<_> = sender.send_request(request).await?;
    Ok((response.status(), response.into_body().collect().await?.to_bytes()))
}

fn refusal(status: StatusCode, body: &[u8]) -> Stop {
    let exit = match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Exit::Faults,
        StatusCode::NOT_FOUND | StatusCode::GONE => Exit::NotFound,
        StatusCode::CONFLICT => Exit::Refused,
        _ => Exit::Failed,
    };
    match serde_json::from_slice::<Problem>(body) {
        Ok(Problem { title, faults, code, .. }) => Stop { exit, title, faults }.explained(&code),
        Err(_) => Stop::new(exit, format!("Weir answered {status}: {}", String::from_utf8_lossy(body))),
    }
}
