use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use semver::Version;

use crate::{ArtefactError, Digest};

/// Where an artefact lies, and which one of those there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where.
    pub location: Location,
    /// Which; none: the newest.
    pub target: Option<Target>,
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `oci://HOST[:PORT]/REPOSITORY`.
    Registry {
        /// With its port.
        host: String,
        /// The name of the repository there.
        repository: String,
    },
    /// `oci:FOLDER`, an OCI layout.
    Folder(PathBuf),
}

/// One of the artefacts in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `:TAG`.
    Tag(String),
    /// `@sha256:…`.
    Digest(Digest),
}

impl Target {
    /// The version that the tag says it is.
    pub(crate) fn version(&self) -> Option<Version> {
        match self {
            Self::Tag(tag) => Version::parse(tag).ok(),
            Self::Digest(_) => None,
        }
    }
}

impl Reference {
    /// Whether the text is meant to be one, and not a file.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("oci:")
    }
}

impl FromStr for Reference {
    type Err = ArtefactError;

    fn from_str(text: &str) -> Result<Self, ArtefactError> {
        let wrong = |reason: &str| ArtefactError::Reference { text: text.to_owned(), reason: reason.to_owned() };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse().map_err(|reason: String| wrong(&reason))?)),
            None => (text, None),
        };
        let Some(path) = rest.strip_prefix("oci:") else { return Err(wrong("it does not begin with `oci:`")) };
        // The last colon behind the last slash: others stand before a port.
        let name = path.rfind('/').map_or(0, |slash| slash + 1);
        let (path, tag) = match path[name..].rfind(':').map(|colon| name + colon) {
            Some(colon) => (&path[..colon], Some(&path[colon + 1..])),
            None => (path, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(wrong("a tag is letters, digits, `.`, `_` and `-`, at most 128"));
        }
        let location = match path.strip_prefix("//") {
            Some(path) => {
                let (host, repository) = path.split_once('/').ok_or_else(|| wrong("the repository is missing"))?;
                if host.is_empty() || url::Url::parse(&format!("https://{host}/")).is_err() {
                    return Err(wrong("the host is missing or no host"));
                }
                if !is_repository(repository) {
                    return Err(wrong("a repository is lower-case letters, digits, `.`, `_` and `-` between slashes"));
                }
                Location::Registry { host: host.to_owned(), repository: repository.to_owned() }
            }
            None if path.is_empty() => return Err(wrong("the folder is missing")),
            None => Location::Folder(path.into()),
        };
        // As others do: where both are written, the digest counts.
        let target = digest.map(Target::Digest).or_else(|| tag.map(|tag| Target::Tag(tag.to_owned())));
        Ok(Self { location, target })
    }
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && text.bytes().next().is_some_and(is_word)
        && text.bytes().all(|byte| is_word(byte) || b".-".contains(&byte))
}

fn is_repository(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let part = |part: &str| {
        part.bytes().next().is_some_and(is_word)
            && part.bytes().next_back().is_some_and(is_word)
            && part.bytes().all(|byte| is_word(byte) || b"._-".contains(&byte))
    };
    text.len() <= 255 && text.split('/').all(part)
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry { host, repository } => write!(f, "oci://{host}/{repository}"),
            Self::Folder(folder) => write!(f, "oci:{}", folder.display()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            None => write!(f, "{}", self.location),
            Some(Target::Tag(tag)) => write!(f, "{}:{tag}", self.location),
            Some(Target::Digest(digest)) => write!(f, "{}@{digest}", self.location),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_others_write_them() {
        let digest = Digest::of(b"");
        let digested = format!("oci://example.com/acme/crm@{digest}");
        for text in [
            "oci://example.com/acme/crm",
            "oci://127.0.0.1:5000/crm:1.2.0",
            "oci://[::1]:5000/crm:1.2.0-rc.1",
            "oci:out",
            "oci:/tmp/out:1.0.0",
            "oci:../a/b.c:latest",
            &digested,
        ] {
            let reference: Reference = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(reference.to_string(), text);
        }
        let both: Reference = format!("oci://h/r:1.0.0@{digest}").parse().expect("may have both");
        assert_eq!(both.target, Some(Target::Digest(digest)));
    }

    #[test]
    fn what_is_no_reference_is_refused_with_its_reason() {
        for (text, reason) in [
            ("crm.wasm", "`oci:`"),
            ("oci:", "folder"),
            ("oci://example.com", "repository"),
            ("oci:///crm", "host"),
            ("oci://example.com/CRM", "lower-case"),
            ("oci://example.com/a//b", "lower-case"),
            ("oci://example.com/crm:", "tag"),
            ("oci://example.com/crm:a b", "tag"),
            ("oci://example.com/crm@sha256:12", "digest"),
            ("oci://user:password@example.com/crm", "digest"),
        ] {
            let error = text.parse::<Reference>().expect_err(text).to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
