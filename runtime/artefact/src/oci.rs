//! The OCI image format, version 1.1, as far as it is used here.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::Digest as _;

use crate::ArtefactError;

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The configuration of something that has none: `{}`.
pub(crate) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The Wasm layout of the CNCF's working group: this configuration and one layer, so that every Wasm tool can pull it.
pub(crate) const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
pub(crate) const WASM: &str = "application/wasm";

/// Registries take no larger ones either.
pub(crate) const MANIFEST_BYTES_MAX: u64 = 4 << 20;
/// For a changelog, a report, a licence, a configuration.
pub(crate) const PAPER_BYTES_MAX: u64 = 4 << 20;
/// All documents that go along with one release, and how many.
pub(crate) const PAPERS_BYTES_MAX: u64 = 3 * PAPER_BYTES_MAX;
pub(crate) const PAPERS_MAX: usize = 16;

pub(crate) const TITLE: &str = "org.opencontainers.image.title";
pub(crate) const DESCRIPTION: &str = "org.opencontainers.image.description";
pub(crate) const VERSION: &str = "org.opencontainers.image.version";
pub(crate) const LICENCES: &str = "org.opencontainers.image.licenses";
pub(crate) const AUTHORS: &str = "org.opencontainers.image.authors";
pub(crate) const SOURCE: &str = "org.opencontainers.image.source";
pub(crate) const CREATED: &str = "org.opencontainers.image.created";
/// In the index of a layout: the tag.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// A SHA-256 digest, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    /// That of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(sha2::Sha256::digest(bytes)))
    }

    /// The digits alone.
    pub fn hex(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if hex.len() == 64 && hex.bytes().all(is_digit) {
            return Ok(Self(hex.to_owned()));
        }
        Err(format!("`{text}` is no digest: `sha256:` and 64 hexadecimal digits"))
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// Annotations of a manifest or a descriptor.
pub(crate) type Annotations = BTreeMap<String, String>;

/// What names some bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: Annotations,
    /// What others wrote, and is written again in their index.
    #[serde(flatten)]
    pub(crate) more: Map<String, Value>,
}

impl Descriptor {
    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: Annotations::new(),
            more: Map::new(),
        }
    }

    pub(crate) fn titled(media_type: &str, title: &str, bytes: &[u8]) -> Self {
        let annotations = [(TITLE.to_owned(), title.to_owned())].into();
        Self { annotations, ..Self::of(media_type, bytes) }
    }

    pub(crate) fn title(&self) -> &str {
        self.annotations.get(TITLE).map_or("", String::as_str)
    }
}

/// What an artefact consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Image {
    pub(crate) schema_version: u32,
    pub(crate) media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: Annotations,
}

impl Image {
    pub(crate) fn read(bytes: &[u8], what: &str) -> Result<Self, ArtefactError> {
        let read: Result<Self, _> = serde_json::from_slice(bytes);
        let image = read.map_err(|cause| ArtefactError::malformed(what, cause))?;
        if image.schema_version != 2 || image.media_type != IMAGE {
            return Err(ArtefactError::malformed(what, format!("its media type is `{}`", image.media_type)));
        }
        Ok(image)
    }

    pub(crate) fn annotation(&self, name: &str) -> &str {
        self.annotations.get(name).map_or("", String::as_str)
    }
}

/// A list of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    pub(crate) schema_version: u32,
    #[serde(default = "index_type")]
    pub(crate) media_type: String,
    pub(crate) manifests: Vec<Listed>,
    /// What others wrote, and is written again.
    #[serde(flatten)]
    pub(crate) more: Map<String, Value>,
}

/// What an index lists. Others write there too: what cannot be read is not ours, and stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Listed {
    Readable(Descriptor),
    Other(Value),
}

impl Index {
    pub(crate) fn readable(&self) -> impl DoubleEndedIterator<Item = &Descriptor> {
        self.manifests.iter().filter_map(Listed::readable)
    }
}

impl Listed {
    pub(crate) fn readable(&self) -> Option<&Descriptor> {
        match self {
            Self::Readable(descriptor) => Some(descriptor),
            Self::Other(_) => None,
        }
    }
}

fn index_type() -> String {
    INDEX.to_owned()
}

impl Default for Index {
    fn default() -> Self {
        Self { schema_version: 2, media_type: index_type(), manifests: Vec::new(), more: Map::new() }
    }
}

/// The bytes of a manifest or an index.
pub(crate) fn to_json(value: &impl Serialize) -> Vec<u8> {
    // Maps have text for keys, and nothing of ours fails to be written.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_keeps_what_others_wrote() {
        let digest = Digest::of(b"");
        let text = format!(
            r#"{{"annotations":{{"a":"b"}},"manifests":[{{"mediaType":"m","digest":"{digest}","size":0,"platform":{{"os":"x"}}}},{{"digest":"sha512:00"}}],"mediaType":"{INDEX}","schemaVersion":2}}"#
        );
        let index: Index = serde_json::from_str(&text).expect("reads");
        assert_eq!(index.readable().count(), 1);
        let [again, before]: [Value; 2] =
            [serde_json::from_slice(&to_json(&index)), serde_json::from_str(&text)].map(|value| value.expect("JSON"));
        assert_eq!(again, before);
    }

    #[test]
    fn a_digest_is_read_strictly() {
        let digest = Digest::of(b"weir");
        assert_eq!(digest.to_string().parse(), Ok(digest.clone()));
        let upper = digest.to_string().to_uppercase();
        for wrong in ["", "sha256:", "sha512:00", upper.as_str(), &digest.to_string()[..70]] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }
}
