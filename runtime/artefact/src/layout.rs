use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::oci::{Descriptor, Image, Index, Listed, MANIFEST_BYTES_MAX, REF_NAME, to_json};
use crate::whole::write;
use crate::{ArtefactError, Digest, Target};

const MARKER: &str = "oci-layout";

/// A folder in the OCI image layout: blobs by digest, and an index that names what is tagged.
pub struct Layout {
    folder: PathBuf,
}

/// Whether the folder is one.
pub fn is_layout(folder: &Path) -> bool {
    folder.join(MARKER).is_file()
}

impl Layout {
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub(crate) fn manifest(&self, target: &Target) -> Result<Option<Vec<u8>>, ArtefactError> {
        let digest = match target {
            Target::Digest(digest) => digest.clone(),
            Target::Tag(tag) => {
                let index = self.index()?;
                let tagged = index.readable().rfind(|listed| tag_of(listed) == Some(tag));
                let Some(tagged) = tagged else { return Ok(None) };
                tagged.digest.clone()
            }
        };
        self.blob(&digest, MANIFEST_BYTES_MAX)
    }

    pub(crate) fn blob(&self, digest: &Digest, bytes_max: u64) -> Result<Option<Vec<u8>>, ArtefactError> {
        read(&self.blob_file(digest), bytes_max)
    }

    pub(crate) fn put_blob(&self, bytes: &[u8]) -> Result<Digest, ArtefactError> {
        let digest = Digest::of(bytes);
        let file = self.blob_file(&digest);
        if !file.exists() {
            write(&file, bytes)?;
        }
        Ok(digest)
    }

    pub(crate) fn put_manifest(&self, bytes: &[u8], media_type: &str, tag: Option<&str>) -> Result<(), ArtefactError> {
        let mut index = self.index()?;
        let mut descriptor = Descriptor { digest: self.put_blob(bytes)?, ..Descriptor::of(media_type, bytes) };
        match tag {
            Some(tag) => {
                descriptor.annotations.insert(REF_NAME.to_owned(), tag.to_owned());
                let is_same = |listed: &Descriptor| match tag_of(listed) {
                    Some(other) => other == tag,
                    None => listed.digest == descriptor.digest,
                };
                index.manifests.retain(|listed| !listed.readable().is_some_and(is_same));
            }
            None if index.readable().any(|listed| listed.digest == descriptor.digest) => return Ok(()),
            None => {
                let image: Option<Image> = serde_json::from_slice(bytes).ok();
                descriptor.artifact_type = image.and_then(|image| image.artifact_type);
            }
        }
        index.manifests.push(Listed::Readable(descriptor));
        write(&self.folder.join(MARKER), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        write(&self.folder.join("index.json"), &to_json(&index))
    }

    pub(crate) fn tags(&self) -> Result<Vec<String>, ArtefactError> {
        Ok(self.index()?.readable().filter_map(tag_of).map(str::to_owned).collect())
    }

    /// Those in the index that say that they belong to it.
    pub(crate) fn attached(&self, subject: &Digest) -> Result<Vec<Descriptor>, ArtefactError> {
        let mut attached = Vec::new();
        for listed in self.index()?.readable() {
            let bytes = match self.blob(&listed.digest, MANIFEST_BYTES_MAX) {
                Ok(Some(bytes)) => bytes,
                Ok(None) | Err(ArtefactError::TooLarge { .. }) => continue,
                Err(error) => return Err(error),
            };
            let image: Option<Image> = serde_json::from_slice(&bytes).ok();
            let Some(image) = image.filter(|image| image.subject.as_ref().is_some_and(|of| of.digest == *subject))
            else {
                continue;
            };
            attached.push(Descriptor { artifact_type: image.artifact_type, ..listed.clone() });
        }
        Ok(attached)
    }

    fn index(&self) -> Result<Index, ArtefactError> {
        let file = self.folder.join("index.json");
        let Some(bytes) = read(&file, MANIFEST_BYTES_MAX)? else { return Ok(Index::default()) };
        serde_json::from_slice(&bytes).map_err(|cause| ArtefactError::unreadable(&file, cause))
    }

    fn blob_file(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs/sha256").join(digest.hex())
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci:{}", self.folder.display())
    }
}

fn tag_of(listed: &Descriptor) -> Option<&str> {
    listed.annotations.get(REF_NAME).map(String::as_str)
}

/// The whole file, if it is there and no larger.
pub(crate) fn read(file: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, ArtefactError> {
    let opened = match fs::File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(ArtefactError::file("read", file)(cause)),
    };
    let mut bytes = Vec::new();
    opened.take(bytes_max + 1).read_to_end(&mut bytes).map_err(ArtefactError::file("read", file))?;
    if bytes.len() as u64 > bytes_max {
        let what = format!("`{}`", file.display());
        return Err(ArtefactError::TooLarge { what, bytes_max });
    }
    Ok(Some(bytes))
}
