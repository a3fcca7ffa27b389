use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A secret text. It is wiped from memory when dropped, and neither printed nor serialised.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

/// Where a secret is kept, as configuration names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretRef {
    /// In this environment variable.
    Env(String),
    /// In this file, a line end at its end left out.
    File(PathBuf),
    /// In Weir's own store, under this name: `weir secret set NAME`.
    Store(String),
}

/// Reads secrets. The server implements it; nobody else reads the environment or the store.
pub trait SecretSource {
    /// The secret that is kept there.
    fn read(&self, reference: &SecretRef) -> Result<Secret, Unresolved>;
}

/// Why a secret cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// There is none.
    #[error("there is no secret at {reference}; {cure}")]
    Missing {
        /// Where.
        reference: SecretRef,
        /// How to put one there.
        cure: String,
    },
    /// It is there and cannot be used.
    #[error("the secret at {reference} cannot be read: {reason}")]
    Unreadable {
        /// Where.
        reference: SecretRef,
        /// Why, without any of it.
        reason: String,
    },
}

impl Unresolved {
    /// There is none, with how to put one there.
    pub fn missing(reference: &SecretRef) -> Self {
        let cure = match reference {
            SecretRef::Env(name) => format!("set {name} in Weir's environment"),
            SecretRef::File(path) => format!("write it into {}", path.display()),
            SecretRef::Store(name) => format!("set it: weir secret set {name}"),
        };
        Self::Missing { reference: reference.clone(), cure }
    }
}

impl Secret {
    /// A secret with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text, for whoever must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "{{ env = \"{name}\" }}"),
            Self::File(path) => write!(f, "{{ file = \"{}\" }}", path.display()),
            Self::Store(name) => write!(f, "{{ store = \"{name}\" }}"),
        }
    }
}
