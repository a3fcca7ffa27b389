use connection::Credential;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::HttpFaultKind;
use crate::fault::Failure;

/// What a request may carry, after hyper and many servers.
const FIELDS_MAX: usize = 64;
const FIELDS_BYTES_MAX: usize = 32 * 1024;

/// The fields that frame the message or speak to the next hop: the host's alone.
const FRAMING: [&str; 11] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The fields that authenticate: a plugin has nothing to put there but a slot.
const AUTHENTICATING: [&str; 2] = ["authorization", "cookie"];

/// With this begins the fault of a request whose header fields the gate does not let through: a record of a request holds
/// the text alone.
pub const HEADER_FIELD: &str = "header field";

/// Whether a header field frames the message and therefore may not be set by a plugin.
pub fn is_framing_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    FRAMING.contains(&name.as_str()) || name.starts_with("proxy-")
}

/// The fields of a plugin, names in lower case, if they may be sent.
pub(crate) fn check(fields: &[(String, String)], credential: &Credential) -> Result<Vec<(String, String)>, Failure> {
    let bytes: usize = fields.iter().map(|(name, value)| name.len() + value.len()).sum();
    if fields.len() > FIELDS_MAX || bytes > FIELDS_BYTES_MAX {
        let message = format!(
            "the request has {} header fields of {bytes} bytes; the limits are {FIELDS_MAX} and {FIELDS_BYTES_MAX}",
            fields.len()
        );
        return Err(Failure::new(HttpFaultKind::TooLarge, "weir.http.limit.headers", message));
    }
    fields.iter().map(|(name, value)| check_one(name, value, credential)).collect()
}

fn check_one(name: &str, value: &str, credential: &Credential) -> Result<(String, String), Failure> {
    let denied =
        |why: &str| Failure::denied("weir.http.header", format!("{HEADER_FIELD} `{}` {why}", name.escape_debug()));
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| denied("has no valid name"))?;
    if HeaderValue::from_str(value).is_err() && HeaderValue::from_bytes(value.as_bytes()).is_err() {
        return Err(denied("holds a control character"));
    }
    let name = parsed.as_str();
    if is_framing_header(name) {
        return Err(denied("is set by the host; leave it out"));
    }
    let is_credentials = credential.header().is_some_and(|own| own.eq_ignore_ascii_case(name));
    if is_credentials || (AUTHENTICATING.contains(&name) && !value.contains("{{")) {
        return Err(denied("authenticates; leave it to the connection's credential, or put a {{slot}} into it"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// The fields as hyper takes them, `Host` first.
pub(crate) fn to_map(fields: &[(String, String)], authority: &str) -> Result<HeaderMap, Failure> {
    let unfit = |name: &str| Failure::denied("weir.http.header", format!("{HEADER_FIELD} `{name}` cannot be sent"));
    let mut map = HeaderMap::with_capacity(fields.len() + 3);
    map.insert(http::header::HOST, HeaderValue::from_str(authority).map_err(|_| unfit("host"))?);
    for (name, value) in fields {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit(name))?;
        map.append(parsed, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| unfit(name))?);
    }
    map.insert(http::header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    map.entry(http::header::USER_AGENT)
        .or_insert(HeaderValue::from_static(concat!("weir/", env!("CARGO_PKG_VERSION"))));
    Ok(map)
}

/// The fields of an answer without those of the transport.
pub(crate) fn from_map(map: &HeaderMap) -> impl Iterator<Item = (String, String)> + '_ {
    map.iter()
        .filter(|(name, _)| !is_hop_by_hop(name))
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    ["connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade"]
        .contains(&name.as_str())
}
