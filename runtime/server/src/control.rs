//! What the admin API may ask of the server.

use std::fs;

use api::types::ConnectionDetail;
use api::{Applied, Control, ControlError, Counts, Deployed, FlowStatus, Status};
use bytes::Bytes;
use connection::Secret;
use engine::{Engine, PluginAdmin, Reach};
use futures_util::future::BoxFuture;
use model::StateKind;
use store::{Count, Health, Store};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};

use crate::connections::shown;
use crate::deploy::{file_error, write_whole};
use crate::server::Shared;

impl Control for Shared {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn plugins(&self) -> &dyn PluginAdmin {
        &self.host
    }

    fn status(&self) -> BoxFuture<'_, Result<Status, ControlError>> {
        Box::pin(self.collect_status())
    }

    fn apply(&self) -> BoxFuture<'_, Result<Applied, ControlError>> {
        Box::pin(self.apply_files())
    }

    fn install(&self, name: Option<String>, component: Bytes) -> BoxFuture<'_, Result<Deployed, ControlError>> {
        Box::pin(self.install_component(name, component))
    }

    fn grant<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Deployed, ControlError>> {
        Box::pin(self.grant_what_is_asked(name))
    }

    fn rollback<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Deployed, ControlError>> {
        Box::pin(async move {
            let _changing = self.changing.lock().await;
            if self.project().plugins.iter().any(|plugin| plugin.settings.name == name && plugin.program.is_some()) {
                return Err(ControlError::Refused(format!(
                    "plugin `{name}` runs natively, from its files as they are; bring those back, and it serves them"
                )));
            }
            self.deployment.rollback(name).await
        })
    }

    fn set_secret<'a>(&'a self, name: &'a str, secret: Option<String>) -> BoxFuture<'a, Result<(), ControlError>> {
        Box::pin(async move {
            let _changing = self.changing.lock().await;
            let secret = secret.map(Secret::new);
            let kept = self.secrets.set(name, secret, &*self.store).await;
            kept.map_err(|error| ControlError::Failed(crate::project::chain(&error)))?;
            self.connections.replace(&self.project().connections, &self.secrets);
            self.open_routes()
        })
    }

    fn secret_names(&self) -> Vec<String> {
        self.secrets.names()
    }

    fn connection(&self, name: &str) -> Option<ConnectionDetail> {
        self.project().connections.iter().find(|settings| settings.name == name).map(shown)
    }

    fn redacted(&self, text: String) -> String {
        self.connections.redacted(text)
    }

    fn metrics(&self) -> String {
        self.metrics_text()
    }
}

impl Shared {
    async fn collect_status(&self) -> Result<Status, ControlError> {
        let failed = |error: store::StoreError| ControlError::Failed(error.to_string());
        let counts = self.store.counts().await.map_err(failed)?;
        let (project, stats) = (self.project(), self.engine.stats());
        let of = |flow: &str, states: &[StateKind]| -> u64 {
            let matching = |count: &&Count| count.flow == flow && states.contains(&count.state);
            counts.iter().filter(matching).map(|count| count.executions).sum()
        };
        let flow = |flow: &flow::Flow| FlowStatus {
            name: flow.name.clone(),
            version: flow.reference().version,
            owner: flow.owner.clone(),
            path: flow.source.name().to_owned(),
            steps: flow.steps.iter().map(|step| step.id.clone()).collect(),
            open: of(&flow.name, &[StateKind::Ready, StateKind::Waiting]),
            parked: of(&flow.name, &[StateKind::Parked]),
            dead: of(&flow.name, &[StateKind::Dead]),
        };
        let flows: Vec<_> = project.flows.iter().map(flow).collect();
        let health = self.store.health();
        let rested = |kind| stats.rested.iter().find(|(each, _)| *each == kind).map_or(0, |(_, count)| *count);
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            project: self.root.clone(),
            listen: self.listen_url(),
            accepting: health == Health::Good,
            paused: self.engine.is_paused(),
            troubles: self.troubles(&health, &stats, &flows),
            flows,
            counts: Counts {
                accepted: stats.accepted,
                repeated: stats.repeated,
                attempts: stats.attempts,
                retried: stats.retried,
                finished: rested(StateKind::Finished),
                parked: rested(StateKind::Parked),
                dead: rested(StateKind::Dead),
                queued: stats.queued as u64,
                running: stats.running as u64,
            },
        })
    }

    fn listen_url(&self) -> String {
        let scheme = if self.settings.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.ingress.address())
    }

    /// The most harmful first: events that are not taken in, then work that stands still as a whole, then plugins and
    /// connections that do not serve, and last executions that wait for a person.
    fn troubles(&self, health: &Health, stats: &engine::Stats, flows: &[FlowStatus]) -> Vec<String> {
        let mut troubles = Vec::new();
        if let Health::Refusing { reason } | Health::Failed { reason } = health {
            troubles.push(format!("events are not taken in: {reason}"));
        }
        troubles.extend(self.closed_ways());
        if self.engine.is_paused() {
            let open: u64 = flows.iter().map(|flow| flow.open).sum();
            troubles.push(format!(
                "Weir is paused: events are kept and none is worked on, executions that wait: {open}; to go on: weir resume"
            ));
        }
        troubles.extend(self.connections.troubles());
        for status in self.host.list() {
            let name = &status.plugin.name;
            match status.state {
                engine::GenerationState::Quarantined => troubles.push(format!(
                    "plugin `{name}` is quarantined: it trapped over many executions, and its calls wait; weir install a \
                     mended one, weir rollback {name}, or weir apply to try it again"
                )),
                engine::GenerationState::Staged if self.deployment.is_wanted(&status) => troubles.push(format!(
                    "plugin `{name}` {} is staged: it asks for {}; to allow it: weir grant {name}",
                    status.plugin.version,
                    status.missing.join("; ")
                )),
                _ => {}
            }
        }
        for connection in &stats.breakers_open {
            troubles
                .push(format!("connection `{connection}` does not answer: calls are held back and tried one by one"));
        }
        for flow in flows.iter().filter(|flow| flow.parked + flow.dead > 0) {
            troubles.push(format!(
                "flow `{}` has {} parked and {} dead executions: weir execution list --flow {} --state parked,dead",
                flow.name, flow.parked, flow.dead, flow.name
            ));
        }
        troubles.extend(self.settings_to_come());
        troubles
    }

    async fn install_component(&self, name: Option<String>, component: Bytes) -> Result<Deployed, ControlError> {
        let changing = self.changing.lock().await;
        let about = self.host.inspect(component.clone()).await?;
        let name = name.unwrap_or(about.id);
        if !written::is_id(&name) {
            return Err(ControlError::Refused(format!(
                "`{name}` is no name for a plugin: it has {}",
                written::ID_RULE
            )));
        }
        // Staged first: a component that cannot serve never reaches the project.
        self.host.stage(&name, component.clone()).await?;
        let file = self.root.join("plugins").join(format!("{name}.wasm"));
        let mut document = self.plugins_file()?;
        let entry = document["plugin"].or_insert(Item::Table(implicit())).as_table_mut();
        let entry = entry.ok_or_else(|| ControlError::Refused("`plugin` in plugins.toml is not a table".to_owned()))?;
        let source = match entry.get(&name).and_then(|plugin| plugin.get("source")).and_then(Item::as_str) {
            Some(source) if self.root.join(source).is_dir() => {
                let message = format!(
                    "plugin `{name}` is built from the folder `{source}`; build it there, or install under another name"
                );
                return Err(ControlError::Refused(message));
            }
            Some(source) => self.root.join(source),
            None => {
                let mut plugin = Table::new();
                plugin["source"] = value(format!("plugins/{name}.wasm"));
                entry.insert(&name, Item::Table(plugin));
                self.write_plugins_file(&document)?;
                file
            }
        };
        if let Some(folder) = source.parent() {
            fs::create_dir_all(folder).map_err(|cause| file_error("create", folder, cause))?;
        }
        write_whole(&source, &component)?;
        self.deployment.release(&name)?;
        drop(changing);
        self.apply_and_find(&name).await
    }

    async fn grant_what_is_asked(&self, name: &str) -> Result<Deployed, ControlError> {
        let changing = self.changing.lock().await;
        let waiting = |status: &engine::GenerationStatus| {
            status.plugin.name == name && !status.missing.is_empty() && self.deployment.is_wanted(status)
        };
        let Some(status) = self.host.list().into_iter().rfind(waiting) else {
            let message = format!("plugin `{name}` asks for nothing beyond its grant");
            return Err(ControlError::Refused(message));
        };
        let mut document = self.plugins_file()?;
        let missing = || ControlError::Refused(format!("plugin `{name}` is not in plugins.toml"));
        let plugin = document.get_mut("plugin").and_then(|plugins| plugins.get_mut(name)).ok_or_else(missing)?;
        let grant = plugin.as_table_like_mut().ok_or_else(missing)?.entry("grant").or_insert(Item::Table(Table::new()));
        // What the manifest asks for as a whole: the rules that were granted before are among it or stay beside it.
        let rules: Array = status.about.asks.iter().map(rule).collect();
        match grant.as_table_like_mut().map(|grant| grant.entry("http").or_insert(value(Array::new()))) {
            Some(Item::Value(Value::Array(http))) => http.extend(rules),
            _ => {
                return Err(ControlError::Refused(format!("the grant of `{name}` in plugins.toml has no list `http`")));
            }
        }
        self.write_plugins_file(&document)?;
        drop(changing);
        self.apply_and_find(name).await
    }

    async fn apply_and_find(&self, name: &str) -> Result<Deployed, ControlError> {
        let applied = self.apply_files().await?;
        let trouble = applied.troubles.iter().find(|trouble| trouble.starts_with(&format!("plugin `{name}`")));
        let none =
            || ControlError::Refused(trouble.cloned().unwrap_or_else(|| format!("plugin `{name}` is not there")));
        applied.plugins.iter().find(|plugin| plugin.name == name).cloned().ok_or_else(none)
    }

    fn plugins_file(&self) -> Result<DocumentMut, ControlError> {
        let file = self.root.join("plugins.toml");
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(cause) => return Err(file_error("read", &file, cause)),
        };
        text.parse().map_err(|error: toml_edit::TomlError| ControlError::Faults(vec![format!("plugins.toml: {error}")]))
    }

    fn write_plugins_file(&self, document: &DocumentMut) -> Result<(), ControlError> {
        write_whole(&self.root.join("plugins.toml"), document.to_string().as_bytes())
    }
}

fn implicit() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

fn rule(reach: &Reach) -> InlineTable {
    let texts = |texts: &[String]| Value::Array(texts.iter().map(String::as_str).collect());
    let mut table = InlineTable::new();
    table.insert("origin", reach.origin.as_str().into());
    table.insert("methods", texts(&reach.methods));
    table.insert("paths", texts(&reach.paths));
    table
}
