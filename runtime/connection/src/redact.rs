use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::apply::percent_encoded;
use crate::{Credential, Secret};

/// Hides secrets in what is shown or handed on: as they are, percent-encoded, in JSON, in hexadecimal, and in base64
/// wherever they begin. It cannot recognise a secret that was changed in another way.
#[derive(Clone, Default)]
pub struct Redactor(Option<AhoCorasick>);

const HIDDEN: &str = "[redacted]";

/// Shorter texts occur by chance, and hiding them would make everything else unreadable.
const SECRET_BYTES_MIN: usize = 4;

impl Redactor {
    /// Hides the secrets of these credentials.
    pub fn new<'a>(credentials: impl IntoIterator<Item = &'a Credential>) -> Self {
        let mut forms = Vec::new();
        for credential in credentials {
            for secret in credential.secrets() {
                add_forms(secret.expose(), &mut forms);
            }
            if let Credential::Basic { user, secret } = credential {
                let pair = Secret::new(format!("{user}:{}", secret.expose()));
                forms.push(STANDARD.encode(pair.expose()));
            }
        }
        forms.sort_unstable();
        forms.dedup();
        if forms.is_empty() {
            return Self(None);
        }
        // Building fails only beyond two thousand million states; without it everything would have to be hidden.
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&forms);
        Self(Some(automaton.unwrap_or_else(|error| unreachable!("secrets of gigabytes: {error}"))))
    }

    /// The text with every secret hidden.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.0 {
            Some(forms) if forms.is_match(text) => {
                let mut clean = String::with_capacity(text.len());
                forms.replace_all_with(text, &mut clean, |_, _, clean| {
                    clean.push_str(HIDDEN);
                    true
                });
                Cow::Owned(clean)
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// The bytes with every secret hidden; none if there is nothing to hide.
    pub fn bytes(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let forms = self.0.as_ref().filter(|forms| forms.is_match(bytes))?;
        let mut clean = Vec::with_capacity(bytes.len());
        forms.replace_all_with_bytes(bytes, &mut clean, |_, _, clean| {
            clean.extend_from_slice(HIDDEN.as_bytes());
            true
        });
        Some(clean)
    }
}

impl std::fmt::Debug for Redactor {
    // The automaton would print the secrets byte by byte.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redactor]")
    }
}

fn add_forms(secret: &str, forms: &mut Vec<String>) {
    if secret.len() < SECRET_BYTES_MIN {
        return;
    }
    let hex = hex::encode(secret);
    let percent = percent_encoded(secret);
    let json = serde_json::Value::from(secret).to_string();
    forms.extend([
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        percent.replace("%20", "+"),
        lower_percent(&percent),
        percent,
        hex.to_ascii_uppercase(),
        hex,
    ]);
    // What base64 makes of a text depends on where in a group of three bytes it begins; the characters at both ends carry
    // bits of the neighbours and are left out.
    for lead in 0..3 {
        let padded: Vec<u8> = std::iter::repeat_n(0, lead).chain(secret.bytes()).collect();
        let whole_bits = padded.len() * 8 / 6;
        let skipped = (lead * 8).div_ceil(6);
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            forms.push(encoded[skipped..whole_bits].to_owned());
        }
    }
}

/// The same with hexadecimal digits in lower case, as some write them.
fn lower_percent(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        text.push('%');
        text.push_str(&digits.to_ascii_lowercase());
        text.push_str(rest);
    }
    text
}
