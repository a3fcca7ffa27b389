use serde::{Deserialize, Serialize};

use crate::fetch::Fetched;
use crate::key::SigningKey;
use crate::oci::{Descriptor, IMAGE, to_json};
use crate::release::{Paper, attach, signed};
use crate::{ArtefactError, Digest, Place, Publisher};

/// What is attached to a release that was spoken of later.
pub(crate) const NOTICE: &str = "application/vnd.weir.plugin.notice.v1";
pub(crate) const NOTICE_PAPER: &str = "notice.json";
pub(crate) const NOTICE_SIGNATURE: &str = "notice.json.minisig";

/// What its publisher says of a release afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What becomes of it.
    pub notice: NoticeKind,
    /// The plugin.
    pub id: String,
    /// The version.
    pub version: String,
    /// The digest of the release's manifest.
    pub release: Digest,
    /// Why, for whoever uses it.
    pub reason: String,
    /// When, as RFC 3339.
    pub made: String,
}

/// What becomes of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// Works, and something else should be used; who pulls it is told.
    Deprecated,
    /// Must not be used; it is given only to who asks for its digest and insists.
    Yanked,
}

impl Notice {
    /// Reads one that is the publisher's and speaks of this release; anybody can attach others.
    pub(crate) fn read(bytes: &[u8], signature: &str, publisher: &Publisher, release: &Digest) -> Option<Self> {
        publisher.verify(bytes, signature).ok()?;
        let notice: Self = serde_json::from_slice(bytes).ok()?;
        (notice.release == *release).then_some(notice)
    }
}

/// Posts a signed notice beside a release.
///
/// # Errors
/// The key is not its publisher's, or the place does not take it.
pub async fn post(
    place: &mut Place,
    fetched: &Fetched,
    kind: NoticeKind,
    reason: &str,
    made: String,
    key: &SigningKey,
) -> Result<Notice, ArtefactError> {
    let publisher = key.publisher()?;
    let (id, version) = (fetched.id.clone(), fetched.version.to_string());
    if publisher != fetched.publisher {
        let act = if kind == NoticeKind::Yanked { "yank" } else { "deprecate" };
        let (publisher, found) = (fetched.publisher.clone(), publisher);
        return Err(ArtefactError::NotPublisher { what: format!("{id} {version}"), publisher, found, act });
    }
    let release = fetched.digest.clone();
    let notice = Notice { notice: kind, id, version, release, reason: reason.to_owned(), made };
    let bytes = to_json(&notice);
    let signature = signed(key, &bytes, "notice of a plugin for Weir", NOTICE_SIGNATURE)?;
    let papers = [Paper::new(NOTICE_PAPER, "application/json", bytes), signature];
    let subject = Descriptor { digest: fetched.digest.clone(), size: fetched.size, ..Descriptor::of(IMAGE, b"") };
    attach(place, subject, NOTICE, &papers).await?;
    Ok(notice)
}
