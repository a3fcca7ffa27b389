//! Plugins in Go: the standard toolchain, which makes a module for WASI preview 1, and then a component of it.

use std::fs;
use std::path::PathBuf;

use manifest::Role;

use crate::build::Preinitialise;
use crate::native::{self, Start};
use crate::workshop::{Tool, Workshop};
use crate::{BuildError, component, data};

const GO: Tool = Tool {
    program: "go",
    cure: "install Go 1.25 or later: https://go.dev/dl, or `golang-go` of a distribution that has it",
};

/// The oldest that can export functions with the types of the contract.
const MINOR_MIN: u32 = 25;

/// Leaves names out, and makes each collection of garbage end before the program goes on: the SDK lets none begin where it
/// could not look at the clock.
const LINKER: &str = "-s -w -X=runtime.godebugDefault=gcstoptheworld=2";

const MODULE: &str = "build/plugin.core.wasm";

/// Where the program lies that answers calls natively.
const PROGRAM: &str = "build/plugin.native";

pub(crate) fn native(workshop: &Workshop<'_>) -> Result<Start, BuildError> {
    check_version(workshop)?;
    workshop.run(GO, &["build", "-buildvcs=false", "-trimpath", "-o", PROGRAM, "."])?;
    Ok(Start {
        program: native::absolute(workshop.file(PROGRAM)).to_string_lossy().into_owned(),
        arguments: Vec::new(),
        environment: vec![("WEIR_NATIVE".to_owned(), "1".to_owned())],
    })
}

pub(crate) fn build(workshop: &Workshop<'_>, preinitialise: Preinitialise) -> Result<PathBuf, BuildError> {
    check_version(workshop)?;
    let arguments = [
        "build",
        "-buildmode=c-shared",
        "-trimpath",
        "-buildvcs=false",
        &format!("-ldflags={LINKER}"),
        "-o",
        MODULE,
        ".",
    ];
    let mut command = workshop.command(GO, &arguments);
    command.env("GOOS", "wasip1").env("GOARCH", "wasm");
    Workshop::finish(GO, command)?;
    let (module, built) = (workshop.file(MODULE), workshop.file("build/plugin.wasm"));
    let mut bytes = fs::read(&module).map_err(|cause| BuildError::File { what: "read", file: module, cause })?;
    if workshop.manifest.roles.contains(&Role::Mapper) {
        // Go's runtime takes ten times as long to start as a mapper to map. A connector starts anew each time: it draws
        // random numbers, which must not be the same in every call.
        bytes = preinitialise(&bytes).map_err(|reason| BuildError::Start { reason })?;
    }
    let component = data::join(&bytes).and_then(|mut module| {
        component::add_types(&mut module, workshop.manifest)?;
        component::encode(&module)
    });
    let component = component.map_err(|cause| BuildError::NoComponent {
        cure: format!("import the SDK in package main and call weir.Export in an init function ({cause})"),
    })?;
    fs::write(&built, component).map_err(|cause| BuildError::File { what: "write", file: built.clone(), cause })?;
    Ok(built)
}

fn check_version(workshop: &Workshop<'_>) -> Result<(), BuildError> {
    let version = workshop.ask(GO, &["env", "GOVERSION"])?;
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    if minor(&version).is_some_and(|minor| minor < MINOR_MIN) {
        return Err(BuildError::Missing {
            tool: format!("Go 1.{MINOR_MIN} ({version} is here)"),
            cure: GO.cure.to_owned(),
        });
    }
    Ok(())
}

/// The 25 of `go1.25.1`; none for a version of its own name, such as a development build.
fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("go1.")?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minor_version_is_read_where_there_is_one() {
        assert_eq!(["go1.25.1", "go1.26rc1", "go1.9", "devel +abc"].map(minor), [Some(25), Some(26), Some(9), None]);
    }
}
