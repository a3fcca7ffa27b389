//! `weir init`: a small project that runs at once. Every key of the files stands in them, commented out, with its
//! default.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::json;

use crate::client::dir_option;
use crate::screen::Screen;
use crate::stop::{Exit, Stop};

const FILES: [(&str, &str); 5] = [
    ("weir.toml", include_str!("weir.toml")),
    ("plugins.toml", include_str!("plugins.toml")),
    ("connections.toml", include_str!("connections.toml")),
    ("flows/hello.yaml", include_str!("hello.yaml")),
    (".gitignore", "# Events, secrets and compiled plugins: Weir's own, and nobody else's.\n/data/\n"),
];

/// Writes the project into a folder, which is made if need be. Nothing that is there is written over.
pub(crate) fn run(dir: &Path, screen: &Screen) -> anyhow::Result<Exit> {
    let there: Vec<_> = FILES.iter().map(|(name, _)| dir.join(name)).filter(|file| file.exists()).collect();
    if !there.is_empty() {
        return Err(Stop {
            exit: Exit::Refused,
            title: "these files are there already; move them away, or choose another folder".to_owned(),
            faults: there.iter().map(|file| file.display().to_string()).collect(),
        }
        .into());
    }
    fs::create_dir_all(dir.join("flows")).with_context(|| format!("cannot create the folder `{}`", dir.display()))?;
    for (name, text) in FILES {
        let file = dir.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
    }
    if screen.json {
        screen.print(&format!("{}\n", json!({ "files": FILES.map(|(name, _)| name) })))?;
        return Ok(Exit::Done);
    }
    let written: String = FILES.iter().map(|(name, _)| format!("  {name}\n")).collect();
    let option = dir_option(dir);
    screen.print(&format!(
        "wrote in {}:\n{written}\nRun it, and send it an event from another terminal:\n\n  weir up{option}\n  \
         weir event send{option} --flow hello --data '{{\"name\":\"Ada\"}}'\n  weir execution list{option}\n",
        dir.display()
    ))?;
    Ok(Exit::Done)
}
