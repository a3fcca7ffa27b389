use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;

/// What a stand-in answers, and whether it did anything.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) effect: bool,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        Self::new(status, body.to_string().into(), "application/json")
    }

    pub(crate) fn text(status: StatusCode, body: &'static str) -> Self {
        Self::new(status, Bytes::from_static(body.as_bytes()), "text/plain; charset=utf-8")
    }

    fn new(status: StatusCode, body: Bytes, content_type: &'static str) -> Self {
        Self { status, body, content_type, headers: Vec::new(), effect: false }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_effect(mut self) -> Self {
        self.effect = true;
        self
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(self.content_type));
        for (name, value) in self.headers {
            if let Ok(value) = http::HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
