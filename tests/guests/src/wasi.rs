//! Requests by `wasi:http` instead of the contract.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody};
use wasip2::http::types::{OutgoingRequest, Scheme};

/// Bytes that are written at once: a stream takes no more.
const WRITE_BYTES: usize = 4096;

/// What to send.
pub struct Ask<'a> {
    /// `GET` or anything else for `POST`.
    pub method: &'a str,
    /// Absolute.
    pub url: &'a str,
    /// The header fields.
    pub headers: &'a [(String, String)],
    /// The whole body.
    pub body: &'a [u8],
}

/// An answer, with the means to hold on to its body without reading it.
pub struct Answer(IncomingResponse);

/// Begins to send; the answer is waited for by [`finish`].
pub fn begin(ask: &Ask<'_>) -> Result<FutureIncomingResponse, String> {
    let (scheme, rest) = ask.url.split_once("://").ok_or("no scheme")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let bytes = |(name, value): &(String, String)| (name.clone(), value.clone().into_bytes());
    let fields = Fields::from_list(&ask.headers.iter().map(bytes).collect::<Vec<_>>());
    let request = OutgoingRequest::new(fields.map_err(|fault| format!("{fault:?}"))?);
    let refused = |()| "the request refused what it was given".to_owned();
    request.set_method(&if ask.method == "GET" { Method::Get } else { Method::Post }).map_err(refused)?;
    request.set_scheme(Some(&if scheme == "http" { Scheme::Http } else { Scheme::Https })).map_err(refused)?;
    request.set_authority(Some(authority)).map_err(refused)?;
    request.set_path_with_query(Some(path)).map_err(refused)?;
    let outgoing = request.body().map_err(refused)?;
    let coming = handle(request, None).map_err(|fault| format!("{fault:?}"))?;
    if !ask.body.is_empty() {
        let stream = outgoing.write().map_err(refused)?;
        for piece in ask.body.chunks(WRITE_BYTES) {
            stream.blocking_write_and_flush(piece).map_err(|fault| format!("{fault:?}"))?;
        }
    }
    OutgoingBody::finish(outgoing, None).map_err(|fault| format!("{fault:?}"))?;
    Ok(coming)
}

/// Waits for the answer.
pub fn finish(coming: &FutureIncomingResponse) -> Result<Answer, String> {
    coming.subscribe().block();
    match coming.get() {
        Some(Ok(answer)) => answer.map(Answer).map_err(|fault| format!("{fault:?}")),
        _ => Err("no answer".to_owned()),
    }
}

/// Sends and waits.
pub fn send(ask: &Ask<'_>) -> Result<Answer, String> {
    finish(&begin(ask)?)
}

impl Answer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.0.status()
    }

    /// The header fields as text.
    pub fn headers(&self) -> String {
        let fields = self.0.headers().entries().into_iter();
        fields.map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(&value))).collect()
    }

    /// The body as text, read to its end.
    pub fn body(&self) -> String {
        let mut text = Vec::new();
        if let Ok(body) = self.0.consume() {
            read(&body, &mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

fn read(body: &IncomingBody, text: &mut Vec<u8>) {
    if let Ok(stream) = body.stream() {
        while let Ok(bytes) = stream.blocking_read(64 * 1024) {
            text.extend(bytes);
        }
    }
}
