use std::io;
use std::path::PathBuf;

use crate::{Change, Digest, Publisher};

/// Why something is not packed, pushed, pulled or believed. Whoever gets one has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ArtefactError {
    /// What was typed names no place.
    #[error(
        "`{text}` names no artefact: {reason}; write oci://HOST/REPOSITORY:VERSION, or oci:FOLDER:VERSION for a folder"
    )]
    Reference {
        /// What was typed.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing is there by that name.
    #[error("{what} is not in {place}; what is there: weir plugin inspect {place}")]
    NotFound {
        /// What was looked for.
        what: String,
        /// Where.
        place: String,
    },
    /// Bytes are not those that were named by what names them.
    #[error(
        "{what} was tampered with or damaged: its digest is {found}, and {expected} was named; do not use it, and tell its publisher"
    )]
    Tampered {
        /// `the component`, `CHANGELOG.md`.
        what: String,
        /// What was named.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// Another manifest was given than the one that was asked for by its digest.
    #[error("{place} gave another artefact than was asked for: {found} instead of {expected}; do not use it")]
    WrongDigest {
        /// Who gave it.
        place: String,
        /// What was asked for.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// It carries no signature.
    #[error("{what} carries no signature; ask its publisher to publish it with `weir plugin publish`")]
    Unsigned {
        /// Which artefact.
        what: String,
    },
    /// Its signature does not hold.
    #[error("the signature of {what} does not hold: {reason}; do not use it, and tell its publisher")]
    Signature {
        /// Which artefact.
        what: String,
        /// Why.
        reason: String,
    },
    /// It is signed, by another than it was before.
    #[error(
        "{what} is by another publisher: by key {found}, and {pinned} is expected ({why}); if its publisher has told you of a new key, remove its entry from weir-publishers.json"
    )]
    Publisher {
        /// Which artefact.
        what: String,
        /// The key that is expected, all of it: another can have its id.
        pinned: Publisher,
        /// The key that is there.
        found: Publisher,
        /// Why it is expected.
        why: String,
    },
    /// It calls itself otherwise than its place, its pin or its component does.
    #[error("{what} is not what it is called: {reason}; do not use it, and tell its publisher")]
    Identity {
        /// Which artefact.
        what: String,
        /// What differs.
        reason: String,
    },
    /// It is older than what is pinned.
    #[error("{id} {version} is older than {pinned}, which is pinned; to go back on purpose, say it with --downgrade")]
    Downgrade {
        /// The plugin.
        id: String,
        /// What was asked for.
        version: String,
        /// What is pinned.
        pinned: String,
    },
    /// It has the pinned version and is another.
    #[error(
        "{id} {version} is another than the one that is pinned: {found} instead of {pinned}; a version is never published twice: ask its publisher"
    )]
    Republished {
        /// The plugin.
        id: String,
        /// Its version.
        version: String,
        /// What is pinned.
        pinned: Digest,
        /// What is there.
        found: Digest,
    },
    /// It was yanked by its publisher.
    #[error(
        "{id} {version} was yanked by its publisher: {reason}; to take it nevertheless, name its digest and say --yanked"
    )]
    Yanked {
        /// The plugin.
        id: String,
        /// Its version.
        version: String,
        /// The publisher's words.
        reason: String,
    },
    /// The manifest asks for less than the component's imports can reach.
    #[error("the component imports `{import}`, and its manifest {asks}; {cure}")]
    Asks {
        /// What is imported.
        import: String,
        /// What the manifest says of it.
        asks: &'static str,
        /// What its author can do.
        cure: &'static str,
    },
    /// The version is taken.
    #[error(
        "{id} {version} is published in {place} already, and a version is never published twice; raise `version` in weir-plugin.toml"
    )]
    Published {
        /// The plugin.
        id: String,
        /// Its version.
        version: String,
        /// Where.
        place: String,
    },
    /// A version that is there already cannot be looked at, so nothing is published beside it.
    #[error(
        "{version} in {place} stands in the way of what is to be published; if it is not yours, have its tag removed there, or publish to another repository"
    )]
    Neighbour {
        /// Which version.
        version: String,
        /// Where.
        place: String,
        /// What is wrong with it; its code is that of the whole.
        #[source]
        cause: Box<ArtefactError>,
    },
    /// The version cannot be a tag.
    #[error("version {version} cannot be published: {reason}")]
    Version {
        /// Which.
        version: String,
        /// Why, and what to do.
        reason: String,
    },
    /// It does not keep to what every plugin must.
    #[error("it is not published: {reason}")]
    Conformance {
        /// What fails.
        reason: String,
    },
    /// Nothing says what is new.
    #[error("{reason}; write a section `## {version}` that says what is new")]
    Changelog {
        /// What is missing.
        reason: String,
        /// The version that is to be published.
        version: String,
    },
    /// Who used the version before would break.
    #[error(
        "{version} breaks who uses {before}, and has the same major version; publish it as {major}.0.0, or keep what is in use"
    )]
    Breaking {
        /// The version that is to be published.
        version: String,
        /// The version before it.
        before: String,
        /// The next major version.
        major: u64,
        /// What breaks.
        changes: Vec<Change>,
    },
    /// Who used the version before is not told what to do.
    #[error(
        "{version} breaks who uses {before}, and its changelog does not say what they have to do; write it under `### Migration` in the section `## {version}`"
    )]
    Migration {
        /// The version that is to be published.
        version: String,
        /// The version before it.
        before: String,
        /// What breaks.
        changes: Vec<Change>,
    },
    /// Only the publisher speaks for a release.
    #[error("{what} was published with key {publisher}, and this key is {found}; only its publisher may {act} it")]
    NotPublisher {
        /// Which artefact.
        what: String,
        /// The publisher's key.
        publisher: Publisher,
        /// The key that was given.
        found: Publisher,
        /// `deprecate` or `yank`.
        act: &'static str,
    },
    /// It does not have the form of a plugin.
    #[error("{what} is no plugin of Weir: {reason}")]
    Malformed {
        /// Which artefact.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// It is too large to be read.
    #[error("{what} has more than the {bytes_max} bytes that are allowed")]
    TooLarge {
        /// What.
        what: String,
        /// The limit.
        bytes_max: u64,
    },
    /// A key cannot be used.
    #[error("{what}: {reason}")]
    Key {
        /// Which key, and what was to be done with it.
        what: &'static str,
        /// Why it cannot.
        reason: String,
    },
    /// The registry lets nobody in.
    #[error(
        "{registry} refuses: {reason}; log in with `docker login {registry}` or `skopeo login {registry}`, or look whether the account may do this"
    )]
    Login {
        /// Which.
        registry: String,
        /// What it said.
        reason: String,
    },
    /// The registry cannot be reached, or does not do what it is asked for.
    #[error("{registry}: {reason}")]
    Registry {
        /// Which.
        registry: String,
        /// What happened.
        reason: String,
    },
    /// A file is there, and does not hold what it should.
    #[error("`{}` cannot be understood: {reason}; mend it by hand, or take it back from where it is kept", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {what} `{}`", file.display())]
    File {
        /// `read`, `write` or `create`.
        what: &'static str,
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl ArtefactError {
    pub(crate) fn malformed(what: &str, reason: impl ToString) -> Self {
        Self::Malformed { what: what.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn unreadable(file: &std::path::Path, reason: impl ToString) -> Self {
        Self::Unreadable { file: file.to_owned(), reason: reason.to_string() }
    }

    /// Whether it lies in what was found there, and not in whether anything could be found.
    pub(crate) fn is_of_content(&self) -> bool {
        !matches!(self, Self::Registry { .. } | Self::Login { .. } | Self::File { .. } | Self::Unreadable { .. })
    }

    pub(crate) fn file(what: &'static str, file: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |cause| Self::File { what, file, cause }
    }

    /// A stable word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Reference { .. } => "weir.artefact.reference",
            Self::NotFound { .. } => "weir.artefact.not-found",
            Self::Tampered { .. } => "weir.artefact.tampered",
            Self::WrongDigest { .. } => "weir.artefact.digest",
            Self::Unsigned { .. } => "weir.artefact.unsigned",
            Self::Signature { .. } => "weir.artefact.signature",
            Self::Publisher { .. } => "weir.artefact.publisher",
            Self::Identity { .. } => "weir.artefact.identity",
            Self::Downgrade { .. } => "weir.artefact.downgrade",
            Self::Republished { .. } => "weir.artefact.republished",
            Self::Yanked { .. } => "weir.artefact.yanked",
            Self::Asks { .. } => "weir.artefact.asks",
            Self::Published { .. } => "weir.artefact.published",
            Self::Neighbour { cause, .. } => cause.code(),
            Self::Version { .. } => "weir.artefact.version",
            Self::Conformance { .. } => "weir.artefact.conformance",
            Self::Changelog { .. } => "weir.artefact.changelog",
            Self::Breaking { .. } => "weir.artefact.breaking",
            Self::Migration { .. } => "weir.artefact.migration",
            Self::NotPublisher { .. } => "weir.artefact.not-publisher",
            Self::Malformed { .. } => "weir.artefact.malformed",
            Self::TooLarge { .. } => "weir.artefact.too-large",
            Self::Key { .. } => "weir.artefact.key",
            Self::Login { .. } => "weir.artefact.login",
            Self::Registry { .. } => "weir.artefact.registry",
            Self::Unreadable { .. } => "weir.artefact.unreadable",
            Self::File { .. } => "weir.artefact.file",
        }
    }

    /// What breaks, one a line; empty for any other error.
    pub fn faults(&self) -> Vec<String> {
        match self {
            Self::Breaking { changes, .. } | Self::Migration { changes, .. } => {
                changes.iter().map(|change| change.words.clone()).collect()
            }
            _ => Vec::new(),
        }
    }
}
