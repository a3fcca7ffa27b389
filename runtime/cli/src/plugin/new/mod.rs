//! `weir plugin new`: a complete project that needs nothing of Weir's own tree. The SDK comes along, as source.

mod name;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::screen::Screen;
use crate::stop::{Exit, Stop};

/// Files: each one's path, and its text.
type Files = &'static [(&'static str, &'static str)];

/// What the project is made of. How, says `sdk/scaffold/README.md`.
const SCAFFOLD: Files = include!(concat!(env!("OUT_DIR"), "/scaffold.rs"));

const SDK_RUST: Files = include!(concat!(env!("OUT_DIR"), "/sdk_rust.rs"));
const SDK_JS: Files = include!(concat!(env!("OUT_DIR"), "/sdk_js.rs"));
const SDK_PYTHON: Files = include!(concat!(env!("OUT_DIR"), "/sdk_python.rs"));
const SDK_GO: Files = include!(concat!(env!("OUT_DIR"), "/sdk_go.rs"));

/// Where the SDK lies in a project. Not in a folder `vendor`, which means something else to Go.
const SDK: &str = "weir-sdk";

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
pub(super) enum Lang {
    /// Rust.
    Rust,
    /// TypeScript.
    Ts,
    /// JavaScript.
    Js,
    /// Python.
    Python,
    /// Go.
    Go,
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
        name::check(&self.name, self.lang)?;
        let folder = self.into.join(&self.name);
        if folder.exists() {
            let title = format!("`{}` is there already; choose another name, or move it away", folder.display());
            return Err(Stop::new(Exit::Refused, title).into());
        }
        let project = project(self.kind, self.lang, &self.name);
        let sdk = sdk(self.lang);
        for (path, text) in project.iter().chain(&sdk) {
            write(&folder.join(path), text)?;
        }
        if screen.json {
            let files: Vec<_> = project.iter().map(|(path, _)| path).collect();
            screen.print(&format!("{}\n", json!({ "folder": folder, "files": files })))?;
        } else {
            let name = folder.strip_prefix(".").unwrap_or(&folder).display().to_string();
            screen.print(&self.told(&name, &project, sdk.len()))?;
        }
        Ok(Exit::Done)
    }

    fn told(&self, folder: &str, project: &[(String, String)], sdk_files: usize) -> String {
        let files: String = project.iter().map(|(path, _)| format!("  {path}\n")).collect();
        let Tools { needs, commands } = self.lang.tools();
        let commands: String = commands.iter().map(|command| format!("  {command}\n")).collect();
        format!(
            "wrote in {folder}:\n{files}  {SDK}/: the SDK, {sdk_files} files\n\nBuild it, and run its cases; {needs} \
             needed:\n\n  cd {folder}\n{commands}  weir plugin build\n  weir plugin test\n\nREADME.md says more.\n"
        )
    }
}

/// What a language wants beside `weir`.
struct Tools {
    /// Goes on with `needed`.
    needs: &'static str,
    /// What is typed once before the first build.
    commands: &'static [&'static str],
}

impl Lang {
    /// The folder of its templates, as `--lang` takes it.
    fn folder(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Ts => "ts",
            Self::Js => "js",
            Self::Python => "python",
            Self::Go => "go",
        }
    }

    fn tools(self) -> Tools {
        match self {
            Self::Rust => Tools {
                needs: "Rust 1.95 or later (https://rustup.rs) with the target wasm32-wasip2, and a network once, are",
                commands: &["rustup target add wasm32-wasip2"],
            },
            Self::Ts | Self::Js => Tools {
                needs: "Node.js 20 or later (https://nodejs.org) with npm, and a network once, are",
                commands: &[],
            },
            Self::Python => Tools {
                needs: "Python 3.11 or later and componentize-py are",
                commands: &["python3 -m pip install componentize-py==0.25.1"],
            },
            Self::Go => Tools { needs: "Go 1.25 or later (https://go.dev/dl) is", commands: &[] },
        }
    }
}

/// The files of a project but for the SDK, in the order in which they are shown.
fn project(kind: Kind, lang: Lang, name: &str) -> Vec<(String, String)> {
    let module = name.replace('-', "_");
    let filled = |text: &str| text.replace("{{name}}", name).replace("{{module}}", &module);
    let kind = match kind {
        Kind::Mapper => "mapper",
        Kind::Connector => "connector",
    };
    let layers = [("all", kind), (lang.folder(), kind), (lang.folder(), "both"), ("all", "both")];
    let files = layers.iter().flat_map(|(lang, kind)| {
        let layer = Path::new(lang).join(kind);
        SCAFFOLD.iter().filter_map(move |(path, text)| Some((Path::new(path).strip_prefix(&layer).ok()?, *text)))
    });
    files.map(|(path, text)| (filled(&path.to_string_lossy()), filled(text))).collect()
}

/// The files of the SDK, where they lie in a project.
fn sdk(lang: Lang) -> Vec<(String, String)> {
    let files = match lang {
        Lang::Rust => SDK_RUST,
        Lang::Ts | Lang::Js => SDK_JS,
        Lang::Python => SDK_PYTHON,
        Lang::Go => SDK_GO,
    };
    files.iter().map(|(path, text)| (format!("{SDK}/{path}"), without_tests(path, text))).collect()
}

/// The SDK's own project file without what its tests need, so that nobody fetches that.
fn without_tests(path: &str, text: &str) -> String {
    match path {
        "Cargo.toml" => without_section(text, "[dev-dependencies"),
        "package.json" => without_key(text, "devDependencies").unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

fn without_section(text: &str, heading: &str) -> String {
    let mut is_in_it = false;
    let kept = text.split_inclusive('\n').filter(|line| {
        if line.starts_with('[') {
            is_in_it = line.starts_with(heading);
        }
        !is_in_it
    });
    kept.collect()
}

fn without_key(text: &str, key: &str) -> Option<String> {
    let mut package: Value = serde_json::from_str(text).ok()?;
    package.as_object_mut()?.shift_remove(key);
    Some(format!("{package:#}\n"))
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let written = match file.parent() {
        Some(folder) => fs::create_dir_all(folder).and_then(|()| fs::write(file, text)),
        None => fs::write(file, text),
    };
    written.with_context(|| format!("cannot write `{}`", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 2] = [Kind::Mapper, Kind::Connector];

    fn text<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
        let found = files.iter().find(|(path, _)| path == name);
        &found.unwrap_or_else(|| panic!("there is no {name}")).1
    }

    #[test]
    fn a_project_is_complete_in_every_language() {
        for (lang, kind) in Lang::value_variants().iter().flat_map(|lang| KINDS.map(|kind| (*lang, kind))) {
            let files = project(kind, lang, "my-first");
            for (path, text) in &files {
                // Placeholders are words in lower case; in Go and in cases two braces have a meaning of their own.
                let mut opened = text.split("{{").skip(1);
                let is_filled = opened.all(|rest| !rest.starts_with(|first: char| first.is_ascii_lowercase()));
                assert!(is_filled || path.ends_with(".yaml"), "{lang:?} {kind:?} {path}: {text}");
            }
            for name in ["weir-plugin.toml", "README.md", "CHANGELOG.md", ".gitignore"] {
                assert!(!text(&files, name).is_empty());
            }
            let mut paths: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
            assert!(paths.iter().filter(|path| path.starts_with("cases/")).count() >= 2, "{lang:?} {kind:?}");
            assert!(paths.iter().any(|path| path.contains("test") || path.starts_with("tests/")), "{paths:?}");
            paths.sort_unstable();
            paths.dedup();
            assert_eq!(paths.len(), files.len(), "{lang:?} {kind:?}: a file comes twice");
        }
    }

    #[test]
    fn the_sdk_comes_without_its_tests_and_what_they_need() {
        assert!(!text(&sdk(Lang::Rust), "weir-sdk/Cargo.toml").contains("wit-bindgen-core"));
        let js = sdk(Lang::Ts);
        let package = text(&js, "weir-sdk/package.json");
        assert!(!package.contains("typescript") && package.contains("esbuild"), "{package}");
        for lang in Lang::value_variants() {
            for (path, _) in sdk(*lang) {
                let is_test = path.ends_with("_test.go") || path.starts_with("weir-sdk/test");
                assert!(!is_test && !path.contains("__pycache__") && !path.contains("node_modules"), "{path}");
            }
        }
    }
}
