//! Plugins in C, and in whatever else `make` builds: it leaves a module that carries its types, or a component.

use std::fs;
use std::path::PathBuf;

use crate::workshop::{Tool, Workshop};
use crate::{BuildError, component};

const MAKE: Tool = Tool { program: "make", cure: "install it with your system's packages: apt install make" };

/// What `make` is to leave behind.
const MODULE: &str = "build/plugin.core.wasm";

pub(crate) fn build(workshop: &Workshop<'_>) -> Result<PathBuf, BuildError> {
    workshop.run(MAKE, &["--silent"])?;
    let module = workshop.file(MODULE);
    let bytes = fs::read(&module).map_err(|_| BuildError::NoComponent {
        cure: format!("let the first rule of the Makefile write {MODULE}: a module with its types, or a component"),
    })?;
    if component::is_component(&bytes) {
        return Ok(module);
    }
    let component = component::encode(&bytes).map_err(|cause| BuildError::NoComponent {
        cure: format!("link the archive of the SDK, which holds the types, and export what it declares ({cause})"),
    })?;
    let built = workshop.file("build/plugin.wasm");
    fs::write(&built, component).map_err(|cause| BuildError::File { what: "write", file: built.clone(), cause })?;
    Ok(built)
}
