use std::fs::{self, File};
use std::path::Path;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::layout::read;
use crate::oci::PAPER_BYTES_MAX;
use crate::whole::write;
use crate::{ArtefactError, Digest, Fetched, Location, Publisher};

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
#[serde(try_from = "Written", into = "Written")]
pub struct Pin {
    /// The plugin's id.
    pub id: String,
    /// Where it was taken from first.
    pub from: String,
    /// Where it was taken from since.
    pub also: Vec<String>,
    /// Its publisher.
    pub publisher: Publisher,
    /// What was taken last; none while nothing but the publisher is known.
    pub taken: Option<Taken>,
    /// The newest that was ever taken, where that is another.
    pub newest: Option<Taken>,
}

/// A release that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// Its version.
    #[serde(with = "as_text")]
    pub version: Version,
    /// The digest of the release's manifest.
    pub release: Digest,
    /// The digest of the component.
    pub component: Digest,
}

/// A pin as it stands in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    id: String,
    from: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also: Vec<String>,
    publisher: Publisher,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<Taken>,
}

impl TryFrom<Written> for Pin {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { id, from, also, publisher, version, release, component, newest } = written;
        let taken = match (version, release, component) {
            (Some(version), Some(release), Some(component)) => {
                let version =
                    Version::parse(&version).map_err(|error| format!("`{version}` is no version: {error}"))?;
                Some(Taken { version, release, component })
            }
            (None, None, None) => None,
            _ => return Err(format!("`{id}` has only some of `version`, `release` and `component`")),
        };
        Ok(Self { id, from, also, publisher, taken, newest })
    }
}

impl From<Pin> for Written {
    fn from(pin: Pin) -> Self {
        let Pin { id, from, also, publisher, taken, newest } = pin;
        let (version, release, component) = match taken {
            Some(Taken { version, release, component }) => (Some(version.to_string()), Some(release), Some(component)),
            None => (None, None, None),
        };
        Self { id, from, also, publisher, version, release, component, newest }
    }
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
        serde_json::from_slice(&bytes).map_err(|cause| ArtefactError::unreadable(&file, cause))
    }

    /// Changes those of the project in this folder, as they are now: what was loaded before may be old, because others
    /// pull too. One at a time.
    ///
    /// # Errors
    /// What is changed is refused, and then nothing is; or the file cannot be read or written.
    pub fn update(
        folder: &Path,
        change: impl FnOnce(&mut Self) -> Result<(), ArtefactError>,
    ) -> Result<(), ArtefactError> {
        // The folder itself, because the file is replaced. Some file systems lock no folder: what is lost there is what two
        // commands pin at the same instant.
        fs::create_dir_all(folder).map_err(ArtefactError::file("create", folder))?;
        let locked = File::open(folder).map_err(ArtefactError::file("open", folder))?;
        let _ = locked.lock();
        let mut pins = Self::load(folder)?;
        change(&mut pins)?;
        let mut text = serde_json::to_vec_pretty(&pins).unwrap_or_default();
        text.push(b'\n');
        write(&folder.join(PINS_FILE), &text)
    }

    /// The pin of the component with this digest.
    pub fn of_component(&self, digest: &Digest) -> Option<&Pin> {
        let is_it = |taken: &Taken| taken.component == *digest;
        self.plugins.iter().find(|pin| [&pin.taken, &pin.newest].into_iter().flatten().any(is_it))
    }

    /// Pins the publisher of a release, and nothing else of it.
    ///
    /// # Errors
    /// It may not be taken.
    pub fn meet(&mut self, fetched: &Fetched, downgrade: bool) -> Result<(), ArtefactError> {
        let Fetched { id, version, publisher, digest, reference, .. } = fetched;
        self.check_publisher(&reference.location, id, publisher)?;
        self.check_version(id, version, digest, downgrade)?;
        let from = reference.location.to_string();
        match self.plugins.iter_mut().find(|pin| pin.id == *id) {
            Some(pin) if pin.is_from(&from) => {}
            Some(pin) => pin.also.push(from),
            None => {
                let publisher = publisher.clone();
                self.plugins.push(Pin { id: id.clone(), from, also: Vec::new(), publisher, taken: None, newest: None });
                self.plugins.sort_by(|a, b| a.id.cmp(&b.id));
            }
        }
        Ok(())
    }

    /// Pins a release, as what was taken last.
    ///
    /// # Errors
    /// It may not be taken.
    pub fn take(&mut self, fetched: &Fetched, downgrade: bool) -> Result<(), ArtefactError> {
        self.meet(fetched, downgrade)?;
        let Fetched { id, version, digest, component, .. } = fetched;
        let taken = Taken { version: version.clone(), release: digest.clone(), component: component.clone() };
        let Some(pin) = self.plugins.iter_mut().find(|pin| pin.id == *id) else { return Ok(()) };
        let newest = pin.newest.take().or_else(|| pin.taken.take());
        pin.newest = newest.filter(|newest| newest.version > taken.version);
        pin.taken = Some(taken);
        Ok(())
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
        // Also where both are known: else one plugin could be given in the place of another.
        if let Some(other) = self.plugins.iter().find(|pin| pin.is_from(&from) && pin.id != id) {
            let reason = format!(
                "{from} gave `{other}` before, and now gives `{id}`; if it is meant to, take it out of the entry of `{other}` \
                 in {PINS_FILE}",
                other = other.id
            );
            return Err(ArtefactError::Identity { what: from, reason });
        }
        let Some(pin) = self.plugins.iter().find(|pin| pin.id == id) else { return Ok(false) };
        if pin.publisher != *publisher {
            let (pinned, found) = (pin.publisher.clone(), publisher.clone());
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
        let is_another = |known: &&Taken| known.version == *version && known.release != *release;
        if let Some(known) = [&pin.taken, &pin.newest].into_iter().flatten().find(is_another) {
            let (version, pinned, found) = (version.to_string(), known.release.clone(), release.clone());
            return Err(ArtefactError::Republished { id, version, pinned, found });
        }
        match &pin.taken {
            Some(taken) if *version < taken.version && !downgrade => {
                let (version, pinned) = (version.to_string(), taken.version.to_string());
                Err(ArtefactError::Downgrade { id, version, pinned })
            }
            _ => Ok(()),
        }
    }
}

impl Pin {
    fn is_from(&self, place: &str) -> bool {
        self.from == place || self.also.iter().any(|also| also == place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Reference, generate};

    fn publisher() -> Publisher {
        Publisher::read(&generate(None).expect("a pair").1).expect("reads")
    }

    fn release(from: &str, id: &str, version: &str, publisher: &Publisher) -> Fetched {
        Fetched::stand_in(Reference { location: place(from), target: None }, id, version, publisher)
    }

    fn place(folder: &str) -> Location {
        Location::Folder(folder.into())
    }

    fn code<T>(result: Result<T, ArtefactError>) -> &'static str {
        result.err().map_or("", |error| error.code())
    }

    #[test]
    fn a_place_gives_the_plugin_that_it_gave_and_a_plugin_has_its_publisher() {
        let (first, other) = (publisher(), publisher());
        let mut pins = Pins::default();
        assert_eq!(pins.check_publisher(&place("crm"), "crm", &first).ok(), Some(false));
        pins.take(&release("crm", "crm", "1.0.0", &first), false).expect("is new");
        pins.take(&release("erp", "erp", "1.0.0", &first), false).expect("is new");
        pins.take(&release("mirror", "crm", "1.0.0", &first), false).expect("may be elsewhere");
        assert_eq!(pins.check_publisher(&place("crm"), "crm", &first).ok(), Some(true));
        for (from, id, by, expected) in [
            ("crm", "crm", &first, ""),
            ("new", "crm", &first, ""),
            ("new", "crm", &other, "weir.artefact.publisher"),
            ("crm", "odd", &first, "weir.artefact.identity"),
            // Genuine, known, and another than the place is known for.
            ("crm", "erp", &first, "weir.artefact.identity"),
            ("mirror", "erp", &first, "weir.artefact.identity"),
        ] {
            assert_eq!(code(pins.check_publisher(&place(from), id, by)), expected, "{id} from {from}");
        }
        assert_eq!(
            (pins.plugins[0].from.as_str(), pins.plugins[0].also.as_slice()),
            ("oci:crm", &["oci:mirror".to_owned()][..])
        );
    }

    #[test]
    fn no_version_is_another_than_it_was_also_after_going_back() {
        let (publisher, mut pins) = (publisher(), Pins::default());
        let newest = release("crm", "crm", "1.2.0", &publisher);
        pins.take(&newest, false).expect("is new");
        let old = release("crm", "crm", "1.1.0", &publisher);
        assert_eq!(code(pins.take(&old, false)), "weir.artefact.downgrade");
        pins.take(&old, true).expect("on purpose");
        pins.take(&old, false).expect("is what was taken last");
        let replaced = |fetched: &Fetched| {
            let mut replaced = fetched.clone();
            replaced.digest = Digest::of(b"replaced");
            replaced
        };
        for known in [&old, &newest] {
            assert_eq!(code(pins.take(&replaced(known), true)), "weir.artefact.republished", "{}", known.version);
        }
        assert!(pins.of_component(&newest.component).is_some());
        pins.take(&newest, false).expect("is the one that was taken");
        assert_eq!(pins.plugins[0].newest, None);
    }

    #[test]
    fn a_publisher_can_be_known_before_anything_is_taken() {
        let (folder, by) = (tempfile::tempdir().expect("a folder"), publisher());
        let first = release("crm", "crm", "2.0.0", &by);
        Pins::update(folder.path(), |pins| pins.meet(&first, false)).expect("writes");
        let pins = Pins::load(folder.path()).expect("reads");
        assert_eq!(code(pins.check_publisher(&place("crm"), "crm", &publisher())), "weir.artefact.publisher");
        Pins::update(folder.path(), |pins| pins.take(&release("crm", "crm", "1.0.0", &by), false))
            .expect("is no older");
        assert_eq!(Pins::load(folder.path()).expect("reads").plugins.len(), 1);
        std::fs::write(folder.path().join(PINS_FILE), "<<<<<<<").expect("writes");
        assert_eq!(code(Pins::load(folder.path())), "weir.artefact.unreadable");
    }

    #[test]
    fn nothing_is_lost_where_many_pin_at_once() {
        let (folder, by) = (tempfile::tempdir().expect("a folder"), publisher());
        std::thread::scope(|scope| {
            for index in 0..8 {
                let (id, folder, by) = (format!("p{index}"), folder.path(), &by);
                scope.spawn(move || {
                    for version in ["1.0.0", "1.1.0", "1.2.0"] {
                        let fetched = release(&id, &id, version, by);
                        Pins::update(folder, |pins| pins.take(&fetched, false)).expect("pins");
                    }
                });
            }
        });
        let pins = Pins::load(folder.path()).expect("reads").plugins;
        let newest = |pin: &Pin| pin.taken.as_ref().is_some_and(|taken| taken.version == Version::new(1, 2, 0));
        assert!(pins.len() == 8 && pins.iter().all(newest), "{pins:?}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("reads").count(), 1);
    }
}
