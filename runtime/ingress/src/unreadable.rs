//! What cannot be read as HTTP/1.1 never reaches our code: hyper answers it with a status and no body, and closes the
//! connection. That answer is known on its way out and gets the body that every other refusal has.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::StatusCode;
use tokio::io::AsyncWrite;

use crate::problem::Refusal;

/// The problem that goes out instead of what hyper wrote.
pub(crate) struct Instead {
    rest: Bytes,
    /// How much hyper wrote.
    for_bytes: usize,
}

impl Instead {
    /// None: this is no answer of hyper's own. Ours always have a body, so that a head alone without a length is not one
    /// of them.
    pub(crate) fn of(written: &[u8]) -> Option<Self> {
        let head = std::str::from_utf8(written).ok()?;
        let fields = head.strip_prefix("HTTP/1.1 4")?.strip_suffix("\r\n\r\n")?;
        if fields.contains("\r\n\r\n") || !fields.contains("\r\ncontent-length: 0") {
            return None;
        }
        let status: StatusCode = head.get(9..12)?.parse().ok()?;
        let (parts, body) = Refusal::Unreadable { status }.problem();
        let media_type = parts.headers.get(http::header::CONTENT_TYPE)?.to_str().ok()?;
        let length = format!("content-type: {media_type}\r\ncontent-length: {}", body.len());
        let head = head.replacen("content-length: 0", &length, 1);
        Some(Self { rest: [head.as_bytes(), &body].concat().into(), for_bytes: written.len() })
    }

    /// Writes what is left of it; gives how much of hyper's answer has gone out with that.
    pub(crate) fn poll_write(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        while self.rest.has_remaining() {
            let written = ready!(Pin::new(&mut *stream).poll_write(cx, &self.rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.rest.advance(written);
        }
        Poll::Ready(Ok(self.for_bytes))
    }
}
