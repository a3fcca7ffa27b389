//! From nothing to a tested plugin in every language, in a folder outside the repository, by the README of the project alone.

use std::fs;
use std::time::Instant;

use anyhow::{Context as _, ensure};

use crate::author::{Desk, Ended, commands};
use crate::world::show;

/// Writes a project of each kind, does what its README says, and shows how long it took. What came of it conforms.
#[track_caller]
fn check(lang: &str, language: &str) -> anyhow::Result<()> {
    let desk = Desk::new()?;
    for (kind, cases) in [("mapper", 3), ("connector", 4)] {
        let name = format!("my-{lang}-{kind}");
        let started = Instant::now();
        let told = desk.must(".", &format!("weir plugin new {kind} --lang {lang} {name}"))?;
        assert!(told.starts_with(&format!("wrote in {name}:\n")) && told.contains("  weir-plugin.toml\n"), "{told}");
        if lang == "rust" {
            desk.take_versions(&name)?;
        }
        let script = commands(&desk.path(&name).join("README.md"))?;
        let printed = desk.must(&name, &format!("{script}\ntimes"))?;
        let (seconds, busy) = (started.elapsed().as_secs_f64(), processor_seconds(&printed)?);
        for line in [format!("built {name} 0.1.0 from {language}"), format!("{cases} cases, 0 failed")] {
            ensure!(printed.contains(&line), "{lang} {kind}: no {line:?} in\n{printed}");
        }
        let checked = desk.must(".", &format!("weir plugin conform {name}/{name}.wasm"))?;
        ensure!(checked.contains(&format!("{name} 0.1.0 conforms: ")), "{lang} {kind}: {checked}");
        show(&format!(
            "{language} ({lang}) {kind}: from nothing to a green test in {busy:.1} s of processors, {seconds:.1} s by the clock"
        ));
    }
    Ok(())
}

/// What the shell's `times` says at the end of all that it started, for itself and for the system: `1m2.345s 0m0.678s`.
fn processor_seconds(printed: &str) -> anyhow::Result<f64> {
    let line = printed.lines().next_back().context("nothing was printed")?;
    let seconds = line.split_whitespace().map(|time| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m').with_context(|| line.to_owned())?;
        Ok(minutes.parse::<f64>()? * 60.0 + seconds.parse::<f64>()?)
    });
    seconds.sum()
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

#[test]
fn what_is_missing_is_named_with_how_to_get_it() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    for (lang, told) in [
        ("rust", "`rustc` is missing; install Rust: https://rustup.rs"),
        ("ts", "`node` is missing; install Node.js 20 or later: https://nodejs.org"),
        ("js", "`node` is missing; install Node.js 20 or later: https://nodejs.org"),
        ("python", "`python3` is missing; install Python 3.11 or later: https://www.python.org"),
        ("go", "`go` is missing; install Go 1.25 or later: https://go.dev/dl"),
    ] {
        desk.must(".", &format!("weir plugin new mapper --lang {lang} bare-{lang}"))?;
        let script = "weir=$(command -v weir); PATH=/nowhere exec \"$weir\" plugin build";
        let Ended { code, stderr, .. } = desk.shell(&format!("bare-{lang}"), script)?;
        assert!(code == Some(1) && stderr.contains(told), "{lang}: {code:?} {stderr}");
    }
    // A Python that has nothing but itself.
    let script = "mkdir only && ln -s \"$(PATH=/usr/bin:/usr/local/bin:$PATH command -v python3)\" only/python3 && \
                  weir=$(command -v weir) && PATH=$PWD/only exec \"$weir\" plugin build";
    let Ended { code, stderr, .. } = desk.shell("bare-python", script)?;
    let told = "componentize-py is missing; to get it: python3 -m pip install componentize-py==0.25.1";
    assert!(code == Some(1) && stderr.contains(told), "{code:?} {stderr}");
    Ok(())
}

#[test]
fn without_a_network_npm_says_what_to_do() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.must(".", "weir plugin new mapper --lang ts cut-off")?;
    // Nobody listens there, and nothing was fetched before.
    let script = "npm_config_registry=http://127.0.0.1:9/ npm_config_fetch_retries=0 npm_config_cache=$PWD/none weir plugin build";
    let Ended { code, stderr, .. } = desk.shell("cut-off", script)?;
    let told = "it fetches the packages of package.json and needs a network once; without one, copy node_modules/ from a machine that has one";
    assert!(
        code == Some(1) && stderr.split_whitespace().collect::<Vec<_>>().join(" ").contains(told),
        "{code:?} {stderr}"
    );
    Ok(())
}
