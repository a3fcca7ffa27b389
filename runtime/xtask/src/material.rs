//! What others wrote and the tests run against: the signers and senders of the services themselves, and their payloads.
//! Nothing of it is committed; its versions are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;

use crate::process;
use crate::workspace::Workspace;

/// The folder in which the versions stand and the programs that use them lie.
const WANTED: &str = "tests/e2e/material";

/// Where it is put: `python/` is a virtual environment, `node/` holds `node_modules/`, `json-schema/` the test suite of
/// JSON Schema.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("weir-material")
}

/// Fetches what is missing or of another version.
pub(crate) fn fetch(workspace: &Workspace) -> anyhow::Result<()> {
    let wanted = workspace.root.join(WANTED);
    if_changed(&wanted.join("requirements.txt"), &folder(workspace).join("python"), python)?;
    if_changed(&wanted.join("package.json"), &folder(workspace).join("node"), node)?;
    if_changed(&wanted.join("sources.txt"), &folder(workspace).join("json-schema"), json_schema)?;
    debian(workspace)
}

/// Calls `install` with the list of what is wanted and an empty folder for it, unless it did so before with the same list.
pub(crate) fn if_changed(
    list: &Path,
    folder: &Path,
    install: fn(&Path, &Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let wanted = fs::read(list).with_context(|| format!("cannot read {}", list.display()))?;
    let stamp = folder.join("installed");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    install(list, folder)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

fn python(list: &Path, folder: &Path) -> anyhow::Result<()> {
    process::run(&mut process::command("python3", &["-m", "venv", "."], folder))?;
    let mut pip = process::command(folder.join("bin/pip"), &["install", "--quiet", "--requirement"], folder);
    process::run(pip.arg(list))
}

/// The suite comes to Python within the source of a package, which is not built for it: only its own files are wanted.
fn json_schema(list: &Path, folder: &Path) -> anyhow::Result<()> {
    let environment = folder.with_file_name("python").join("bin");
    let arguments = ["download", "--quiet", "--no-deps", "--dest", ".", "--requirement"];
    process::run(process::command(environment.join("pip"), &arguments, folder).arg(list))?;
    let archive = fs::read_dir(folder)?.next().context("nothing was fetched")??.path();
    process::run(process::command(environment.join("python"), &["-m", "tarfile", "-e"], folder).arg(&archive))?;
    fs::remove_file(&archive)?;
    let source = fs::read_dir(folder)?.next().context("the archive is empty")??.path();
    fs::rename(source.join("json"), folder.join("suite")).context("the source has no suite of JSON Schema")?;
    fs::remove_dir_all(&source).with_context(|| format!("cannot remove {}", source.display()))
}

fn node(list: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::copy(list, folder.join("package.json"))?;
    let arguments = ["install", "--silent", "--no-package-lock", "--no-audit", "--no-fund"];
    process::run(&mut process::command("npm", &arguments, folder))
}

/// Programs of the system and the packages of Debian in which they are: the tracer with which a test sees the order of syncs
/// and acknowledgements, a registry, a client of registries and a signer that are not ours.
const DEBIAN: [(&str, &str); 5] = [
    ("strace", "strace"),
    ("docker-registry", "docker-registry"),
    ("skopeo", "skopeo"),
    ("minisign", "minisign"),
    ("openssl", "openssl"),
];

/// Installs those that are missing, if we may.
fn debian(workspace: &Workspace) -> anyhow::Result<()> {
    let is_missing = |program: &str| {
        let mut command = process::command(program, &["--version"], &workspace.root);
        // `minisign` takes another word for it; that it starts is enough.
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_err()
    };
    let missing: Vec<_> =
        DEBIAN.iter().filter(|(program, _)| is_missing(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let install = |arguments: &[&str]| process::run(&mut process::command("apt-get", arguments, &workspace.root));
    let packages = [&["install", "--quiet", "--yes", "--no-install-recommends"], missing.as_slice()].concat();
    install(&["update", "--quiet"]).and_then(|()| install(&packages)).with_context(|| {
        format!(
            "{} is missing and cannot be installed from here; install it with your system's packages",
            missing.join(", ")
        )
    })
}
