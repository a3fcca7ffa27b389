//! What must hold in a manifest beyond its shape.

use written::{ID_RULE, is_id};

use crate::{Action, AuthScheme, Effect, HttpRequest, InvalidManifest, Manifest, Role};

/// The versions of the contract that this Weir serves.
const CONTRACTS: &[&str] = &["0.1"];

/// One rule that does not hold.
#[derive(Debug)]
pub(crate) struct Breach {
    /// Where, as keys and places from the top: `actions`, `create`, `effect`.
    pub(crate) path: Vec<String>,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) fix: String,
}

impl Manifest {
    /// Checks everything that the types cannot say.
    ///
    /// # Errors
    /// All the faults, each with its cure.
    pub fn validate(&self) -> Result<(), InvalidManifest> {
        let breaches = check(self);
        if breaches.is_empty() {
            return Ok(());
        }
        let lines = breaches.into_iter().map(|b| format!("`{}`: {}; {}", b.path.join("."), b.message, b.fix));
        Err(InvalidManifest(lines.collect()))
    }
}

pub(crate) fn check(manifest: &Manifest) -> Vec<Breach> {
    let mut rules = Rules::default();
    rules.check_identity(manifest);
    rules.check_roles(manifest);
    for (name, action) in &manifest.actions {
        rules.check_action(name, action);
    }
    for (index, request) in manifest.http.iter().enumerate() {
        rules.check_http(index, request);
    }
    for (name, scheme) in &manifest.auth {
        rules.check_auth(name, scheme);
    }
    if manifest.rate_limit.as_ref().is_some_and(|limit| limit.requests == 0) {
        rules.add(
            &["rate_limit", "requests"],
            "no request at all is allowed",
            "write at least 1, or leave the table out",
        );
    }
    rules.breaches
}

#[derive(Default)]
struct Rules {
    breaches: Vec<Breach>,
}

impl Rules {
    fn add(&mut self, path: &[&str], message: impl Into<String>, fix: impl Into<String>) {
        let path = path.iter().map(|&part| part.to_owned()).collect();
        self.breaches.push(Breach { path, message: message.into(), fix: fix.into() });
    }

    fn check_identity(&mut self, manifest: &Manifest) {
        if !is_id(&manifest.id) {
            self.add(&["id"], format!("`{}` is not an id", manifest.id), format!("write {ID_RULE}"));
        }
        if !is_semver(&manifest.version) {
            let message = format!("`{}` is not a semantic version", manifest.version);
            self.add(&["version"], message, "write three numbers, such as `1.0.0`");
        }
        if manifest.description.trim().is_empty() {
            self.add(&["description"], "it is empty", "say in a sentence what the plugin does");
        }
        let owner = manifest.owner.trim();
        let mail = owner.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
        if !mail && !owner.starts_with("https://") {
            let message = format!("`{owner}` is neither an e-mail address nor a URL");
            self.add(&["owner"], message, "name who answers for the plugin, such as `crm-team@example.com`");
        }
        if let Some(source) = manifest.source.as_ref().filter(|source| !source.starts_with("https://")) {
            self.add(&["source"], format!("`{source}` is no URL"), "write where the source is found: `https://…`");
        }
        if !is_licence(&manifest.licence) {
            let message = format!("`{}` is not an SPDX expression", manifest.licence);
            self.add(
                &["licence"],
                message,
                "write one, such as `Apache-2.0`, `MIT OR Apache-2.0` or `LicenseRef-Proprietary`",
            );
        }
        if !CONTRACTS.contains(&manifest.contract.as_str()) {
            let message = format!("contract version `{}` is not served", manifest.contract);
            self.add(&["contract"], message, format!("this Weir serves {}", CONTRACTS.join(", ")));
        }
    }

    fn check_roles(&mut self, manifest: &Manifest) {
        let roles = &manifest.roles;
        if roles.is_empty() {
            self.add(&["roles"], "there is none", "write `[\"mapper\"]` or `[\"actions\"]`");
        }
        if roles.iter().enumerate().any(|(index, role)| roles[..index].contains(role)) {
            self.add(&["roles"], "one is written twice", "write each role once");
        }
        let mapper = manifest.has(Role::Mapper);
        if mapper && roles.len() > 1 {
            let fix = "make two plugins: a mapper is pure, and a component has one set of imports";
            self.add(&["roles"], "`mapper` excludes every other role", fix);
        }
        if !mapper && !roles.is_empty() && !manifest.has(Role::Actions) {
            let fix = "add `actions`: verification and connection exist beside it";
            self.add(&["roles"], "a connector without actions", fix);
        }
        if !mapper && manifest.mapper.is_some() {
            self.add(&["mapper"], "only a mapper has this table", "remove it, or make `mapper` the role");
        }
        if manifest.has(Role::Actions) && manifest.actions.is_empty() {
            self.add(&["roles"], "there is no action", "describe at least one under `[actions.NAME]`");
        }
        if !manifest.has(Role::Actions) && !manifest.actions.is_empty() {
            self.add(&["actions"], "only a connector has actions", "add `actions` to `roles`, or remove them");
        }
        let outward = [
            ("http", !manifest.http.is_empty()),
            ("auth", !manifest.auth.is_empty()),
            ("rate_limit", manifest.rate_limit.is_some()),
        ];
        for (key, _) in outward.iter().filter(|(_, written)| mapper && *written) {
            self.add(&[key], "a mapper reaches nothing", "remove it: a mapper is never granted HTTP");
        }
    }

    fn check_action(&mut self, name: &str, action: &Action) {
        if !is_id(name) {
            self.add(&["actions", name], format!("`{name}` is not a name for an action"), format!("write {ID_RULE}"));
        }
        if action.title.trim().is_empty() {
            self.add(&["actions", name, "title"], "it is empty", "say in a few words what the action does");
        }
        if action.key_lifetime.is_some() && action.effect != Effect::Keyed {
            let fix = "remove it, or make the effect `keyed`";
            self.add(&["actions", name, "key_lifetime"], "only a keyed action has keys that live", fix);
        }
        if action.key_lifetime.is_none() && action.effect == Effect::Keyed {
            let fix = "add `key_lifetime = \"24h\"` with the time for which the destination honours a key";
            self.add(&["actions", name], "a keyed action whose keys have no lifetime", fix);
        }
        let schemas = [("input", &action.input), ("output", &action.output)];
        for (key, _) in schemas.iter().filter(|(_, schema)| schema.as_ref().is_some_and(|s| !is_schema(s))) {
            self.add(&["actions", name, key], "not a JSON Schema", "write a JSON object, or `true` or `false`");
        }
    }

    fn check_http(&mut self, index: usize, request: &HttpRequest) {
        let index = index.to_string();
        if request.origin != "connection" && !is_origin(&request.origin) {
            let message = format!("`{}` is not an origin", request.origin);
            let fix =
                "write `connection`, or scheme and host, such as `https://api.example.com` or `https://*.example.com`";
            self.add(&["http", &index, "origin"], message, fix);
        }
        if request.methods.is_empty() {
            self.add(&["http", &index, "methods"], "there is none", "name the methods, such as `[\"GET\", \"POST\"]`");
        }
        for method in request.methods.iter().filter(|m| m.is_empty() || !m.bytes().all(|b| b.is_ascii_uppercase())) {
            let message = format!("`{method}` is not a method");
            self.add(&["http", &index, "methods"], message, "write it in capitals, such as `POST`");
        }
        if request.paths.is_empty() {
            self.add(&["http", &index, "paths"], "there is none", "name the paths, such as `[\"/v3/contacts/*\"]`");
        }
        for path in request.paths.iter().filter(|path| !is_path(path)) {
            let message = format!("`{path}` is not a path");
            let fix = "begin it with `/`, leave out the query, and let `*` stand at its end only";
            self.add(&["http", &index, "paths"], message, fix);
        }
        if request.reason.trim().is_empty() {
            let fix = "tell the operator who is to grant it what it is for";
            self.add(&["http", &index, "reason"], "it is empty", fix);
        }
    }

    fn check_auth(&mut self, name: &str, scheme: &AuthScheme) {
        if !is_id(name) {
            self.add(&["auth", name], format!("`{name}` is not a name for a scheme"), format!("write {ID_RULE}"));
        }
        match scheme {
            AuthScheme::ApiKeyHeader { name: field } if !is_token(field) => {
                let message = format!("`{field}` is not the name of a header field");
                self.add(&["auth", name, "name"], message, "write one, such as `X-Api-Key`");
            }
            AuthScheme::ApiKeyQuery { name: parameter } if parameter.is_empty() => {
                self.add(&["auth", name, "name"], "it is empty", "name the query parameter, such as `api_key`");
            }
            AuthScheme::Slots { slots } => {
                if slots.is_empty() {
                    self.add(&["auth", name, "slots"], "there is none", "name at least one slot");
                }
                for slot in slots.iter().filter(|slot| !is_id(&slot.name)) {
                    let message = format!("`{}` is not a name for a slot", slot.name);
                    self.add(&["auth", name, "slots"], message, format!("write {ID_RULE}"));
                }
            }
            AuthScheme::Hmac { header, .. } if !is_token(header) => {
                let message = format!("`{header}` is not the name of a header field");
                self.add(&["auth", name, "header"], message, "write one, such as `X-Signature`");
            }
            _ => {}
        }
    }
}

/// Semantic Versioning 2.0.0, as far as an order needs it.
fn is_semver(text: &str) -> bool {
    let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
    let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
    let number = |part: &str| part.parse::<u64>().is_ok_and(|n| n.to_string() == part);
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    core.split('.').count() == 3
        && core.split('.').all(number)
        && [pre, build].into_iter().flatten().all(|words| words.split('.').all(word))
}

/// The words of an SPDX expression in their order; whether each identifier exists is not for this room to know.
fn is_licence(text: &str) -> bool {
    let spaced = text.replace(['(', ')'], " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let operator = |word: &str| ["AND", "OR", "WITH"].contains(&word);
    let id = |word: &str| word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.+:".contains(&b)) && !operator(word);
    words.len() % 2 == 1
        && words.iter().enumerate().all(|(at, word)| if at % 2 == 0 { id(word) } else { operator(word) })
        && text.matches('(').count() == text.matches(')').count()
}

fn is_schema(schema: &serde_json::Value) -> bool {
    schema.is_object() || schema.is_boolean()
}

fn is_origin(text: &str) -> bool {
    let Some(authority) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let host = host.strip_prefix("*.").unwrap_or(host);
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn is_path(text: &str) -> bool {
    let fixed = text.strip_suffix('*').unwrap_or(text);
    fixed.starts_with('/') && fixed.bytes().all(|b| b.is_ascii_graphic() && !b"*?#\\\"<>".contains(&b))
}

/// A token of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}
