use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use crate::{Algorithm, Encoding, Scheme};

/// Why a secret cannot be used. The secret itself is not named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecret {
    /// There is none.
    #[error("no secret is given: name at least one")]
    None,
    /// It is empty.
    #[error("a secret is empty")]
    Empty,
    /// A Standard Webhooks secret that is not base64.
    #[error("a secret is not base64: Standard Webhooks secrets are `whsec_` and base64 with padding")]
    NotBase64,
    /// A basic credential without a colon.
    #[error("a secret is not of the form `user:password`")]
    NotBasic,
}

/// A secret made ready: the first block of an HMAC is hashed already.
#[derive(Clone)]
pub(crate) enum Key {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
    /// The SHA-256 of a secret that is sent as it is: comparing hashes keeps its length secret too.
    Hash([u8; 32]),
}

/// The bytes of a signature: at most those of SHA-512.
pub(crate) struct Tag {
    bytes: [u8; 64],
    length: usize,
}

impl Key {
    pub(crate) fn new(scheme: &Scheme, secret: &[u8]) -> Result<Self, BadSecret> {
        if secret.is_empty() {
            return Err(BadSecret::Empty);
        }
        if scheme.sends_secret() {
            let is_basic = *scheme == Scheme::Basic;
            return if is_basic && !secret.contains(&b':') {
                Err(BadSecret::NotBasic)
            } else {
                Ok(Self::Hash(Sha256::digest(secret).into()))
            };
        }
        if *scheme == Scheme::StandardWebhooks {
            let text = secret.strip_prefix(b"whsec_").unwrap_or(secret);
            let secret = STANDARD.decode(text).map_err(|_| BadSecret::NotBase64)?;
            return if secret.is_empty() { Err(BadSecret::Empty) } else { Ok(Self::hmac(Algorithm::Sha256, &secret)) };
        }
        Ok(Self::hmac(scheme.algorithm(), secret))
    }

    fn hmac(algorithm: Algorithm, secret: &[u8]) -> Self {
        const ANY_LENGTH: &str = "an HMAC takes a key of any length";
        match algorithm {
            Algorithm::Sha1 => Self::Sha1(Hmac::new_from_slice(secret).expect(ANY_LENGTH)),
            Algorithm::Sha256 => Self::Sha256(Hmac::new_from_slice(secret).expect(ANY_LENGTH)),
            Algorithm::Sha512 => Self::Sha512(Hmac::new_from_slice(secret).expect(ANY_LENGTH)),
        }
    }

    /// The signature of the parts, one after the other.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> Tag {
        match self {
            Self::Sha1(mac) => {
                Tag::new(&parts.iter().fold(mac.clone(), |mac, part| mac.chain_update(part)).finalize().into_bytes())
            }
            Self::Sha256(mac) => {
                Tag::new(&parts.iter().fold(mac.clone(), |mac, part| mac.chain_update(part)).finalize().into_bytes())
            }
            Self::Sha512(mac) => {
                Tag::new(&parts.iter().fold(mac.clone(), |mac, part| mac.chain_update(part)).finalize().into_bytes())
            }
            Self::Hash(hash) => Tag::new(hash),
        }
    }

    /// Whether this is the secret that was sent.
    pub(crate) fn is_secret(&self, sent: &[u8]) -> bool {
        self.sign(&[]).equals(&Sha256::digest(sent))
    }
}

impl Tag {
    fn new(tag: &[u8]) -> Self {
        let mut bytes = [0; 64];
        bytes[..tag.len()].copy_from_slice(tag);
        Self { bytes, length: tag.len() }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Compared in constant time for its length.
    fn equals(&self, other: &[u8]) -> bool {
        self.as_slice().ct_eq(other).into()
    }

    /// Whether this is what was sent, once decoded.
    pub(crate) fn is_written(&self, sent: &[u8], encoding: Encoding) -> bool {
        // Base64 decodes groups of four: room for two bytes more than the 64 of a tag.
        let mut decoded = [0; 66];
        let length = match encoding {
            Encoding::Hex => {
                let Some(room) = decoded.get_mut(..sent.len() / 2) else { return false };
                hex::decode_to_slice(sent, room).ok().map(|()| sent.len() / 2)
            }
            Encoding::Base64 => STANDARD.decode_slice(sent, &mut decoded).ok(),
        };
        length.is_some_and(|length| self.equals(&decoded[..length]))
    }

    pub(crate) fn write(&self, encoding: Encoding) -> String {
        match encoding {
            Encoding::Hex => hex::encode(self.as_slice()),
            Encoding::Base64 => STANDARD.encode(self.as_slice()),
        }
    }
}
