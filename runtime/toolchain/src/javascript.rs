//! Plugins in JavaScript and TypeScript: npm, and the SDK's builder behind the project's script `build`.

use std::fs;
use std::path::PathBuf;

use crate::BuildError;
use crate::native::{self, Start};
use crate::workshop::{Tool, Workshop};

const NODE: Tool =
    Tool { program: "node", cure: "install Node.js 20 or later: https://nodejs.org, or apt install nodejs npm" };
const NPM: Tool = Tool { program: "npm", cure: "install it with Node.js: https://nodejs.org, or apt install npm" };

/// The oldest whose standard library the builder needs.
const MAJOR_MIN: u32 = 20;

/// What runs a plugin without WebAssembly.
const NATIVE: &str = "node_modules/@weir/sdk/build/native.js";

/// What npm writes when it has installed everything.
const INSTALLED: &str = "node_modules/.package-lock.json";

/// Types are not looked at: that is what a build and the tests do, and the plugin is to be there at once.
pub(crate) fn native(workshop: &Workshop<'_>) -> Result<Start, BuildError> {
    install(workshop)?;
    let program = workshop.file(NATIVE);
    if !program.is_file() {
        let cure = "name @weir/sdk among the dependencies in package.json, and run npm install".to_owned();
        return Err(BuildError::Missing { tool: format!("the SDK's `{}`", program.display()), cure });
    }
    let program = native::absolute(program).to_string_lossy().into_owned();
    Ok(Start { program: NODE.program.to_owned(), arguments: vec![program], environment: Vec::new() })
}

pub(crate) fn build(workshop: &Workshop<'_>) -> Result<PathBuf, BuildError> {
    install(workshop)?;
    workshop.run(NPM, &["run", "--silent", "build"])?;
    let built = workshop.file("build/plugin.wasm");
    if built.is_file() {
        return Ok(built);
    }
    let cure = "let the script `build` in package.json end with weir-component, which writes build/plugin.wasm";
    Err(BuildError::NoComponent { cure: cure.to_owned() })
}

/// Makes sure of Node.js and of the packages that the project names.
fn install(workshop: &Workshop<'_>) -> Result<(), BuildError> {
    let version = workshop.ask(NODE, &["--version"])?;
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    if major(&version).is_some_and(|major| major < MAJOR_MIN) {
        let tool = format!("Node.js {MAJOR_MIN} ({version} is here)");
        return Err(BuildError::Missing { tool, cure: NODE.cure.to_owned() });
    }
    if !is_installed(workshop) {
        let arguments = ["install", "--no-audit", "--no-fund", "--loglevel=error"];
        workshop.run(NPM, &arguments).map_err(|error| match error {
            BuildError::Failed { command, status } => BuildError::Fetch {
                command,
                status,
                cure: "it fetches the packages of package.json and needs a network once; without one, copy \
                       node_modules/ from a machine that has one",
            },
            other => other,
        })?;
    }
    Ok(())
}

/// Whether npm has installed what package.json names today.
fn is_installed(workshop: &Workshop<'_>) -> bool {
    let changed = |name| fs::metadata(workshop.file(name)).and_then(|file| file.modified()).ok();
    changed(INSTALLED).is_some_and(|installed| Some(installed) >= changed("package.json"))
}

/// The 20 of `v20.1.0`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(["v20.1.0", "v8.0.0", "x"].map(major), [Some(20), Some(8), None]);
    }
}
