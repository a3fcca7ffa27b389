use std::borrow::Cow;
use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use signature::{HmacHeader, Scheme, Signer};

use crate::{Algorithm, Credential, Encoding, Secret, Slot};

/// What a credential is put into: a request that has passed the gate, and that passes it again afterwards if its URL has
/// changed.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Absolute, without a fragment.
    pub url: String,
    /// The header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
}

/// Why a credential cannot be put into a request. None of it is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyFault {
    /// A host that depends on a secret would be reached before anyone could check it.
    #[error("a slot stands in the host part of the URL; slots belong into path, query, header values or body")]
    SlotInHost,
    /// Nothing fills it.
    #[error("the credential in use has no slot `{0}`; name it in the connection's credential, or use another")]
    NoSuchSlot(String),
    /// The secret would break out of its place.
    #[error(
        "the secret of slot `{0}` may not stand in a path as it is: `raw` takes letters, digits, slashes and -._~!$&'()*+,;=:@ without `.` and `..` as segments"
    )]
    NotRaw(String),
    /// The secret would end the line.
    #[error("the secret of the connection holds a control character; set it again without line ends")]
    ControlCharacter,
    /// Nothing can be signed with nothing.
    #[error("the secret of the connection is empty; set it")]
    Empty,
}

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// Puts the credential into the request: fills slots, then adds header field or query parameter, then signs the final bytes.
pub fn apply(credential: &Credential, request: &mut Outgoing) -> Result<(), ApplyFault> {
    let slots = match credential {
        Credential::Slots { slots } => slots.as_slice(),
        _ => &[],
    };
    fill(slots, request)?;
    match credential {
        Credential::None | Credential::Slots { .. } => {}
        Credential::ApiKeyHeader { name, prefix, secret } => {
            set_header(request, name, format!("{prefix}{}", plain(secret)?));
        }
        Credential::ApiKeyQuery { name, secret } => set_query(request, name, plain(secret)?),
        Credential::Basic { user, secret } => {
            let pair = Secret::new(format!("{user}:{}", plain(secret)?));
            set_header(request, "authorization", format!("Basic {}", STANDARD.encode(pair.expose())));
        }
        Credential::Bearer { secret } => set_header(request, "authorization", format!("Bearer {}", plain(secret)?)),
        Credential::Hmac { header, algorithm, encoding, prefix, secret } => {
            let scheme = Scheme::Hmac(HmacHeader {
                header: header.clone(),
                algorithm: (*algorithm).into(),
                encoding: (*encoding).into(),
                prefix: prefix.clone(),
            });
            let signer = Signer::new(scheme, secret.expose().as_bytes()).map_err(|_| ApplyFault::Empty)?;
            // A plain HMAC covers the body alone, so neither an id nor the time goes into it.
            for (name, value) in signer.sign("", UNIX_EPOCH, &request.body) {
                set_header(request, &name, value);
            }
        }
    }
    Ok(())
}

fn fill(slots: &[Slot], request: &mut Outgoing) -> Result<(), ApplyFault> {
    if request.url.contains(OPEN) {
        let authority = request.url.find("://").map_or(0, |at| at + 3);
        let behind = request.url[authority..].find(['/', '?']).map_or(request.url.len(), |at| authority + at);
        let (host, rest) = request.url.split_at(behind);
        if host.contains(OPEN) {
            return Err(ApplyFault::SlotInHost);
        }
        let filled = replace(slots, rest, in_url)?;
        request.url = format!("{host}{filled}");
    }
    for (_, value) in request.headers.iter_mut().filter(|(_, value)| value.contains(OPEN)) {
        *value = replace(slots, value, |slot| plain(&slot.secret).map(Cow::Borrowed))?;
    }
    if let (true, Ok(text)) = (slots.iter().any(|slot| slot.body), std::str::from_utf8(&request.body)) {
        let content_type = header(request, "content-type");
        let form = BodyForm::of(content_type);
        let filled = slots.iter().filter(|slot| slot.body).fold(Cow::Borrowed(text), |text, slot| {
            let place = format!("{OPEN}{}{CLOSE}", slot.name);
            if text.contains(&place) {
                Cow::Owned(text.replace(&place, &form.written(slot.secret.expose())))
            } else {
                text
            }
        });
        request.body = Bytes::from(filled.into_owned());
    }
    Ok(())
}

/// Every `{{name}}` of the text filled; a name that is no slot is a fault.
fn replace<'a>(
    slots: &'a [Slot],
    text: &str,
    written: impl Fn(&'a Slot) -> Result<Cow<'a, str>, ApplyFault>,
) -> Result<String, ApplyFault> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(OPEN) {
        let slot = behind.split_once(CLOSE).and_then(|(name, behind)| {
            let slot = slots.iter().find(|slot| slot.name == name)?;
            Some((slot, behind))
        });
        let (slot, behind) = slot.ok_or_else(|| ApplyFault::NoSuchSlot(shown(behind)))?;
        filled.push_str(before);
        filled.push_str(&written(slot)?);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// What stands between the braces, as far as it could be a name.
fn shown(behind: &str) -> String {
    behind.split(CLOSE).next().unwrap_or_default().chars().take(40).collect()
}

fn in_url(slot: &Slot) -> Result<Cow<'_, str>, ApplyFault> {
    let secret = slot.secret.expose();
    if !slot.raw {
        return Ok(percent_encoded(secret).into());
    }
    // `pchar` and the slash (RFC 3986, section 3.3) without percent-encoding: nothing in it may mean something else later.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
    let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    if secret.is_empty() || !secret.bytes().all(is_plain) || secret.split('/').any(is_dots) {
        return Err(ApplyFault::NotRaw(slot.name.clone()));
    }
    Ok(secret.into())
}

/// Everything but the unreserved characters encoded (RFC 3986, section 2.3).
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// How a value is written so that the body stays what it is.
enum BodyForm {
    Json,
    Form,
    Other,
}

impl BodyForm {
    fn of(content_type: &str) -> Self {
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media_type.as_str() {
            "application/x-www-form-urlencoded" => Self::Form,
            json if json.ends_with("/json") || json.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }

    fn written<'a>(&self, secret: &'a str) -> Cow<'a, str> {
        match self {
            Self::Json => {
                let quoted = serde_json::Value::from(secret).to_string();
                quoted[1..quoted.len() - 1].to_owned().into()
            }
            Self::Form => percent_encoded(secret).into(),
            Self::Other => secret.into(),
        }
    }
}

/// The secret, if it can stand in a header field or a query.
fn plain(secret: &Secret) -> Result<&str, ApplyFault> {
    match secret.expose() {
        "" => Err(ApplyFault::Empty),
        text if text.chars().any(char::is_control) => Err(ApplyFault::ControlCharacter),
        text => Ok(text),
    }
}

fn header<'a>(request: &'a Outgoing, name: &str) -> &'a str {
    let field = request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    field.map_or("", |(_, value)| value)
}

fn set_header(request: &mut Outgoing, name: &str, value: String) {
    request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    request.headers.push((name.to_ascii_lowercase(), value));
}

/// Sets the parameter, in place of one of that name that a redirect brought along.
fn set_query(request: &mut Outgoing, name: &str, value: &str) {
    let (address, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    let name = percent_encoded(name);
    let others = query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(&name));
    let mut pairs: Vec<String> = others.map(str::to_owned).collect();
    pairs.push(format!("{name}={}", percent_encoded(value)));
    request.url = format!("{address}?{}", pairs.join("&"));
}

impl From<Algorithm> for signature::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha1 => Self::Sha1,
            Algorithm::Sha256 => Self::Sha256,
            Algorithm::Sha512 => Self::Sha512,
        }
    }
}

impl From<Encoding> for signature::Encoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Hex => Self::Hex,
            Encoding::Base64 => Self::Base64,
        }
    }
}
