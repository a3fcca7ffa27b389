//! The tests of SDKs and plugins in other languages, each by the ordinary tools of its language.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context as _, ensure};

use crate::workspace::Workspace;
use crate::{material, process};

/// Where SDKs and plugins lie, one folder each. SDKs come first: plugins find them installed.
const HOMES: [&str; 2] = ["sdk", "plugins"];

/// Runs a project's checks and tests.
pub(crate) type Test = fn(&Bench<'_>, &Path) -> anyhow::Result<()>;

/// What tests work with.
pub(crate) struct Bench<'a> {
    workspace: &'a Workspace,
    /// Where programs are looked for, as [`prepare`] says.
    programs: OsString,
    /// The binary that some run components in.
    weir: &'a Path,
}

/// What a project is known by, its SDK, and its tests, if its language has its own.
const LANGUAGES: [(&str, &str, Option<Test>); 4] = [
    ("go.mod", "sdk/go", Some(go)),
    ("pyproject.toml", "sdk/python", Some(python)),
    ("package.json", "sdk/js", Some(node)),
    ("Makefile", "sdk/c", None),
];

/// The SDK of the project in this folder, and its tests.
pub(crate) fn of(folder: &Path) -> Option<(&'static str, Option<Test>)> {
    let found = LANGUAGES.iter().find(|(file, _, _)| folder.join(file).is_file())?;
    Some((found.1, found.2))
}

/// What their builds and tests need beside Go, Node.js and Python themselves; gives where programs are to be looked for,
/// written like `PATH`.
pub(crate) fn prepare(workspace: &Workspace) -> anyhow::Result<OsString> {
    let environment = workspace.target.join("weir-languages/python");
    for list in ["sdk/python/pyproject.toml", "sdk/c/requirements.txt"] {
        let list = workspace.root.join(list);
        let folder = environment.join(list.parent().and_then(Path::file_name).unwrap_or_default());
        material::if_changed(&list, &folder, |list, folder| {
            process::run(&mut process::command("python3", &["-m", "venv", "."], folder))?;
            let mut pip = process::command(folder.join("bin/pip"), &["install", "--quiet"], folder);
            match list.ends_with("requirements.txt") {
                true => pip.arg("--requirement").arg(list),
                // What the SDK's own project file wants for its builds and its tests.
                false => pip.arg(format!("{}[build,test]", list.with_file_name("").display())),
            };
            process::run(&mut pip)
        })?;
    }
    install_packages(&workspace.root.join("sdk/js"))?;
    let own = [environment.join("python/bin"), environment.join("c/bin")];
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(own.into_iter().chain(env::split_paths(&path)))?)
}

/// Runs the tests of every folder with a project file of another language. A failure keeps none of the others from being run.
pub(crate) fn test(workspace: &Workspace, weir: &Path) -> anyhow::Result<()> {
    let bench = Bench { workspace, programs: prepare(workspace)?, weir };
    let mut failures = Vec::new();
    for folder in folders(workspace)? {
        let Some((_, Some(test))) = of(&folder) else { continue };
        let shown = workspace.shown(&folder);
        println!("{shown}");
        if let Err(error) = test(&bench, &folder) {
            failures.push(format!("{shown}: {error:#}"));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("; "));
    Ok(())
}

fn folders(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for home in HOMES {
        let home = workspace.root.join(home);
        let entries = fs::read_dir(&home).with_context(|| format!("cannot read {}", home.display()))?;
        let mut found = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        found.sort();
        folders.append(&mut found);
    }
    Ok(folders)
}

/// Needs nothing beyond Go: the SDK has no module of others.
fn go(_: &Bench<'_>, folder: &Path) -> anyhow::Result<()> {
    process::run(&mut process::command("go", &["vet", "./..."], folder)).context("Go 1.25 or later is needed")?;
    process::run(&mut process::command("go", &["test", "./..."], folder))
}

fn python(bench: &Bench<'_>, folder: &Path) -> anyhow::Result<()> {
    // The sources as they are now, not as they were installed.
    let sources = bench.workspace.root.join("sdk/python/src");
    for arguments in [
        &["-m", "ruff", "check", "--quiet", "--no-cache", "."][..],
        &["-m", "ruff", "format", "--quiet", "--no-cache", "--check", "."],
        &["-m", "mypy", "--cache-dir=/dev/null", "src"],
        &["-m", "pytest", "--quiet", "-p", "no:cacheprovider"],
    ] {
        let mut command = process::command("python3", arguments, folder);
        command.env("PATH", &bench.programs).env("PYTHONPATH", &sources).env("MYPYPATH", &sources);
        process::run(command.env("PYTHONDONTWRITEBYTECODE", "1").env("WEIR_BINARY", bench.weir))?;
    }
    Ok(())
}

fn node(_: &Bench<'_>, folder: &Path) -> anyhow::Result<()> {
    install_packages(folder)?;
    for script in ["check", "test"] {
        process::run(&mut process::command("npm", &["run", "--if-present", "--silent", script], folder))?;
    }
    Ok(())
}

/// Installs what the folder's lock file names, unless it is there.
fn install_packages(folder: &Path) -> anyhow::Result<()> {
    let changed = |name: &str| fs::metadata(folder.join(name)).and_then(|file| file.modified()).ok();
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    process::run(&mut process::command("npm", &["ci", "--silent", "--no-audit", "--no-fund"], folder))
}
