//! A server that a guest's requests end at, friend or foe.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of the answer to `/large`.
pub(crate) const LARGE_BYTES: usize = 6 << 20;

/// A destination that notes what it is sent and answers by path: `/hang` never, `/drop` by closing, `/drip` and `/endless`
/// without end, `/large` with much, `/echo` with all that it was sent, `/redirect` and `/resend` by the place in `to`.
pub(crate) struct Destination {
    pub(crate) origin: String,
    pub(crate) port: u16,
    accepted: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Destination {
    pub(crate) async fn start() -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").await.expect("a port"))
    }

    /// One that listens at every address of this machine, whatever it is called.
    pub(crate) async fn everywhere() -> Self {
        match TcpListener::bind("[::]:0").await {
            Ok(listener) => Self::listen(listener),
            // A machine without IPv6.
            Err(_) => Self::listen(TcpListener::bind("0.0.0.0:0").await.expect("a port")),
        }
    }

    fn listen(listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("an address");
        let (accepted, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (counter, noted) = (Arc::clone(&accepted), Arc::clone(&seen));
        // Ends with the test's runtime.
        #[allow(clippy::disallowed_methods)]
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(answer(stream, Arc::clone(&noted)));
            }
        });
        Self { origin: format!("http://{address}"), port: address.port(), accepted, seen }
    }

    /// Its origin by a name that a test's resolver knows.
    pub(crate) fn called(&self, host: &str) -> String {
        format!("http://{host}:{}", self.port)
    }

    /// How many connections have been made to it.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Every request as it came, head and body.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("not poisoned").clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen().len()
    }
}

async fn answer(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        seen.lock().expect("not poisoned").push(request.clone());
        let target = request.split(' ').nth(1).unwrap_or("/");
        let place = target.split_once("to=").map_or("/", |(_, place)| place);
        let answer = match target.split('?').next().unwrap_or_default() {
            "/hang" => std::future::pending().await,
            "/drop" => return Ok(()),
            "/drip" => return drip(&mut stream).await,
            "/endless" => return flood(&mut stream).await,
            "/large" => text("200 OK", "", &"x".repeat(LARGE_BYTES)),
            "/redirect" => text("302 Found", &format!("location: {place}\r\n"), ""),
            "/resend" => text("307 Temporary Redirect", &format!("location: {place}\r\n"), ""),
            echo if echo.starts_with("/echo") => {
                let body = format!("{request} {}", hex::encode(&request));
                text("200 OK", &format!("x-echo: {}\r\n", hex::encode(&request)), &body)
            }
            _ => {
                let has_key = request.to_ascii_lowercase().contains("authorization: bearer key-of-the-account");
                text("200 OK", "", if has_key { "with key" } else { "without key" })
            }
        };
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

fn text(status: &str, fields: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{fields}content-length: {}\r\n\r\n{body}", body.len())
}

/// One request, head and body; none when the other side has closed.
async fn read(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            return Ok(None);
        }
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Ok(Some(text));
        }
    }
}

async fn drip(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await?;
    loop {
        stream.write_all(b"x").await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn flood(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
    let piece = format!("1000\r\n{}\r\n", "x".repeat(4096));
    loop {
        stream.write_all(piece.as_bytes()).await?;
    }
}
