use bytes::Bytes;
use capability::CheckedUrl;
use http::StatusCode;

use crate::fault::Failure;

/// One request of a chain of redirects, before the gate has seen it.
pub(crate) struct Hop {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) is_redirect: bool,
}

impl Hop {
    /// The request that an answer asks for in place of this one; none if it is no redirect. `target` is where the answer
    /// came from.
    pub(crate) fn redirected<B>(&self, target: &CheckedUrl, head: &http::Response<B>) -> Result<Option<Self>, Failure> {
        let is_redirect = matches!(
            head.status(),
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        );
        let Some(location) = head.headers().get(http::header::LOCATION).filter(|_| is_redirect) else {
            return Ok(None);
        };
        let unfit = || Failure::denied("weir.http.redirect", "the destination redirects to something that is no URL");
        let url = target.join(location.to_str().map_err(|_| unfit())?).map_err(|_| unfit())?;
        // A destination may not say where a secret is put: what looks like a slot in its answer is none.
        let url = url.replace("{{", "%7B%7B");
        if target.origin().is_https() && !url.starts_with("https:") {
            let message = "the destination redirects from https to something unencrypted, which is never followed";
            return Err(Failure::denied("weir.http.redirect", message));
        }
        let mut next = Self {
            method: self.method.clone(),
            url,
            headers: self.headers.clone(),
            body: self.body.clone(),
            is_redirect,
        };
        if becomes_get(head.status(), target.method()) {
            next.method = "GET".to_owned();
            next.body = Bytes::new();
            next.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
        }
        Ok(Some(next))
    }
}

/// RFC 9110, section 15.4: 303 asks for the result by GET; for 301 and 302 every client does so after a POST.
fn becomes_get(status: StatusCode, method: &str) -> bool {
    match status {
        StatusCode::SEE_OTHER => method != "HEAD",
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => method == "POST",
        _ => false,
    }
}
