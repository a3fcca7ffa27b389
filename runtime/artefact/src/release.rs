use manifest::Manifest;
use serde_json::json;

use crate::key::SigningKey;
use crate::oci::{
    AUTHORS, Annotations, CREATED, DESCRIPTION, Descriptor, EMPTY, IMAGE, Image, LICENCES, MANIFEST_BYTES_MAX,
    PAPER_BYTES_MAX, PAPERS_BYTES_MAX, SOURCE, TITLE, VERSION, WASM, WASM_CONFIG, to_json,
};
use crate::{ArtefactError, Digest, Place, Publisher};

/// What is attached to a release: its signature and its papers.
pub(crate) const RELEASE: &str = "application/vnd.weir.plugin.release.v1";
/// The title of the layer that signs the release's manifest, byte for byte.
pub(crate) const SIGNATURE: &str = "manifest.json.minisig";
pub(crate) const SIGNATURE_TYPE: &str = "application/vnd.weir.minisign.v1";
/// The paper that is the plugin's manifest with its schemas.
pub(crate) const MANIFEST_PAPER: &str = "weir-plugin.json";

/// The public key of who published it.
pub(crate) const PUBLISHER: &str = "weir.publisher";
/// Before the name of a paper: its digest. So that the signature of the manifest holds for the papers too.
pub(crate) const PAPER: &str = "weir.paper.";
const ROLES: &str = "weir.roles";
const CONTRACT: &str = "weir.contract";
const CHANGES: &str = "weir.changes";
const CONFORMANCE: &str = "weir.conformance";

/// A longer section of the changelog is found in the paper only.
const CHANGES_BYTES_MAX: usize = 8 << 10;

/// A document that goes along with a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Its file's name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// What it says.
    pub bytes: Vec<u8>,
}

impl Paper {
    /// One with that name and media type.
    pub fn new(name: &str, media_type: &str, bytes: Vec<u8>) -> Self {
        Self { name: name.to_owned(), media_type: media_type.to_owned(), bytes }
    }
}

/// A version of a plugin that is to be published.
#[derive(Clone, Debug)]
pub struct Release<'a> {
    /// The component.
    pub component: &'a [u8],
    /// What it says of itself.
    pub manifest: &'a Manifest,
    /// What it imports.
    pub imports: &'a [String],
    /// What it exports.
    pub exports: &'a [String],
    /// The whole changelog.
    pub changelog: String,
    /// Where its source is found.
    pub source: Option<String>,
    /// What the conformance suite found, in a line.
    pub conformance: Option<String>,
    /// What goes along beside the manifest and the changelog: a licence, a report.
    pub papers: Vec<Paper>,
    /// When, as RFC 3339.
    pub created: String,
}

/// A release as it is stored.
pub(crate) struct Packed {
    /// The bytes that are signed.
    pub(crate) image: Vec<u8>,
    pub(crate) config: Vec<u8>,
    pub(crate) papers: Vec<Paper>,
}

impl Packed {
    /// Whether all of it is small enough to be read again.
    pub(crate) fn check(&self) -> Result<(), ArtefactError> {
        let papers = self.papers.iter().map(|paper| (paper.name.as_str(), paper.bytes.len(), PAPER_BYTES_MAX));
        let others = [
            ("the release's manifest", self.image.len(), MANIFEST_BYTES_MAX),
            ("the release's configuration", self.config.len(), PAPER_BYTES_MAX),
            ("all that goes along", self.papers.iter().map(|paper| paper.bytes.len()).sum(), PAPERS_BYTES_MAX),
        ];
        match papers.chain(others).find(|(_, bytes, bytes_max)| *bytes as u64 > *bytes_max) {
            Some((what, _, bytes_max)) => Err(ArtefactError::TooLarge { what: what.to_owned(), bytes_max }),
            None => Ok(()),
        }
    }
}

impl Release<'_> {
    /// Gives the same bytes for the same release and time.
    pub(crate) fn pack(&self, changes: &str, publisher: &Publisher) -> Packed {
        let layer = Descriptor::titled(WASM, &format!("{}.wasm", self.manifest.id), self.component);
        let config = to_json(&json!({
            "created": self.created,
            "author": self.manifest.owner,
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [layer.digest],
            "component": { "exports": self.exports, "imports": self.imports, "target": null },
        }));
        let mut papers = vec![
            Paper::new(MANIFEST_PAPER, "application/json", to_json(self.manifest)),
            Paper::new("CHANGELOG.md", "text/markdown", self.changelog.clone().into_bytes()),
        ];
        papers.extend(self.papers.iter().cloned());
        let image = Image {
            schema_version: 2,
            media_type: IMAGE.to_owned(),
            artifact_type: None,
            config: Descriptor::of(WASM_CONFIG, &config),
            layers: vec![layer],
            subject: None,
            annotations: self.annotations(changes, publisher, &papers),
        };
        Packed { image: to_json(&image), config, papers }
    }

    fn annotations(&self, changes: &str, publisher: &Publisher, papers: &[Paper]) -> Annotations {
        let Manifest { id, version, description, owner, licence, contract, roles, .. } = self.manifest;
        let roles: Vec<_> = roles.iter().map(|role| json!(role).as_str().unwrap_or_default().to_owned()).collect();
        let known = [
            (TITLE, id.clone()),
            (VERSION, version.clone()),
            (DESCRIPTION, description.clone()),
            (AUTHORS, owner.clone()),
            (LICENCES, licence.clone()),
            (CREATED, self.created.clone()),
            (ROLES, roles.join(", ")),
            (CONTRACT, contract.clone()),
            (PUBLISHER, publisher.to_string()),
        ];
        let perhaps = [
            (SOURCE, self.source.clone()),
            (CONFORMANCE, self.conformance.clone()),
            (CHANGES, Some(changes.to_owned()).filter(|changes| changes.len() <= CHANGES_BYTES_MAX)),
        ];
        let perhaps = perhaps.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let named = known.into_iter().chain(perhaps).map(|(name, value)| (name.to_owned(), value));
        let papers =
            papers.iter().map(|paper| (format!("{PAPER}{}", paper.name), Digest::of(&paper.bytes).to_string()));
        named.chain(papers).collect()
    }
}

/// Attaches documents to a manifest that is there.
pub(crate) async fn attach(
    place: &mut Place,
    subject: Descriptor,
    artifact_type: &str,
    papers: &[Paper],
) -> Result<Digest, ArtefactError> {
    let nothing = b"{}";
    place.put_blob(nothing).await?;
    let mut layers = Vec::with_capacity(papers.len());
    for Paper { name, media_type, bytes } in papers {
        place.put_blob(bytes).await?;
        layers.push(Descriptor::titled(media_type, name, bytes));
    }
    let image = Image {
        schema_version: 2,
        media_type: IMAGE.to_owned(),
        artifact_type: Some(artifact_type.to_owned()),
        config: Descriptor::of(EMPTY, nothing),
        layers,
        subject: Some(subject),
        annotations: Annotations::new(),
    };
    place.attach(&image).await
}

/// Signs bytes; the signature as a paper of that name.
pub(crate) fn signed(key: &SigningKey, bytes: &[u8], comment: &str, name: &str) -> Result<Paper, ArtefactError> {
    Ok(Paper::new(name, SIGNATURE_TYPE, key.sign(bytes, comment)?.into_bytes()))
}
