//! An HTTP/1.1 client on one connection that is kept alive.

use std::net::SocketAddr;
use std::path::Path;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

/// A connection to one server.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    // Ends with the client.
    _connection: JoinSet<hyper::Result<()>>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Those of the socket and of the handshake.
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Self::over(stream).await
    }

    /// Connects to a socket in the file system.
    ///
    /// # Errors
    /// Those of the socket and of the handshake.
    pub async fn connect_unix(socket: &Path) -> anyhow::Result<Self> {
        Self::over(UnixStream::connect(socket).await?).await
    }

    async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> anyhow::Result<Self> {
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        Ok(Self { sender, _connection: tasks })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// The connection broke, and is of no more use.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(request).await?.into_parts();
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }

    /// Posts a body.
    ///
    /// # Errors
    /// The connection broke, and is of no more use.
    pub async fn post(
        &mut self,
        path: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> anyhow::Result<Response<Bytes>> {
        let mut request = Request::post(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        self.send(request.body(Full::new(body))?).await
    }
}
