use bytes::Bytes;
use egress::{HttpFaultKind, NoAnswer, SentResponse};
use written::yaml::Yaml;

use crate::case::{Exchange, ExpectedBody, ExpectedRequest, Reply};
use crate::fields::{Fields, Reader};
use crate::numbers::{exact_text, exact_value};

const BODIES: [&str; 3] = ["json", "body", "body_base64"];

/// The ways in which a request has no answer: the kind, the code that the gate gives, and whether the request
/// has been sent unless the case says otherwise.
const FAULTS: [(HttpFaultKind, &str, bool); 5] = [
    (HttpFaultKind::Unreachable, "weir.http.connect", false),
    (HttpFaultKind::Tls, "weir.http.tls", false),
    (HttpFaultKind::Timeout, "weir.http.limit.first-byte", true),
    (HttpFaultKind::Broken, "weir.http.closed", true),
    (HttpFaultKind::TooLarge, "weir.http.limit.response-body", true),
];

impl Reader {
    /// The exchanges, in their order. A URL that is a path is appended to the connection's base URL, as in the gate.
    pub(super) fn exchanges(&mut self, yaml: &Yaml, base_url: Option<&str>) -> Vec<Exchange> {
        let items = self.list(yaml, "`http`");
        items.iter().filter_map(|item| self.exchange(item, base_url)).collect()
    }

    fn exchange(&mut self, yaml: &Yaml, base_url: Option<&str>) -> Option<Exchange> {
        let fields = self.fields(yaml, "an exchange", &["request", "response"])?;
        for (key, fix) in [
            ("request", "add `request: { method: GET, url: /path }`"),
            ("response", "add `response: { status: 200, json: … }` or `response: { fault: timeout }`"),
        ] {
            if fields.get(key).is_none() {
                self.add(fields.place, format!("the exchange has no `{key}`"), fix);
            }
        }
        let request = fields.get("request").and_then(|yaml| self.request(yaml, base_url));
        let reply = fields.get("response").and_then(|yaml| self.reply(yaml));
        Some(Exchange { request: request?, reply: reply? })
    }

    fn request(&mut self, yaml: &Yaml, base_url: Option<&str>) -> Option<ExpectedRequest> {
        let known = ["method", "url", "headers", "json", "body", "body_base64"];
        let fields = self.fields(yaml, "`request`", &known)?;
        let method = self.required_text(fields, "method", "add `method: GET`, or whichever it is");
        let url = self.required_text(fields, "url", "add `url:`, absolute or a path below the connection's base URL");
        let url = url.and_then(|url| match (url.starts_with('/'), base_url) {
            (false, _) => Some(url),
            (true, Some(base)) => Some(format!("{}{url}", base.trim_end_matches('/'))),
            (true, None) => {
                let fix = "write the URL in full, or add `connection: { base_url: … }` to the call";
                self.add(fields.place_of("url"), "the URL is a path, and the call has no base URL", fix);
                None
            }
        });
        let headers = self.pairs_of(fields, "headers");
        let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let body = match self.one_body(fields) {
            None => ExpectedBody::Any,
            Some("json") => ExpectedBody::Json(exact_value(fields.get("json")?)),
            Some(key) => ExpectedBody::Bytes(self.bytes(fields, key)?),
        };
        Some(ExpectedRequest { method: method?, url: url?, headers, body })
    }

    fn reply(&mut self, yaml: &Yaml) -> Option<Reply> {
        let known = ["status", "headers", "json", "body", "body_base64", "fault", "sent"];
        let fields = self.fields(yaml, "`response`", &known)?;
        match fields.present(&["status", "fault"])[..] {
            ["status"] => self.answer(fields).map(Reply::Answer),
            ["fault"] => self.fault(fields).map(Reply::Fault),
            [] => {
                let fix = "add `status: 200`, or `fault: timeout` for none";
                self.add(fields.place, "the response has no `status`", fix);
                None
            }
            _ => {
                let fix = "keep `status` for an answer, or `fault` for none";
                self.add(fields.place_of("fault"), "an answer and no answer at once", fix);
                None
            }
        }
    }

    fn answer(&mut self, fields: Fields<'_>) -> Option<SentResponse> {
        let status = self.number(fields.get("status")?, "`status`", 200, 599);
        let mut headers = self.pairs_of(fields, "headers");
        let body = match self.one_body(fields) {
            None => Bytes::new(),
            Some("json") => {
                if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                    headers.push(("content-type".to_owned(), "application/json".to_owned()));
                }
                exact_text(fields.get("json")?).into()
            }
            Some(key) => self.bytes(fields, key)?,
        };
        for (name, value) in &headers {
            if ::http::HeaderName::from_bytes(name.as_bytes()).is_err() || ::http::HeaderValue::from_str(value).is_err()
            {
                self.add(fields.place_of("headers"), format!("`{name}` is no header field"), "mend its name or value");
            }
        }
        Some(SentResponse { status: u16::try_from(status?).ok()?, headers, body })
    }

    fn fault(&mut self, fields: Fields<'_>) -> Option<NoAnswer> {
        let word = self.word(fields.get("fault")?, "`fault`", &FAULTS.map(|(kind, ..)| kind.as_str()))?;
        let sent = fields.get("sent").and_then(|yaml| self.truth(yaml, "`sent`"));
        let (kind, code, is_sent) = FAULTS.into_iter().find(|(kind, ..)| kind.as_str() == word)?;
        let request_sent = sent.unwrap_or(is_sent);
        Some(NoAnswer { kind, code, message: format!("the case says: {word}"), request_sent })
    }

    /// Which of the keys for a body is there; more than one is a fault.
    fn one_body(&mut self, fields: Fields<'_>) -> Option<&'static str> {
        let present = fields.present(&BODIES);
        if let [_, second, ..] = present[..] {
            self.add(fields.place_of(second), "there are two bodies", "keep one of `json`, `body`, `body_base64`");
        }
        present.first().copied()
    }

    fn bytes(&mut self, fields: Fields<'_>, key: &str) -> Option<Bytes> {
        let text = self.text_of(fields, key)?;
        if key == "body_base64" { self.base64(fields, key, &text) } else { Some(text.into()) }
    }
}
