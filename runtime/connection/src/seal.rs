use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::Secret;

/// The key under which the keys of all secrets lie.
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

/// Why a sealed secret cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not what [`seal`] makes, or of a version that is not known.
    #[error("the record is no sealed secret of a known version")]
    Malformed,
    /// Another master key, another name, or damage; which of them cannot be told.
    #[error("the secret cannot be opened: the master key is another one, or the record is damaged or was moved here")]
    Refused,
}

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const WRAPPED_BYTES: usize = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

impl MasterKey {
    /// The key with these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A new key from the system's source of randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        random().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    /// The bytes, for whoever keeps the key.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[master key]")
    }
}

/// Seals a secret for keeping: version, the secret's own key under the master key, the secret under its own key, each with
/// XChaCha20-Poly1305 and a random nonce before it. Both are bound to `name`, so records cannot be swapped.
pub fn seal(master: &MasterKey, name: &str, secret: &Secret) -> Result<Vec<u8>, getrandom::Error> {
    let key = MasterKey::random()?;
    let mut sealed = vec![VERSION];
    encrypt(master, name, key.expose(), &mut sealed)?;
    encrypt(&key, name, secret.expose().as_bytes(), &mut sealed)?;
    Ok(sealed)
}

/// Opens what [`seal`] made with the same key and name.
pub fn open(master: &MasterKey, name: &str, sealed: &[u8]) -> Result<Secret, OpenError> {
    let Some((&VERSION, rest)) = sealed.split_first() else { return Err(OpenError::Malformed) };
    let (wrapped, rest) = rest.split_at_checked(WRAPPED_BYTES).ok_or(OpenError::Malformed)?;
    let key = decrypt(master, name, wrapped)?;
    let key = MasterKey::new(key.as_slice().try_into().map_err(|_| OpenError::Malformed)?);
    let text = decrypt(&key, name, rest)?;
    let text = std::str::from_utf8(&text).map_err(|_| OpenError::Malformed)?;
    Ok(Secret::new(text))
}

fn encrypt(key: &MasterKey, name: &str, plain: &[u8], sealed: &mut Vec<u8>) -> Result<(), getrandom::Error> {
    let nonce: [u8; NONCE_BYTES] = random()?;
    let aad = associated_data(name);
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    let encrypted = cipher.encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: &aad });
    sealed.extend_from_slice(&nonce);
    sealed.extend(encrypted.unwrap_or_else(|_| unreachable!("a secret of 256 GiB")));
    Ok(())
}

fn decrypt(key: &MasterKey, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (nonce, encrypted) = sealed.split_at_checked(NONCE_BYTES).ok_or(OpenError::Malformed)?;
    let aad = associated_data(name);
    let cipher = XChaCha20Poly1305::new(key.expose().into());
    let plain = cipher.decrypt(XNonce::from_slice(nonce), Payload { msg: encrypted, aad: &aad });
    plain.map(Zeroizing::new).map_err(|_| OpenError::Refused)
}

fn associated_data(name: &str) -> Vec<u8> {
    [b"weir secret 1\0", name.as_bytes()].concat()
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
