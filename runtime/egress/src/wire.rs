use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A head of an answer beyond this is refused. hyper counts the bytes, and 100 fields are its own limit.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEAD_FIELDS_MAX: usize = 100;

/// One HTTP/1.1 connection. It has no task of its own: whoever waits for its answer drives it, so it costs no wake-up
/// between tasks, and dropping it closes it.
pub(crate) struct Conn {
    sender: http1::SendRequest<Full<Bytes>>,
    /// None when the connection has ended.
    driver: Option<Box<http1::Connection<TokioIo<Wire>, Full<Bytes>>>>,
    peer: SocketAddr,
    wrote: Arc<AtomicBool>,
}

impl Conn {
    /// Makes a connection of a stream that is connected, with TLS already shaken hands.
    pub(crate) async fn new(stream: Stream, peer: SocketAddr) -> hyper::Result<Self> {
        let wrote = Arc::new(AtomicBool::new(false));
        let wire = TokioIo::new(Wire { stream, wrote: wrote.clone() });
        let mut builder = http1::Builder::new();
        builder.max_headers(HEAD_FIELDS_MAX).max_header_size(HEAD_BYTES_MAX);
        let (sender, driver) = builder.handshake(wire).await?;
        Ok(Self { sender, driver: Some(Box::new(driver)), peer, wrote })
    }

    /// The address at the other end.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether any byte of the latest request may have reached the other end.
    pub(crate) fn wrote(&self) -> bool {
        self.wrote.load(Ordering::Relaxed)
    }

    /// Whether another request can be sent. Notices that the other end has closed the connection.
    pub(crate) async fn is_usable(&mut self) -> bool {
        poll_fn(|cx| {
            self.drive(cx);
            Poll::Ready(())
        })
        .await;
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn request(
        &mut self,
        request: http::Request<Full<Bytes>>,
    ) -> hyper::Result<http::Response<Incoming>> {
        self.wrote.store(false, Ordering::Relaxed);
        let mut answer = pin!(self.sender.send_request(request));
        poll_fn(|cx| {
            drive(&mut self.driver, cx);
            answer.as_mut().poll(cx)
        })
        .await
    }

    /// Waits for the next piece of an answer's body.
    pub(crate) async fn frame(&mut self, body: &mut Incoming) -> Option<hyper::Result<Frame<Bytes>>> {
        let mut frame = body.frame();
        poll_fn(|cx| {
            self.drive(cx);
            Pin::new(&mut frame).poll(cx)
        })
        .await
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        drive(&mut self.driver, cx);
    }
}

/// Moves the connection on. How it ended is told to whoever waits for the answer.
fn drive(driver: &mut Option<Box<http1::Connection<TokioIo<Wire>, Full<Bytes>>>>, cx: &mut Context<'_>) {
    if driver.as_mut().is_some_and(|driver| Pin::new(driver.as_mut()).poll(cx).is_ready()) {
        *driver = None;
    }
}

/// A connected stream.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A stream that remembers whether anything was written to it.
struct Wire {
    stream: Stream,
    wrote: Arc<AtomicBool>,
}

impl Wire {
    /// The kernel takes bytes or refuses them. TLS may have sent some records before it reports an error or asks to wait, so
    /// there the attempt counts.
    fn note(&self, written: &Poll<io::Result<usize>>) {
        let is_sent = match written {
            Poll::Ready(Ok(bytes)) => *bytes > 0,
            Poll::Ready(Err(_)) | Poll::Pending => matches!(self.stream, Stream::Tls(_)),
        };
        if is_sent {
            self.wrote.store(true, Ordering::Relaxed);
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        };
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        };
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => stream.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
