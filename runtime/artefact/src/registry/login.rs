use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use url::Url;

use super::ANSWER_BYTES_MAX;
use super::wire::Wire;
use crate::ArtefactError;
use crate::layout::read;
use crate::oci::PAPER_BYTES_MAX;

/// Who logs in at one registry, and what that gave.
pub(super) struct Login {
    host: String,
    account: Option<Account>,
    /// Sent with every request, since the registry asked for it.
    authorization: Option<HeaderValue>,
}

/// A name and a password.
#[derive(Clone, Deserialize)]
struct Account {
    #[serde(rename = "Username")]
    name: String,
    #[serde(rename = "Secret")]
    password: String,
}

/// The file in which `docker login` and its like keep accounts.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DockerConfig {
    auths: BTreeMap<String, Auth>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
}

#[derive(Deserialize)]
struct Token {
    #[serde(alias = "access_token")]
    token: String,
}

impl Login {
    /// Looks for the account in the files, the first that has one.
    pub(super) fn read(host: &str, files: &[PathBuf]) -> Result<Self, ArtefactError> {
        let mut account = None;
        for file in files {
            let Some(bytes) = read(file, PAPER_BYTES_MAX)? else { continue };
            let config: Result<DockerConfig, _> = serde_json::from_slice(&bytes);
            let config = config.map_err(|cause| ArtefactError::malformed(&file.display().to_string(), cause))?;
            account = config.account(host);
            if account.is_some() {
                break;
            }
        }
        Ok(Self { host: host.to_owned(), account, authorization: None })
    }

    pub(super) fn authorize(&self, headers: &mut HeaderMap) {
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
    }

    /// Does what the registry asks for; gives whether there is anything new to try.
    pub(super) async fn answer(&mut self, wire: &Wire, headers: &HeaderMap) -> Result<bool, ArtefactError> {
        let challenge = headers.get(WWW_AUTHENTICATE).and_then(|challenge| challenge.to_str().ok()).unwrap_or_default();
        let (scheme, parameters) = challenge.split_once(' ').unwrap_or((challenge, ""));
        let before = self.authorization.take();
        self.authorization = match scheme.to_ascii_lowercase().as_str() {
            "basic" => self.account.as_ref().map(Account::basic),
            "bearer" => self.token(wire, parameters).await?,
            _ => None,
        };
        Ok(self.authorization.is_some() && self.authorization != before)
    }

    /// Fetches a token from the server that the registry names.
    async fn token(&self, wire: &Wire, parameters: &str) -> Result<Option<HeaderValue>, ArtefactError> {
        let refuse = |reason: String| ArtefactError::Login { registry: self.host.clone(), reason };
        let named = self::parameters(parameters);
        let realm = named.get("realm").and_then(|realm| Url::parse(realm).ok());
        let mut url = realm.ok_or_else(|| refuse("it asks for a token, and does not say from where".to_owned()))?;
        for name in ["service", "scope"] {
            if let Some(value) = named.get(name) {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        let mut headers = HeaderMap::new();
        headers.extend(self.account.as_ref().map(|account| (AUTHORIZATION, account.basic())));
        let answer = wire.send(&url, Method::GET, &headers, Bytes::new(), ANSWER_BYTES_MAX).await;
        let answer = answer.map_err(|failure| refuse(format!("its token server gives nothing: {failure}")))?;
        if answer.status != StatusCode::OK {
            return Err(refuse(format!("its token server says {}", answer.status)));
        }
        let token: Result<Token, _> = serde_json::from_slice(&answer.body);
        let token = token.map_err(|error| refuse(format!("its token server gives no token: {error}")))?;
        Ok(secret(&format!("Bearer {}", token.token)))
    }
}

impl Account {
    fn basic(&self) -> HeaderValue {
        let encoded = BASE64_STANDARD.encode(format!("{}:{}", self.name, self.password));
        secret(&format!("Basic {encoded}")).unwrap_or_else(|| HeaderValue::from_static(""))
    }
}

fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl DockerConfig {
    fn account(&self, host: &str) -> Option<Account> {
        if let Some(helper) = self.cred_helpers.get(host) {
            return ask(helper, host);
        }
        let bare = |name: &str| name.trim_start_matches("https://").split('/').next() == Some(host);
        let written = self.auths.iter().find(|(name, auth)| bare(name) && !auth.auth.is_empty());
        let written = written.and_then(|(_, auth)| {
            let text = String::from_utf8(BASE64_STANDARD.decode(&auth.auth).ok()?).ok()?;
            let (name, password) = text.split_once(':')?;
            Some(Account { name: name.to_owned(), password: password.to_owned() })
        });
        written.or_else(|| ask(self.creds_store.as_deref()?, host))
    }
}

/// Asks one of Docker's helpers, which keep accounts elsewhere. It has none for a registry at which nobody logged in.
fn ask(helper: &str, host: &str) -> Option<Account> {
    let mut command = Command::new(format!("docker-credential-{helper}"));
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    child.stdin.take()?.write_all(host.as_bytes()).ok()?;
    serde_json::from_slice(&child.wait_with_output().ok()?.stdout).ok()
}

/// `realm="…",service="…"`.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.insert(name.trim_matches([',', ' ']).to_ascii_lowercase(), value.to_owned());
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read() {
        let challenge = r#"realm="https://auth.example.com/token",service="registry",scope="repository:a/b:pull,push""#;
        let found = parameters(challenge);
        assert_eq!(found["realm"], "https://auth.example.com/token");
        assert_eq!(found["scope"], "repository:a/b:pull,push");
        assert_eq!(parameters("").len(), 0);
    }

    #[test]
    fn an_account_is_found_by_its_host() {
        let text = r#"{"auths":{"https://example.com/v1/":{"auth":"YWRhOnNlY3JldA=="},"other.example.com":{}}}"#;
        let config: DockerConfig = serde_json::from_str(text).expect("a file of Docker's");
        let account = config.account("example.com").expect("is there");
        assert_eq!((account.name.as_str(), account.password.as_str()), ("ada", "secret"));
        assert!(config.account("other.example.com").is_none() && config.account("ample.com").is_none());
    }
}
