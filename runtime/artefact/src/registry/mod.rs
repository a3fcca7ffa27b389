//! A repository of a registry, by the OCI distribution specification 1.1: eight kinds of request.

mod login;
mod wire;

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, LINK, LOCATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use url::Url;

use self::login::Login;
use self::wire::{Answer, Failure, Wire};
use crate::oci::{Descriptor, IMAGE, INDEX, Index, MANIFEST_BYTES_MAX};
use crate::{Access, ArtefactError, Digest, Target};

/// A repository with more versions is not looked through.
const TAGS_MAX: usize = 10_000;

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
        let wire = Wire::new(access.plain_http);
        let (https, http) = (url("https")?, url("http")?);
        // As Docker does: a registry on this machine may go without TLS, and one elsewhere only if that was said.
        let may_be_plain = wire.may_be_plain(&http);
        let base = match wire.send(&https, Method::GET, &HeaderMap::new(), Bytes::new(), ANSWER_BYTES_MAX).await {
            Ok(_) => https,
            Err(Failure::NoTls(_)) if may_be_plain => http,
            Err(Failure::NoTls(reason)) => {
                let reason = format!("{reason}; if it has no TLS on purpose, say --plain-http");
                return Err(failed(host, reason));
            }
            Err(Failure::Other(reason)) => return Err(failed(host, reason)),
        };
        let login = Login::read(host, &access.logins)?;
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
        loop {
            let page = self.send(&url, Method::GET, &HeaderMap::new(), Bytes::new(), ANSWER_BYTES_MAX).await?;
            if page.status == StatusCode::NOT_FOUND {
                return Ok(tags);
            }
            let listed: Option<Tags> = serde_json::from_slice(&page.body).ok();
            let (StatusCode::OK, Some(listed)) = (page.status, listed) else {
                return Err(self.refused(&page, "the versions cannot be listed"));
            };
            tags.extend(listed.tags.unwrap_or_default());
            match next(&page.headers).and_then(|next| url.join(next).ok()) {
                Some(next) if next.origin() == self.base.origin() && tags.len() < TAGS_MAX => url = next,
                Some(_) => return Err(failed(&self.host, format!("{self} has more than {TAGS_MAX} tags"))),
                None => return Ok(tags),
            }
        }
    }

    /// What is attached, by the registry's own list; none: it keeps none.
    pub(crate) async fn referrers(&mut self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, ArtefactError> {
        let url = self.url(&format!("referrers/{subject}"))?;
        let listed = self.get(&url, &HeaderMap::new(), ANSWER_BYTES_MAX).await?;
        let Some(bytes) = listed else { return Ok(None) };
        let what = format!("the list of what is attached to {subject}");
        let index: Result<Index, _> = serde_json::from_slice(&bytes);
        Ok(Some(index.map_err(|cause| ArtefactError::malformed(&what, cause))?.manifests))
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
        let failed = |failure: Failure| failed(&self.host, failure.to_string());
        // Credentials are the registry's, and nobody else's to whom it may lead.
        let is_own = url.origin() == self.base.origin();
        let mut all = headers.clone();
        if is_own {
            self.login.authorize(&mut all);
        }
        let answer = self.wire.send(url, method.clone(), &all, body.clone(), bytes_max).await.map_err(failed)?;
        if answer.status != StatusCode::UNAUTHORIZED || !is_own {
            return Ok(answer);
        }
        if !self.login.answer(&self.wire, &answer.headers).await? {
            return Err(self.refused(&answer, "nobody is logged in"));
        }
        let mut all = headers.clone();
        self.login.authorize(&mut all);
        let answer = self.wire.send(url, method, &all, body, bytes_max).await.map_err(failed)?;
        match answer.status {
            StatusCode::UNAUTHORIZED => Err(self.refused(&answer, "the account is not known")),
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
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
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

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use super::*;

    /// A registry that gives its list of tags only with a token, and the token only with a password.
    fn stand_in() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let host = listener.local_addr().expect("has one").to_string();
        let realm = format!("http://{host}/token");
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut lines = BufReader::new(&stream).split(b'\n').map_while(Result::ok);
                let lines = lines.by_ref().map(|line| String::from_utf8_lossy(&line).trim().to_owned());
                let head: Vec<_> = lines.take_while(|line| !line.is_empty() && !line.starts_with('\u{16}')).collect();
                let has = |header: &str| head.iter().any(|line| line.eq_ignore_ascii_case(header));
                let target = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
                let challenge = format!(
                    "www-authenticate: Bearer realm=\"{realm}\",service=\"s\",scope=\"repository:a/b:pull\"\r\n"
                );
                let (status, more, body) = match target {
                    "" => ("400 Bad Request", String::new(), ""),
                    "/token?service=s&scope=repository%3Aa%2Fb%3Apull"
                        if has("authorization: Basic YWRhOnNlY3JldA==") =>
                    {
                        ("200 OK", String::new(), r#"{"access_token":"t"}"#)
                    }
                    "/v2/a/b/tags/list?n=1000" if has("authorization: Bearer t") => (
                        "200 OK",
                        "link: </v2/a/b/tags/list?n=1000&last=1.0.0>; rel=\"next\"\r\n".to_owned(),
                        r#"{"tags":["1.0.0"]}"#,
                    ),
                    "/v2/a/b/tags/list?n=1000&last=1.0.0" if has("authorization: Bearer t") => {
                        ("200 OK", String::new(), r#"{"tags":["1.1.0"]}"#)
                    }
                    _ => ("401 Unauthorized", challenge, ""),
                };
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{more}connection: close\r\n\r\n{body}");
                // Whoever has seen enough may have gone away.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        host
    }

    #[tokio::test]
    async fn a_token_is_fetched_with_the_account_and_pages_are_followed() {
        let host = stand_in();
        let folder = tempfile::tempdir().expect("a folder");
        let login = folder.path().join("config.json");
        let access = Access { plain_http: false, logins: vec![login.clone()] };
        let mut nobody = Registry::open(&host, "a/b", &access).await.expect("is there");
        assert_eq!(nobody.tags().await.expect_err("needs an account").code(), "weir.artefact.login");
        let text = format!(r#"{{"auths":{{"{host}":{{"auth":"YWRhOnNlY3JldA=="}}}}}}"#);
        std::fs::write(&login, text).expect("writes");
        let mut registry = Registry::open(&host, "a/b", &access).await.expect("is there");
        assert_eq!(registry.tags().await.expect("gives its tags"), ["1.0.0", "1.1.0"]);
    }

    #[tokio::test]
    async fn another_machine_is_not_spoken_to_without_tls() {
        let wire = Wire::new(false);
        for (url, is_allowed) in [
            ("http://127.0.0.1/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("http://10.0.0.1/", false),
            ("http://localhost.example.com/", false),
        ] {
            assert_eq!(wire.may_be_plain(&Url::parse(url).expect("a URL")), is_allowed, "{url}");
        }
        assert!(Wire::new(true).may_be_plain(&Url::parse("http://10.0.0.1/").expect("a URL")));
    }
}
