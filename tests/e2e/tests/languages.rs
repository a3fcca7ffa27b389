//! From nothing to a tested plugin in every language, in a folder outside the repository, by the README of the project alone.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::ensure;

use crate::author::{Desk, Ended, commands};
use crate::world::show;

/// Writes a project of each kind, does what its README says, and shows how long it took.
#[track_caller]
fn check(lang: &str, language: &str) -> anyhow::Result<()> {
    let desk = Desk::new()?;
    for (kind, cases) in [("mapper", 3), ("connector", 4)] {
        let name = format!("my-{lang}-{kind}");
        let started = Instant::now();
        let told = desk.must(".", &format!("weir plugin new {kind} --lang {lang} {name}"))?;
        assert!(told.starts_with(&format!("wrote in {name}:\n  weir-plugin.toml\n")), "{told}");
        if lang == "rust" {
            // The versions of this workspace, so that no network is needed.
            let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
            fs::copy(lock, desk.path(&name).join("Cargo.lock"))?;
        }
        let script = commands(&desk.path(&name).join("README.md"))?;
        let printed = desk.must(&name, &script)?;
        let seconds = started.elapsed().as_secs_f64();
        for line in [format!("built {name} 0.1.0 from {language}"), format!("{cases} cases, 0 failed")] {
            ensure!(printed.contains(&line), "{lang} {kind}: no {line:?} in\n{printed}");
        }
        show(&format!("{language} ({lang}) {kind}: from nothing to a green test in {seconds:.1} s"));
    }
    Ok(())
}

#[test]
fn rust_from_nothing_to_green() -> anyhow::Result<()> {
    check("rust", "Rust")
}

#[test]
fn typescript_from_nothing_to_green() -> anyhow::Result<()> {
    check("ts", "JavaScript")
}

#[test]
fn javascript_from_nothing_to_green() -> anyhow::Result<()> {
    check("js", "JavaScript")
}

#[test]
fn python_from_nothing_to_green() -> anyhow::Result<()> {
    check("python", "Python")
}

#[test]
fn go_from_nothing_to_green() -> anyhow::Result<()> {
    check("go", "Go")
}

#[test]
fn a_name_that_will_not_do_and_a_folder_that_is_there_are_refused() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    for (name, told) in [("My_Plugin", "is no name for a plugin: write lower-case letters"), ("json", "to Python")] {
        let Ended { code, stderr, .. } = desk.shell(".", &format!("weir plugin new mapper --lang python {name}"))?;
        assert!(code == Some(2) && stderr.contains(told), "{name}: {code:?} {stderr}");
        assert!(!desk.path(name).exists(), "{name}");
    }
    fs::create_dir(desk.path("there"))?;
    let Ended { code, stderr, .. } = desk.shell(".", "weir plugin new mapper --lang go there")?;
    assert!(code == Some(4) && stderr.contains("`./there` is there already; choose another name"), "{code:?} {stderr}");
    assert_eq!(fs::read_dir(desk.path("there"))?.count(), 0);
    Ok(())
}
