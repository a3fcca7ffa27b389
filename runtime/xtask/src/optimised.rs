//! Builds our own crates well optimised for demo and bench, beside the dependencies as they are: the profile keeps those
//! optimised always, so that only a few crates are compiled again.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Context as _;

use crate::workspace::Workspace;
use crate::{guests, process};

const PROGRAMS: &[&str] = &["weir", "bench", "demo", "sandbox", "standin"];

/// Builds everything that the program needs, runs it, and gives how it ended.
pub(crate) fn run(workspace: &Workspace, program: &str, arguments: &[String]) -> anyhow::Result<ExitCode> {
    println!("Building Weir and its plugins; the first time, with all dependencies, takes a quarter of an hour.");
    let plugins = guests::build(workspace)?;
    let programs = build(workspace)?;
    if program == "bench" {
        // The demo needs no language but Rust.
        guests::build_others(workspace, &programs.join("weir"))?;
    }
    let mut command = Command::new(programs.join(program));
    command.args(arguments).arg("--weir").arg(programs.join("weir")).arg("--plugins").arg(plugins);
    let status = command.status().with_context(|| format!("cannot start `{program}`"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds our programs; gives the folder that holds them.
fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let started = Instant::now();
    // The whole workspace, as `test` builds it: another selection would mean other features of the dependencies.
    let mut cargo = process::cargo(&["build", "--quiet", "--workspace", "--bins"], &workspace.root);
    for setting in ["opt-level=3", "debug-assertions=false", "overflow-checks=false", "incremental=false"] {
        cargo.arg("--config").arg(format!("profile.dev.{setting}"));
    }
    process::run(&mut cargo)?;
    let folder = workspace.target.join("weir-optimised");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for program in PROGRAMS {
        // A copy of its own, because the next plain build puts another in its place.
        let copy = folder.join(program);
        let _ = fs::remove_file(&copy);
        fs::copy(workspace.target.join("debug").join(program), &copy)
            .with_context(|| format!("cannot copy `{program}` to {}", copy.display()))?;
    }
    println!("programs: built in {:.1} s", started.elapsed().as_secs_f64());
    Ok(folder)
}
