//! `weir dev`: `weir up` for whoever writes the plugins. What changes in their folders takes the place of what serves while
//! events flow, natively where the language can, else as soon as it is built; what does not build changes nothing.

use std::collections::BTreeMap;
use std::fs::FileType;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use api::{Applied, Control, ControlError};
use lifecycle::{Clock as _, Shutdown, SystemClock};
use server::{Development, Project};

use crate::plugin::build::{build, native};
use crate::plugin::watch::{LOOK_EVERY, State, is_source, state};
use crate::screen::clean;
use crate::stop::{Exit, Stop, report};
use crate::up;

/// Files of a project, beside its plugins: what it says, and schemas.
const ENDINGS: [&str; 4] = ["toml", "yaml", "yml", "json"];

/// Runs the project in the folder until a signal ends it.
pub(crate) fn run(dir: &Path, wasm: bool, json: bool) -> anyhow::Result<Exit> {
    // What could not be taken is told here.
    up::log(json, "warn,server::apply=error");
    let dir = dir.canonicalize().with_context(|| format!("cannot use the folder `{}`", dir.display()))?;
    let programs = (!wasm).then(Programs::default);
    let mut bench = Bench { dir, plugins: BTreeMap::new(), files: None, programs };
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
    if let Some(natives) = bench.programs.as_ref().map(Programs::names).filter(|names| !names.is_empty()) {
        say(&format!(
            "Natively, with your own rights and no sandbox: {natives}. As they will be published: weir dev --wasm"
        ));
    }
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
    /// None: everything is built as WebAssembly.
    programs: Option<Programs>,
}

/// What runs natively, by the plugin's folder. The server asks for it whenever it reads the project.
#[derive(Clone, Default)]
struct Programs(Arc<Mutex<BTreeMap<PathBuf, (String, host::Program)>>>);

impl Programs {
    fn get(&self, folder: &Path) -> Option<host::Program> {
        let programs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        programs.get(folder).map(|(_, program)| program.clone())
    }

    /// Makes the plugin ready to run natively, if its language can.
    fn prepare(&self, folder: &Path, state: State) -> anyhow::Result<bool> {
        let Some(native) = native(folder)? else { return Ok(false) };
        let program = host::Program {
            program: native.program,
            arguments: native.arguments,
            environment: native.environment,
            folder: folder.to_owned(),
            digest: format!("native:{state}"),
        };
        let name = format!("{} ({})", native.manifest.id, native.language);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), (name, program));
        Ok(true)
    }

    fn names(&self) -> String {
        let programs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        programs.values().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// What an author writes, as far as a file can tell.
fn is_written(path: &Path, kind: FileType) -> bool {
    is_source(path, kind) && path.file_name().is_none_or(|name| name != "package-lock.json")
}

/// Makes the plugin in the folder ready to serve: as a program, or as a component.
fn make(folder: &Path, state: State, programs: Option<&Programs>) -> anyhow::Result<()> {
    if let Some(programs) = programs
        && programs.prepare(folder, state)?
    {
        return Ok(());
    }
    build(folder).map(drop)
}

/// What has changed.
#[derive(Default)]
struct Changes {
    plugins: Vec<(PathBuf, State)>,
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
            let mut is_made = true;
            for (folder, before) in self.look().plugins {
                let written = state(&folder, &is_written);
                if let Err(error) = make(&folder, before, self.programs.as_ref()) {
                    report(&error);
                    is_made = false;
                }
                // What a toolchain writes at its first build is no change of the author's.
                if state(&folder, &is_written) == written {
                    let now = state(&folder, &is_source);
                    self.plugins.insert(folder, now);
                }
            }
            let programs = self.programs.clone();
            let development = Development::new(move |folder| programs.as_ref()?.get(folder));
            let problems = match Project::read_for_development(&self.dir, &development) {
                Ok(project) if is_made => return Ok(project),
                // What was built before is not what its author writes.
                Ok(_) => Vec::new(),
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
                changes.plugins.push((folder.clone(), now));
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
        // What could not be taken at the start is tried once more, and told.
        let (began, first) = (Instant::now(), control.apply().await);
        if first.as_ref().map_or(true, |applied| !applied.troubles.is_empty()) {
            tell(first, began);
        }
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
            for (folder, state) in changes.plugins {
                is_built |= make_anew(folder, state, self.programs.clone()).await;
            }
            if is_built {
                tell(control.apply().await, seen);
            }
        }
    }
}

/// Makes a plugin ready where it keeps no event waiting; gives whether there is something new to serve.
async fn make_anew(folder: PathBuf, state: State, programs: Option<Programs>) -> bool {
    let shown = folder.display().to_string();
    match tokio::task::spawn_blocking(move || make(&folder, state, programs.as_ref())).await {
        Ok(Ok(())) => true,
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
    if !applied.troubles.is_empty() {
        lines.push("not everything was taken: what serves goes on serving".to_owned());
    }
    if lines.is_empty() {
        lines.push(format!("the project's files are in service ({seconds:.1} s)"));
    }
    // A program that does not start says why on lines of its own.
    lines.iter().flat_map(|line| line.lines()).for_each(|line| say(&clean(line)));
}

/// Whoever started it may have gone away; that is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
