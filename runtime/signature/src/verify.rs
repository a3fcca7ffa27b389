use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::key::{BadSecret, Key};
use crate::{Field, Headers, Scheme};

/// How far the sender's clock may be off, or its request be under way: what Stripe, Slack and Standard Webhooks advise.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Longer than any credential or list of signatures that is meant seriously.
const PROOF_BYTES_MAX: usize = 8 * 1024;

/// Verifies the requests of one sender.
#[derive(Clone)]
pub struct Verifier {
    scheme: Scheme,
    keys: Vec<Key>,
    tolerance: Duration,
}

/// A request whose sender is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The sender's id of the delivery, the same when it is repeated, where the scheme has a header for it.
    pub id: Option<String>,
    /// When it was signed, where the scheme signs a time.
    pub time: Option<SystemTime>,
}

/// Why a request is not believed: for the log. Whoever sent it is told no more than that it is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// A header that the scheme needs is not there.
    #[error("header `{0}` is missing")]
    Missing(String),
    /// A header came more than once.
    #[error("header `{0}` came more than once")]
    Repeated(String),
    /// A header is not of its form.
    #[error("header `{header}` is not {expected}")]
    Malformed {
        /// The header.
        header: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// No active secret gives the signature, or none is the one that was sent.
    #[error("header `{0}` fits none of the active secrets")]
    Mismatch(String),
    /// Signed too long ago: a replay, or a clock that is wrong.
    #[error("signed {} s ago, which is more than the {} s allowed", .age.as_secs(), .tolerance.as_secs())]
    Stale {
        /// Since it was signed.
        age: Duration,
        /// What is allowed.
        tolerance: Duration,
    },
    /// Signed in the future: a clock is wrong.
    #[error("signed {} s in the future, which is more than the {} s allowed", .ahead.as_secs(), .tolerance.as_secs())]
    Early {
        /// Until the time of signing.
        ahead: Duration,
        /// What is allowed.
        tolerance: Duration,
    },
}

impl Verifier {
    /// A verifier that accepts any of `secrets`, so that a sender can change from one to the next. `tolerance` holds in
    /// both directions, for the schemes that sign a time: Standard Webhooks, Stripe and Slack.
    pub fn new<S: AsRef<[u8]>>(
        scheme: Scheme,
        secrets: impl IntoIterator<Item = S>,
        tolerance: Duration,
    ) -> Result<Self, BadSecret> {
        let keys: Vec<Key> =
            secrets.into_iter().map(|secret| Key::new(&scheme, secret.as_ref())).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(BadSecret::None);
        }
        Ok(Self { scheme, keys, tolerance })
    }

    /// The scheme.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// Whether a request with these header fields and this body, as it was received, comes from the sender. Every secret
    /// is tried and every comparison takes the same time, whatever fits.
    pub fn verify(
        &self,
        headers: &(impl Headers + ?Sized),
        body: &[u8],
        now: SystemTime,
    ) -> Result<Verified, Rejected> {
        let header = self.scheme.header();
        let proof = required(headers, header)?;
        if proof.len() > PROOF_BYTES_MAX {
            return Err(malformed(header, "of at most 8 KiB"));
        }
        if self.scheme.sends_secret() {
            let fits = match self.scheme {
                Scheme::Basic => {
                    let credential = STANDARD.decode(after_word(proof, header, "basic")?);
                    self.has_secret(&credential.map_err(|_| malformed(header, "base64 behind `Basic`"))?)
                }
                Scheme::Bearer => self.has_secret(after_word(proof, header, "bearer")?),
                _ => self.has_secret(proof),
            };
            return if fits { Ok(Verified { id: None, time: None }) } else { Err(Rejected::Mismatch(header.into())) };
        }
        let id = match self.scheme.id_header() {
            None => None,
            Some(name) => self.id(headers, name)?,
        };
        let time = self.time(headers, proof)?;
        let parts = Self::signed_parts(&self.scheme, id.unwrap_or_default().as_bytes(), time.unwrap_or_default(), body);
        if !self.has_signed(&parts, proof) {
            return Err(Rejected::Mismatch(header.into()));
        }
        // Judged last, so that only who knows a secret learns about our clock.
        let time = time.map(|digits| self.in_time(digits, now)).transpose()?;
        Ok(Verified { id: id.map(str::to_owned), time })
    }

    /// What is signed, in parts.
    pub(crate) fn signed_parts<'a>(scheme: &Scheme, id: &'a [u8], time: &'a [u8], body: &'a [u8]) -> [&'a [u8]; 5] {
        match scheme {
            Scheme::StandardWebhooks => [id, b".", time, b".", body],
            Scheme::Stripe => [time, b".", body, b"", b""],
            Scheme::Slack => [b"v0:", time, b":", body, b""],
            _ => [body, b"", b"", b"", b""],
        }
    }

    fn id<'h>(&self, headers: &'h (impl Headers + ?Sized), name: &str) -> Result<Option<&'h str>, Rejected> {
        let is_signed = self.scheme == Scheme::StandardWebhooks;
        let value = match headers.field(name) {
            Field::Absent if !is_signed => return Ok(None),
            _ => required(headers, name)?,
        };
        let id = std::str::from_utf8(value).map_err(|_| malformed(name, "text"))?;
        // A full stop in the id would let the border between id, time and body be moved without breaking the signature.
        if is_signed && (id.is_empty() || id.contains('.')) {
            return Err(malformed(name, "an id without a full stop"));
        }
        Ok(Some(id))
    }

    /// The digits of the time of signing, as they were signed.
    fn time<'h>(&self, headers: &'h (impl Headers + ?Sized), proof: &'h [u8]) -> Result<Option<&'h [u8]>, Rejected> {
        let (name, digits) = if self.scheme == Scheme::Stripe {
            let mut times = items(proof, b',').filter_map(|item| item.strip_prefix(b"t="));
            match (times.next(), times.next()) {
                (Some(time), None) => (self.scheme.header(), time),
                _ => return Err(malformed(self.scheme.header(), "a list with one `t=`")),
            }
        } else {
            match self.scheme.time_header() {
                None => return Ok(None),
                Some(name) => (name, required(headers, name)?),
            }
        };
        // Twelve digits reach beyond the year 30000 and fit every type.
        if digits.is_empty() || digits.len() > 12 || !digits.iter().all(u8::is_ascii_digit) {
            return Err(malformed(name, "a time in seconds since 1970"));
        }
        Ok(Some(digits))
    }

    fn in_time(&self, digits: &[u8], now: SystemTime) -> Result<SystemTime, Rejected> {
        let seconds = digits.iter().fold(0, |seconds: u64, digit| seconds * 10 + u64::from(digit - b'0'));
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        let tolerance = self.tolerance;
        match now.duration_since(time) {
            Ok(age) if age > tolerance => Err(Rejected::Stale { age, tolerance }),
            Err(error) if error.duration() > tolerance => Err(Rejected::Early { ahead: error.duration(), tolerance }),
            _ => Ok(time),
        }
    }

    /// Whether a secret gives one of the signatures that were sent. No secret is left out once one fits.
    fn has_signed(&self, parts: &[&[u8]], proof: &[u8]) -> bool {
        let (prefix, encoding) = (self.scheme.prefix().as_bytes(), self.scheme.encoding());
        // A byte that no header holds keeps the value of the other schemes in one piece.
        let separator = match self.scheme {
            Scheme::StandardWebhooks => b' ',
            Scheme::Stripe => b',',
            _ => b'\0',
        };
        self.keys.iter().fold(false, |fits, key| {
            let tag = key.sign(parts);
            items(proof, separator)
                .filter_map(|item| item.strip_prefix(prefix))
                .fold(fits, |fits, sent| fits | tag.is_written(sent, encoding))
        })
    }

    fn has_secret(&self, sent: &[u8]) -> bool {
        self.keys.iter().fold(false, |fits, key| fits | key.is_secret(sent))
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("scheme", &self.scheme)
            .field("secrets", &self.keys.len())
            .field("tolerance", &self.tolerance)
            .finish()
    }
}

fn items(list: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    list.split(move |byte| *byte == separator)
}

fn required<'h>(headers: &'h (impl Headers + ?Sized), name: &str) -> Result<&'h [u8], Rejected> {
    match headers.field(name) {
        Field::Once(value) => Ok(value),
        Field::Absent => Err(Rejected::Missing(name.to_owned())),
        Field::Repeated => Err(Rejected::Repeated(name.to_owned())),
    }
}

/// What stands behind the word that names the scheme in `authorization` (RFC 9110, section 11.4), in any case.
fn after_word<'h>(proof: &'h [u8], header: &str, word: &'static str) -> Result<&'h [u8], Rejected> {
    match proof.split_at_checked(word.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(word.as_bytes()) && rest.starts_with(b" ") => {
            Ok(rest.trim_ascii())
        }
        _ => Err(malformed(header, if word == "basic" { "of the scheme `Basic`" } else { "of the scheme `Bearer`" })),
    }
}

fn malformed(header: &str, expected: &'static str) -> Rejected {
    Rejected::Malformed { header: header.to_owned(), expected }
}
