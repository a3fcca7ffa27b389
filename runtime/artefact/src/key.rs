//! Keys and signatures in the formats of minisign, so that its own tool makes and checks the same.

use std::fmt;
use std::io::Cursor;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minisign::{KeyPair, PublicKey, PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};
use serde::{Deserialize, Serialize};

use crate::ArtefactError;

/// Of Ed25519.
const SIGNATURE_BYTES: usize = 64;

/// The public key of a publisher, as minisign writes it in one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Publisher(String);

impl Publisher {
    /// Reads a key: the line itself, or a file that holds it below a comment.
    ///
    /// # Errors
    /// The text is no public key.
    pub fn read(text: &str) -> Result<Self, ArtefactError> {
        let line = text.trim().lines().next_back().unwrap_or_default().trim();
        let publisher = Self(line.to_owned());
        publisher.key().map(|_| publisher.clone())
    }

    /// As minisign shows it: 16 hexadecimal digits. It tells keys apart for people, and proves nothing.
    pub fn id(&self) -> String {
        let bytes = self.key().map(|key| key.keynum().to_vec()).unwrap_or_default();
        bytes.iter().rev().map(|byte| format!("{byte:02X}")).collect()
    }

    /// Whether the signature of these bytes is this publisher's.
    pub(crate) fn verify(&self, bytes: &[u8], signature: &str) -> Result<(), String> {
        let key = self.key().map_err(|error| error.to_string())?;
        // minisign 0.10 slices what the fourth line signs without looking how long it is: a shorter one is a panic.
        let global = signature.lines().nth(3).and_then(|line| BASE64_STANDARD.decode(line.trim()).ok());
        if global.is_none_or(|bytes| bytes.len() != SIGNATURE_BYTES) {
            return Err("it is no signature of minisign".to_owned());
        }
        let signature = SignatureBox::from_string(signature).map_err(|error| error.to_string())?;
        if signature.keynum() != key.keynum() {
            return Err("it was made with another key than the publisher's".to_owned());
        }
        let verified = minisign::verify(&key, &signature, Cursor::new(bytes), true, false, false);
        verified.map_err(|_| "the bytes that were signed are others".to_owned())
    }

    fn key(&self) -> Result<PublicKey, ArtefactError> {
        let wrong = |error: minisign::PError| ArtefactError::Key {
            what: "this is no public key of minisign",
            reason: error.to_string(),
        };
        PublicKey::from_base64(&self.0).map_err(wrong)
    }
}

impl fmt::Display for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A secret key that was opened.
pub struct SigningKey(SecretKey);

impl SigningKey {
    /// Opens what a secret key's file holds; with the password, if [`is_encrypted`].
    ///
    /// # Errors
    /// The text is no secret key, or the password is not its.
    pub fn open(text: &str, password: Option<&str>) -> Result<Self, ArtefactError> {
        let opened = if is_encrypted(text) {
            SecretKey::from_box(SecretKeyBox::from(text.to_owned()), Some(password.unwrap_or_default().to_owned()))
        } else {
            // Not as a box: its checksum is asked for, and minisign's own tool writes none where there is no password.
            SecretKey::from_bytes(&second_line(text))
        };
        opened.map(Self).map_err(|error| failed("cannot open the secret key", &error))
    }

    /// Its public half.
    ///
    /// # Errors
    /// The file does not hold it.
    pub fn publisher(&self) -> Result<Publisher, ArtefactError> {
        let key = PublicKey::from_secret_key(&self.0);
        let key = key.map_err(|error| failed("cannot tell the public half of this key", &error))?;
        Ok(Publisher(key.to_base64()))
    }

    /// A detached signature, as a `.minisig` file holds it. The comment is signed along.
    pub(crate) fn sign(&self, bytes: &[u8], comment: &str) -> Result<String, ArtefactError> {
        // With the public half, so that a damaged key is seen here and not by who verifies.
        let public = PublicKey::from_secret_key(&self.0).ok();
        let signed =
            minisign::sign(public.as_ref(), &self.0, bytes, Some(comment), Some("signature of a plugin for Weir"));
        signed.map(SignatureBox::into_string).map_err(|error| failed("cannot sign", &error))
    }
}

/// A new key pair: what the file of the secret key holds and what that of the public key does.
///
/// # Errors
/// The system gives no randomness.
pub fn generate(password: Option<&str>) -> Result<(String, String), ArtefactError> {
    let pair = match password {
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password.to_owned())),
        None => KeyPair::generate_unencrypted_keypair(),
    };
    let texts = pair.and_then(|KeyPair { pk, sk }| {
        let secret = sk.to_box(Some("minisign secret key of a publisher of plugins for Weir"))?;
        Ok((secret.into_string(), pk.to_box().map(PublicKeyBox::into_string)?))
    });
    texts.map_err(|error| failed("cannot make a key pair", &error))
}

/// Whether a secret key needs its password.
pub fn is_encrypted(text: &str) -> bool {
    // Two bytes name the signature, the next two how the key is kept: scrypt, or not at all.
    second_line(text).get(2..4) == Some(b"Sc")
}

/// What stands below the comment; nothing if it is not base64.
fn second_line(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text.lines().nth(1).unwrap_or_default().trim()).unwrap_or_default()
}

fn failed(what: &'static str, error: &minisign::PError) -> ArtefactError {
    ArtefactError::Key { what, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_bytes_and_its_key_alone() {
        let (secret, public) = generate(None).expect("a pair");
        let (key, publisher) =
            (SigningKey::open(&secret, None).expect("opens"), Publisher::read(&public).expect("reads"));
        assert_eq!(key.publisher().expect("has one"), publisher);
        assert!(public.contains(&publisher.id()), "{public} {}", publisher.id());
        let signature = key.sign(b"bytes", "a comment").expect("signs");
        assert_eq!(publisher.verify(b"bytes", &signature), Ok(()));
        assert!(publisher.verify(b"other", &signature).is_err());
        assert!(publisher.verify(b"bytes", &signature.replace("a comment", "another")).is_err());
        let other = Publisher::read(&generate(None).expect("a pair").1).expect("reads");
        assert!(other.verify(b"bytes", &signature).expect_err("another key").contains("another key"));
        assert!(Publisher::read("RWQ=").is_err());
    }

    /// Whoever may attach something needs no key for it.
    #[test]
    fn a_signature_that_was_cut_is_refused_and_ends_nothing() {
        let (secret, public) = generate(None).expect("a pair");
        let (key, publisher) =
            (SigningKey::open(&secret, None).expect("opens"), Publisher::read(&public).expect("reads"));
        let signature = key.sign(b"bytes", "a comment").expect("signs");
        let lines: Vec<_> = signature.lines().collect();
        for fourth in ["", "AAAA", "not base64", &BASE64_STANDARD.encode([7; 65])] {
            let cut = [lines[0], lines[1], lines[2], fourth].join("\n");
            assert_eq!(publisher.verify(b"bytes", &cut), Err("it is no signature of minisign".to_owned()), "{fourth}");
        }
        assert!(publisher.verify(b"bytes", &lines[..3].join("\n")).is_err());
    }

    #[test]
    fn a_key_with_a_password_opens_with_that_one() {
        let (secret, _) = generate(Some("open sesame")).expect("a pair");
        assert!(is_encrypted(&secret));
        assert!(SigningKey::open(&secret, Some("open sesame")).is_ok());
        assert!(SigningKey::open(&secret, Some("open barley")).is_err());
        assert!(SigningKey::open(&secret, None).is_err());
    }
}
