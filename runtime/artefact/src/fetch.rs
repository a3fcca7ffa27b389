use semver::Version;

use crate::notice::{NOTICE, NOTICE_PAPER, NOTICE_SIGNATURE};
use crate::oci::{
    Descriptor, Image, MANIFEST_BYTES_MAX, PAPER_BYTES_MAX, PAPERS_BYTES_MAX, PAPERS_MAX, SOURCE, TITLE, VERSION, WASM,
    WASM_CONFIG,
};
use crate::release::{MANIFEST_PAPER, PAPER, PUBLISHER, RELEASE, SIGNATURE};
use crate::{ArtefactError, Digest, Location, Notice, NoticeKind, Paper, Pins, Place, Publisher, Reference, Target};

/// Signatures and notices of one release; whoever may push can attach what they like.
const ATTACHMENTS_MAX: usize = 64;

/// What is wanted, and of whom.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Which; none: the newest version that was not yanked, and a pre-release only where nothing else is.
    pub target: Option<Target>,
    /// Whose; none: the pinned publisher's, and whoever published it at first use.
    pub publisher: Option<Publisher>,
    /// What the project knows.
    pub pins: &'a Pins,
    /// Take an older version than the pinned one.
    pub downgrade: bool,
    /// Take it even if it was yanked.
    pub yanked: bool,
}

impl<'a> Wanted<'a> {
    /// That one, from a publisher who is pinned or new.
    pub fn new(target: Option<Target>, pins: &'a Pins) -> Self {
        Self { target, publisher: None, pins, downgrade: false, yanked: false }
    }
}

/// A release whose signature holds. Its component has still to be fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Where it lies, by its digest.
    pub reference: Reference,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The plugin.
    pub id: String,
    /// Its version.
    pub version: Version,
    /// Who published it.
    pub publisher: Publisher,
    /// Whether the publisher was known before.
    pub is_known: bool,
    /// Where its source is found.
    pub source: Option<String>,
    /// What goes along.
    pub papers: Vec<Paper>,
    /// What its publisher said of it later.
    pub notices: Vec<Notice>,
    /// The digest of the component.
    pub component: Digest,
    pub(crate) size: u64,
    layer: Descriptor,
}

impl Fetched {
    /// One that nobody published.
    #[cfg(test)]
    pub(crate) fn stand_in(reference: Reference, id: &str, version: &str, publisher: &Publisher) -> Self {
        let layer = Descriptor::of(WASM, version.as_bytes());
        Self {
            reference,
            digest: Digest::of(format!("{id} {version}").as_bytes()),
            id: id.to_owned(),
            version: Version::parse(version).expect("a version"),
            publisher: publisher.clone(),
            is_known: false,
            source: None,
            papers: Vec::new(),
            notices: Vec::new(),
            component: layer.digest.clone(),
            size: 0,
            layer,
        }
    }

    /// Fetches the component.
    ///
    /// # Errors
    /// It is too large, or is not what the manifest names.
    pub async fn component(&self, place: &mut Place, bytes_max: u64) -> Result<Vec<u8>, ArtefactError> {
        place.blob(&self.layer, "the component", bytes_max).await
    }

    /// Whether it is what the component says of itself.
    ///
    /// # Errors
    /// It is not.
    pub fn check_identity(&self, manifest: &manifest::Manifest) -> Result<(), ArtefactError> {
        if (manifest.id.as_str(), manifest.version.as_str()) == (self.id.as_str(), self.version.to_string().as_str()) {
            return Ok(());
        }
        let reason = format!("the component in it is {} {}", manifest.id, manifest.version);
        Err(ArtefactError::Identity { what: format!("{} {}", self.id, self.version), reason })
    }

    /// What the plugin says of itself, as its publisher signed it.
    ///
    /// # Errors
    /// It is missing or cannot be read.
    pub fn manifest(&self) -> Result<manifest::Manifest, ArtefactError> {
        let what = format!("{} {}", self.id, self.version);
        let paper = self.papers.iter().find(|paper| paper.name == MANIFEST_PAPER);
        let paper = paper.ok_or_else(|| ArtefactError::malformed(&what, format!("{MANIFEST_PAPER} is missing")))?;
        serde_json::from_slice(&paper.bytes).map_err(|cause| ArtefactError::malformed(&what, cause))
    }
}

/// Finds a release and everything about it, and believes nothing that its publisher did not sign.
///
/// # Errors
/// It is not there, or is refused.
pub async fn fetch(place: &mut Place, location: &Location, wanted: &Wanted<'_>) -> Result<Fetched, ArtefactError> {
    if let Some(target) = &wanted.target {
        return fetch_one(place, location, target, wanted).await;
    }
    let mut refused = None;
    for version in versions(place).await? {
        match (fetch_one(place, location, &Target::Tag(version.to_string()), wanted).await, &refused) {
            (Err(error @ ArtefactError::Yanked { .. }), None) => refused = Some(error),
            (Err(ArtefactError::Yanked { .. }), Some(_)) => {}
            // Else nobody would learn why something older is offered at all.
            (
                Err(ArtefactError::Downgrade { id, version, pinned }),
                Some(ArtefactError::Yanked { version: yanked, reason, .. }),
            ) if *yanked == pinned => {
                let pinned = format!("{pinned} (yanked by its publisher: {reason})");
                return Err(ArtefactError::Downgrade { id, version, pinned });
            }
            (other, _) => return other,
        }
    }
    let nothing = || ArtefactError::NotFound { what: "a published version".to_owned(), place: place.to_string() };
    Err(refused.unwrap_or_else(nothing))
}

/// The published versions, the newest first, pre-releases behind all others.
///
/// # Errors
/// They cannot be listed.
pub async fn versions(place: &mut Place) -> Result<Vec<Version>, ArtefactError> {
    let mut versions: Vec<_> = place.tags().await?.iter().filter_map(|tag| Version::parse(tag).ok()).collect();
    versions.sort_by(|a, b| a.pre.is_empty().cmp(&b.pre.is_empty()).then(a.cmp(b)).reverse());
    Ok(versions)
}

async fn fetch_one(
    place: &mut Place,
    location: &Location,
    target: &Target,
    wanted: &Wanted<'_>,
) -> Result<Fetched, ArtefactError> {
    let named = Reference { location: location.clone(), target: Some(target.clone()) };
    let what = named.to_string();
    let missing = || {
        let what = match target {
            Target::Tag(tag) => tag.clone(),
            Target::Digest(digest) => digest.to_string(),
        };
        ArtefactError::NotFound { what, place: location.to_string() }
    };
    let bytes = place.manifest(target).await?.ok_or_else(missing)?;
    let (digest, size) = (Digest::of(&bytes), bytes.len() as u64);
    let image = Image::read(&bytes, &what)?;
    let layer = layer(&image, &what)?;
    let publisher = match image.annotation(PUBLISHER) {
        "" => return Err(ArtefactError::Unsigned { what }),
        key => Publisher::read(key).map_err(|error| ArtefactError::malformed(&what, error))?,
    };
    let (id, version) = identity(&image, target, &what)?;
    if let Some(expected) = wanted.publisher.as_ref().filter(|expected| **expected != publisher) {
        let (pinned, found) = (expected.clone(), publisher);
        return Err(ArtefactError::Publisher { what, pinned, found, why: "as was said".to_owned() });
    }
    let is_known = wanted.pins.check_publisher(location, &id, &publisher)?;
    let attached = Attached::read(place, &digest, &what).await?;
    attached.check_signature(place, &bytes, &publisher, &what).await?;
    wanted.pins.check_version(&id, &version, &digest, wanted.downgrade)?;
    let notices = attached.notices(place, &publisher, &digest).await?;
    let yanked = notices.iter().find(|notice| notice.notice == NoticeKind::Yanked);
    if let Some(notice) = yanked.filter(|_| !wanted.yanked) {
        let reason = notice.reason.clone();
        return Err(ArtefactError::Yanked { id, version: version.to_string(), reason });
    }
    place.blob(&image.config, "the configuration", PAPER_BYTES_MAX).await?;
    let papers = attached.papers(place, &image, &what).await?;
    let source = Some(image.annotation(SOURCE)).filter(|source| !source.is_empty()).map(str::to_owned);
    let reference = Reference { location: location.clone(), target: Some(Target::Digest(digest.clone())) };
    let component = layer.digest.clone();
    Ok(Fetched { reference, digest, id, version, publisher, is_known, source, papers, notices, component, size, layer })
}

/// The one layer: the component.
fn layer(image: &Image, what: &str) -> Result<Descriptor, ArtefactError> {
    if image.config.media_type != WASM_CONFIG {
        let reason =
            format!("its configuration is `{}`, and not that of a WebAssembly artefact", image.config.media_type);
        return Err(ArtefactError::malformed(what, reason));
    }
    match image.layers.as_slice() {
        [layer] if layer.media_type == WASM => Ok(layer.clone()),
        layers => Err(ArtefactError::malformed(what, format!("it has {} layers, and not one component", layers.len()))),
    }
}

/// Id and version as they are signed; a tag that is a version must be that one.
fn identity(image: &Image, target: &Target, what: &str) -> Result<(String, Version), ArtefactError> {
    let (id, version) = (image.annotation(TITLE), image.annotation(VERSION));
    let parsed = Version::parse(version);
    let parsed = parsed.map_err(|_| ArtefactError::malformed(what, format!("`{version}` is no version")))?;
    match target.version() {
        Some(tag) if tag != parsed => {
            Err(ArtefactError::Identity { what: what.to_owned(), reason: format!("it is signed as {id} {version}") })
        }
        _ => Ok((id.to_owned(), parsed)),
    }
}

/// What is attached to a release and can be ours, by whomever.
struct Attached(Vec<Image>);

impl Attached {
    async fn read(place: &mut Place, subject: &Digest, what: &str) -> Result<Self, ArtefactError> {
        // Before they are counted: what others attach for their own ends must not hide a notice.
        let is_ours = |kind: &String| [RELEASE, NOTICE].contains(&kind.as_str());
        let mut listed = place.attached(subject).await?;
        listed.retain(|listed| listed.artifact_type.as_ref().is_none_or(is_ours) && listed.size <= MANIFEST_BYTES_MAX);
        if listed.len() > ATTACHMENTS_MAX {
            let reason = format!(
                "more than {ATTACHMENTS_MAX} signatures and notices are attached to it, and which of them count is not \
                 looked for; whoever owns {place} must remove those that are not its publisher's"
            );
            return Err(ArtefactError::malformed(what, reason));
        }
        let mut images = Vec::new();
        for listed in listed {
            let bytes = match place.manifest(&Target::Digest(listed.digest)).await {
                Ok(bytes) => bytes.unwrap_or_default(),
                Err(error) if error.is_of_content() => continue,
                Err(error) => return Err(error),
            };
            let image = Image::read(&bytes, what).ok();
            images.extend(image.filter(|image| image.subject.as_ref().is_some_and(|of| of.digest == *subject)));
        }
        Ok(Self(images))
    }

    fn of(&self, artifact_type: &str) -> impl Iterator<Item = &Image> {
        self.0.iter().filter(move |image| image.artifact_type.as_deref() == Some(artifact_type))
    }

    /// One that holds is enough: others may stand beside it.
    async fn check_signature(
        &self,
        place: &mut Place,
        bytes: &[u8],
        publisher: &Publisher,
        what: &str,
    ) -> Result<(), ArtefactError> {
        let mut refused = ArtefactError::Unsigned { what: what.to_owned() };
        for image in self.of(RELEASE) {
            let signature = match text(place, image, SIGNATURE).await {
                Ok(signature) => signature,
                Err(error) if error.is_of_content() => {
                    refused = error;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match signature.map(|signature| publisher.verify(bytes, &signature)) {
                Some(Ok(())) => return Ok(()),
                Some(Err(reason)) => refused = ArtefactError::Signature { what: what.to_owned(), reason },
                None => {}
            }
        }
        Err(refused)
    }

    async fn notices(
        &self,
        place: &mut Place,
        publisher: &Publisher,
        release: &Digest,
    ) -> Result<Vec<Notice>, ArtefactError> {
        let mut notices = Vec::new();
        for image in self.of(NOTICE) {
            match said(place, image).await {
                Ok(Some((said, signature))) => {
                    notices.extend(Notice::read(said.as_bytes(), &signature, publisher, release));
                }
                Ok(None) => {}
                Err(error) if error.is_of_content() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(notices)
    }

    /// The papers whose digests the signed manifest names, all of them.
    async fn papers(&self, place: &mut Place, image: &Image, what: &str) -> Result<Vec<Paper>, ArtefactError> {
        let named = image.annotations.iter().filter_map(|(name, digest)| Some((name.strip_prefix(PAPER)?, digest)));
        if named.clone().count() > PAPERS_MAX {
            return Err(ArtefactError::malformed(what, format!("more than {PAPERS_MAX} documents go along")));
        }
        let (mut papers, mut left) = (Vec::new(), PAPERS_BYTES_MAX);
        for (name, digest) in named {
            let expected: Digest = digest.parse().map_err(|reason: String| ArtefactError::malformed(what, reason))?;
            let layers = || self.of(RELEASE).flat_map(|image| &image.layers).filter(|layer| layer.title() == name);
            let found = layers().find(|layer| layer.digest == expected).or_else(|| layers().next());
            let layer = found.ok_or_else(|| ArtefactError::malformed(what, format!("{name} is missing")))?;
            if layer.digest != expected {
                let found = layer.digest.clone();
                return Err(ArtefactError::Tampered { what: name.to_owned(), expected, found });
            }
            let bytes = place.blob(layer, name, PAPER_BYTES_MAX.min(left)).await?;
            left -= bytes.len() as u64;
            papers.push(Paper { name: name.to_owned(), media_type: layer.media_type.clone(), bytes });
        }
        Ok(papers)
    }
}

/// A notice and its signature.
async fn said(place: &mut Place, image: &Image) -> Result<Option<(String, String)>, ArtefactError> {
    let (said, signature) = (text(place, image, NOTICE_PAPER).await?, text(place, image, NOTICE_SIGNATURE).await?);
    Ok(said.zip(signature))
}

/// The text of the layer with that title.
async fn text(place: &mut Place, image: &Image, title: &str) -> Result<Option<String>, ArtefactError> {
    let Some(layer) = image.layers.iter().find(|layer| layer.title() == title) else { return Ok(None) };
    let bytes = place.blob(layer, title, PAPER_BYTES_MAX).await?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}
