//! A repository of a registry, by the OCI distribution specification 1.1: eight kinds of request.

mod accounts;
mod login;
#[cfg(test)]
mod tests;
mod wire;

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, LINK, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use url::Url;

use self::login::Login;
use self::wire::{Answer, Failure, Wire, is_this_machine};
use crate::oci::{Descriptor, IMAGE, INDEX, Index, MANIFEST_BYTES_MAX};
use crate::{Access, ArtefactError, Digest, Target};

/// A list with more pages, or more bytes, is not read to its end: a registry could go on without one.
const PAGES_MAX: usize = 100;
const PAGES_BYTES_MAX: usize = 16 << 20;

/// Of what is not a blob or a manifest.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// A repository of a registry.
pub struct Registry {
    wire: Wire,
    login: Login,
    host: String,
    repository: String,
    /// `https://HOST/v2/`.
    base: Url,
}

/// What a registry says of a failure.
#[derive(Deserialize)]
struct Errors {
    errors: Vec<Error>,
}

#[derive(Deserialize)]
struct Error {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

impl Registry {
    pub(crate) async fn open(host: &str, repository: &str, access: &Access) -> Result<Self, ArtefactError> {
        let url = |scheme: &str| {
            Url::parse(&format!("{scheme}://{host}/v2/")).map_err(|error| failed(host, error.to_string()))
        };
        let mut wire = Wire::new();
        let (https, http) = (url("https")?, url("http")?);
        // As Docker does: a registry on this machine may go without TLS, and one elsewhere only if that was said.
        let may_be_plain = access.plain_http || http.host().is_some_and(|host| is_this_machine(&host.to_owned()));
        let base = match wire.send(&https, Method::GET, &HeaderMap::new(), Bytes::new(), ANSWER_BYTES_MAX).await {
            Err(Failure::NoTls(_)) if may_be_plain => {
                wire.allow_plain(&http);
                http
            }
            Err(Failure::NoTls(reason)) => {
                let reason = format!("{reason}; if it has no TLS on purpose, say --plain-http");
                return Err(failed(host, reason));
            }
            Err(Failure::Other(reason)) => return Err(failed(host, reason)),
            // What it says there is not looked at.
            Ok(_) | Err(Failure::TooLarge(_)) => https,
        };
        let login = Login::read(host, repository, &access.logins).await?;
        Ok(Self { wire, login, host: host.to_owned(), repository: repository.to_owned(), base })
    }

    pub(crate) async fn manifest(&mut self, target: &Target) -> Result<Option<Vec<u8>>, ArtefactError> {
        let name = match target {
            Target::Tag(tag) => tag.clone(),
            Target::Digest(digest) => digest.to_string(),
        };
        let url = self.url(&format!("manifests/{name}"))?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(IMAGE));
        headers.append(ACCEPT, HeaderValue::from_static(INDEX));
        self.get(&url, &headers, MANIFEST_BYTES_MAX).await
    }

    pub(crate) async fn blob(&mut self, digest: &Digest, bytes_max: u64) -> Result<Option<Vec<u8>>, ArtefactError> {
        let url = self.url(&format!("blobs/{digest}"))?;
        self.get(&url, &HeaderMap::new(), bytes_max).await
    }

    pub(crate) async fn put_blob(&mut self, bytes: &[u8]) -> Result<(), ArtefactError> {
        let digest = Digest::of(bytes);
        let url = self.url(&format!("blobs/{digest}"))?;
        let known = self.send(&url, Method::HEAD, &HeaderMap::new(), Bytes::new(), ANSWER_BYTES_MAX).await?;
        if known.status == StatusCode::OK {
            return Ok(());
        }
        let url = self.url("blobs/uploads/")?;
        let begun = self.send(&url, Method::POST, &HeaderMap::new(), Bytes::new(), ANSWER_BYTES_MAX).await?;
        let location = begun.headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let location = location.and_then(|location| url.join(location).ok());
        let (StatusCode::ACCEPTED, Some(mut upload)) = (begun.status, location) else {
            return Err(self.refused(&begun, "an upload cannot be begun"));
        };
        upload.query_pairs_mut().append_pair("digest", &digest.to_string());
        let headers = content_type("application/octet-stream");
        let done = self.send(&upload, Method::PUT, &headers, Bytes::copy_from_slice(bytes), ANSWER_BYTES_MAX).await?;
        match done.status {
            StatusCode::CREATED => Ok(()),
            _ => Err(self.refused(&done, "a layer was not taken")),
        }
    }

    /// Gives whether the registry lists what has a subject by itself.
    pub(crate) async fn put_manifest(
        &mut self,
        bytes: &[u8],
        media_type: &str,
        tag: Option<&str>,
    ) -> Result<bool, ArtefactError> {
        let name = tag.map_or_else(|| Digest::of(bytes).to_string(), str::to_owned);
        let url = self.url(&format!("manifests/{name}"))?;
        let headers = content_type(media_type);
        let done = self.send(&url, Method::PUT, &headers, Bytes::copy_from_slice(bytes), ANSWER_BYTES_MAX).await?;
        match done.status {
            StatusCode::CREATED => Ok(done.headers.contains_key("oci-subject")),
            _ => Err(self.refused(&done, "the manifest was not taken")),
        }
    }

    pub(crate) async fn tags(&mut self) -> Result<Vec<String>, ArtefactError> {
        let mut url = self.url("tags/list")?;
        url.query_pairs_mut().append_pair("n", "1000");
        let mut tags = Vec::new();
        for page in self.pages(url, "the versions").await?.unwrap_or_default() {
            let listed: Result<Tags, _> = serde_json::from_slice(&page);
            let listed =
                listed.map_err(|error| failed(&self.host, format!("its list of versions is none: {error}")))?;
            tags.extend(listed.tags.unwrap_or_default());
        }
        Ok(tags)
    }

    /// What is attached, by the registry's own list; nothing if it keeps none.
    pub(crate) async fn referrers(&mut self, subject: &Digest) -> Result<Vec<Descriptor>, ArtefactError> {
        let url = self.url(&format!("referrers/{subject}"))?;
        let mut attached = Vec::new();
        for page in self.pages(url, "what is attached").await?.unwrap_or_default() {
            // Some answer with a page for people where they keep no list.
            let Ok(index) = serde_json::from_slice::<Index>(&page) else { break };
            attached.extend(index.readable().cloned());
        }
        Ok(attached)
    }

    /// A list, page by page; none: there is no such list.
    async fn pages(&mut self, mut url: Url, what: &str) -> Result<Option<Vec<Bytes>>, ArtefactError> {
        let (mut pages, mut bytes) = (Vec::new(), 0);
        loop {
            let page = self.send(&url, Method::GET, &HeaderMap::new(), Bytes::new(), ANSWER_BYTES_MAX).await?;
            match page.status {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND if pages.is_empty() => return Ok(None),
                _ => return Err(self.refused(&page, &format!("{what} cannot be listed"))),
            }
            let next = next(&page.headers).and_then(|next| url.join(next).ok());
            bytes += page.body.len();
            pages.push(page.body);
            let Some(next) = next else { return Ok(Some(pages)) };
            let wrong = if next.origin() != self.base.origin() {
                Some(format!("goes on elsewhere: {next}"))
            } else if next == url {
                Some("leads to itself".to_owned())
            } else if pages.len() >= PAGES_MAX || bytes >= PAGES_BYTES_MAX {
                Some(format!("is longer than {PAGES_MAX} pages or {PAGES_BYTES_MAX} bytes"))
            } else {
                None
            };
            if let Some(wrong) = wrong {
                return Err(failed(&self.host, format!("its list of {what} in {self} {wrong}")));
            }
            url = next;
        }
    }

    async fn get(&mut self, url: &Url, headers: &HeaderMap, bytes_max: u64) -> Result<Option<Vec<u8>>, ArtefactError> {
        let answer = self.send(url, Method::GET, headers, Bytes::new(), bytes_max).await?;
        match answer.status {
            StatusCode::OK => Ok(Some(answer.body.into())),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.refused(&answer, "it cannot be read")),
        }
    }

    /// Sends a request, and once more with credentials if the registry asks for them.
    async fn send(
        &mut self,
        url: &Url,
        method: Method,
        headers: &HeaderMap,
        body: Bytes,
        bytes_max: u64,
    ) -> Result<Answer, ArtefactError> {
        let unread = |failure| match failure {
            Failure::TooLarge(bytes_max) => {
                ArtefactError::TooLarge { what: format!("an answer of {}", self.host), bytes_max }
            }
            failure => failed(&self.host, failure.to_string()),
        };
        // Credentials are the registry's, and nobody else's to whom it may lead.
        let is_own = |url: &Url| url.origin() == self.base.origin();
        let may_ask = is_own(url);
        let mut all = headers.clone();
        if may_ask {
            self.login.authorize(&mut all);
        }
        let answer = self.wire.send(url, method.clone(), &all, body.clone(), bytes_max).await.map_err(unread)?;
        if answer.status != StatusCode::UNAUTHORIZED || !may_ask || !is_own(&answer.url) {
            return Ok(answer);
        }
        if !self.login.answer(&self.wire, &answer).await? {
            return Err(self.refused(&answer, self.login.reason()));
        }
        let mut all = headers.clone();
        self.login.authorize(&mut all);
        let answer = self.wire.send(url, method, &all, body, bytes_max).await.map_err(unread)?;
        match answer.status {
            StatusCode::UNAUTHORIZED if is_own(&answer.url) => Err(self.refused(&answer, self.login.reason())),
            _ => Ok(answer),
        }
    }

    fn url(&self, path: &str) -> Result<Url, ArtefactError> {
        let url = self.base.join(&format!("{}/{path}", self.repository));
        url.map_err(|error| failed(&self.host, error.to_string()))
    }

    /// What the registry says of it, if it says anything.
    fn refused(&self, answer: &Answer, what: &str) -> ArtefactError {
        let said: Option<Errors> = serde_json::from_slice(&answer.body).ok();
        let said = said.and_then(|said| said.errors.into_iter().next());
        let said = said.map_or(String::new(), |Error { code, message }| format!(": {message} ({code})"));
        let reason = format!("{what} ({}{said})", answer.status);
        match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if answer.url.origin() == self.base.origin() => {
                ArtefactError::Login { registry: self.host.clone(), reason }
            }
            _ => failed(&self.host, reason),
        }
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}/{}", self.host, self.repository)
    }
}

fn failed(registry: &str, reason: String) -> ArtefactError {
    ArtefactError::Registry { registry: registry.to_owned(), reason }
}

fn content_type(media_type: &str) -> HeaderMap {
    let value = HeaderValue::from_str(media_type);
    value.into_iter().map(|value| (CONTENT_TYPE, value)).collect()
}

/// The next page: `<URL>; rel="next"`.
fn next(headers: &HeaderMap) -> Option<&str> {
    let (url, rest) = headers.get(LINK)?.to_str().ok()?.strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then_some(url)
}
