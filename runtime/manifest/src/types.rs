use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a plugin says of itself. Written as `weir-plugin.toml`, carried in the component as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Lower-case letters, digits and hyphens, beginning with a letter; at most 64.
    pub id: String,
    /// Semantic version.
    pub version: String,
    /// What it does, in a sentence.
    pub description: String,
    /// Who answers for it: an e-mail address or a URL.
    pub owner: String,
    /// An SPDX expression.
    pub licence: String,
    /// The version of the contract, `0.1`.
    pub contract: String,
    /// What it exports. The component's type must say the same.
    pub roles: Vec<Role>,
    /// The schemas of a mapper.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapper: Option<MapperSchemas>,
    /// The actions of a connector, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, Action>,
    /// What it asks to reach. The operator's grant decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpRequest>,
    /// The ways to authenticate that its destination knows, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub auth: BTreeMap<String, AuthScheme>,
    /// What the destination allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Where its source is found: a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A role is an exported interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Exports `mapper`; excludes every other role.
    Mapper,
    /// Exports `actions`.
    Actions,
    /// Exports `verification`.
    Verification,
    /// Exports `connection`.
    Connection,
}

impl Role {
    /// Every role, in the order of the contract.
    pub const ALL: [Self; 4] = [Self::Mapper, Self::Actions, Self::Verification, Self::Connection];

    /// Its name, which is that of the interface too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mapper => "mapper",
            Self::Actions => "actions",
            Self::Verification => "verification",
            Self::Connection => "connection",
        }
    }
}

/// The schemas of a mapper; JSON Schema 2020-12. In the file each is the path of a file under `schemas/`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapperSchemas {
    /// What it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<serde_json::Value>,
    /// What each of its documents is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<serde_json::Value>,
    /// The options that a flow may give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<serde_json::Value>,
}

/// One operation of a connector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// For people.
    pub title: String,
    /// What a repetition does.
    pub effect: Effect,
    /// With [`Effect::Keyed`]: for how long the destination honours an idempotency key. Written as `24h`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "written::duration::optional")]
    pub key_lifetime: Option<Duration>,
    /// JSON Schema of the input. In the file: the path of a file under `schemas/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<serde_json::Value>,
    /// JSON Schema of the output. In the file: the path of a file under `schemas/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<serde_json::Value>,
    /// An input that works; in the file a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<serde_json::Value>,
}

/// What happens at the destination when a call is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing changes at all.
    Read,
    /// The second call changes nothing more.
    Idempotent,
    /// The second call changes nothing more if it carries the same key.
    Keyed,
    /// The effect happens twice.
    Unsafe,
}

/// What a plugin asks to reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// `https://api.example.com`, `https://*.example.com`, or `connection`: the origins of the connection it is used with.
    pub origin: String,
    /// The methods.
    pub methods: Vec<String>,
    /// Paths; a `*` at the end stands for anything behind it.
    pub paths: Vec<String>,
    /// Why, for the operator who grants it.
    pub reason: String,
}

/// A way to authenticate, as data. Which secret fills it is the connection's matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "scheme")]
pub enum AuthScheme {
    /// A key in a header field.
    ApiKeyHeader {
        /// The header field.
        name: String,
    },
    /// A key in the query.
    ApiKeyQuery {
        /// The query parameter.
        name: String,
    },
    /// RFC 7617.
    Basic {},
    /// RFC 6750.
    Bearer {},
    /// `{{name}}` in URL, header field or body.
    Slots {
        /// The slots.
        slots: Vec<CredentialSlot>,
    },
    /// An HMAC over the final bytes.
    Hmac {
        /// The header field that carries it.
        header: String,
        /// `sha256` or `sha1`.
        algorithm: String,
        /// `hex` or `base64`.
        encoding: String,
        /// What stands before it in the header field.
        #[serde(default)]
        prefix: String,
    },
}

/// One named place for a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialSlot {
    /// The name between the braces.
    pub name: String,
    /// For the person who is asked for it.
    pub title: String,
}

/// What the destination allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Requests …
    pub requests: u32,
    /// … in this time. Written as `1s` or `1m`.
    #[serde(with = "written::duration::required")]
    pub per: Duration,
}

/// Faults of a manifest, all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct InvalidManifest(pub Vec<String>);

impl Manifest {
    /// The action of that name.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions.get(name)
    }

    /// The major version, by which flows name the plugin: 1 of `crm@1`. None if the version is not valid.
    pub fn major(&self) -> Option<u64> {
        self.version.split('.').next()?.parse().ok()
    }

    /// Whether the plugin has the role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
