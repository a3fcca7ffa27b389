use std::fmt;
use std::time::Duration;

use manifest::Effect;
use serde_json::Value;

/// A plugin as flows name it: `crm@1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PluginName {
    /// The name in `plugins.toml`.
    pub name: String,
    /// The major version.
    pub major: u64,
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.major)
    }
}

/// What there is for a flow to name. The server answers from what is installed and configured; [`Permissive`] knows
/// everything.
pub trait Catalogue {
    /// The mapper, if the plugin is installed and is one.
    fn mapper(&self, plugin: &PluginName) -> Option<MapperInfo>;

    /// The action, if the plugin is installed and offers it.
    fn action(&self, plugin: &PluginName, action: &str) -> Option<ActionInfo>;

    /// The connection, if it is configured.
    fn connection(&self, name: &str) -> Option<ConnectionInfo>;

    /// Every plugin that is installed, for messages.
    fn plugins(&self) -> Vec<PluginName>;

    /// Every action of a plugin, for messages. Empty for a mapper.
    fn actions(&self, plugin: &PluginName) -> Vec<String>;

    /// Every connection, for messages.
    fn connections(&self) -> Vec<String>;
}

/// What a flow must know of a mapper.
#[derive(Clone, Debug, Default)]
pub struct MapperInfo {
    /// JSON Schema of its options.
    pub options: Option<Value>,
}

/// What a flow must know of an action.
#[derive(Clone, Debug)]
pub struct ActionInfo {
    /// What a repetition does.
    pub effect: Effect,
    /// With [`Effect::Keyed`]: for how long the destination honours a key.
    pub key_lifetime: Option<Duration>,
}

/// What a flow must know of a connection.
#[derive(Clone, Debug, Default)]
pub struct ConnectionInfo {
    /// The plugins that may use it, by name; none if any may.
    pub plugins: Option<Vec<String>>,
}

/// Takes every name for one that exists: for looking at a flow's text alone. Its actions count as
/// [`Effect::Unsafe`], which is the careful guess.
#[derive(Clone, Copy, Debug, Default)]
pub struct Permissive;

impl Catalogue for Permissive {
    fn mapper(&self, _: &PluginName) -> Option<MapperInfo> {
        Some(MapperInfo::default())
    }

    fn action(&self, _: &PluginName, _: &str) -> Option<ActionInfo> {
        Some(ActionInfo { effect: Effect::Unsafe, key_lifetime: None })
    }

    fn connection(&self, _: &str) -> Option<ConnectionInfo> {
        Some(ConnectionInfo::default())
    }

    fn plugins(&self) -> Vec<PluginName> {
        Vec::new()
    }

    fn actions(&self, _: &PluginName) -> Vec<String> {
        Vec::new()
    }

    fn connections(&self) -> Vec<String> {
        Vec::new()
    }
}
