//! `weir dev`: `weir up` for whoever writes the plugins. What changes in their folders is built and takes the place of what
//! serves while events flow; what does not build changes nothing.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use api::{Applied, Control, ControlError};
use lifecycle::{Clock as _, Shutdown, SystemClock};
use server::Project;

use crate::plugin::build::build;
use crate::plugin::watch::{LOOK_EVERY, State, is_source, state};
use crate::screen::clean;
use crate::stop::{Exit, Stop, report};
use crate::up;

/// Files of a project, beside its plugins: what it says, and schemas.
const ENDINGS: [&str; 4] = ["toml", "yaml", "yml", "json"];

/// Runs the project in the folder until a signal ends it.
pub(crate) fn run(dir: &Path, json: bool) -> anyhow::Result<Exit> {
    up::log(json, "warn");
    let dir = dir.canonicalize().with_context(|| format!("cannot use the folder `{}`", dir.display()))?;
    let mut bench = Bench { dir, plugins: BTreeMap::new(), files: None };
    let project = bench.first()?;
    if !project.settings.listen.ip().is_loopback() {
        let title = format!(
            "weir dev grants plugins what they ask for, so that it listens on this machine alone, and weir.toml says {}; \
             write `listen = \"127.0.0.1:8080\"`, or use weir up",
            project.settings.listen
        );
        return Err(Stop::new(Exit::Refused, title).into());
    }
    say("For development only: plugins that are built from their folders are granted whatever they ask for.");
    if bench.plugins.is_empty() {
        say("No plugin here is: write in plugins.toml `[plugin.NAME]` and `source = \"FOLDER\"`, that of its project.");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(up::serve(project, |control, shutdown| bench.keep_up(control, shutdown)))?;
    Ok(Exit::Done)
}

/// The files that are watched, as they were when they were last looked at.
struct Bench {
    dir: PathBuf,
    plugins: BTreeMap<PathBuf, State>,
    files: Option<State>,
}

/// What has changed.
#[derive(Default)]
struct Changes {
    plugins: Vec<PathBuf>,
    files: bool,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.plugins.is_empty() && !self.files
    }
}

impl Bench {
    /// The project, with all that is in it built. As long as it has faults, it tells them and waits for a change.
    fn first(&mut self) -> anyhow::Result<Project> {
        loop {
            for folder in self.look().plugins {
                if let Err(error) = build(&folder) {
                    report(&error);
                }
            }
            let problems = match Project::read_for_development(&self.dir) {
                Ok(project) => return Ok(project),
                Err(problems) => problems,
            };
            problems.iter().for_each(|problem| eprintln!("{}", clean(&problem.to_string())));
            eprintln!("weir: waiting for a change in {}; Ctrl-C ends it", self.dir.display());
            // All are built once more, whichever has changed: what failed may depend on another.
            while self.look().is_empty() {
                std::thread::sleep(LOOK_EVERY);
            }
            self.plugins.clear();
        }
    }

    /// What has changed since the last look. What is saved from now on counts as a change.
    fn look(&mut self) -> Changes {
        let mut changes = Changes::default();
        let mut plugins = BTreeMap::new();
        for folder in Project::plugin_folders(&self.dir) {
            let now = state(&folder, &is_source);
            if self.plugins.get(&folder) != Some(&now) {
                changes.plugins.push(folder.clone());
            }
            plugins.insert(folder, now);
        }
        let files = Some(self.project_files());
        changes.files = self.files != files;
        (self.plugins, self.files) = (plugins, files);
        changes
    }

    /// The files of the project beside its plugins and data.
    fn project_files(&self) -> State {
        let data = Project::read_settings(&self.dir).map(|settings| settings.data).ok();
        state(&self.dir, &|path, kind| match kind.is_dir() {
            true => Some(path) != data.as_deref() && !path.join("weir-plugin.toml").is_file(),
            false => path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)),
        })
    }

    /// Builds and brings into service what changes, until it is told to stop.
    async fn keep_up(mut self, control: Arc<dyn Control>, mut shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.wait() => return,
                () = SystemClock.sleep(LOOK_EVERY) => {}
            }
            let changes = self.look();
            if changes.is_empty() {
                continue;
            }
            let seen = Instant::now();
            let mut is_built = changes.files;
            for folder in changes.plugins {
                is_built |= build_anew(folder).await;
            }
            if is_built {
                tell(control.apply().await, seen);
            }
        }
    }
}

/// Builds a plugin where it keeps no event waiting; gives whether there is a new component.
async fn build_anew(folder: PathBuf) -> bool {
    let shown = folder.display().to_string();
    match tokio::task::spawn_blocking(move || build(&folder)).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            report(&error);
            say(&format!("{shown} does not build: what serves goes on serving"));
            false
        }
        Err(panic) => {
            say(&format!("{shown} does not build: {panic}"));
            false
        }
    }
}

/// One line for what a change came to.
fn tell(applied: Result<Applied, ControlError>, seen: Instant) {
    let seconds = seen.elapsed().as_secs_f64();
    let applied = match applied {
        Ok(applied) => applied,
        Err(error) => {
            if let ControlError::Faults(faults) = &error {
                faults.iter().for_each(|fault| eprintln!("{}", clean(fault)));
            }
            report(&error.into());
            return say("the change was not taken: what serves goes on serving");
        }
    };
    let mut lines: Vec<_> = applied
        .plugins
        .iter()
        .filter(|plugin| plugin.message != "serves already" && plugin.state != "staged")
        .map(|plugin| format!("{} {} {} ({seconds:.1} s)", plugin.name, plugin.version, plugin.message))
        .collect();
    lines.extend(applied.troubles.iter().map(|trouble| format!("! {trouble}")));
    if lines.is_empty() {
        lines.push(format!("the project's files are in service ({seconds:.1} s)"));
    }
    lines.iter().for_each(|line| say(&clean(line)));
}

/// Whoever started it may have gone away; that is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
