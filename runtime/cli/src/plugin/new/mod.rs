//! `weir plugin new`: a complete project that needs nothing of Weir's own tree. The SDK comes along, as source.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;

use crate::screen::Screen;
use crate::stop::{Exit, Stop};

/// The SDK for Rust: each file's path in it, and its text.
const SDK_RUST: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk_rust.rs"));

/// The files of a project: each one's path, and its text, in which the plugin's name stands as `NAME`.
type Files = &'static [(&'static str, &'static str)];

const RUST: Files = &[
    ("Cargo.toml", include_str!("rust/Cargo.toml.txt")),
    (".gitignore", "/target/\n/*.wasm\n"),
    ("README.md", include_str!("rust/README.md")),
];

const RUST_MAPPER: Files = &[
    ("weir-plugin.toml", include_str!("mapper/weir-plugin.toml")),
    ("src/lib.rs", include_str!("rust/mapper.txt")),
    ("schemas/input.json", include_str!("mapper/schemas/input.json")),
    ("schemas/output.json", include_str!("mapper/schemas/output.json")),
    ("cases/greets.yaml", include_str!("mapper/cases/greets.yaml")),
    ("cases/refuses-no-name.yaml", include_str!("mapper/cases/refuses-no-name.yaml")),
];

const RUST_CONNECTOR: Files = &[
    ("weir-plugin.toml", include_str!("connector/weir-plugin.toml")),
    ("src/lib.rs", include_str!("rust/connector.txt")),
    ("schemas/note.json", include_str!("connector/schemas/note.json")),
    ("schemas/created.json", include_str!("connector/schemas/created.json")),
    ("cases/creates-a-note.yaml", include_str!("connector/cases/creates-a-note.yaml")),
    ("cases/is-told-to-wait.yaml", include_str!("connector/cases/is-told-to-wait.yaml")),
    ("cases/loses-an-answer.yaml", include_str!("connector/cases/loses-an-answer.yaml")),
];

/// What a plugin is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A pure function from one document to others.
    Mapper,
    /// Does things at a destination, over HTTP.
    Connector,
}

/// What it is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// Rust.
    Rust,
}

#[derive(Args)]
pub(crate) struct New {
    /// What it is to be.
    kind: Kind,
    /// Its name, and that of its folder.
    #[arg(value_name = "NAME")]
    name: String,
    /// What to write it in.
    #[arg(long)]
    lang: Lang,
    /// The folder in which the project's folder is made.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
}

impl New {
    pub(crate) fn run(self, screen: &Screen) -> anyhow::Result<Exit> {
        if !is_name(&self.name) {
            let rule = "lower-case letters, digits and hyphens, beginning with a letter, at most 64";
            return Err(Stop::usage(format!("`{}` is no name for a plugin: write {rule}", self.name)).into());
        }
        let folder = self.into.join(&self.name);
        if folder.exists() {
            let title = format!("`{}` is there already; choose another name, or move it away", folder.display());
            return Err(Stop::new(Exit::Refused, title).into());
        }
        let mut written = Vec::new();
        for (path, text) in self.files() {
            write(&folder.join(path), &text.replace("NAME", &self.name))?;
            written.push(*path);
        }
        for (path, text) in self.sdk() {
            write(&folder.join("vendor/weir-sdk").join(path), &without_tests(path, text))?;
        }
        if screen.json {
            screen.print(&format!("{}\n", json!({ "folder": folder, "files": written })))?;
            return Ok(Exit::Done);
        }
        let files: String = written.iter().map(|path| format!("  {path}\n")).collect();
        let name = folder.strip_prefix(".").unwrap_or(&folder).display();
        screen.print(&format!(
            "wrote in {name}:\n{files}  vendor/weir-sdk/: the SDK, {} files\n\nBuild it, and run its cases:\n\n  \
             cd {name}\n  weir plugin build\n  weir plugin test\n",
            self.sdk().len()
        ))?;
        Ok(Exit::Done)
    }

    fn files(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let (common, own) = match (self.lang, self.kind) {
            (Lang::Rust, Kind::Mapper) => (RUST, RUST_MAPPER),
            (Lang::Rust, Kind::Connector) => (RUST, RUST_CONNECTOR),
        };
        own.iter().chain(common)
    }

    fn sdk(&self) -> Files {
        match self.lang {
            Lang::Rust => SDK_RUST,
        }
    }
}

/// The SDK's manifest without what its own tests need, so that nobody fetches that.
fn without_tests(path: &str, text: &str) -> String {
    if path != "Cargo.toml" {
        return text.to_owned();
    }
    let mut is_for_tests = false;
    let kept = text.split_inclusive('\n').filter(|line| {
        if line.starts_with('[') {
            is_for_tests = line.starts_with("[dev-dependencies");
        }
        !is_for_tests
    });
    kept.collect()
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let written = match file.parent() {
        Some(folder) => fs::create_dir_all(folder).and_then(|()| fs::write(file, text)),
        None => fs::write(file, text),
    };
    written.with_context(|| format!("cannot write `{}`", file.display()))
}

/// What the manifest takes as an id.
fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|char: char| char.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
