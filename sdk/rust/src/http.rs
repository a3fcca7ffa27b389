//! Requests to the outside. Each passes Weir's gate and gets its credential after the plugin has let go of it.
//!
//! ```
//! # use weir_sdk::{Fault, Http, Request};
//! # fn example(http: &Http) -> Result<(), Fault> {
//! let answer = http.send(Request::get("/contacts").query("email", "ada@example.com"))?.check()?;
//! let contacts: Vec<serde_json::Value> = answer.json()?;
//! # Ok(())
//! # }
//! ```
//!
//! Do not retry here: say by the fault what happened, and Weir repeats the step with backoff and the same key.
//!
//! # What becomes of an answer: [`Response::check`]
//!
//! | Status | Kind of fault |
//! | --- | --- |
//! | 2xx | none |
//! | 401 | `unauthorized` |
//! | 403 | `forbidden` |
//! | 404, 410 | `not-found` |
//! | 408 | `timeout` |
//! | 409, 412, 423 | `conflict` |
//! | 413, 422 | `invalid-input` |
//! | 425 | `unavailable` |
//! | 429 | `rate-limited`, with `Retry-After` |
//! | 502, 504 | `unavailable`; after a POST or PATCH `unknown-outcome`, because the gateway cannot say what became of it |
//! | 501, 505 | `rejected` |
//! | 500, 503, other 5xx | `unavailable`, with `Retry-After` |
//! | 3xx (Weir follows redirects), 400, other 4xx | `rejected` |
//!
//! # What becomes of a request without an answer
//!
//! | Why | Kind of fault |
//! | --- | --- |
//! | denied by the gate | `forbidden`; the message says how to allow it |
//! | unreachable, TLS | `unavailable` |
//! | no answer in time | `timeout` |
//! | broken | `unavailable` |
//! | too large | `rejected` |
//! | any, if bytes of a POST or PATCH had been sent | `unknown-outcome` |

use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::generated::imports::weir::plugin::http::{Auth, HttpFaultKind, Request};
use crate::generated::imports::weir::plugin::http::{HttpFault, Response as WireResponse};
use crate::{Context, Fault, FaultKind};

/// As much of an answer as goes into a fault, in bytes: enough for a message, too little to hold a document.
const EXCERPT_BYTES_MAX: usize = 512;

/// The way out. Actions are given one; native tests make theirs from a `testing::Script`.
#[derive(Clone)]
pub struct Http {
    transport: Rc<dyn Transport>,
}

/// What carries requests: the host, or a script in tests.
pub(crate) trait Transport {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<WireResponse, HttpFault>>;
}

/// A request without an answer. `?` makes the fault of it that the table in [`http`](self) says.
#[derive(Clone, Debug)]
pub struct HttpError {
    /// Why there is no answer.
    pub kind: HttpFaultKind,
    /// A stable word for machines.
    pub code: String,
    /// What happened.
    pub message: String,
    /// Whether any byte of the request may have reached the destination.
    pub request_sent: bool,
    repeatable: bool,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Where it came from.
    pub url: String,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    repeatable: bool,
}

impl Http {
    /// The host's.
    #[cfg(target_family = "wasm")]
    #[doc(hidden)]
    pub fn of_the_host() -> Self {
        struct Host;

        impl Transport for Host {
            fn send_all(&self, mut requests: Vec<Request>) -> Vec<Result<WireResponse, HttpFault>> {
                use crate::generated::imports::weir::plugin::http;
                match requests.as_mut_slice() {
                    [one] => vec![http::send(one)],
                    several => http::send_all(several),
                }
            }
        }

        Self { transport: Rc::new(Host) }
    }

    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn new(transport: Rc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Sends a request and waits for the whole answer, whatever its status.
    ///
    /// # Errors
    /// There is no answer.
    pub fn send(&self, request: Request) -> Result<Response, HttpError> {
        self.send_all(vec![request]).swap_remove(0)
    }

    /// Sends requests side by side. The answers stand in the order of the requests.
    pub fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, HttpError>> {
        let repeatable: Vec<bool> = requests.iter().map(Request::is_repeatable).collect();
        let answers = self.transport.send_all(requests).into_iter().zip(repeatable);
        answers.map(|(answer, repeatable)| read_answer(answer, repeatable)).collect()
    }
}

fn read_answer(answer: Result<WireResponse, HttpFault>, repeatable: bool) -> Result<Response, HttpError> {
    match answer {
        Ok(WireResponse { status, url, headers, body }) => Ok(Response { status, url, headers, body, repeatable }),
        Err(HttpFault { kind, code, message, request_sent }) => {
            Err(HttpError { kind, code, message, request_sent, repeatable })
        }
    }
}

impl Request {
    /// A request. The URL is absolute, or a path under the connection's base URL. `{{slot}}` in it stands for a secret.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self { method: method.into(), url: url.into(), headers: Vec::new(), body: Vec::new(), auth: Auth::Default }
    }

    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A POST.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// A PUT.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new("PUT", url)
    }

    /// A PATCH.
    pub fn patch(url: impl Into<String>) -> Self {
        Self::new("PATCH", url)
    }

    /// A DELETE.
    pub fn delete(url: impl Into<String>) -> Self {
        Self::new("DELETE", url)
    }

    /// The same with one more parameter in the query, percent-encoded.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        self.url.push_str(&encode(name));
        self.url.push('=');
        self.url.push_str(&encode(value));
        self
    }

    /// The same with one more header field. A `{{slot}}` in the value stands for a secret, so keep data of the event out.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same with a body of JSON. A `{{` in the data is written so that it stands for itself and never for a secret.
    ///
    /// # Errors
    /// `internal` if the value cannot be written as JSON.
    #[track_caller]
    pub fn json(self, body: &impl Serialize) -> Result<Self, Fault> {
        // Two braces in a row occur within strings only, where a brace may be written by its number.
        let text = serde_json::to_string(body)?.replace("{{", "{\\u007b");
        Ok(self.body("application/json", text))
    }

    /// The same with a body. A `{{slot}}` in it stands for a secret, so keep data of the event out, or use
    /// [`Request::json`].
    #[must_use]
    pub fn body(mut self, content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    /// The same with the step's key, for destinations that honour `Idempotency-Key`.
    #[must_use]
    pub fn idempotency_key(self, context: &Context) -> Self {
        self.header("Idempotency-Key", context.idempotency_key.as_str())
    }

    /// The same with another of the connection's credentials, or with none.
    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// Whether RFC 9110, section 9.2.2, says that sending it again has no further effect.
    fn is_repeatable(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE")
    }
}

/// A text as one segment of a path or one part of a query, percent-encoded: `format!("/contacts/{}", encode(id))`.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                out.push('%');
                for digit in [byte >> 4, byte & 15] {
                    out.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
                }
            }
        }
    }
    out
}

impl Response {
    /// The first header field of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Itself, if the status is 2xx.
    ///
    /// # Errors
    /// The fault that the status means, as the table in [`http`](self) says.
    pub fn check(self) -> Result<Self, Fault> {
        if self.is_success() { Ok(self) } else { Err(self.to_fault()) }
    }

    /// The fault that the status means, for those who read the body first.
    pub fn to_fault(&self) -> Fault {
        let kind = self.fault_kind();
        let message = format!("the destination answered {}", self.status);
        let mut fault = Fault::new(kind, format!("http-{}", self.status), message);
        if matches!(kind, FaultKind::RateLimited | FaultKind::Unavailable) {
            fault.retry_after = self.retry_after();
        }
        let excerpt = String::from_utf8_lossy(&self.body[..self.body.len().min(EXCERPT_BYTES_MAX)]);
        if !excerpt.trim().is_empty() {
            fault = fault.detail("answer", excerpt.trim());
        }
        fault
    }

    fn fault_kind(&self) -> FaultKind {
        match self.status {
            401 => FaultKind::Unauthorized,
            403 => FaultKind::Forbidden,
            404 | 410 => FaultKind::NotFound,
            408 => FaultKind::Timeout,
            409 | 412 | 423 => FaultKind::Conflict,
            413 | 422 => FaultKind::InvalidInput,
            425 => FaultKind::Unavailable,
            429 => FaultKind::RateLimited,
            501 | 505 => FaultKind::Rejected,
            502 | 504 if !self.repeatable => FaultKind::UnknownOutcome,
            500.. => FaultKind::Unavailable,
            _ => FaultKind::Rejected,
        }
    }

    /// `Retry-After` (RFC 9110, section 10.2.3). A date counts from the answer's own `Date`, for a plugin has no clock.
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // A number that is too large is a long time all the same.
            return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
        }
        let (until, now) = (parse_date(value)?, parse_date(self.header("date")?)?);
        Some(Duration::from_secs(until.saturating_sub(now)))
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// `internal` if it is something else; after a POST or PATCH that succeeded `unknown-outcome`, because the effect is
    /// there and only its description was lost.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let message = format!("the answer is not what was expected: {error}");
            let lost = self.is_success() && !self.repeatable;
            let fault = if lost { Fault::unknown_outcome(message) } else { Fault::internal(message) };
            fault.code("unexpected-answer")
        })
    }
}

impl From<HttpError> for Fault {
    fn from(error: HttpError) -> Self {
        let kind = match error.kind {
            _ if error.request_sent && !error.repeatable => FaultKind::UnknownOutcome,
            HttpFaultKind::Denied => FaultKind::Forbidden,
            HttpFaultKind::Unreachable | HttpFaultKind::Tls | HttpFaultKind::Broken => FaultKind::Unavailable,
            HttpFaultKind::Timeout => FaultKind::Timeout,
            HttpFaultKind::TooLarge => FaultKind::Rejected,
        };
        Self::new(kind, error.code, error.message)
    }
}

/// Seconds since 1970 of an IMF-fixdate (RFC 9110, section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn parse_date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.split_once(", ")?;
    let mut words = rest.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64;
    let year: u64 = words.next()?.parse().ok().filter(|year| (1970..=9999).contains(year))?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    // Its length is fixed: day and time are written with all their digits.
    let is_whole = text.len() == 29 && words.next() == Some("GMT");
    if !is_whole || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Counted in years that begin in March, so that the leap day comes last.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    days.checked_sub(719_469)?.checked_mul(86_400)?.checked_add(hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(method: &str, status: u16, headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let repeatable = Request::new(method, "/").is_repeatable();
        Response { status, url: String::new(), headers, body: Vec::new(), repeatable }
    }

    #[test]
    fn a_date_without_the_time_of_the_answer_says_nothing() {
        let later = ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(response("GET", 503, &[later]).retry_after(), None);
    }

    #[test]
    fn an_answer_that_cannot_be_read_after_an_effect_is_an_unknown_outcome() {
        for (method, status, kind) in [
            ("POST", 201, FaultKind::UnknownOutcome),
            ("GET", 200, FaultKind::Internal),
            ("POST", 400, FaultKind::Internal),
        ] {
            assert_eq!(response(method, status, &[]).json::<u8>().expect_err("empty").kind, kind, "{method} {status}");
        }
    }

    #[test]
    fn data_is_never_the_place_of_a_secret() {
        let request = Request::post("/x").query("q", "{{a}}&b=ü").json(&["{{{a}}", "{"]).expect("JSON");
        assert_eq!(request.url, "/x?q=%7B%7Ba%7D%7D%26b%3D%C3%BC");
        let body = String::from_utf8(request.body).expect("text");
        assert!(!body.contains("{{"), "{body}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&body).expect("JSON"), ["{{{a}}", "{"]);
    }
}
