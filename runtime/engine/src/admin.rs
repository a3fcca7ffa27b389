use bytes::Bytes;
use futures_util::future::BoxFuture;
use model::PluginRef;

use crate::PluginSelector;

/// Installs, switches and removes plugins while events flow. The host implements it; the admin API calls it.
pub trait PluginAdmin: Send + Sync + 'static {
    /// Every generation that the host holds: by name, major version and age.
    fn list(&self) -> Vec<GenerationStatus>;

    /// Says what a component is without keeping it. Nothing of it runs.
    fn inspect(&self, component: Bytes) -> BoxFuture<'_, Result<Inspection, AdminError>>;

    /// Checks, links and compiles a component for the plugin `name`, and gives it a canary call. Ends in
    /// [`GenerationState::Verified`], or in [`GenerationState::Staged`] if it asks for more than is granted. What serves
    /// calls is not touched. Staging a digest that is held already changes nothing and gives its state.
    fn stage<'a>(&'a self, name: &'a str, component: Bytes) -> BoxFuture<'a, Result<GenerationStatus, AdminError>>;

    /// Grants what the staged generation asks for, and nothing more, until the host is built anew: whoever calls keeps
    /// [`Inspection::asks`] if it is to last.
    fn approve<'a>(
        &'a self,
        plugin: &'a PluginSelector,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<GenerationStatus, AdminError>>;

    /// Sends new calls to a verified generation. Calls in flight end on the one before, which drains.
    fn activate<'a>(
        &'a self,
        plugin: &'a PluginSelector,
        digest: &'a str,
    ) -> BoxFuture<'a, Result<GenerationStatus, AdminError>>;

    /// Sends new calls to the generation before, at once. The one that is left is held back: see
    /// [`GenerationStatus::rolled_back`].
    fn rollback<'a>(&'a self, plugin: &'a PluginSelector) -> BoxFuture<'a, Result<GenerationStatus, AdminError>>;

    /// Ends the plugin: no new calls, those in flight end, every generation is let go.
    fn retire<'a>(&'a self, plugin: &'a PluginSelector) -> BoxFuture<'a, Result<(), AdminError>>;
}

/// Where a generation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerationState {
    /// Compiled, and asks for more than is granted.
    Staged,
    /// Ready to serve.
    Verified,
    /// Serves new calls.
    Active,
    /// Serves no new calls, and some are in flight.
    Draining,
    /// Serves no calls, and is kept for a roll-back.
    Retired,
    /// Has trapped over many different executions. Its calls wait until another generation, or it by hand, is activated.
    Quarantined,
}

impl GenerationState {
    /// The word that the output and the API use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Verified => "verified",
            Self::Active => "active",
            Self::Draining => "draining",
            Self::Retired => "retired",
            Self::Quarantined => "quarantined",
        }
    }
}

/// One loaded digest of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationStatus {
    /// Name, version and digest.
    pub plugin: PluginRef,
    /// The major version, by which flows name it.
    pub major: u64,
    /// Where it stands.
    pub state: GenerationState,
    /// What it asks for beyond its grant, in words.
    pub missing: Vec<String>,
    /// It was rolled back from: a new deployment does not activate it by itself, only an operator does.
    pub rolled_back: bool,
    /// What it is.
    pub about: Inspection,
    /// Calls under way.
    pub in_flight: u64,
    /// Calls that it has ended.
    pub calls: u64,
    /// Those of them that ended in a trap or at a limit.
    pub traps: u64,
}

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The id in its manifest.
    pub id: String,
    /// Its version.
    pub version: String,
    /// What it does, in a sentence.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// Its licence: an SPDX expression.
    pub licence: String,
    /// The version of the contract.
    pub contract: String,
    /// SHA-256 of the component, `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The interfaces that it exports: `mapper`, `actions`, `verification`, `connection`.
    pub roles: Vec<String>,
    /// The names of its actions.
    pub actions: Vec<String>,
    /// The interfaces that it imports, as they are written in it.
    pub imports: Vec<String>,
    /// What it asks to reach.
    pub asks: Vec<Reach>,
}

/// Something to be reached over HTTP. As a line for `plugins.toml`: its `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// `https://api.example.com`, `https://*.example.com` or `connection`.
    pub origin: String,
    /// The methods.
    pub methods: Vec<String>,
    /// Paths; a `*` at the end stands for anything behind it.
    pub paths: Vec<String>,
    /// Why, in the plugin's words.
    pub reason: String,
}

impl std::fmt::Display for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { origin, methods, paths, .. } = self;
        write!(f, "{{ origin = {origin:?}, methods = {methods:?}, paths = {paths:?} }}")
    }
}

/// Why an administrative request was not carried out. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// The component cannot be a plugin here.
    #[error("{message}")]
    Refused {
        /// A stable word for machines, such as `weir.load.core-module`.
        code: &'static str,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// No such plugin.
    #[error("plugin `{name}@{major}` is not installed; `weir plugin list` shows what is")]
    NoPlugin {
        /// Its name.
        name: String,
        /// Its major version.
        major: u64,
    },
    /// No such generation of it.
    #[error("plugin `{name}` has no generation `{digest}`; `weir plugin list` shows what it has")]
    NoGeneration {
        /// The plugin.
        name: String,
        /// What was asked for.
        digest: String,
    },
    /// It asks for more than is granted.
    #[error("plugin `{name}` asks for more than it is granted: {}; to allow it: `weir grant {name}`", .missing.join("; "))]
    NotGranted {
        /// The plugin.
        name: String,
        /// What, in words.
        missing: Vec<String>,
    },
    /// There is nothing to go back to.
    #[error("plugin `{0}` has no generation to go back to")]
    NoPrevious(String),
}
