use std::fmt;
use std::path::PathBuf;

use crate::layout::Layout;
use crate::oci::{Descriptor, IMAGE, INDEX, Image, Index, Listed, to_json};
use crate::registry::Registry;
use crate::{ArtefactError, Digest, Location, Target};

/// A repository that artefacts are put into and taken from.
pub enum Place {
    /// A folder in the OCI image layout.
    Folder(Layout),
    /// A repository of a registry.
    Registry(Box<Registry>),
}

/// How to come to a registry.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Send requests without TLS to other machines too.
    pub plain_http: bool,
    /// The files in which Docker and its like keep who logs in where; those that are not there are passed over.
    pub logins: Vec<PathBuf>,
}

impl Place {
    /// Finds out how to talk to a registry; of a folder nothing is asked yet.
    ///
    /// # Errors
    /// The registry cannot be reached.
    pub async fn open(location: &Location, access: &Access) -> Result<Self, ArtefactError> {
        match location {
            Location::Folder(folder) => Ok(Self::Folder(Layout::at(folder))),
            Location::Registry { host, repository } => {
                Ok(Self::Registry(Box::new(Registry::open(host, repository, access).await?)))
            }
        }
    }

    /// The bytes of a manifest; none if it is not there. What was asked for by its digest has that digest.
    pub(crate) async fn manifest(&mut self, target: &Target) -> Result<Option<Vec<u8>>, ArtefactError> {
        let bytes = match self {
            Self::Folder(layout) => layout.manifest(target)?,
            Self::Registry(registry) => registry.manifest(target).await?,
        };
        if let (Target::Digest(expected), Some(bytes)) = (target, &bytes) {
            let found = Digest::of(bytes);
            if found != *expected {
                return Err(ArtefactError::WrongDigest { place: self.to_string(), expected: expected.clone(), found });
            }
        }
        Ok(bytes)
    }

    /// The bytes that the descriptor names, and no others.
    pub(crate) async fn blob(
        &mut self,
        descriptor: &Descriptor,
        what: &str,
        bytes_max: u64,
    ) -> Result<Vec<u8>, ArtefactError> {
        if descriptor.size > bytes_max {
            return Err(ArtefactError::TooLarge { what: what.to_owned(), bytes_max });
        }
        let found = match self {
            Self::Folder(layout) => layout.blob(&descriptor.digest, bytes_max)?,
            Self::Registry(registry) => registry.blob(&descriptor.digest, bytes_max).await?,
        };
        let missing = || ArtefactError::NotFound { what: what.to_owned(), place: self.to_string() };
        let bytes = found.ok_or_else(missing)?;
        let found = Digest::of(&bytes);
        if found != descriptor.digest || bytes.len() as u64 != descriptor.size {
            let expected = descriptor.digest.clone();
            return Err(ArtefactError::Tampered { what: what.to_owned(), expected, found });
        }
        Ok(bytes)
    }

    pub(crate) async fn put_blob(&mut self, bytes: &[u8]) -> Result<(), ArtefactError> {
        match self {
            Self::Folder(layout) => layout.put_blob(bytes).map(drop),
            Self::Registry(registry) => registry.put_blob(bytes).await,
        }
    }

    /// Puts a manifest, whose blobs are there, under a tag or under its digest alone.
    pub(crate) async fn put_manifest(&mut self, bytes: &[u8], tag: Option<&str>) -> Result<(), ArtefactError> {
        match self {
            Self::Folder(layout) => layout.put_manifest(bytes, IMAGE, tag),
            Self::Registry(registry) => registry.put_manifest(bytes, IMAGE, tag).await.map(drop),
        }
    }

    pub(crate) async fn tags(&mut self) -> Result<Vec<String>, ArtefactError> {
        match self {
            Self::Folder(layout) => layout.tags(),
            Self::Registry(registry) => registry.tags().await,
        }
    }

    /// Puts a manifest that has a subject. Where nothing else lists what belongs to a subject, the index behind the tag
    /// that the standard names for it does; two who attach at the same instant can lose one of the two.
    pub(crate) async fn attach(&mut self, image: &Image) -> Result<Digest, ArtefactError> {
        let bytes = to_json(image);
        let is_listed = match self {
            Self::Folder(layout) => layout.put_manifest(&bytes, IMAGE, None).map(|()| false)?,
            Self::Registry(registry) => registry.put_manifest(&bytes, IMAGE, None).await?,
        };
        let mut descriptor = Descriptor::of(IMAGE, &bytes);
        let digest = descriptor.digest.clone();
        let Some(subject) = image.subject.as_ref().filter(|_| !is_listed) else { return Ok(digest) };
        let tag = fallback_tag(&subject.digest);
        let mut index = self.fallback(&tag).await?;
        descriptor.artifact_type.clone_from(&image.artifact_type);
        index.manifests.retain(|listed| listed.readable().is_none_or(|listed| listed.digest != digest));
        index.manifests.push(Listed::Readable(descriptor));
        let bytes = to_json(&index);
        match self {
            Self::Folder(layout) => layout.put_manifest(&bytes, INDEX, Some(&tag))?,
            Self::Registry(registry) => registry.put_manifest(&bytes, INDEX, Some(&tag)).await.map(drop)?,
        }
        Ok(digest)
    }

    /// What is attached to a manifest, by either list: a registry may have begun to keep its own, and what others copied
    /// there stands in the one behind the tag.
    pub(crate) async fn attached(&mut self, subject: &Digest) -> Result<Vec<Descriptor>, ArtefactError> {
        let mut attached = match self {
            Self::Folder(layout) => layout.attached(subject)?,
            Self::Registry(registry) => registry.referrers(subject).await?,
        };
        match self.fallback(&fallback_tag(subject)).await {
            Ok(index) => {
                let is_new = |listed: &&Descriptor| !attached.iter().any(|known| known.digest == listed.digest);
                let new: Vec<_> = index.readable().filter(is_new).cloned().collect();
                attached.extend(new);
            }
            // Anybody who may push can put anything behind a tag.
            Err(error) if error.is_of_content() && !attached.is_empty() => {}
            Err(error) => return Err(error),
        }
        Ok(attached)
    }

    async fn fallback(&mut self, tag: &str) -> Result<Index, ArtefactError> {
        let Some(bytes) = self.manifest(&Target::Tag(tag.to_owned())).await? else { return Ok(Index::default()) };
        let what = format!("the list of attachments {tag}");
        serde_json::from_slice(&bytes).map_err(|cause| ArtefactError::malformed(&what, cause))
    }
}

/// What the standard names the list of attachments where a registry has no API for it.
fn fallback_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(layout) => layout.fmt(f),
            Self::Registry(registry) => registry.fmt(f),
        }
    }
}
