use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use capability::{Grant, GrantText, HttpRuleText, InvalidGrant};
use engine::{AdminError, GenerationState, GenerationStatus, NotServed, PluginSelector};
use manifest::Manifest;

use crate::generation::Generation;
use crate::limits::Limits;

/// Generations of one plugin that wait to be activated; the oldest gives way.
const WAITING_MAX: usize = 4;

/// What the operator says of one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginSettings {
    /// What it may do.
    pub grant: GrantText,
    /// What it may use.
    pub limits: Limits,
    /// Calls that one sandbox answers. 1: a fresh one for every call. More is faster for large runtimes, and whatever a
    /// call leaves behind is there in the next.
    pub calls_per_sandbox: u32,
}

impl Default for PluginSettings {
    /// May do nothing, with every limit at its default, in a fresh sandbox for every call.
    fn default() -> Self {
        Self { grant: GrantText::default(), limits: Limits::default(), calls_per_sandbox: 1 }
    }
}

/// Which plugins there are and which generation of each serves. The switch is one pointer under one lock, which is held
/// for the time of a look-up and never across an await.
#[derive(Default)]
pub(crate) struct Registry(RwLock<HashMap<String, Plugin>>);

#[derive(Default)]
struct Plugin {
    settings: Arc<Settings>,
    majors: BTreeMap<u64, Vec<Held>>,
}

#[derive(Default)]
pub(crate) struct Settings {
    grant: GrantText,
    pub(crate) limits: Arc<Limits>,
    pub(crate) calls_per_sandbox: u32,
}

/// A generation and where it stands among those of its major version.
struct Held {
    generation: Arc<Generation>,
    grant: Arc<Grant>,
    missing: Vec<String>,
    standing: Standing,
    rolled_back: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Not yet active.
    Waiting,
    Active,
    /// Was active before the active one: a roll-back goes there.
    Previous,
    /// Was active before that, and is let go when its last call has ended.
    Old,
}

/// A generation that has taken a call; the call ends when this is dropped.
pub(crate) struct Serving {
    pub(crate) generation: Arc<Generation>,
    pub(crate) grant: Arc<Grant>,
    pub(crate) settings: Arc<Settings>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.generation.end_call();
    }
}

impl Registry {
    /// Sets what a plugin may do and use, from its next call on.
    pub(crate) fn configure(&self, name: &str, settings: &PluginSettings) -> Result<(), InvalidGrant> {
        Grant::parse(name, &settings.grant)?;
        let mut plugins = self.write();
        let plugin = plugins.entry(name.to_owned()).or_default();
        plugin.settings = Arc::new(Settings {
            grant: settings.grant.clone(),
            limits: Arc::new(settings.limits.clone()),
            calls_per_sandbox: settings.calls_per_sandbox,
        });
        plugin.grant_anew(name)
    }

    pub(crate) fn settings(&self, name: &str) -> Arc<Settings> {
        self.read().get(name).map(|plugin| Arc::clone(&plugin.settings)).unwrap_or_default()
    }

    /// Begins a call on the generation that serves.
    pub(crate) fn serve(&self, plugin: &PluginSelector) -> Result<Serving, NotServed> {
        let plugins = self.read();
        let not_installed = || NotServed::NotInstalled(format!("{}@{}", plugin.name, plugin.major));
        let found = plugins.get(&plugin.name).ok_or_else(not_installed)?;
        let held = found.majors.get(&plugin.major).ok_or_else(not_installed)?;
        let unavailable = |reason| NotServed::Unavailable { name: plugin.name.clone(), reason };
        let active = held.iter().find(|held| held.standing == Standing::Active).ok_or_else(|| {
            let is_ungranted = held.iter().any(|held| !held.missing.is_empty());
            unavailable(match is_ungranted {
                true => format!("it asks for more than it is granted; look at it and `weir grant {}`", plugin.name),
                false => "no generation is active; `weir apply` brings the project's component into service".to_owned(),
            })
        })?;
        if active.generation.is_quarantined() {
            return Err(unavailable(format!(
                "it trapped over many different executions and is quarantined; `weir install` a mended one, `weir rollback \
                 {}`, or `weir apply` to try it again",
                plugin.name
            )));
        }
        active.generation.begin_call();
        let (generation, grant) = (Arc::clone(&active.generation), Arc::clone(&active.grant));
        Ok(Serving { generation, grant, settings: Arc::clone(&found.settings) })
    }

    /// The manifest of the generation that serves.
    pub(crate) fn manifest(&self, plugin: &PluginSelector) -> Option<Arc<Manifest>> {
        let plugins = self.read();
        let held = plugins.get(&plugin.name)?.majors.get(&plugin.major)?;
        let active = held.iter().find(|held| held.standing == Standing::Active)?;
        Some(Arc::clone(&active.generation.manifest))
    }

    /// The state of a digest that is held already.
    pub(crate) fn find(&self, name: &str, digest: &str) -> Option<GenerationStatus> {
        let plugins = self.read();
        let mut held = plugins.get(name)?.majors.values().flatten();
        held.find(|held| held.generation.plugin.digest == digest).map(Held::status)
    }

    /// Takes a generation in, beside the one that serves.
    pub(crate) fn add(&self, generation: Generation) -> Result<GenerationStatus, InvalidGrant> {
        let mut plugins = self.write();
        let name = generation.plugin.name.clone();
        let plugin = plugins.entry(name.clone()).or_default();
        let (grant, missing) = granted(&name, &plugin.settings.grant, &generation)?;
        let held = plugin.majors.entry(generation.major).or_default();
        let is_same = |held: &&Held| held.generation.plugin.digest == generation.plugin.digest;
        if let Some(held) = held.iter().find(is_same) {
            // Two asked for it at the same time.
            return Ok(held.status());
        }
        let new = Held {
            generation: Arc::new(generation),
            grant: Arc::new(grant),
            missing,
            standing: Standing::Waiting,
            rolled_back: false,
        };
        let status = new.status();
        held.push(new);
        prune(held);
        Ok(status)
    }

    /// Adds to the plugin's grant what the generation asks for.
    pub(crate) fn approve(&self, plugin: &PluginSelector, digest: &str) -> Result<GenerationStatus, AdminError> {
        let mut plugins = self.write();
        let found = plugins.get_mut(&plugin.name).ok_or_else(|| no_plugin(plugin))?;
        let place = found.place(plugin, digest)?;
        let asked = asks(&found.majors[&plugin.major][place].generation.manifest);
        let settings = &found.settings;
        let mut grant = settings.grant.clone();
        grant.http.extend(asked);
        found.settings = Arc::new(Settings {
            grant,
            limits: Arc::clone(&settings.limits),
            calls_per_sandbox: settings.calls_per_sandbox,
        });
        found.grant_anew(&plugin.name).map_err(|fault| refused(&fault))?;
        Ok(found.majors[&plugin.major][place].status())
    }

    /// Sends new calls to the generation.
    pub(crate) fn activate(&self, plugin: &PluginSelector, digest: &str) -> Result<GenerationStatus, AdminError> {
        let mut plugins = self.write();
        let found = plugins.get_mut(&plugin.name).ok_or_else(|| no_plugin(plugin))?;
        let place = found.place(plugin, digest)?;
        let held = found.majors.get_mut(&plugin.major).ok_or_else(|| no_plugin(plugin))?;
        if !held[place].missing.is_empty() {
            return Err(AdminError::NotGranted { name: plugin.name.clone(), missing: held[place].missing.clone() });
        }
        held[place].generation.release();
        if held[place].standing != Standing::Active {
            for other in held.iter_mut() {
                other.standing = match other.standing {
                    Standing::Active => {
                        other.generation.cool();
                        Standing::Previous
                    }
                    Standing::Previous => Standing::Old,
                    other => other,
                };
            }
            held[place].standing = Standing::Active;
            held[place].rolled_back = false;
        }
        let status = held[place].status();
        prune(held);
        Ok(status)
    }

    /// Sends new calls to the generation before; not to one that was itself rolled back from, or typing it twice would bring
    /// back what it was typed against.
    pub(crate) fn rollback(&self, plugin: &PluginSelector) -> Result<GenerationStatus, AdminError> {
        let mut plugins = self.write();
        let found = plugins.get_mut(&plugin.name).ok_or_else(|| no_plugin(plugin))?;
        let held = found.majors.get_mut(&plugin.major).ok_or_else(|| no_plugin(plugin))?;
        let previous = held.iter().position(|held| held.standing == Standing::Previous && !held.rolled_back);
        let previous = previous.ok_or_else(|| AdminError::NoPrevious(plugin.name.clone()))?;
        for active in held.iter_mut().filter(|held| held.standing == Standing::Active) {
            active.standing = Standing::Previous;
            active.rolled_back = true;
            active.generation.cool();
        }
        held[previous].standing = Standing::Active;
        held[previous].rolled_back = false;
        held[previous].generation.release();
        Ok(held[previous].status())
    }

    /// Forgets the plugin. Calls in flight hold their generation until they end.
    pub(crate) fn retire(&self, plugin: &PluginSelector) -> Result<(), AdminError> {
        let mut plugins = self.write();
        let removed = plugins.get_mut(&plugin.name).and_then(|found| found.majors.remove(&plugin.major));
        removed.map(drop).ok_or_else(|| no_plugin(plugin))
    }

    pub(crate) fn list(&self) -> Vec<GenerationStatus> {
        let mut plugins = self.write();
        let mut names: Vec<_> = plugins.iter_mut().collect();
        names.sort_by(|left, right| left.0.cmp(right.0));
        let held = names.into_iter().flat_map(|(_, plugin)| plugin.majors.values_mut());
        held.flat_map(|held| {
            prune(held);
            held.iter().map(Held::status)
        })
        .collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, Plugin>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, Plugin>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plugin {
    /// Judges every generation by the grant as it is now.
    fn grant_anew(&mut self, name: &str) -> Result<(), InvalidGrant> {
        for held in self.majors.values_mut().flatten() {
            let (grant, missing) = granted(name, &self.settings.grant, &held.generation)?;
            (held.grant, held.missing) = (Arc::new(grant), missing);
        }
        Ok(())
    }

    fn place(&self, plugin: &PluginSelector, digest: &str) -> Result<usize, AdminError> {
        let held = self.majors.get(&plugin.major).ok_or_else(|| no_plugin(plugin))?;
        let place = held.iter().position(|held| held.generation.plugin.digest == digest);
        place.ok_or_else(|| AdminError::NoGeneration { name: plugin.name.clone(), digest: digest.to_owned() })
    }
}

impl Held {
    fn status(&self) -> GenerationStatus {
        let generation = &self.generation;
        let in_flight = generation.in_flight();
        let state = match self.standing {
            Standing::Waiting if self.missing.is_empty() => GenerationState::Verified,
            Standing::Waiting => GenerationState::Staged,
            Standing::Active if generation.is_quarantined() => GenerationState::Quarantined,
            Standing::Active => GenerationState::Active,
            Standing::Previous | Standing::Old if in_flight > 0 => GenerationState::Draining,
            Standing::Previous | Standing::Old => GenerationState::Retired,
        };
        GenerationStatus {
            plugin: generation.plugin.clone(),
            major: generation.major,
            state,
            missing: self.missing.clone(),
            rolled_back: self.rolled_back,
            about: generation.about.clone(),
            in_flight,
            calls: generation.calls(),
            traps: generation.traps(),
        }
    }
}

/// The overlap of the grant and of what the generation asks for, and what it asks for beyond.
fn granted(name: &str, grant: &GrantText, generation: &Generation) -> Result<(Grant, Vec<String>), InvalidGrant> {
    let asked = asks(&generation.manifest);
    let grant = Grant::parse(name, grant)?;
    let missing = grant.excess(&asked)?;
    Ok((grant.limited_to(&asked)?, missing))
}

fn asks(manifest: &Manifest) -> Vec<HttpRuleText> {
    let rule = |ask: &manifest::HttpRequest| HttpRuleText {
        origin: ask.origin.clone(),
        methods: ask.methods.clone(),
        paths: ask.paths.clone(),
    };
    manifest.http.iter().map(rule).collect()
}

/// Lets go of generations that nobody needs: replaced and drained, or waiting behind too many others.
fn prune(held: &mut Vec<Held>) {
    held.retain(|held| held.standing != Standing::Old || held.generation.in_flight() > 0);
    let waiting = held.iter().filter(|held| held.standing == Standing::Waiting).count();
    let mut superfluous = waiting.saturating_sub(WAITING_MAX);
    held.retain(|held| {
        let goes = superfluous > 0 && held.standing == Standing::Waiting;
        superfluous -= usize::from(goes);
        !goes
    });
}

fn no_plugin(plugin: &PluginSelector) -> AdminError {
    AdminError::NoPlugin { name: plugin.name.clone(), major: plugin.major }
}

pub(crate) fn refused(fault: &InvalidGrant) -> AdminError {
    AdminError::Refused {
        code: "weir.load.manifest",
        message: format!("what the manifest asks for is not valid: {fault}"),
    }
}
