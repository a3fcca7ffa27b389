//! The tests of SDKs and plugins in other languages, each by the ordinary tools of its language.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::Context as _;

use crate::workspace::Workspace;
use crate::{material, process};

/// Where SDKs and plugins lie, one folder each. SDKs come first: plugins find them installed.
const HOMES: [&str; 2] = ["sdk", "plugins"];

/// Runs a project's tests, with programs looked for where [`prepare`] says.
type Test = fn(&Workspace, &Path, &OsStr) -> anyhow::Result<()>;

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

/// Runs the tests of every folder with a project file of another language; gives how many folders there were.
pub(crate) fn test(workspace: &Workspace) -> anyhow::Result<usize> {
    let programs = prepare(workspace)?;
    let mut tested = 0;
    for folder in folders(workspace)? {
        let Some((_, Some(test))) = of(&folder) else { continue };
        println!("{}", workspace.shown(&folder));
        test(workspace, &folder, &programs)?;
        tested += 1;
    }
    Ok(tested)
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
fn go(_: &Workspace, folder: &Path, _: &OsStr) -> anyhow::Result<()> {
    process::run(&mut process::command("go", &["vet", "./..."], folder)).context("Go 1.25 or later is needed")?;
    process::run(&mut process::command("go", &["test", "./..."], folder))
}

fn python(workspace: &Workspace, folder: &Path, programs: &OsStr) -> anyhow::Result<()> {
    let arguments = ["-m", "pytest", "--quiet", "-p", "no:cacheprovider"];
    let mut pytest = process::command("python3", &arguments, folder);
    // The sources as they are now, not as they were installed.
    let sources = workspace.root.join("sdk/python/src");
    process::run(pytest.env("PATH", programs).env("PYTHONPATH", sources).env("PYTHONDONTWRITEBYTECODE", "1"))
}

fn node(_: &Workspace, folder: &Path, _: &OsStr) -> anyhow::Result<()> {
    install_packages(folder)?;
    process::run(&mut process::command("npm", &["test", "--silent"], folder))
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
