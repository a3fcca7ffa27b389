use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use url::{Url, form_urlencoded};

use super::ANSWER_BYTES_MAX;
use super::accounts::{Account, Accounts, secret};
use super::wire::{Answer, Wire};
use crate::ArtefactError;
use crate::layout::read;
use crate::oci::PAPER_BYTES_MAX;

/// For a program that may have to ask a keyring, and whoever sits before it.
const HELPER_WITHIN: Duration = Duration::from_secs(60);

/// Who logs in at one registry, and what that gave.
pub(super) struct Login {
    host: String,
    account: Option<Account>,
    /// Sent with every request, since the registry asked for it.
    authorization: Option<HeaderValue>,
}

/// What a token server gives: one of the two names, or both for those who know only one.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Login {
    /// Looks for the account in the files, the first that has one.
    pub(super) async fn read(host: &str, repository: &str, files: &[PathBuf]) -> Result<Self, ArtefactError> {
        let mut account = None;
        for file in files {
            let Some(bytes) = read(file, PAPER_BYTES_MAX)? else { continue };
            let accounts: Result<Accounts, _> = serde_json::from_slice(&bytes);
            let accounts = accounts.map_err(|cause| ArtefactError::unreadable(file, cause))?;
            account = match accounts.own_helper(host) {
                Some(_) => None,
                None => accounts.written(host, repository),
            };
            let helper = accounts.own_helper(host).or_else(|| accounts.common_helper(host));
            if let (None, Some((helper, server))) = (&account, helper) {
                account = ask(&format!("docker-credential-{helper}"), server, HELPER_WITHIN).await?;
            }
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

    /// Why the registry lets nobody in, although it was given what there is.
    pub(super) fn reason(&self) -> &'static str {
        match self.account {
            Some(_) => "the account is not known there, or may not do this",
            None => "nobody is logged in",
        }
    }

    /// Does what the registry asks for; gives whether there is anything new to try.
    pub(super) async fn answer(&mut self, wire: &Wire, refusal: &Answer) -> Result<bool, ArtefactError> {
        let challenges = refusal.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenges: Vec<_> = challenges.map(|text| text.split_once(' ').unwrap_or((text, ""))).collect();
        let named = |scheme: &str| challenges.iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme));
        let before = self.authorization.take();
        self.authorization = match (named("bearer"), named("basic")) {
            (Some((_, parameters)), _) => self.token(wire, parameters, &refusal.url).await?,
            (None, Some(_)) => self.basic()?,
            (None, None) => None,
        };
        Ok(self.authorization.is_some() && self.authorization != before)
    }

    fn basic(&self) -> Result<Option<HeaderValue>, ArtefactError> {
        match &self.account {
            Some(Account::Password { name, password }) => Ok(Account::basic(name, password)),
            Some(Account::Identity(_)) => {
                Err(self.refuse("the login is an identity token, and the registry asks for a name and a password"))
            }
            None => Ok(None),
        }
    }

    /// Fetches a token from the server that the registry names.
    async fn token(&self, wire: &Wire, parameters: &str, asked: &Url) -> Result<Option<HeaderValue>, ArtefactError> {
        let named = self::parameters(parameters);
        let realm = named.get("realm").and_then(|realm| Url::parse(realm).ok());
        let mut url = realm.ok_or_else(|| self.refuse("it asks for a token, and does not say from where"))?;
        if asked.scheme() == "https" && url.scheme() != "https" {
            return Err(self.refuse(format!("it asks for a token from {url}, and that is not safe")));
        }
        let asked = ["service", "scope"].map(|name| (name, named.get(name)));
        let asked = asked.iter().filter_map(|(name, value)| Some((*name, value.as_ref()?.as_str())));
        let mut headers = HeaderMap::new();
        let (method, body) = match &self.account {
            // By the distribution specification's way with OAuth 2.
            Some(Account::Identity(token)) => {
                let form = [("grant_type", "refresh_token"), ("client_id", "weir"), ("refresh_token", token)];
                let form =
                    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).extend_pairs(asked).finish();
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
                (Method::POST, form)
            }
            account => {
                if let Some(Account::Password { name, password }) = account {
                    headers.extend(Account::basic(name, password).map(|basic| (AUTHORIZATION, basic)));
                }
                url.query_pairs_mut().extend_pairs(asked);
                (Method::GET, String::new())
            }
        };
        let answer = wire.send(&url, method, &headers, body.into(), ANSWER_BYTES_MAX).await;
        let answer = answer.map_err(|failure| self.refuse(format!("its token server gives nothing: {failure}")))?;
        if answer.status != StatusCode::OK {
            return Err(self.refuse(format!("its token server says {}", answer.status)));
        }
        let token: Result<Token, _> = serde_json::from_slice(&answer.body);
        let token = token.map_err(|error| self.refuse(format!("its token server gives no token: {error}")))?;
        let token = [token.token, token.access_token].into_iter().flatten().find(|token| !token.is_empty());
        let token = token.ok_or_else(|| self.refuse("its token server gives no token"))?;
        Ok(secret(&format!("Bearer {token}")))
    }

    fn refuse(&self, reason: impl Into<String>) -> ArtefactError {
        ArtefactError::Login { registry: self.host.clone(), reason: reason.into() }
    }
}

/// Asks one of Docker's helpers, which keep accounts elsewhere. It has none for a registry at which nobody logged in.
async fn ask(program: &str, server: &str, within: Duration) -> Result<Option<Account>, ArtefactError> {
    let mut command = Command::new(program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let asked = async {
        let mut child = command.spawn().ok()?;
        child.stdin.take()?.write_all(server.as_bytes()).await.ok()?;
        Account::of_helper(&child.wait_with_output().await.ok()?.stdout)
    };
    let late = |_| {
        let reason = format!("`{program}`, which keeps its account, gave nothing within {} s", within.as_secs());
        ArtefactError::Login { registry: server.to_owned(), reason }
    };
    tokio::time::timeout(within, asked).await.map_err(late)
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

    #[tokio::test]
    async fn a_helper_is_not_waited_for_without_end() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("docker-credential-odd");
        let answers = r#"read server; echo '{"Username":"ada","Secret":"secret"}'"#;
        for (script, within, expected) in [(answers, HELPER_WITHIN, true), ("exec sleep 60", Duration::ZERO, false)] {
            std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("writes");
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).expect("may be run");
            let asked = ask(&program.display().to_string(), "example.com\n", within).await;
            assert_eq!(asked.is_ok_and(|account| account.is_some()), expected, "{script}");
        }
    }

    /// Else a registry with TLS could have the password sent where everybody on the way can read it.
    #[tokio::test]
    async fn a_registry_with_tls_may_not_send_the_password_to_a_server_without() {
        let account = Account::Password { name: "ada".to_owned(), password: "secret".to_owned() };
        let login = Login { host: "example.com".to_owned(), account: Some(account), authorization: None };
        let mut wire = Wire::new();
        let url = Url::parse("https://127.0.0.1/v2/").expect("a URL");
        wire.allow_plain(&url);
        let refused = login.token(&wire, r#"realm="http://127.0.0.1:1/token""#, &url).await.expect_err("is not safe");
        assert!(refused.to_string().contains("that is not safe"), "{refused}");
    }
}
