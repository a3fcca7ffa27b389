use manifest::Manifest;
use semver::Version;

use crate::changelog::section;
use crate::fetch::{Fetched, Wanted, fetch, versions};
use crate::key::SigningKey;
use crate::oci::{Descriptor, IMAGE, PAPER_BYTES_MAX};
use crate::release::{Packed, RELEASE, SIGNATURE, attach, signed};
use crate::{ArtefactError, Change, Digest, Location, Pins, Place, Publisher, Reference, Release, Target, changes};

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// Where, by its digest.
    pub reference: Reference,
    /// The digest of its manifest.
    pub digest: Digest,
    /// The digest of the component.
    pub component: Digest,
    /// By whom.
    pub publisher: Publisher,
    /// The version before, and what changed for who uses it.
    pub before: Option<(Version, Vec<Change>)>,
}

/// A version that may be published as it is: it says what is new, and breaks nobody who is not told.
#[derive(Clone, Debug)]
pub struct Cleared<'a> {
    version: Version,
    news: String,
    publisher: Publisher,
    before: Option<(Version, Vec<Change>)>,
    tag: Option<&'a str>,
}

/// Judges a version against what is published there, before anything costly is done for it.
///
/// # Errors
/// It may not be published, or the place cannot be read.
pub async fn clear<'a>(
    place: &mut Place,
    location: &Location,
    (manifest, changelog): (&Manifest, &str),
    publisher: Publisher,
    tag: Option<&'a str>,
) -> Result<Cleared<'a>, ArtefactError> {
    let version = publishable(&manifest.version, tag)?;
    if changelog.len() as u64 > PAPER_BYTES_MAX {
        return Err(ArtefactError::TooLarge { what: "CHANGELOG.md".to_owned(), bytes_max: PAPER_BYTES_MAX });
    }
    let written = section(changelog, &manifest.version);
    let written = written.filter(|section| !section.text.is_empty()).ok_or_else(|| ArtefactError::Changelog {
        reason: format!("CHANGELOG.md says nothing of {version}"),
        version: version.to_string(),
    })?;
    let before = match before(place, location, &version, &manifest.id, &publisher).await? {
        Some(before) => Some(judge(&before, manifest, &version, written.has_migration)?),
        None => None,
    };
    Ok(Cleared { version, news: written.text, publisher, before, tag })
}

/// Packs a release, signs and pushes it. Its tag is set last: whoever sees the version sees all of it.
///
/// # Errors
/// The place does not take it.
pub async fn publish(
    place: &mut Place,
    location: &Location,
    release: &Release<'_>,
    key: &SigningKey,
    cleared: Cleared<'_>,
) -> Result<Published, ArtefactError> {
    let Cleared { version, news, publisher, before, tag } = cleared;
    let packed = release.pack(&news, &publisher);
    // What nobody could pull would take the version away from what could be.
    packed.check()?;
    let Packed { image, config, papers } = packed;
    let digest = Digest::of(&image);
    let comment = format!("{} {version} {digest}", release.manifest.id);
    let mut attached = vec![signed(key, &image, &comment, SIGNATURE)?];
    attached.extend(papers);
    place.put_blob(release.component).await?;
    place.put_blob(&config).await?;
    place.put_manifest(&image, None).await?;
    attach(place, Descriptor::of(IMAGE, &image), RELEASE, &attached).await?;
    // Once more, because a build and the suite take minutes in which another may have published it.
    let (id, version) = (&release.manifest.id, version.to_string());
    if place.manifest(&Target::Tag(version.clone())).await?.is_some() {
        return Err(ArtefactError::Published { id: id.clone(), version, place: place.to_string() });
    }
    place.put_manifest(&image, Some(&version)).await?;
    if let Some(tag) = tag {
        place.put_manifest(&image, Some(tag)).await?;
    }
    let reference = Reference { location: location.clone(), target: Some(Target::Digest(digest.clone())) };
    Ok(Published { reference, digest, component: Digest::of(release.component), publisher, before })
}

/// The version, if it can be a tag, and the tag beside it is no other version.
fn publishable(version: &str, tag: Option<&str>) -> Result<Version, ArtefactError> {
    let refuse = |reason: &str| ArtefactError::Version { version: version.to_owned(), reason: reason.to_owned() };
    let parsed = Version::parse(version).map_err(|error| refuse(&error.to_string()))?;
    if !parsed.build.is_empty() {
        return Err(refuse("a tag cannot hold what stands behind the `+`; leave it out in weir-plugin.toml"));
    }
    let other = tag.and_then(|tag| Version::parse(tag).ok()).filter(|tag| *tag != parsed);
    match other {
        Some(tag) => {
            Err(refuse(&format!("the tag `{tag}` is another version; leave it out, or name one such as `latest`")))
        }
        None => Ok(parsed),
    }
}

/// The newest version below this one that was not yanked: what its users come from.
async fn before(
    place: &mut Place,
    location: &Location,
    version: &Version,
    id: &str,
    publisher: &Publisher,
) -> Result<Option<Fetched>, ArtefactError> {
    let mut published = versions(place).await?;
    if published.contains(version) {
        let (version, place) = (version.to_string(), place.to_string());
        return Err(ArtefactError::Published { id: id.to_owned(), version, place });
    }
    // Who uses a stable version has not used what was tried out before it.
    let is_before = |other: &Version| other < version && (!version.pre.is_empty() || other.pre.is_empty());
    // Whoever owns the repository is seen at its newest version, also where this one is older.
    published.sort_by_key(|published| (!is_before(published), std::cmp::Reverse(published.clone())));
    let pins = Pins::default();
    for published in published {
        let target = Some(Target::Tag(published.to_string()));
        let wanted = Wanted { publisher: Some(publisher.clone()), ..Wanted::new(target, &pins) };
        match fetch(place, location, &wanted).await {
            Err(ArtefactError::Yanked { .. }) => {}
            Err(cause) if cause.is_of_content() => {
                let (version, place) = (published.to_string(), place.to_string());
                return Err(ArtefactError::Neighbour { version, place, cause: Box::new(cause) });
            }
            Err(error) => return Err(error),
            Ok(fetched) if fetched.id != id => {
                let reason =
                    format!("it holds `{}`, and this is `{id}`; every plugin has a repository of its own", fetched.id);
                return Err(ArtefactError::Identity { what: place.to_string(), reason });
            }
            Ok(fetched) if is_before(&fetched.version) => return Ok(Some(fetched)),
            Ok(_) => return Ok(None),
        }
    }
    Ok(None)
}

/// What changed for who uses the version before, if that may be published so.
fn judge(
    before: &Fetched,
    manifest: &Manifest,
    version: &Version,
    has_migration: bool,
) -> Result<(Version, Vec<Change>), ArtefactError> {
    let changes = changes(&before.manifest()?, manifest);
    let breaking: Vec<_> = changes.iter().filter(|change| change.is_breaking).cloned().collect();
    let (shown, was) = (version.to_string(), before.version.to_string());
    // What is tried out may still change.
    let core = |version: &Version| (version.major, version.minor, version.patch);
    if !version.pre.is_empty() && !before.version.pre.is_empty() && core(version) == core(&before.version) {
        return Ok((before.version.clone(), changes));
    }
    // Flows name a plugin by its major version, 0 included.
    if !breaking.is_empty() && version.major == before.version.major {
        let major = version.major + 1;
        return Err(ArtefactError::Breaking { version: shown, before: was, major, changes: breaking });
    }
    if !breaking.is_empty() && !has_migration {
        return Err(ArtefactError::Migration { version: shown, before: was, changes: breaking });
    }
    Ok((before.version.clone(), changes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatibility::tests::mapper;
    use crate::{Access, generate};

    /// Between what is judged and what is pushed lie a build and the suite.
    #[tokio::test]
    async fn of_two_who_publish_a_version_at_once_the_second_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let location = Location::Folder(folder.path().to_owned());
        let mut place = Place::open(&location, &Access::default()).await.expect("opens");
        let key = SigningKey::open(&generate(None).expect("a pair").0, None).expect("opens");
        let publisher = key.publisher().expect("has one");
        let (manifest, changelog) = (mapper(), "## 1.0.0\n\nNew.\n");
        let release = |component: &'static [u8]| Release {
            component,
            manifest: &manifest,
            imports: &[],
            exports: &[],
            changelog: changelog.to_owned(),
            source: None,
            conformance: None,
            papers: Vec::new(),
            created: "now".to_owned(),
        };
        let mut cleared = Vec::new();
        for _ in 0..2 {
            let judged = clear(&mut place, &location, (&manifest, changelog), publisher.clone(), None).await;
            cleared.push(judged.expect("may be published"));
        }
        let (second, first) = (cleared.pop().expect("two"), cleared.pop().expect("two"));
        let published = publish(&mut place, &location, &release(b"first"), &key, first).await.expect("is new");
        let refused = publish(&mut place, &location, &release(b"second"), &key, second).await.expect_err("is taken");
        assert_eq!(refused.code(), "weir.artefact.published");
        let pins = Pins::default();
        let wanted = Wanted::new(None, &pins);
        assert_eq!(fetch(&mut place, &location, &wanted).await.expect("is there").digest, published.digest);
    }
}
