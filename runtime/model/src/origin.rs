use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Scheme, host and port of an `http` or `https` URL (RFC 6454), in the one spelling that Weir accepts: equal origins are
/// equal texts. Written `https://api.example.com`, with the port unless it is the scheme's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    text: String,
    /// Where the host ends in the text; it begins behind `://`.
    host_end: usize,
    port: u16,
}

/// Why a text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an origin: {reason}")]
pub struct ParseOriginError {
    text: String,
    reason: &'static str,
}

const HOST_CHARS_MAX: usize = 253;
const LABEL_CHARS_MAX: usize = 63;

impl Origin {
    /// The whole origin.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// The host: a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.text[self.scheme_len()..self.host_end]
    }

    /// The host if it is an address.
    pub fn address(&self) -> Option<IpAddr> {
        let host = self.host();
        match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        }
    }

    /// The port, the scheme's own if none is written.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as a `Host` field carries them: without the scheme's own port.
    pub fn authority(&self) -> &str {
        &self.text[self.scheme_len()..]
    }

    fn scheme_len(&self) -> usize {
        if self.is_https() { "https://".len() } else { "http://".len() }
    }

    /// Reads an origin, taking letters of either case. There is deliberately one way to write each host: no user name, no
    /// percent-encoding, no dot at the end, no address as octal, hexadecimal or with parts left out, no zone; a name
    /// beyond ASCII is written in its `xn--` form.
    fn parse(written: &str) -> Result<Self, &'static str> {
        let text = written.to_ascii_lowercase();
        let (scheme, default_port, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => ("https", 443, rest),
            (_, Some(rest)) => ("http", 80, rest),
            _ => return Err("it must begin with https:// or http://"),
        };
        let host_len = match rest.find(']') {
            Some(bracket) if rest.starts_with('[') => bracket + 1,
            _ => rest.find(':').unwrap_or(rest.len()),
        };
        let (host, port) = rest.split_at(host_len);
        let host = normal_host(host)?;
        let port = match port {
            "" => default_port,
            _ => parse_port(port).ok_or("the port must be a number from 1 to 65535 without leading zeros")?,
        };
        let mut text = format!("{scheme}://{host}");
        let host_end = text.len();
        if port != default_port {
            text.push_str(&format!(":{port}"));
        }
        Ok(Self { text, host_end, port })
    }
}

fn normal_host(host: &str) -> Result<String, &'static str> {
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return address.map(|address| format!("[{address}]")).ok_or("the host is not an IPv6 address in brackets");
    }
    if host.is_empty() || host.len() > HOST_CHARS_MAX {
        return Err("the host must have 1 to 253 characters");
    }
    // The WHATWG rule: whatever ends in a number is an IPv4 address, and most resolvers agree.
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_numeric = last.bytes().all(|byte| byte.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !last.is_empty() && is_numeric {
        let address = host.parse::<Ipv4Addr>().map_err(|_| "an address is written as four decimal numbers")?;
        return Ok(address.to_string());
    }
    if host.split('.').all(is_label) {
        Ok(host.to_owned())
    } else {
        Err("the host must be labels of letters, digits and hyphens between dots; beyond ASCII in its xn-- form")
    }
}

/// A label as names in DNS use them; an underscore occurs in practice.
fn is_label(label: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !label.is_empty()
        && label.len() <= LABEL_CHARS_MAX
        && label.bytes().all(is_inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(':')?;
    let is_plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| digits.parse().ok())?
}

impl FromStr for Origin {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, ParseOriginError> {
        Self::parse(text).map_err(|reason| ParseOriginError { text: text.to_owned(), reason })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::fmt::Debug for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_origins_are_equal_texts() {
        for (written, expected, host, port) in [
            ("https://API.Example.com", "https://api.example.com", "api.example.com", 443),
            ("HTTPS://api.example.com:443", "https://api.example.com", "api.example.com", 443),
            ("https://api.example.com:8443", "https://api.example.com:8443", "api.example.com", 8443),
            ("http://127.0.0.1:80", "http://127.0.0.1", "127.0.0.1", 80),
            ("http://[0:0::0:1]:8080", "http://[::1]:8080", "[::1]", 8080),
            ("http://some_host", "http://some_host", "some_host", 80),
        ] {
            let origin: Origin = written.parse().expect(written);
            assert_eq!((origin.as_str(), origin.host(), origin.port()), (expected, host, port));
        }
        let origin: Origin = "http://[::1]:8080".parse().expect("an origin");
        assert_eq!(origin.address(), Some(Ipv6Addr::LOCALHOST.into()));
        assert_eq!(origin.authority(), "[::1]:8080");
        assert!(!origin.is_https());
    }

    #[test]
    fn there_is_one_way_to_write_a_host() {
        for wrong in [
            "",
            "api.example.com",
            "ftp://example.com",
            "https://",
            "https://:443",
            "https://a@example.com",
            "https://example.com.",
            "https://example..com",
            "https://.example.com",
            "https://ex%61mple.com",
            "https://127.1",
            "https://0177.0.0.1",
            "https://0x7f.0.0.1",
            "https://2130706433",
            "https://0x7f000001",
            "https://127.0.0.01",
            "https://1.2.3.4.5",
            "https://example.0x",
            "https://[::1",
            "https://[::1%25eth0]",
            "https://[::1]x",
            "https://example.com:",
            "https://example.com:0",
            "https://example.com:080",
            "https://example.com:65536",
            "https://example.com:+80",
            "https://example.com:80:80",
            "https://exämple.com",
            "https://１２７.0.0.1",
            "https://-a.example",
            "https://a b.example",
            "https://example.com/path",
            "https://example.com\\x",
            "https://*.example.com",
            "https://{{host}}.example.com",
        ] {
            wrong.parse::<Origin>().expect_err(wrong);
        }
    }
}
