//! Accounts at outside systems: their credentials as data, how each is put into a request, how secrets are sealed at rest
//! and kept out of texts. Pure: no I/O, no clock; where a secret is kept is asked of a [`SecretSource`]. Never learns who
//! may reach what. Start at [`Connection`].

mod apply;
mod credential;
mod proof;
mod redact;
mod seal;
mod secret;

pub use apply::{ApplyFault, Outgoing, apply};
pub use credential::{Algorithm, Credential, Encoding, Slot};
pub use proof::is_proof;
pub use redact::Redactor;
pub use seal::{MasterKey, OpenError, open, seal};
pub use secret::{Secret, SecretRef, SecretSource, Unresolved};

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use model::Origin;

/// An account at an outside system, ready for use. Made with [`Connection::new`], filled in, then shared.
#[derive(Debug)]
pub struct Connection {
    /// Its name in `connections.toml`.
    pub name: Arc<str>,
    /// The origin that paths are appended to, with what stands before every path: `https://api.example.com/crm`.
    pub base_url: Option<String>,
    /// Where its credentials may go, and nowhere else.
    pub origins: Vec<Origin>,
    /// Tenant, region, ids: a JSON object that the plugin is given.
    pub settings: String,
    /// Whose account it is, if that is known.
    pub account: Option<String>,
    /// What is added to a request that asks for nothing else.
    pub credential: Credential,
    /// What is added to a request that asks for it by name.
    pub named: BTreeMap<String, Credential>,
    /// Who is told when it stops working.
    pub owner: String,
    /// The plugins that may use it.
    pub plugins: Vec<String>,
    redactor: OnceLock<Redactor>,
}

impl Connection {
    /// A connection that reaches nothing, has no credential and serves no plugin.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            base_url: None,
            origins: Vec::new(),
            settings: "{}".to_owned(),
            account: None,
            credential: Credential::None,
            named: BTreeMap::new(),
            owner: String::new(),
            plugins: Vec::new(),
            redactor: OnceLock::new(),
        }
    }

    /// Whether this plugin may use it.
    pub fn serves(&self, plugin: &str) -> bool {
        self.plugins.iter().any(|allowed| allowed == plugin)
    }

    /// Whether its credentials may be sent there.
    pub fn covers(&self, origin: &Origin) -> bool {
        self.origins.contains(origin)
    }

    /// What hides its secrets in texts. Made when it is first asked for, from the credentials at that time.
    pub fn redactor(&self) -> &Redactor {
        let credentials = || std::iter::once(&self.credential).chain(self.named.values());
        self.redactor.get_or_init(|| Redactor::new(credentials()))
    }
}

#[cfg(test)]
mod tests;
