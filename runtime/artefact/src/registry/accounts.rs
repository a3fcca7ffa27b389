use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use serde::Deserialize;

/// By which Docker keeps the account of its own registry, whatever that is called elsewhere.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The user name that says that the password is an identity token.
const IDENTITY: &str = "<token>";

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// With a name and a password.
    Password { name: String, password: String },
    /// With what a login through a browser gave, for which the token server gives tokens.
    Identity(String),
}

/// The file in which `docker login` and its like keep accounts.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Accounts {
    auths: BTreeMap<String, Auth>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    identitytoken: String,
}

/// What a helper gives.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

impl Account {
    pub(super) fn new(name: &str, password: &str) -> Self {
        match name {
            IDENTITY => Self::Identity(password.to_owned()),
            name => Self::Password { name: name.to_owned(), password: password.to_owned() },
        }
    }

    pub(super) fn of_helper(printed: &[u8]) -> Option<Self> {
        let helped: Helped = serde_json::from_slice(printed).ok()?;
        Some(Self::new(&helped.username, &helped.secret))
    }

    pub(super) fn basic(name: &str, password: &str) -> Option<HeaderValue> {
        secret(&format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}"))))
    }
}

/// A header that is shown nowhere.
pub(super) fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Accounts {
    /// The account that stands in the file itself: that of the repository before that of those around it.
    pub(super) fn written(&self, host: &str, repository: &str) -> Option<Account> {
        let place = format!("{host}/{repository}");
        let of = |name: &str| {
            let name = bare(name);
            (place == name || place.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))).then_some(name.len())
        };
        let named = self.auths.iter().filter_map(|(name, auth)| {
            let length = if is_docker_hub(host) && name == DOCKER_HUB { host.len() } else { of(name)? };
            Some((length, auth.account()?))
        });
        named.max_by_key(|(length, _)| *length).map(|(_, account)| account)
    }

    /// The helper that alone has the account at this registry, and by which name.
    pub(super) fn own_helper<'a>(&'a self, host: &'a str) -> Option<(&'a str, &'a str)> {
        let server = server(host);
        let helper = self.cred_helpers.get(host).or_else(|| self.cred_helpers.get(server))?;
        Some((helper, server))
    }

    /// The helper that may have any account that does not stand in the file, and by which name.
    pub(super) fn common_helper<'a>(&'a self, host: &'a str) -> Option<(&'a str, &'a str)> {
        Some((self.creds_store.as_deref()?, server(host)))
    }
}

impl Auth {
    fn account(&self) -> Option<Account> {
        if !self.identitytoken.is_empty() {
            return Some(Account::Identity(self.identitytoken.clone()));
        }
        let text = String::from_utf8(BASE64_STANDARD.decode(&self.auth).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Account::new(name, password))
    }
}

/// Docker writes some names as URLs of its API.
fn bare(name: &str) -> &str {
    let name = name.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    name.trim_end_matches("/v1").trim_end_matches("/v2")
}

/// By which name helpers know it.
fn server(host: &str) -> &str {
    if is_docker_hub(host) { DOCKER_HUB } else { host }
}

fn is_docker_hub(host: &str) -> bool {
    ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(&host)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn accounts(value: Value) -> Accounts {
        serde_json::from_value(value).expect("a file of Docker's")
    }

    fn auth(name: &str) -> Value {
        json!({ "auth": BASE64_STANDARD.encode(format!("{name}:secret")) })
    }

    #[test]
    fn the_account_of_the_longest_name_is_taken() {
        let accounts = accounts(json!({ "auths": {
            "https://example.com/v1/": auth("all"),
            "example.com/acme": auth("acme"),
            "example.com/acme/crm": auth("crm"),
            "other.example.com": {},
            "https://index.docker.io/v1/": auth("hub"),
        } }));
        for (host, repository, expected) in [
            ("example.com", "other/erp", Some("all")),
            ("example.com", "acme/erp", Some("acme")),
            ("example.com", "acme/crm", Some("crm")),
            ("example.com", "acme/crm-2", Some("acme")),
            ("example.com", "acmes", Some("all")),
            ("other.example.com", "a", None),
            ("ample.com", "a", None),
            ("example.com:5000", "a", None),
            ("registry-1.docker.io", "acme/crm", Some("hub")),
        ] {
            let expected = expected.map(|name| Account::new(name, "secret"));
            assert_eq!(accounts.written(host, repository), expected, "{host}/{repository}");
        }
    }

    #[test]
    fn an_identity_token_is_no_password() {
        let identity = Account::Identity("secret".to_owned());
        let token =
            json!({ "auths": { "a": { "auth": "YWRhOg==", "identitytoken": "secret" }, "b": auth("<token>") } });
        let accounts = accounts(token);
        assert_eq!(accounts.written("a", "r"), Some(identity.clone()));
        assert_eq!(accounts.written("b", "r"), Some(identity.clone()));
        assert_eq!(Account::of_helper(br#"{"Username":"<token>","Secret":"secret"}"#), Some(identity));
        assert_eq!(Account::of_helper(b"credentials not found"), None);
    }

    #[test]
    fn a_registry_can_have_a_helper_of_its_own() {
        let accounts = accounts(json!({ "credHelpers": { "example.com": "own" }, "credsStore": "desktop" }));
        assert_eq!(accounts.own_helper("example.com"), Some(("own", "example.com")));
        assert_eq!(accounts.own_helper("docker.io"), None);
        assert_eq!(accounts.common_helper("docker.io"), Some(("desktop", DOCKER_HUB)));
    }
}
