//! Plugins in Python: the SDK's builder, which puts the plugin into a CPython by componentize-py.

use std::fs;
use std::path::{Path, PathBuf};

use crate::BuildError;
use crate::workshop::{Tool, Workshop};

const PYTHON: Tool = Tool {
    program: "python3",
    cure: "install Python 3.11 or later: https://www.python.org, or apt install python3 python3-pip python3-venv",
};

/// Where `weir plugin new` puts the SDK; another folder is named by `sdk` under `[tool.weir]` in pyproject.toml.
const SDK: &str = "weir-sdk";

const COMPONENT: &str = "build/plugin.wasm";

pub(crate) fn build(workshop: &Workshop<'_>) -> Result<PathBuf, BuildError> {
    let sources = workshop.file(&sdk(&workshop.file("pyproject.toml"))).join("src");
    if !sources.join("weir_sdk/build").is_dir() {
        return Err(BuildError::Missing {
            tool: format!("the SDK in `{}`", sources.display()),
            cure: "name its folder in pyproject.toml: [tool.weir] sdk = \"FOLDER\"; `weir plugin new` writes one"
                .to_owned(),
        });
    }
    let sources = sources.canonicalize().unwrap_or(sources);
    let mut command = workshop.command(PYTHON, &["-m", "weir_sdk.build", ".", "-o", COMPONENT]);
    command.env("PYTHONPATH", sources).env("PYTHONDONTWRITEBYTECODE", "1");
    Workshop::finish(PYTHON, command)?;
    Ok(workshop.file(COMPONENT))
}

/// What the project names as its SDK. A file that cannot be read is told by the SDK's builder, with its line.
fn sdk(project: &Path) -> String {
    let text = fs::read_to_string(project).unwrap_or_default();
    let project: toml::Table = text.parse().unwrap_or_default();
    let named = project.get("tool").and_then(|tool| tool.get("weir")?.get("sdk")?.as_str());
    named.unwrap_or(SDK).to_owned()
}
