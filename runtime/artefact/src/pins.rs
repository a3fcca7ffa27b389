use std::path::Path;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::layout::{read, write};
use crate::oci::PAPER_BYTES_MAX;
use crate::{ArtefactError, Digest, Location, Publisher};

/// The file in a project's folder; it is committed with the project.
pub const PINS_FILE: &str = "weir-publishers.json";

/// Whose plugins a project uses: each publisher as it was at first use, and the newest version that was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pins {
    plugins: Vec<Pin>,
}

/// What is known of one plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The plugin's id.
    pub id: String,
    /// Where it was taken from.
    pub from: String,
    /// Its publisher.
    pub publisher: Publisher,
    /// Its version.
    #[serde(with = "as_text")]
    pub version: Version,
    /// The digest of the release's manifest.
    pub release: Digest,
    /// The digest of the component.
    pub component: Digest,
}

mod as_text {
    use semver::Version;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(version)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
        Version::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl Pins {
    /// Those of the project in this folder; none if nothing was pulled there yet.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(folder: &Path) -> Result<Self, ArtefactError> {
        let file = folder.join(PINS_FILE);
        let Some(bytes) = read(&file, PAPER_BYTES_MAX)? else { return Ok(Self::default()) };
        serde_json::from_slice(&bytes).map_err(|cause| ArtefactError::malformed(&file.display().to_string(), cause))
    }

    /// Writes them down.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), ArtefactError> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        write(&folder.join(PINS_FILE), &text)
    }

    /// The pin of the component with this digest.
    pub fn of_component(&self, digest: &Digest) -> Option<&Pin> {
        self.plugins.iter().find(|pin| pin.component == *digest)
    }

    /// Pins a plugin, or what was taken of it last.
    pub fn set(&mut self, pin: Pin) {
        self.plugins.retain(|known| known.id != pin.id);
        self.plugins.push(pin);
        self.plugins.sort_by(|a, b| a.id.cmp(&b.id));
    }

    /// Whether this may be: a known place gives the plugin that it gave before, and a known plugin has its publisher.
    /// Gives whether the publisher was known.
    pub(crate) fn check_publisher(
        &self,
        location: &Location,
        id: &str,
        publisher: &Publisher,
    ) -> Result<bool, ArtefactError> {
        let from = location.to_string();
        if let Some(other) = self.plugins.iter().find(|pin| pin.from == from && pin.id != id)
            && self.plugins.iter().all(|pin| pin.id != id)
        {
            let reason = format!("{from} gave `{}` before, and now gives `{id}`", other.id);
            return Err(ArtefactError::Identity { what: from, reason });
        }
        let Some(pin) = self.plugins.iter().find(|pin| pin.id == id) else { return Ok(false) };
        if pin.publisher != *publisher {
            let (pinned, found) = (pin.publisher.id(), publisher.id());
            let why = format!("pinned at the first use, from {}", pin.from);
            return Err(ArtefactError::Publisher { what: format!("`{id}` in {from}"), pinned, found, why });
        }
        Ok(true)
    }

    /// Whether this version may be taken: none that is older, and never another of the same number.
    pub(crate) fn check_version(
        &self,
        id: &str,
        version: &Version,
        release: &Digest,
        downgrade: bool,
    ) -> Result<(), ArtefactError> {
        let Some(pin) = self.plugins.iter().find(|pin| pin.id == id) else { return Ok(()) };
        let id = id.to_owned();
        if *version == pin.version && *release != pin.release {
            let (version, pinned, found) = (version.to_string(), pin.release.clone(), release.clone());
            return Err(ArtefactError::Republished { id, version, pinned, found });
        }
        if *version < pin.version && !downgrade {
            let (version, pinned) = (version.to_string(), pin.version.to_string());
            return Err(ArtefactError::Downgrade { id, version, pinned });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate;

    fn publisher() -> Publisher {
        Publisher::read(&generate(None).expect("a pair").1).expect("reads")
    }

    #[test]
    fn publisher_place_and_version_are_held_to_what_they_were() {
        let (first, other) = (publisher(), publisher());
        let from = Location::Folder("out".into());
        let (release, version) = (Digest::of(b"1"), Version::new(1, 2, 0));
        let mut pins = Pins::default();
        assert_eq!(pins.check_publisher(&from, "crm", &first).ok(), Some(false));
        pins.set(Pin {
            id: "crm".to_owned(),
            from: from.to_string(),
            publisher: first.clone(),
            version: version.clone(),
            release: release.clone(),
            component: Digest::of(b"2"),
        });
        assert_eq!(pins.check_publisher(&from, "crm", &first).ok(), Some(true));
        let elsewhere = Location::Folder("mirror".into());
        assert_eq!(pins.check_publisher(&elsewhere, "crm", &first).ok(), Some(true));
        let code = |result: Result<bool, ArtefactError>| result.expect_err("refused").code();
        assert_eq!(code(pins.check_publisher(&elsewhere, "crm", &other)), "weir.artefact.publisher");
        assert_eq!(code(pins.check_publisher(&from, "erp", &first)), "weir.artefact.identity");

        let code = |version, digest, downgrade| {
            pins.check_version("crm", &version, &digest, downgrade).err().map(|error| error.code())
        };
        assert_eq!(code(version.clone(), release.clone(), false), None);
        assert_eq!(code(Version::new(1, 10, 0), Digest::of(b"3"), false), None);
        assert_eq!(code(version, Digest::of(b"3"), true), Some("weir.artefact.republished"));
        assert_eq!(code(Version::new(1, 1, 9), Digest::of(b"3"), false), Some("weir.artefact.downgrade"));
        assert_eq!(code(Version::new(1, 1, 9), Digest::of(b"3"), true), None);
    }
}
