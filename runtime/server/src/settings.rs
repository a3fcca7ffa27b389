//! What the operator's files mean. Made from what was written by [`project`](crate::project).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use capability::GrantText;
use connection::{Credential, SecretRef};
use serde_json::{Map, Value};
use written::{duration, size};

/// `weir.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where events come in.
    pub listen: SocketAddr,
    /// Certificate and key, as PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The largest body, where the flow says nothing.
    pub body_bytes_max: usize,
    /// Connections at once.
    pub connections_max: usize,
    /// Where state is kept.
    pub data: PathBuf,
    /// How long what has finished is kept.
    pub retention: Duration,
    /// Bytes that the journal may take.
    pub retention_bytes: u64,
    /// Where the master key is; none: in the data folder, made at the first start.
    pub master_key: Option<SecretRef>,
    /// PEM files with further certificate authorities.
    pub roots: Vec<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            tls: None,
            body_bytes_max: 1 << 20,
            connections_max: 10_000,
            data: PathBuf::from("data"),
            retention: Duration::from_secs(30 * 86_400),
            retention_bytes: 20 << 30,
            master_key: None,
            roots: Vec::new(),
        }
    }
}

/// One plugin of `plugins.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginSettings {
    /// Its name, by which flows know it.
    pub name: String,
    /// The component's file.
    pub source: PathBuf,
    /// The folder of the project that the component is built from, where `source` names that instead of a file.
    pub project: Option<PathBuf>,
    /// What it may reach.
    pub grant: GrantText,
    /// What one call of it may use.
    pub limits: host::Limits,
}

/// One connection of `connections.toml`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionSettings {
    /// Its name.
    pub name: String,
    /// Who is told when it stops working.
    pub owner: String,
    /// The plugins that may use it.
    pub plugins: Vec<String>,
    /// Where it is.
    pub base_url: Option<String>,
    /// Other origins that its credential may go to.
    pub origins: Vec<String>,
    /// Whose account it is.
    pub account: Option<String>,
    /// A JSON object for the plugin.
    pub settings: Value,
    /// How requests prove whose they are.
    pub credential: Credential<SecretRef>,
    /// Credentials by name.
    pub named: BTreeMap<String, Credential<SecretRef>>,
}

/// A table that has the right shape already: what is there has the right type.
pub(crate) struct Table<'v>(pub(crate) &'v Map<String, Value>);

impl<'v> Table<'v> {
    /// The table under a key; an empty one if it is not there.
    pub(crate) fn table(&self, key: &str) -> Table<'v> {
        static EMPTY: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        Table(self.0.get(key).and_then(Value::as_object).unwrap_or(&EMPTY))
    }

    pub(crate) fn text(&self, key: &str) -> Option<&'v str> {
        self.0.get(key)?.as_str()
    }

    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        let items = self.0.get(key).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub(crate) fn count(&self, key: &str) -> Option<u32> {
        self.0.get(key)?.as_u64()?.try_into().ok()
    }

    pub(crate) fn duration(&self, key: &str) -> Option<Duration> {
        duration::parse(self.text(key)?)
    }

    pub(crate) fn size(&self, key: &str) -> Option<u64> {
        size::parse(self.text(key)?)
    }
}

pub(crate) fn limits(table: &Table<'_>) -> host::Limits {
    let default = host::Limits::default();
    host::Limits {
        memory_bytes: table.size("memory").unwrap_or(default.memory_bytes),
        cpu: table.duration("cpu").unwrap_or(default.cpu),
        wall: table.duration("wall").unwrap_or(default.wall),
        concurrency: table.count("concurrency").or(default.concurrency),
        output_bytes: table.size("output").unwrap_or(default.output_bytes),
        request_body_bytes: table.size("request_body").unwrap_or(default.request_body_bytes),
        response_body_bytes: table.size("response_body").unwrap_or(default.response_body_bytes),
        http_requests: table.count("http_requests").unwrap_or(default.http_requests),
        host_calls: table.count("host_calls").unwrap_or(default.host_calls),
        log_lines: table.count("log_lines").unwrap_or(default.log_lines),
        ..default
    }
}
