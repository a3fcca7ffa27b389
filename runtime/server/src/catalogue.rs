use std::collections::{BTreeMap, BTreeSet};

use flow::{ActionInfo, ConnectionInfo, MapperInfo, Permissive, PluginName};
use manifest::{Manifest, Role};

use crate::project::ProjectPlugin;
use crate::settings::ConnectionSettings;

/// What flows may name: the plugins that are installed and the connections that are configured.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    plugins: BTreeMap<PluginName, Manifest>,
    connections: BTreeMap<String, Vec<String>>,
}

impl Catalogue {
    /// A catalogue of these.
    pub fn new(plugins: &[ProjectPlugin], connections: &[ConnectionSettings]) -> Self {
        let plugin = |plugin: &ProjectPlugin| {
            let major = major(&plugin.manifest.version);
            (PluginName { name: plugin.settings.name.clone(), major }, plugin.manifest.clone())
        };
        let connection = |connection: &ConnectionSettings| (connection.name.clone(), connection.plugins.clone());
        Self {
            plugins: plugins.iter().map(plugin).collect(),
            connections: connections.iter().map(connection).collect(),
        }
    }
}

/// The major part of a semantic version.
pub(crate) fn major(version: &str) -> u64 {
    version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
}

impl flow::Catalogue for Catalogue {
    fn mapper(&self, plugin: &PluginName) -> Option<MapperInfo> {
        let manifest = self.plugins.get(plugin).filter(|manifest| manifest.has(Role::Mapper))?;
        Some(MapperInfo { options: manifest.mapper.as_ref().and_then(|schemas| schemas.options.clone()) })
    }

    fn action(&self, plugin: &PluginName, action: &str) -> Option<ActionInfo> {
        let action = self.plugins.get(plugin)?.action(action)?;
        Some(ActionInfo { effect: action.effect, key_lifetime: action.key_lifetime })
    }

    fn connection(&self, name: &str) -> Option<ConnectionInfo> {
        self.connections.get(name).map(|plugins| ConnectionInfo { plugins: Some(plugins.clone()) })
    }

    fn plugins(&self) -> Vec<PluginName> {
        self.plugins.keys().cloned().collect()
    }

    fn actions(&self, plugin: &PluginName) -> Vec<String> {
        self.plugins.get(plugin).map_or_else(Vec::new, |manifest| manifest.actions.keys().cloned().collect())
    }

    fn connections(&self) -> Vec<String> {
        self.connections.keys().cloned().collect()
    }
}

/// A catalogue while some of what it should hold has faults: a flow that names it is not told a second time.
pub(crate) struct Unfinished<'a> {
    pub(crate) known: &'a Catalogue,
    pub(crate) plugins: &'a Faulty,
    pub(crate) connections: &'a Faulty,
}

/// What is there and has faults, so that nothing more is known of it.
#[derive(Debug)]
pub(crate) enum Faulty {
    /// These.
    Names(BTreeSet<String>),
    /// The file cannot be read, so it may be anything.
    Anything,
}

impl Faulty {
    pub(crate) fn add(&mut self, name: &str) {
        if let Self::Names(names) = self {
            names.insert(name.to_owned());
        }
    }

    fn may_be(&self, name: &str) -> bool {
        match self {
            Self::Names(names) => names.contains(name),
            Self::Anything => true,
        }
    }
}

impl Default for Faulty {
    fn default() -> Self {
        Self::Names(BTreeSet::new())
    }
}

impl flow::Catalogue for Unfinished<'_> {
    fn mapper(&self, plugin: &PluginName) -> Option<MapperInfo> {
        let faulty = || self.plugins.may_be(&plugin.name).then(|| Permissive.mapper(plugin)).flatten();
        self.known.mapper(plugin).or_else(faulty)
    }

    fn action(&self, plugin: &PluginName, action: &str) -> Option<ActionInfo> {
        let faulty = || self.plugins.may_be(&plugin.name).then(|| Permissive.action(plugin, action)).flatten();
        self.known.action(plugin, action).or_else(faulty)
    }

    fn connection(&self, name: &str) -> Option<ConnectionInfo> {
        if self.connections.may_be(name) { Permissive.connection(name) } else { self.known.connection(name) }
    }

    fn plugins(&self) -> Vec<PluginName> {
        self.known.plugins()
    }

    fn actions(&self, plugin: &PluginName) -> Vec<String> {
        self.known.actions(plugin)
    }

    fn connections(&self) -> Vec<String> {
        self.known.connections()
    }
}
