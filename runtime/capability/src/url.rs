use model::Origin;
use url::{Position, Url};

/// An absolute URL in its one normal form, with its method: what a rule has been applied to is what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedUrl {
    method: String,
    origin: Origin,
    url: Url,
}

/// Why a method or a URL is refused before any rule is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UrlFault(pub(crate) &'static str);

/// Longer URLs are refused by many servers.
const URL_BYTES_MAX: usize = 8 * 1024;
const METHOD_BYTES_MAX: usize = 32;

impl CheckedUrl {
    /// Reads method and URL and brings them into their normal form, or says why they have none.
    pub(crate) fn parse(method: &str, text: &str) -> Result<Self, UrlFault> {
        let method = normal_method(method).map_err(UrlFault)?;
        if text.len() > URL_BYTES_MAX {
            return Err(UrlFault("the URL is longer than 8192 bytes"));
        }
        // The parser below would drop tabs and line ends and turn backslashes round.
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\') {
            return Err(UrlFault("the URL holds white space, a control character or a backslash"));
        }
        let authority_start = text.find("://").ok_or(UrlFault("the URL is not absolute"))? + 3;
        let authority_len = text[authority_start..].find(['/', '?', '#']).unwrap_or(text.len() - authority_start);
        let (origin, rest) = text.split_at(authority_start + authority_len);
        if origin.contains('@') {
            return Err(UrlFault("the URL holds a user name; credentials belong to the connection"));
        }
        let origin: Origin = origin.parse().map_err(|_| {
            UrlFault("its scheme, host and port are not in their one plain form, such as https://api.example.com:8443")
        })?;
        check_path(rest.split(['?', '#']).next().unwrap_or_default())?;
        let mut url = Url::parse(text).map_err(|_| UrlFault("the URL cannot be parsed"))?;
        url.set_fragment(None);
        // Two parsers that share no code must see the same destination.
        if url[..Position::BeforePath] != *origin.as_str() {
            return Err(UrlFault("its host can be read in more than one way"));
        }
        Ok(Self { method, origin, url })
    }

    /// The method, in capitals.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The whole URL, without a fragment.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The path, percent-encoded.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Path and query, as they stand in a request line.
    pub fn path_and_query(&self) -> &str {
        &self.url[Position::BeforePath..]
    }

    /// The text of an absolute URL for a reference found in an answer from this one (RFC 3986, section 5). It has to be
    /// checked like any other.
    pub fn join(&self, reference: &str) -> Result<String, UrlFault> {
        let joined = self.url.join(reference).map_err(|_| UrlFault("the reference cannot be parsed"))?;
        Ok(joined.into())
    }
}

fn normal_method(method: &str) -> Result<String, &'static str> {
    // The characters of a token (RFC 9110, section 5.6.2) that methods are made of in practice.
    let is_token = (1..=METHOD_BYTES_MAX).contains(&method.len())
        && method.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let method = method.to_ascii_uppercase();
    match method.as_str() {
        "CONNECT" | "TRACE" => Err("CONNECT and TRACE are never allowed"),
        _ if is_token => Ok(method),
        _ => Err("the method is not a word"),
    }
}

/// Refuses a path that a server might understand as another one. An encoded slash is fine as such (some APIs need it in an
/// identifier), so a rule is applied to both readings.
pub(crate) fn check_path(path: &str) -> Result<(), UrlFault> {
    let decoded = decode(path).ok_or(UrlFault("its path holds a percent sign without two digits, or is not UTF-8"))?;
    if decoded.chars().any(|char| char.is_control() || char == '\\') {
        return Err(UrlFault("its path holds an encoded control character or backslash"));
    }
    // Some servers drop what follows a semicolon before they resolve the dots.
    if decoded.split('/').any(|segment| matches!(segment.split(';').next(), Some("." | ".."))) {
        return Err(UrlFault("its path holds a segment `.` or `..`"));
    }
    let lower = decoded.to_ascii_lowercase();
    if ["%2e", "%2f", "%5c", "%25", "%00"].iter().any(|twice| lower.contains(twice)) {
        return Err(UrlFault("its path holds a dot, slash, backslash or percent sign that is encoded twice"));
    }
    Ok(())
}

/// The path with percent-encoding undone once; none if it is malformed or does not give UTF-8.
pub(crate) fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte == b'%' {
            let (digits, behind) = rest.split_first_chunk::<2>()?;
            let digit = |byte: u8| char::from(byte).to_digit(16);
            bytes.push((digit(digits[0])? << 4 | digit(digits[1])?) as u8);
            rest = behind;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
