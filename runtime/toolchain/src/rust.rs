//! Plugins in Rust: Cargo, with the target `wasm32-wasip2`, whose linker makes a component.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use crate::BuildError;
use crate::workshop::{Tool, Workshop};

const TARGET: &str = "wasm32-wasip2";

const CARGO: Tool = Tool { program: "cargo", cure: "install Rust: https://rustup.rs" };
const RUSTC: Tool = Tool { program: "rustc", cure: "install Rust: https://rustup.rs" };

/// A line that Cargo prints, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

pub(crate) fn build(workshop: &Workshop<'_>) -> Result<PathBuf, BuildError> {
    // Not asked of rustup, because distributions package the target without it.
    let library = workshop.ask(RUSTC, &["--print", "target-libdir", "--target", TARGET])?;
    if !Path::new(String::from_utf8_lossy(&library).trim()).is_dir() {
        return Err(BuildError::Missing {
            tool: format!("Rust's standard library for {TARGET}"),
            cure: format!("add it: rustup target add {TARGET}"),
        });
    }
    let arguments =
        ["build", "--quiet", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"];
    let printed = workshop.ask(CARGO, &arguments).map_err(|error| match error {
        BuildError::Failed { command, status } if lacks_crates(workshop) => BuildError::Fetch {
            command,
            status,
            cure: "it fetches the crates that Cargo.toml names and needs a network once; without one, take along what \
                   `cargo vendor` writes on a machine that has one",
        },
        other => other,
    })?;
    // Where it lies depends on workspaces and on Cargo's configuration, so that Cargo is asked.
    let file = workshop.file("Cargo.toml");
    let project = file.canonicalize().map_err(|cause| BuildError::File { what: "read", file, cause })?;
    component(&printed, &project).ok_or_else(|| BuildError::NoComponent {
        cure: "let Cargo.toml say: [lib] crate-type = [\"cdylib\", \"rlib\"]".to_owned(),
    })
}

/// Whether the project is sound and crates that it names are not on this machine.
fn lacks_crates(workshop: &Workshop<'_>) -> bool {
    let succeeds = |arguments: &[&str]| {
        let mut command = workshop.command(CARGO, &["metadata", "--offline", "--format-version", "1"]);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    succeeds(&["--no-deps"]) && !succeeds(&["--filter-platform", TARGET])
}

/// The component among what Cargo says that it has built of this project.
fn component(printed: &[u8], project: &Path) -> Option<PathBuf> {
    let messages = printed.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let own = messages.filter(|message| message.reason == "compiler-artifact" && message.manifest_path == project);
    own.flat_map(|message| message.filenames).find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_found_among_what_cargo_says() {
        let printed = br#"{"reason":"compiler-artifact","manifest_path":"/sdk/Cargo.toml","filenames":["/t/sdk.wasm"]}
noise
{"reason":"compiler-artifact","manifest_path":"/p/Cargo.toml","filenames":["/t/libp.rlib","/t/p.wasm"]}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(component(printed, Path::new("/p/Cargo.toml")), Some("/t/p.wasm".into()));
        assert_eq!(component(printed, Path::new("/q/Cargo.toml")), None);
    }
}
