//! Brings the plugins that run into line with the files. The files are the desired state; `weir.lock` beside them holds
//! the digests, so that a roll-back outlives a restart and the next deployment does not undo it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use api::{ControlError, Deployed};
use engine::{GenerationState, GenerationStatus, PluginAdmin, PluginSelector};
use host::{Host, Program};
use manifest::Manifest;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::project::{ProjectPlugin, read_component};
use crate::whole;

/// What `weir.lock` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Lock {
    #[serde(default)]
    plugin: BTreeMap<String, Locked>,
}

/// What it says of one plugin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Locked {
    /// The digest that serves.
    digest: String,
    /// A digest that was rolled back from: it is not brought into service again until another one is installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<String>,
}

/// Deploys plugins of one project.
pub(crate) struct Deployment {
    host: Host,
    lock_file: PathBuf,
    /// Components by digest: what a roll-back after a restart goes back to.
    components: PathBuf,
    /// The digest of each plugin's file when it was last deployed.
    wanted: Mutex<BTreeMap<String, String>>,
}

impl Deployment {
    pub(crate) fn new(host: Host, root: &Path, data: &Path) -> Self {
        let (lock_file, components) = (root.join("weir.lock"), data.join("plugins"));
        Self { host, lock_file, components, wanted: Mutex::default() }
    }

    /// Whether the plugin's file holds this generation, which the host may keep for a while after the file has changed.
    pub(crate) fn is_wanted(&self, status: &GenerationStatus) -> bool {
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.get(&status.plugin.name) == Some(&status.plugin.digest)
    }

    /// Brings one plugin's file into service, if it may be.
    pub(crate) async fn deploy(&self, plugin: &ProjectPlugin) -> Result<Deployed, ControlError> {
        let (name, source) = (plugin.settings.name.as_str(), &plugin.settings.source);
        let settings = host::PluginSettings {
            grant: plugin.settings.grant.clone(),
            limits: plugin.settings.limits.clone(),
            ..host::PluginSettings::default()
        };
        self.host.configure(name, &settings).map_err(|error| ControlError::Refused(error.to_string()))?;
        if let Some(program) = &plugin.program {
            return self.deploy_native(name, plugin.manifest.clone(), program.clone()).await;
        }
        let component = read_component(source).map_err(|cause| file_error("read", source, cause))?;
        let digest = digest(&component);
        self.want(name, &digest);
        let mut lock = self.lock()?;
        let locked = lock.plugin.get(name).cloned().unwrap_or_default();
        if locked.held.as_deref() == Some(digest.as_str()) {
            return self.keep_rolled_back(name, &locked).await;
        }
        let staged = self.host.stage(name, component.clone().into()).await;
        let may_serve = staged.as_ref().is_ok_and(|status| status.state != GenerationState::Staged);
        let served_before = !locked.digest.is_empty() && locked.digest != digest;
        // After a restart: what served before is forgotten, and the file's component cannot take its place.
        if !may_serve
            && served_before
            && self.active(name).is_err()
            && let Err(error) = self.serve_again(name, &locked.digest).await
        {
            let reason = crate::project::chain(&error);
            tracing::warn!(plugin = name, %reason, "what served before the restart cannot serve again");
        }
        let status = staged?;
        if !may_serve {
            return Ok(Deployed::new(&status, self.staged_words(name)));
        }
        let was_active = status.state == GenerationState::Active;
        let status = if was_active { status } else { self.activate(name, &status).await? };
        self.keep_component(&digest, &component)?;
        lock.plugin.insert(name.to_owned(), Locked { digest, held: None });
        self.write_lock(&lock)?;
        Ok(Deployed::new(&status, if was_active { "serves already" } else { "serves new calls now" }))
    }

    /// Brings a program into service in the component's place. `weir.lock` does not know of it: it serves as long as this
    /// Weir runs, and no state of it but that of its files could be gone back to.
    async fn deploy_native(&self, name: &str, manifest: Manifest, program: Program) -> Result<Deployed, ControlError> {
        self.want(name, &program.digest);
        let status = self.host.stage_native(name, manifest, program).await?;
        match status.state {
            GenerationState::Staged => Ok(Deployed::new(&status, self.staged_words(name))),
            GenerationState::Active => Ok(Deployed::new(&status, "serves already")),
            _ => Ok(Deployed::new(&self.activate(name, &status).await?, "serves new calls now, natively")),
        }
    }

    /// Notes what the plugin's file holds.
    fn want(&self, name: &str, digest: &str) {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), digest.to_owned());
    }

    /// The file holds what was asked for, and `weir.lock` what serves: both stay so over a restart.
    fn staged_words(&self, name: &str) -> String {
        let grant = format!("staged, because it asks for more than it is granted; to allow it: weir grant {name}");
        match self.active(name) {
            Ok(serving) => format!(
                "{grant}; {} goes on serving, also after a restart, and to keep to it: weir install {} --name {name}",
                serving.plugin.version,
                self.component_file(&serving.plugin.digest).display()
            ),
            Err(_) => format!("{grant}; until then nothing serves, and executions that need it wait"),
        }
    }

    /// After a roll-back the file still holds what was rolled back from: the one before goes on serving.
    async fn keep_rolled_back(&self, name: &str, locked: &Locked) -> Result<Deployed, ControlError> {
        let status = self.serve_again(name, &locked.digest).await?;
        let message = "serves since the roll-back; the file's component is held until another one is installed";
        Ok(Deployed::new(&status, message))
    }

    /// Brings a component into service that served before.
    async fn serve_again(&self, name: &str, digest: &str) -> Result<GenerationStatus, ControlError> {
        let file = self.component_file(digest);
        let component = read_component(&file).map_err(|cause| file_error("read", &file, cause))?;
        let status = self.host.stage(name, component.into()).await?;
        if status.state == GenerationState::Active { Ok(status) } else { self.activate(name, &status).await }
    }

    /// Goes back to the generation before.
    pub(crate) async fn rollback(&self, name: &str) -> Result<Deployed, ControlError> {
        let active = self.active(name)?;
        let status = self.host.rollback(&selector(name, active.major)).await?;
        let mut lock = self.lock()?;
        let locked = Locked { digest: status.plugin.digest.clone(), held: Some(active.plugin.digest) };
        lock.plugin.insert(name.to_owned(), locked);
        self.write_lock(&lock)?;
        Ok(Deployed::new(&status, "serves new calls again"))
    }

    /// Lets a digest that was rolled back from be deployed again: somebody installs it on purpose.
    pub(crate) fn release(&self, name: &str) -> Result<(), ControlError> {
        let mut lock = self.lock()?;
        if let Some(locked) = lock.plugin.get_mut(name).filter(|locked| locked.held.is_some()) {
            locked.held = None;
            self.write_lock(&lock)?;
        }
        Ok(())
    }

    /// Ends the plugins that the files no longer name.
    pub(crate) async fn retire_others(&self, kept: &[ProjectPlugin]) -> Result<Vec<String>, ControlError> {
        let mut retired = Vec::new();
        for status in self.host.list() {
            let name = &status.plugin.name;
            if kept.iter().any(|plugin| plugin.settings.name == *name) || retired.contains(name) {
                continue;
            }
            self.host.retire(&selector(name, status.major)).await?;
            retired.push(name.clone());
        }
        Ok(retired)
    }

    async fn activate(&self, name: &str, status: &GenerationStatus) -> Result<GenerationStatus, ControlError> {
        Ok(self.host.activate(&selector(name, status.major), &status.plugin.digest).await?)
    }

    fn active(&self, name: &str) -> Result<GenerationStatus, ControlError> {
        let active = |status: &GenerationStatus| {
            status.plugin.name == name && matches!(status.state, GenerationState::Active | GenerationState::Quarantined)
        };
        let none =
            || ControlError::Refused(format!("plugin `{name}` serves nothing; `weir plugin list` shows what does"));
        self.host.list().into_iter().rfind(active).ok_or_else(none)
    }

    fn component_file(&self, digest: &str) -> PathBuf {
        self.components.join(format!("{}.wasm", digest.trim_start_matches("sha256:")))
    }

    fn keep_component(&self, digest: &str, component: &[u8]) -> Result<(), ControlError> {
        let file = self.component_file(digest);
        if file.exists() {
            return Ok(());
        }
        fs::create_dir_all(&self.components).map_err(|cause| file_error("create", &self.components, cause))?;
        write_whole(&file, component)
    }

    fn lock(&self) -> Result<Lock, ControlError> {
        match fs::read_to_string(&self.lock_file) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                let file = self.lock_file.display();
                ControlError::Refused(format!("`{file}` is damaged: {error}; delete it to forget roll-backs"))
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Lock::default()),
            Err(cause) => Err(file_error("read", &self.lock_file, cause)),
        }
    }

    fn write_lock(&self, lock: &Lock) -> Result<(), ControlError> {
        let text = serde_json::to_string_pretty(lock).map_err(|error| ControlError::Failed(error.to_string()))?;
        write_whole(&self.lock_file, format!("{text}\n").as_bytes())
    }
}

/// The digest of a component: `sha256:` and 64 hexadecimal digits.
pub fn digest(component: &[u8]) -> String {
    let hex: String = Sha256::digest(component).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn selector(name: &str, major: u64) -> PluginSelector {
    PluginSelector { name: name.to_owned(), major }
}

/// Writes a file whole or not at all.
pub(crate) fn write_whole(file: &Path, bytes: &[u8]) -> Result<(), ControlError> {
    whole::write(file, bytes, 0o666).map_err(|cause| file_error("write", file, cause))
}

pub(crate) fn file_error(what: &'static str, file: &Path, cause: std::io::Error) -> ControlError {
    ControlError::File { what, file: file.to_owned(), cause }
}
