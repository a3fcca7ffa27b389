//! Secrets: where they are kept and how they are sealed. The one place of the server that reads the environment.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use connection::{MasterKey, Secret, SecretRef, SecretSource, Unresolved};
use store::{Commit, RowWrite, Store, StoreError, Table};

use crate::whole;

/// Why there is no master key, or a secret could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The key is not there.
    #[error("the master key cannot be had")]
    NoKey(#[source] Unresolved),
    /// The key's text is no key.
    #[error("the master key at {place} is not 64 hexadecimal digits; make one with `openssl rand -hex 32`")]
    BadKey {
        /// Where it is.
        place: String,
    },
    /// The key's file cannot be made.
    #[error("cannot make the master key `{}`", file.display())]
    MakeKey {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// No random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// A sealed secret cannot be opened.
    #[error("secret `{name}` cannot be opened: {cause}; the master key is not the one it was sealed with")]
    Sealed {
        /// The secret.
        name: String,
        /// Why.
        cause: connection::OpenError,
    },
    /// The store failed.
    #[error("the secret could not be kept")]
    Store(#[from] StoreError),
}

/// The secrets of Weir's own store, opened, and the way to the others.
pub(crate) struct Secrets {
    root: PathBuf,
    master: MasterKey,
    stored: RwLock<BTreeMap<String, Secret>>,
}

impl Secrets {
    /// Opens the secrets of the store. Without a configured key, one is kept in the data folder and made if need be.
    pub(crate) async fn open(
        root: &Path,
        data: &Path,
        key: Option<&SecretRef>,
        store: &dyn Store,
    ) -> Result<Self, SecretsError> {
        let master = match key {
            Some(reference) => {
                let text = read(root, reference).map_err(SecretsError::NoKey)?;
                parse_key(text.expose(), &reference.to_string())?
            }
            None => own_key(&data.join("secret.key"))?,
        };
        let mut stored = BTreeMap::new();
        for (name, row) in store.rows(Table::Secret).await? {
            let name = String::from_utf8_lossy(&name).into_owned();
            let secret = connection::open(&master, &name, &row.value)
                .map_err(|cause| SecretsError::Sealed { name: name.clone(), cause })?;
            stored.insert(name, secret);
        }
        Ok(Self { root: root.to_owned(), master, stored: RwLock::new(stored) })
    }

    /// Keeps a secret, sealed; none removes it.
    pub(crate) async fn set(&self, name: &str, secret: Option<Secret>, store: &dyn Store) -> Result<(), SecretsError> {
        let sealed = match &secret {
            Some(secret) => {
                let sealed = connection::seal(&self.master, name, secret).map_err(SecretsError::Random)?;
                Some(Bytes::from(sealed))
            }
            None => None,
        };
        let key = Bytes::copy_from_slice(name.as_bytes());
        let row = RowWrite { table: Table::Secret, key, expected: None, value: sealed };
        store.commit(Commit { executions: Vec::new(), rows: vec![row] }).await?;
        let mut stored = self.stored.write().unwrap_or_else(PoisonError::into_inner);
        match secret {
            Some(secret) => stored.insert(name.to_owned(), secret),
            None => stored.remove(name),
        };
        Ok(())
    }

    /// The names of the secrets in the store.
    pub(crate) fn names(&self) -> Vec<String> {
        self.stored.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

impl SecretSource for Secrets {
    fn read(&self, reference: &SecretRef) -> Result<Secret, Unresolved> {
        match reference {
            SecretRef::Store(name) => {
                let stored = self.stored.read().unwrap_or_else(PoisonError::into_inner);
                stored.get(name).cloned().ok_or_else(|| Unresolved::missing(reference))
            }
            elsewhere => read(&self.root, elsewhere),
        }
    }
}

fn read(root: &Path, reference: &SecretRef) -> Result<Secret, Unresolved> {
    let unreadable = |reason: String| Unresolved::Unreadable { reference: reference.clone(), reason };
    match reference {
        SecretRef::Env(name) => match std::env::var(name) {
            Ok(text) => Ok(Secret::new(text)),
            Err(std::env::VarError::NotPresent) => Err(Unresolved::missing(reference)),
            Err(error) => Err(unreadable(error.to_string())),
        },
        SecretRef::File(path) => match fs::read_to_string(root.join(path)) {
            Ok(text) => Ok(Secret::new(text.trim_end_matches(['\r', '\n']))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Unresolved::missing(reference)),
            Err(error) => Err(unreadable(error.to_string())),
        },
        SecretRef::Store(_) => Err(Unresolved::missing(reference)),
    }
}

fn own_key(file: &Path) -> Result<MasterKey, SecretsError> {
    match fs::read_to_string(file) {
        Ok(text) => parse_key(text.trim_end(), &file.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = MasterKey::random().map_err(SecretsError::Random)?;
            write_key(file, &key).map_err(|cause| SecretsError::MakeKey { file: file.to_owned(), cause })?;
            Ok(key)
        }
        Err(cause) => Err(SecretsError::MakeKey { file: file.to_owned(), cause }),
    }
}

fn write_key(file: &Path, key: &MasterKey) -> std::io::Result<()> {
    let hex: String = key.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    whole::write(file, format!("{hex}\n").as_bytes(), 0o600)
}

fn parse_key(text: &str, place: &str) -> Result<MasterKey, SecretsError> {
    let bad = || SecretsError::BadKey { place: place.to_owned() };
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return Err(bad());
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| bad())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| bad())?;
    }
    Ok(MasterKey::new(bytes))
}
