use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use lifecycle::{Shutdown, Tasks};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::Limits;
use crate::receive::Receiver;
use crate::unreadable::Instead;

/// A client that has vanished under way is found out by asking it, and by its silence.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// hyper refuses to work with less.
const HEADER_BYTES_FLOOR: usize = 8 * 1024;

/// What all connections share.
pub(crate) struct Server {
    receiver: Arc<Receiver>,
    limits: Limits,
    http: auto::Builder<StreamTasks>,
}

/// Runs each request of an HTTP/2 connection in a task of its own.
#[derive(Clone)]
struct StreamTasks(Tasks);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for StreamTasks {
    fn execute(&self, stream: F) {
        self.0.spawn("http/2 stream", stream);
    }
}

impl Server {
    pub(crate) fn new(receiver: Arc<Receiver>, limits: Limits, tasks: Tasks) -> Self {
        let mut http = auto::Builder::new(StreamTasks(tasks));
        // hyper's own timeout of the header would run between requests too; `Activity` tells the two apart.
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_headers(limits.header_fields_max)
            .max_buf_size(limits.header_bytes_max.max(HEADER_BYTES_FLOOR));
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams_max)
            .max_pending_accept_reset_streams(limits.resets_max)
            .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT);
        Self { receiver, limits, http }
    }
}

/// Serves one connection until it is closed, too slow, or all are told to stop.
pub(crate) async fn serve(
    server: &Server,
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    opened: Instant,
    shutdown: Shutdown,
) {
    let Some(tls) = tls else { return serve_http(server, stream, opened, shutdown).await };
    match timeout_at(opened + server.limits.first_byte, tls.accept(stream)).await {
        Ok(Ok(stream)) => serve_http(server, stream, opened, shutdown).await,
        Ok(Err(error)) => tracing::debug!(%error, "the TLS handshake failed"),
        Err(_) => tracing::debug!("the TLS handshake took too long"),
    }
}

async fn serve_http(
    server: &Server,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    opened: Instant,
    mut shutdown: Shutdown,
) {
    let activity = Arc::new(Activity::new(opened));
    let service = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
        let under_way = activity.begin(request.version() == hyper::Version::HTTP_2);
        let receiver = server.receiver.clone();
        async move {
            let response = receiver.answer(request).await;
            drop(under_way);
            Ok::<_, Infallible>(response)
        }
    });
    let stream = TokioIo::new(Watched { stream, activity: activity.clone(), instead: None });
    let mut connection = pin!(server.http.serve_connection(stream, service));
    let mut told_to_stop = pin!(shutdown.wait());
    let mut alarm = pin!(sleep_until(opened + server.limits.first_byte));
    let mut ending = false;
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(ended) = connection.as_mut().poll(cx) {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return Poll::Ready(());
            }
            if !ending && told_to_stop.as_mut().poll(cx).is_ready() {
                ending = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            let Some(deadline) = activity.deadline(&server.limits) else { return Poll::Pending };
            if alarm.deadline() != deadline {
                alarm.as_mut().reset(deadline);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            // An HTTP/2 client is told that no more requests are taken, and gets the same time once more to read it.
            if ending || !activity.rest() {
                return Poll::Ready(());
            }
            ending = true;
            connection.as_mut().graceful_shutdown();
        }
    })
    .await;
}

/// What a connection is waiting for.
struct Activity(Mutex<State>);

struct State {
    waiting_for: WaitingFor,
    since: Instant,
    under_way: usize,
    is_http2: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WaitingFor {
    FirstByte,
    Header,
    NextRequest,
}

impl Activity {
    fn new(opened: Instant) -> Self {
        let waiting_for = WaitingFor::FirstByte;
        Self(Mutex::new(State { waiting_for, since: opened, under_way: 0, is_http2: false }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes have arrived.
    fn read(&self) {
        let mut state = self.state();
        // An idle HTTP/2 connection also carries pings and window updates: they begin no request.
        let begins = state.waiting_for != WaitingFor::Header && !state.is_http2;
        if state.under_way == 0 && begins {
            state.waiting_for = WaitingFor::Header;
            state.since = Instant::now();
        }
    }

    /// A request's header is complete; the request is under way until the guard is dropped.
    fn begin(self: &Arc<Self>, is_http2: bool) -> UnderWay {
        let mut state = self.state();
        state.under_way += 1;
        state.is_http2 = is_http2;
        UnderWay(self.clone())
    }

    /// When what is waited for must have come; none while a request is under way, which has limits of its own.
    fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = self.state();
        let allowed = match state.waiting_for {
            _ if state.under_way > 0 => return None,
            WaitingFor::FirstByte => limits.first_byte,
            WaitingFor::Header => limits.header,
            WaitingFor::NextRequest => limits.idle,
        };
        Some(state.since + allowed)
    }

    /// Whether bytes have come that have not become a request: what is answered then, hyper answers by itself.
    fn is_reading_a_header(&self) -> bool {
        let state = self.state();
        state.under_way == 0 && state.waiting_for == WaitingFor::Header && !state.is_http2
    }

    /// Starts to wait once more, if the connection is an idle one of HTTP/2.
    fn rest(&self) -> bool {
        let mut state = self.state();
        state.since = Instant::now();
        state.is_http2
    }
}

struct UnderWay(Arc<Activity>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way -= 1;
        if state.under_way == 0 {
            state.waiting_for = WaitingFor::NextRequest;
            state.since = Instant::now();
        }
    }
}

/// A stream that tells when bytes have been read, and gives hyper's own answers a body.
struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    instead: Option<Instead>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.read();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, activity, instead } = &mut *self;
        if instead.is_none() && activity.is_reading_a_header() {
            *instead = Instead::of(bytes);
        }
        let Some(answer) = instead else { return Pin::new(stream).poll_write(cx, bytes) };
        let written = ready!(answer.poll_write(stream, cx));
        *instead = None;
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = slices {
            return self.poll_write(cx, only);
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
