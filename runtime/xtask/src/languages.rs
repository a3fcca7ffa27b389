//! The tests of SDKs and plugins in other languages, each by the ordinary tools of its language.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::workspace::Workspace;
use crate::{material, process};

/// Where SDKs and plugins lie, one folder each.
const HOMES: [&str; 2] = ["sdk", "plugins"];

/// Runs the tests of every folder with a project file of another language; gives how many folders there were.
pub(crate) fn test(workspace: &Workspace) -> anyhow::Result<usize> {
    let mut tested = 0;
    for folder in folders(workspace)? {
        let has = |file: &str| folder.join(file).is_file();
        let test = match () {
            () if has("go.mod") => go,
            () if has("pyproject.toml") => python,
            () if has("package.json") => node,
            () => continue,
        };
        println!("{}", workspace.shown(&folder));
        test(workspace, &folder)?;
        tested += 1;
    }
    Ok(tested)
}

fn folders(workspace: &Workspace) -> anyhow::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for home in HOMES {
        let home = workspace.root.join(home);
        for entry in fs::read_dir(&home).with_context(|| format!("cannot read {}", home.display()))? {
            folders.push(entry?.path());
        }
    }
    folders.sort();
    Ok(folders)
}

/// Needs nothing beyond Go: the SDK has no module of others.
fn go(_: &Workspace, folder: &Path) -> anyhow::Result<()> {
    process::run(&mut process::command("go", &["vet", "./..."], folder)).context("Go 1.25 or later is needed")?;
    process::run(&mut process::command("go", &["test", "./..."], folder))
}

fn python(workspace: &Workspace, folder: &Path) -> anyhow::Result<()> {
    let sdk = workspace.root.join("sdk/python");
    let environment = workspace.target.join("weir-languages/python");
    // What the SDK's own project file wants for its tests.
    material::if_changed(&sdk.join("pyproject.toml"), &environment, |list, environment| {
        process::run(&mut process::command("python3", &["-m", "venv", "."], environment))?;
        let wanted = format!("{}[test]", list.with_file_name("").display());
        process::run(&mut process::command(environment.join("bin/pip"), &["install", "--quiet", &wanted], environment))
    })?;
    let arguments = ["-m", "pytest", "--quiet", "-p", "no:cacheprovider"];
    let mut pytest = process::command(environment.join("bin/python"), &arguments, folder);
    // The sources as they are now, not as they were installed.
    process::run(pytest.env("PYTHONPATH", sdk.join("src")).env("PYTHONDONTWRITEBYTECODE", "1"))
}

fn node(_: &Workspace, folder: &Path) -> anyhow::Result<()> {
    process::run(&mut process::command("npm", &["ci", "--silent", "--no-audit", "--no-fund"], folder))?;
    process::run(&mut process::command("npm", &["test", "--silent"], folder))
}
