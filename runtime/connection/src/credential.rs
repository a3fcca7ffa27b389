use serde::{Deserialize, Serialize};

use crate::{Secret, SecretRef, SecretSource, Unresolved};

/// How a request proves whose it is. With `S` as [`SecretRef`] it is configuration; resolved, it holds the secrets. A
/// scheme that fetches tokens gives a bearer credential for each request, so it needs no place of its own here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "scheme")]
pub enum Credential<S = Secret> {
    /// Not at all.
    #[default]
    None,
    /// A key in a header field.
    ApiKeyHeader {
        /// The header field.
        name: String,
        /// What stands before the key: `Token `, often nothing.
        #[serde(default)]
        prefix: String,
        /// The key.
        secret: S,
    },
    /// A key in the query.
    ApiKeyQuery {
        /// The query parameter.
        name: String,
        /// The key.
        secret: S,
    },
    /// User and password (RFC 7617).
    Basic {
        /// The user.
        user: String,
        /// The password.
        secret: S,
    },
    /// A bearer token (RFC 6750).
    Bearer {
        /// The token.
        secret: S,
    },
    /// `{{name}}` in URL, header values and body.
    Slots {
        /// The slots.
        slots: Vec<Slot<S>>,
    },
    /// An HMAC of the body's final bytes.
    Hmac {
        /// The header field that carries it.
        header: String,
        /// The hash function.
        algorithm: Algorithm,
        /// How the bytes are written.
        encoding: Encoding,
        /// What stands before them: `sha256=`, often nothing.
        #[serde(default)]
        prefix: String,
        /// The key.
        secret: S,
    },
}

/// One named place for a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot<S = Secret> {
    /// The name between the braces: letters, digits, `_` and `-`.
    pub name: String,
    /// What is put there.
    pub secret: S,
    /// In a URL, slashes stay slashes: for incoming-webhook addresses whose path is the secret.
    #[serde(default)]
    pub raw: bool,
    /// It may stand in the body too. Off unless it is needed: bodies carry other people's data, and whoever knows the
    /// slot's name could write it there.
    #[serde(default)]
    pub body: bool,
}

/// A hash function for an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// For destinations that offer nothing better.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How the bytes of an HMAC are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal digits in lower case.
    Hex,
    /// Base64 with padding.
    Base64,
}

impl Credential<SecretRef> {
    /// The credential with its secrets, or every secret that is missing.
    pub fn resolve(&self, source: &dyn SecretSource) -> Result<Credential, Vec<Unresolved>> {
        let one = |reference: &SecretRef| source.read(reference).map_err(|fault| vec![fault]);
        Ok(match self {
            Self::None => Credential::None,
            Self::ApiKeyHeader { name, prefix, secret } => {
                Credential::ApiKeyHeader { name: name.clone(), prefix: prefix.clone(), secret: one(secret)? }
            }
            Self::ApiKeyQuery { name, secret } => Credential::ApiKeyQuery { name: name.clone(), secret: one(secret)? },
            Self::Basic { user, secret } => Credential::Basic { user: user.clone(), secret: one(secret)? },
            Self::Bearer { secret } => Credential::Bearer { secret: one(secret)? },
            Self::Slots { slots } => Credential::Slots { slots: resolve_slots(slots, source)? },
            Self::Hmac { header, algorithm, encoding, prefix, secret } => Credential::Hmac {
                header: header.clone(),
                algorithm: *algorithm,
                encoding: *encoding,
                prefix: prefix.clone(),
                secret: one(secret)?,
            },
        })
    }
}

fn resolve_slots(slots: &[Slot<SecretRef>], source: &dyn SecretSource) -> Result<Vec<Slot>, Vec<Unresolved>> {
    let mut faults = Vec::new();
    let mut resolved = Vec::with_capacity(slots.len());
    for slot in slots {
        match source.read(&slot.secret) {
            Ok(secret) => resolved.push(Slot { name: slot.name.clone(), secret, raw: slot.raw, body: slot.body }),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(resolved) } else { Err(faults) }
}

impl<S> Credential<S> {
    /// The header field that it writes, which a plugin may therefore not write itself.
    pub fn header(&self) -> Option<&str> {
        match self {
            Self::ApiKeyHeader { name, .. } => Some(name),
            Self::Basic { .. } | Self::Bearer { .. } => Some("authorization"),
            Self::Hmac { header, .. } => Some(header),
            Self::None | Self::ApiKeyQuery { .. } | Self::Slots { .. } => None,
        }
    }
}

impl Credential {
    /// Its secrets.
    pub(crate) fn secrets(&self) -> Vec<&Secret> {
        match self {
            Self::None => Vec::new(),
            Self::ApiKeyHeader { secret, .. }
            | Self::ApiKeyQuery { secret, .. }
            | Self::Basic { secret, .. }
            | Self::Bearer { secret }
            | Self::Hmac { secret, .. } => vec![secret],
            Self::Slots { slots } => slots.iter().map(|slot| &slot.secret).collect(),
        }
    }
}
