use std::sync::Arc;

use ipnet::IpNet;
use model::Origin;
use serde::{Deserialize, Serialize};

use crate::address::parse_private_network;
use crate::rule::DecodedPath;
use crate::url::decode;
use crate::{CheckedUrl, HttpRule, HttpRuleText, UrlFault};

/// A grant as the operator writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GrantText {
    /// What may be reached by HTTP.
    pub http: Vec<HttpRuleText>,
    /// Networks (`10.1.0.0/16`) that may be reached although they are not public.
    pub private_networks: Vec<String>,
}

/// What the operator lets one plugin do. The default allows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    plugin: Arc<str>,
    http: Vec<HttpRule>,
    /// What the plugin's manifest asks for; none where there is no manifest, as for the host's own calls.
    requested: Option<Vec<HttpRule>>,
    private_networks: Vec<IpNet>,
}

/// Faults of a grant, all of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct InvalidGrant(pub Vec<String>);

/// Why a plugin may not make a request, with what would allow it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There is no way to read it that is safe.
    #[error("plugin `{plugin}` may not call this URL: {fault}")]
    Url {
        /// The plugin.
        plugin: Arc<str>,
        /// What is wrong with it.
        fault: UrlFault,
    },
    /// The operator did not grant it.
    #[error("plugin `{plugin}` may not reach {destination}; to allow it, add to its grant: {cure}")]
    NotGranted {
        /// The plugin.
        plugin: Arc<str>,
        /// Host and port.
        destination: String,
        /// TOML to paste.
        cure: String,
    },
    /// The operator granted it, but the plugin's manifest does not ask for it.
    #[error(
        "plugin `{plugin}` does not ask to reach {destination}; to ask for it, add to its weir-plugin.toml: {cure}"
    )]
    NotRequested {
        /// The plugin.
        plugin: Arc<str>,
        /// Host and port.
        destination: String,
        /// TOML to paste.
        cure: String,
    },
}

impl Denied {
    /// A stable word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } => "weir.http.url",
            Self::NotGranted { .. } => "weir.http.not-granted",
            Self::NotRequested { .. } => "weir.http.not-requested",
        }
    }
}

impl Grant {
    /// A grant for `plugin` that allows nothing.
    pub fn nothing(plugin: impl Into<Arc<str>>) -> Self {
        Self { plugin: plugin.into(), http: Vec::new(), requested: None, private_networks: Vec::new() }
    }

    /// The grant of `plugin` that is written, or everything that is wrong with it.
    pub fn parse(plugin: impl Into<Arc<str>>, text: &GrantText) -> Result<Self, InvalidGrant> {
        let mut faults = Vec::new();
        let http = parse_rules(&text.http, &mut faults);
        let networks = text.private_networks.iter();
        let private_networks = networks
            .filter_map(|network| parse_private_network(network).map_err(|fault| faults.push(fault)).ok())
            .collect();
        if faults.is_empty() {
            Ok(Self { plugin: plugin.into(), http, requested: None, private_networks })
        } else {
            Err(InvalidGrant(faults))
        }
    }

    /// The overlap of this grant and of what the plugin's manifest asks for: only what both hold works.
    pub fn limited_to(self, requested: &[HttpRuleText]) -> Result<Self, InvalidGrant> {
        let mut faults = Vec::new();
        let requested = parse_rules(requested, &mut faults);
        if faults.is_empty() { Ok(Self { requested: Some(requested), ..self }) } else { Err(InvalidGrant(faults)) }
    }

    /// What the manifest asks for and this grant does not allow, in words; empty if it asks for nothing more.
    pub fn excess(&self, requested: &[HttpRuleText]) -> Result<Vec<String>, InvalidGrant> {
        let mut faults = Vec::new();
        let requested = parse_rules(requested, &mut faults);
        if faults.is_empty() {
            Ok(requested.iter().filter_map(|rule| rule.beyond(&self.http)).collect())
        } else {
            Err(InvalidGrant(faults))
        }
    }

    /// The plugin that it was given to.
    pub fn plugin(&self) -> &Arc<str> {
        &self.plugin
    }

    /// The networks that may be reached although they are not public.
    pub fn private_networks(&self) -> &[IpNet] {
        &self.private_networks
    }

    /// Whether the plugin may call this method on this absolute URL, when the connection in use has these origins.
    pub fn check(&self, method: &str, url: &str, connection_origins: &[Origin]) -> Result<CheckedUrl, Denied> {
        let denied = |fault| Denied::Url { plugin: self.plugin.clone(), fault };
        let url = CheckedUrl::parse(method, url).map_err(denied)?;
        let decoded = decode(url.path()).ok_or(UrlFault("its path is not UTF-8")).map_err(denied)?;
        let path = DecodedPath { literal: url.path(), decoded };
        let allow = |rules: &[HttpRule]| rules.iter().any(|rule| rule.allows(&url, &path, connection_origins));
        let (plugin, destination) =
            (self.plugin.clone(), || format!("{}:{}", url.origin().host(), url.origin().port()));
        // First what the plugin asks for: as long as it does not ask, no grant would help.
        if self.requested.as_ref().is_some_and(|requested| !allow(requested)) {
            return Err(Denied::NotRequested { plugin, destination: destination(), cure: cure(&url) });
        }
        if !allow(&self.http) {
            return Err(Denied::NotGranted { plugin, destination: destination(), cure: cure(&url) });
        }
        Ok(url)
    }
}

fn parse_rules(texts: &[HttpRuleText], faults: &mut Vec<String>) -> Vec<HttpRule> {
    texts.iter().filter_map(|text| HttpRule::parse(text).map_err(|found| faults.extend(found)).ok()).collect()
}

/// The rule that would allow the request, as TOML. It proposes all that lies beside the path, because what follows the
/// first segment is an identifier more often than not.
fn cure(url: &CheckedUrl) -> String {
    let path = url.path();
    let path = match path[1..].find('/') {
        Some(end) => format!("{}/*", &path[..=end]),
        None => path.to_owned(),
    };
    format!("http = [{{ origin = \"{}\", methods = [\"{}\"], paths = [\"{path}\"] }}]", url.origin(), url.method())
}
