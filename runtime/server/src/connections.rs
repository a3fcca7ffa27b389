use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use api::types::ConnectionDetail;
use connection::{Connection, Credential, SecretRef, SecretSource};
use serde_json::{Map, Value};

use crate::project::base_origin;
use crate::settings::ConnectionSettings;

/// The connections by name, ready for use, or why one is not.
#[derive(Default)]
pub(crate) struct Connections(RwLock<HashMap<String, Result<Arc<Connection>, String>>>);

impl Connections {
    /// Replaces all of them. A connection whose secrets are missing stays known, with what to do.
    pub(crate) fn replace(&self, settings: &[ConnectionSettings], secrets: &dyn SecretSource) {
        let made = settings.iter().map(|settings| (settings.name.clone(), connection(settings, secrets).map(Arc::new)));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = made.collect();
    }

    /// The text without the secrets of any of them.
    pub(crate) fn redacted(&self, text: String) -> String {
        let connections = self.0.read().unwrap_or_else(PoisonError::into_inner);
        connections.values().filter_map(|made| made.as_ref().ok()).fold(text, |text, connection| {
            match connection.redactor().text(&text) {
                Cow::Owned(clean) => clean,
                Cow::Borrowed(_) => text,
            }
        })
    }

    /// What is wrong with those that cannot be used.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let connections = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut troubles: Vec<_> = connections.values().filter_map(|made| made.as_ref().err().cloned()).collect();
        troubles.sort();
        troubles
    }
}

impl host::ConnectionLookup for Connections {
    fn find(&self, name: &str) -> Result<Arc<Connection>, String> {
        let connections = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let unknown = || Err(format!("connection `{name}` is not in connections.toml"));
        connections.get(name).cloned().unwrap_or_else(unknown)
    }
}

/// How a connection is set up, for somebody who may not know its secrets.
pub(crate) fn shown(settings: &ConnectionSettings) -> ConnectionDetail {
    let credentials: Map<String, Value> =
        settings.named.iter().map(|(name, credential)| (name.clone(), made_up(credential))).collect();
    ConnectionDetail {
        base_url: settings.base_url.clone(),
        origins: settings.origins.clone(),
        settings: settings.settings.clone(),
        account: settings.account.clone(),
        credential: made_up(&settings.credential),
        credentials: credentials.into(),
    }
}

/// Not even where a secret lies is anybody's business, nor the user whose password it is.
fn made_up(credential: &Credential<SecretRef>) -> Value {
    let mut shown = serde_json::to_value(credential).unwrap_or_default();
    let hide = |fields: &mut Value| {
        for key in ["secret", "user"] {
            if let Some(value) = fields.get_mut(key) {
                *value = format!("made-up-{key}").into();
            }
        }
    };
    hide(&mut shown);
    shown.get_mut("slots").and_then(Value::as_array_mut).into_iter().flatten().for_each(hide);
    shown
}

fn connection(settings: &ConnectionSettings, secrets: &dyn SecretSource) -> Result<Connection, String> {
    let mut origins = settings.base_url.iter().map(|url| base_origin(url)).collect::<Result<Vec<_>, _>>()?;
    for origin in &settings.origins {
        origins.push(origin.parse().map_err(|error| format!("connection `{}`: {error}", settings.name))?);
    }
    let resolve = |credential: &Credential<SecretRef>| {
        credential.resolve(secrets).map_err(|faults| {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            format!("connection `{}`: {}", settings.name, faults.join("; "))
        })
    };
    let mut connection = Connection::new(settings.name.as_str());
    connection.base_url = settings.base_url.clone();
    connection.origins = origins;
    connection.settings = settings.settings.to_string();
    connection.account = settings.account.clone();
    connection.credential = resolve(&settings.credential)?;
    for (name, credential) in &settings.named {
        connection.named.insert(name.clone(), resolve(credential)?);
    }
    connection.owner = settings.owner.clone();
    connection.plugins = settings.plugins.clone();
    Ok(connection)
}
