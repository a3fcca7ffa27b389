//! Plugins in Python: the SDK's builder, which puts the plugin into a CPython by componentize-py.

use std::fs;
use std::path::{Path, PathBuf};

use crate::native::{self, Start};
use crate::workshop::{Tool, Workshop};
use crate::{BuildError, lasting};

const PYTHON: Tool = Tool {
    program: "python3",
    cure: "install Python 3.11 or later: https://www.python.org, or apt install python3 python3-pip python3-venv",
};

/// Where `weir plugin new` puts the SDK; another folder is named by `sdk` under `[tool.weir]` in pyproject.toml.
const SDK: &str = "weir-sdk";

const COMPONENT: &str = "build/plugin.wasm";

/// The SDK's builder looks for what a component could not do, and installs what the plugin needs.
pub(crate) fn native(workshop: &Workshop<'_>) -> Result<Start, BuildError> {
    run_builder(workshop, &[".", "--check"])?;
    let folders = [workshop.file("src"), workshop.file("build/packages"), sdk_sources(workshop)?];
    let path = folders.map(|folder| native::absolute(folder).to_string_lossy().into_owned()).join(":");
    let text = |text: &str| text.to_owned();
    Ok(Start {
        program: text(PYTHON.program),
        // Without the folder that it runs in: its `tests` is no package of the plugin.
        arguments: ["-P", "-m", "weir_sdk.native"].map(text).into(),
        environment: vec![
            (text("PYTHONPATH"), path),
            (
                text("PYTHONPYCACHEPREFIX"),
                native::absolute(workshop.file("build/pycache")).to_string_lossy().into_owned(),
            ),
        ],
    })
}

pub(crate) fn build(workshop: &Workshop<'_>) -> Result<PathBuf, BuildError> {
    run_builder(workshop, &[".", "-o", COMPONENT])?;
    let file = workshop.file(COMPONENT);
    let failed = |what| {
        let file = file.clone();
        move |cause| BuildError::File { what, file, cause }
    };
    let mut component = fs::read(&file).map_err(failed("read"))?;
    // What is no component is told by whoever takes it.
    if lasting::make_immortal(&mut component).is_ok_and(|made| made > 0) {
        fs::write(&file, component).map_err(failed("write"))?;
    }
    Ok(file)
}

fn run_builder(workshop: &Workshop<'_>, arguments: &[&str]) -> Result<(), BuildError> {
    let mut command = workshop.command(PYTHON, &["-m", "weir_sdk.build"]);
    command.args(arguments).env("PYTHONPATH", sdk_sources(workshop)?).env("PYTHONDONTWRITEBYTECODE", "1");
    Workshop::finish(PYTHON, command)
}

fn sdk_sources(workshop: &Workshop<'_>) -> Result<PathBuf, BuildError> {
    let sources = workshop.file(&sdk(&workshop.file("pyproject.toml"))).join("src");
    if !sources.join("weir_sdk/build").is_dir() {
        return Err(BuildError::Missing {
            tool: format!("the SDK in `{}`", sources.display()),
            cure: "name its folder in pyproject.toml: [tool.weir] sdk = \"FOLDER\"; `weir plugin new` writes one"
                .to_owned(),
        });
    }
    Ok(sources.canonicalize().unwrap_or(sources))
}

/// What the project names as its SDK. A file that cannot be read is told by the SDK's builder, with its line.
fn sdk(project: &Path) -> String {
    let text = fs::read_to_string(project).unwrap_or_default();
    let project: toml::Table = text.parse().unwrap_or_default();
    let named = project.get("tool").and_then(|tool| tool.get("weir")?.get("sdk")?.as_str());
    named.unwrap_or(SDK).to_owned()
}
