use model::Origin;
use serde::{Deserialize, Serialize};

use crate::url::{CheckedUrl, check_path, decode};

/// A rule as it is written, in a grant and in a plugin's manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRuleText {
    /// `https://api.example.com[:port]`, `https://*.example.com` (one label in place of the star), or `connection`: the
    /// origins of the connection in use.
    pub origin: String,
    /// The methods, each by its name.
    pub methods: Vec<String>,
    /// The paths; a `*` at the end stands for anything behind it.
    pub paths: Vec<String>,
}

/// Which methods on which paths of which origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRule {
    origin: OriginRule,
    methods: Vec<String>,
    paths: Vec<PathRule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum OriginRule {
    Exact(Origin),
    /// The origin with the label `x` in place of the star, and `.example.com:port`, what must stand behind that label.
    AnyLabel {
        sample: Origin,
        suffix: String,
    },
    Connection,
}

/// A path, or the beginning of paths, as it is written and with percent-encoding undone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PathRule {
    literal: String,
    decoded: String,
    is_prefix: bool,
}

impl HttpRule {
    /// The rule that is written, or everything that is wrong with it.
    pub fn parse(text: &HttpRuleText) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut note = |fault| faults.push(fault);
        let origin = OriginRule::parse(&text.origin).map_err(&mut note).ok();
        if text.methods.is_empty() {
            note(format!("`{}` allows no method: name them, such as methods = [\"GET\"]", text.origin));
        }
        for method in &text.methods {
            let is_word = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
            if !is_word || matches!(method.as_str(), "CONNECT" | "TRACE") {
                note(format!("`{method}` is not a method that can be granted: each is named in capitals, such as GET"));
            }
        }
        if text.paths.is_empty() {
            note(format!("`{}` allows no path: name them, such as paths = [\"/v1/*\"]", text.origin));
        }
        let paths = text.paths.iter().filter_map(|path| PathRule::parse(path).map_err(&mut note).ok()).collect();
        match origin {
            Some(origin) if faults.is_empty() => Ok(Self { origin, methods: text.methods.clone(), paths }),
            _ => Err(faults),
        }
    }

    pub(crate) fn allows(&self, url: &CheckedUrl, path: &DecodedPath<'_>, connection_origins: &[Origin]) -> bool {
        self.methods.iter().any(|method| method == url.method())
            && self.origin.allows(url.origin(), connection_origins)
            && self.paths.iter().any(|rule| rule.allows(path))
    }

    /// In words, what this rule allows and none of `granted` does; none if nothing is left.
    pub(crate) fn beyond(&self, granted: &[Self]) -> Option<String> {
        let mut left: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
        for path in &self.paths {
            let is_covered = |method: &String| granted.iter().any(|rule| rule.covers(&self.origin, method, path));
            let methods: Vec<_> =
                self.methods.iter().filter(|method| !is_covered(method)).map(String::as_str).collect();
            match left.iter_mut().find(|(known, _)| *known == methods) {
                _ if methods.is_empty() => {}
                Some((_, paths)) => paths.push(&path.literal),
                None => left.push((methods, vec![&path.literal])),
            }
        }
        let parts: Vec<_> =
            left.iter().map(|(methods, paths)| format!("{} on {}", methods.join(", "), paths.join(", "))).collect();
        (!parts.is_empty()).then(|| format!("{}: {}", self.origin.in_words(), parts.join("; ")))
    }

    fn covers(&self, origin: &OriginRule, method: &String, path: &PathRule) -> bool {
        self.origin.covers(origin)
            && self.methods.contains(method)
            && self.paths.iter().any(|granted| granted.covers(path))
    }
}

/// A path as it is sent and as a server may understand it.
pub(crate) struct DecodedPath<'a> {
    pub(crate) literal: &'a str,
    pub(crate) decoded: String,
}

impl OriginRule {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "connection" {
            return Ok(Self::Connection);
        }
        let Some((scheme, rest)) = text.split_once("*.") else {
            return text.parse().map(Self::Exact).map_err(|fault: model::ParseOriginError| fault.to_string());
        };
        let refused = || {
            format!(
                "`{text}` is not an origin: a star stands for the first label only, with two labels or more behind it, such as https://*.example.com"
            )
        };
        let sample: Origin = format!("{scheme}x.{rest}").parse().map_err(|_| refused())?;
        // A star before a whole top-level domain would allow everyone who owns a name in it.
        if !scheme.ends_with("://") || !rest.contains('.') || sample.address().is_some() {
            return Err(refused());
        }
        let suffix = sample.authority()["x".len()..].to_owned();
        Ok(Self::AnyLabel { sample, suffix })
    }

    fn allows(&self, origin: &Origin, connection_origins: &[Origin]) -> bool {
        match self {
            Self::Exact(granted) => granted == origin,
            Self::AnyLabel { sample, suffix } => {
                let label = origin.authority().strip_suffix(suffix.as_str());
                sample.is_https() == origin.is_https()
                    && label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
            }
            Self::Connection => connection_origins.contains(origin),
        }
    }

    fn covers(&self, other: &Self) -> bool {
        match other {
            Self::Exact(origin) => self.allows(origin, &[]),
            _ => self == other,
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Exact(origin) => origin.to_string(),
            Self::AnyLabel { sample, suffix } => {
                format!("{}*{suffix}", if sample.is_https() { "https://" } else { "http://" })
            }
            Self::Connection => "the origins of its connection".to_owned(),
        }
    }
}

impl PathRule {
    fn parse(text: &str) -> Result<Self, String> {
        let path = text.strip_suffix('*').unwrap_or(text);
        if !path.starts_with('/') {
            return Err(format!("path `{text}` does not begin with a slash"));
        }
        if path.contains('*') {
            return Err(format!("path `{text}` has a star before its end, where it stands for nothing"));
        }
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"?#\\\"<>`".contains(&byte);
        let decoded = check_path(path).ok().and_then(|()| decode(path));
        match decoded {
            Some(decoded) if path.bytes().all(is_plain) => {
                Ok(Self { literal: text.to_owned(), decoded, is_prefix: text.ends_with('*') })
            }
            _ => Err(format!("path `{text}` is not plain: no `.` or `..`, no query; encode other characters as %XX")),
        }
    }

    fn literal(&self) -> &str {
        self.literal.strip_suffix('*').unwrap_or(&self.literal)
    }

    fn allows(&self, path: &DecodedPath<'_>) -> bool {
        if self.is_prefix {
            path.literal.starts_with(self.literal()) && path.decoded.starts_with(&self.decoded)
        } else {
            path.literal == self.literal && path.decoded == self.decoded
        }
    }

    fn covers(&self, other: &Self) -> bool {
        if self.is_prefix { other.literal().starts_with(self.literal()) } else { self == other }
    }
}
