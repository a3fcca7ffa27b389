use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::key::{BadSecret, Key};
use crate::{Scheme, Verifier};

/// Signs requests as a sender of a scheme does.
pub struct Signer {
    scheme: Scheme,
    key: Key,
    /// The secret, kept for the schemes that send it.
    sent: Vec<u8>,
}

impl Signer {
    /// A signer with one secret.
    pub fn new(scheme: Scheme, secret: &[u8]) -> Result<Self, BadSecret> {
        let key = Key::new(&scheme, secret)?;
        let sent = if scheme.sends_secret() { secret.to_vec() } else { Vec::new() };
        Ok(Self { scheme, key, sent })
    }

    /// The header fields that the scheme adds to a request with this body: the proof, and where the scheme has them the
    /// time (to the second) and the sender's `id` of the delivery.
    pub fn sign(&self, id: &str, now: SystemTime, body: &[u8]) -> Vec<(String, String)> {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
        let mut fields = Vec::with_capacity(3);
        fields.extend(self.scheme.id_header().map(|name| (name.to_owned(), id.to_owned())));
        fields.extend(self.scheme.time_header().map(|name| (name.to_owned(), seconds.clone())));
        fields.push((self.scheme.header().to_owned(), self.proof(id, &seconds, body)));
        fields
    }

    fn proof(&self, id: &str, seconds: &str, body: &[u8]) -> String {
        let sent = || String::from_utf8_lossy(&self.sent);
        match &self.scheme {
            Scheme::Basic => return format!("Basic {}", STANDARD.encode(&self.sent)),
            Scheme::Bearer => return format!("Bearer {}", sent()),
            Scheme::ApiKey { .. } => return sent().into_owned(),
            _ => {}
        }
        let tag = self.key.sign(&Verifier::signed_parts(&self.scheme, id.as_bytes(), seconds.as_bytes(), body));
        let signature = format!("{}{}", self.scheme.prefix(), tag.write(self.scheme.encoding()));
        match self.scheme {
            Scheme::Stripe => format!("t={seconds},{signature}"),
            _ => signature,
        }
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}
