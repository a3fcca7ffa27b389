//! From a core module to a component, for toolchains whose linker stops at the module.

use manifest::{Manifest, Role};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// The contract, whose types are put into the module.
const CONTRACT: &str = include_str!("../../../wit/weir.wit");

/// Puts the types of the manifest's roles into the module.
///
/// # Errors
/// It is no WebAssembly module.
pub(crate) fn add_types(module: &mut Vec<u8>, manifest: &Manifest) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let wit = format!("{CONTRACT}\n{}", world(&manifest.roles));
    let package = resolve.push_str("weir.wit", &wit).map_err(|error| error.to_string())?;
    let world = resolve.select_world(&[package], Some("plugin")).map_err(|error| error.to_string())?;
    wit_component::embed_component_metadata(module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| format!("{error:#}"))
}

/// Makes a component of a module that carries its types. What it asks of WASI preview 1 becomes 0.2.
///
/// # Errors
/// It does not do what its types say, or is no module.
pub(crate) fn encode(module: &[u8]) -> Result<Vec<u8>, String> {
    let encode = || {
        let mut encoder = ComponentEncoder::default();
        encoder.validate(true).module(module)?;
        encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?.encode()
    };
    encode().map_err(|error| format!("{error:#}"))
}

/// Whether these bytes are a component, as far as their first eight say: the layer stands behind magic number and version.
pub(crate) fn is_component(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm") && bytes.get(6) == Some(&1)
}

/// A component exports exactly what its world says, so each plugin has its own.
fn world(roles: &[Role]) -> String {
    let http = if roles.contains(&Role::Mapper) { "" } else { " import http;" };
    let exports: String = roles.iter().map(|role| format!(" export {};", role.name())).collect();
    format!("world plugin {{ import log;{http}{exports} }}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_holds_the_roles_and_what_they_may_import() {
        assert_eq!(world(&[Role::Mapper]), "world plugin { import log; export mapper; }\n");
        let connector = [Role::Actions, Role::Verification];
        let expected = "world plugin { import log; import http; export actions; export verification; }\n";
        assert_eq!(world(&connector), expected);
    }

    #[test]
    fn a_module_is_told_from_a_component() {
        assert!(is_component(b"\0asm\x0d\0\x01\0"));
        assert!(!is_component(b"\0asm\x01\0\0\0") && !is_component(b"\0asm") && !is_component(b"text"));
    }

    #[test]
    fn what_is_no_module_is_refused() {
        let error = encode(b"text").expect_err("is no module");
        assert!(!error.is_empty());
    }
}
