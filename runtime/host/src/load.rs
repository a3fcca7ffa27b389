use std::sync::Arc;

use manifest::{Manifest, ReadManifestError, Role};

use crate::compile::CompileError;
use crate::imports;
use crate::shape::{InterfaceName, Shape};
use crate::v0_1;

/// Why bytes cannot become a plugin. Nothing has been changed, and nothing of them has run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is too large to be looked at.
    #[error(
        "the component has {bytes} bytes and {bytes_max} are allowed; strip it, and leave out what it does not need"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit `artefact`.
        bytes_max: usize,
    },
    /// It does not begin as WebAssembly does.
    #[error("this is no WebAssembly file; give the `.wasm` that `weir plugin build` writes")]
    NotWasm,
    /// It is a core module.
    #[error("this is a core module, not a component; build it with `weir plugin build`, or for `wasm32-wasip2`")]
    CoreModule,
    /// Its end is missing.
    #[error("the component is truncated: it ends after {bytes} bytes in the middle of a section; copy it again")]
    Truncated {
        /// Its size.
        bytes: usize,
    },
    /// It breaks the rules of the format.
    #[error("the component is malformed: {0}; build it again")]
    Malformed(String),
    /// Its manifest is missing or wrong.
    #[error("the component's manifest cannot be used")]
    Manifest(#[source] ReadManifestError),
    /// It speaks another version of the contract.
    #[error("the component speaks contract {found} and this Weir speaks {spoken}; build it with an SDK for {spoken}")]
    Contract {
        /// What it speaks.
        found: String,
        /// What is spoken here.
        spoken: &'static str,
    },
    /// It imports what it may not have.
    #[error("the component imports `{import}`, which {kind} may not have; {cure}")]
    Import {
        /// The name, as it is written in the component.
        import: String,
        /// `a mapper` or `a connector`.
        kind: &'static str,
        /// What removes it.
        cure: &'static str,
    },
    /// The manifest names a role that the component does not export.
    #[error(
        "the manifest names the role `{0}` and the component does not export it; export it or remove it from `roles`"
    )]
    NotExported(&'static str),
    /// The component exports a role that the manifest does not name.
    #[error("the component exports the role `{0}` and the manifest does not name it; add it to `roles`")]
    NotDeclared(&'static str),
    /// A mapper with another role.
    #[error("the component is a mapper and has the role `{0}` beside; a mapper is pure: make two plugins of it")]
    MapperAndMore(&'static str),
    /// No role at all.
    #[error("the component has no role; name at least one in `roles`: mapper, actions, verification, connection")]
    NoRole,
    /// It could not be compiled.
    #[error("the component could not be compiled")]
    Compile(#[source] CompileError),
    /// Its imports or exports have other types than those of the contract.
    #[error("the component does not fit the contract: {0}; build it with the SDK of this version")]
    Link(String),
    /// It needs more of something than a sandbox has.
    #[error("the component needs {needs} {what} and a sandbox has {max}; merge its parts or build it smaller")]
    Sandbox {
        /// Memories or tables.
        what: &'static str,
        /// How many it needs.
        needs: u32,
        /// How many there are.
        max: u32,
    },
    /// A program that is to be a plugin does not come to be ready. With what it printed, on lines of its own.
    #[error("the plugin does not start: {0}")]
    Native(String),
    /// The canary call ended in a trap or at a limit.
    #[error("the component failed its canary call: {0}")]
    Canary(model::Fault),
}

/// The canary call found no room: it says nothing of the plugin.
pub(crate) const BUSY: &str = "weir.busy";

impl LoadError {
    /// A stable word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "weir.limit.artefact",
            Self::NotWasm => "weir.load.not-wasm",
            Self::CoreModule => "weir.load.core-module",
            Self::Truncated { .. } => "weir.load.truncated",
            Self::Malformed(_) => "weir.load.malformed",
            Self::Manifest(_) => "weir.load.manifest",
            Self::Contract { .. } => "weir.load.contract",
            Self::Import { .. } => "weir.load.import",
            Self::NotExported(_) | Self::NotDeclared(_) | Self::MapperAndMore(_) | Self::NoRole => "weir.load.roles",
            Self::Compile(cause) => cause.code(),
            Self::Link(_) => "weir.load.link",
            Self::Sandbox { .. } => "weir.limit.sandbox",
            Self::Native(_) => "weir.load.native",
            Self::Canary(fault) if fault.code == BUSY => BUSY,
            Self::Canary(_) => "weir.load.canary",
        }
    }
}

/// Judges a component by its bytes alone: format, contract, manifest, roles, imports. Nothing of it is compiled or run, so
/// that its author can be told at once what an operator would be told.
///
/// # Errors
/// It cannot become a plugin.
pub fn judge(component: &[u8]) -> Result<(), LoadError> {
    read(component, usize::MAX).map(drop)
}

/// What the bytes of a component say before anything is compiled.
#[derive(Clone, Debug)]
pub struct Read {
    /// What it says of itself.
    pub manifest: Arc<Manifest>,
    /// The names of what it imports.
    pub imports: Vec<String>,
    /// The names of what it exports.
    pub exports: Vec<String>,
    /// SHA-256, as `sha256:` and 64 hexadecimal digits.
    pub digest: String,
}

impl Read {
    /// Refuses the first import that a plugin of its kind may not have.
    ///
    /// # Errors
    /// There is one.
    pub fn check_imports(&self) -> Result<(), LoadError> {
        imports::check(&self.imports, self.manifest.has(Role::Mapper))
    }
}

/// Reads a component and refuses what cannot be a plugin here. Linear in its size, so that hostile bytes cost little.
pub(crate) fn read(bytes: &[u8], bytes_max: usize) -> Result<Read, LoadError> {
    let read = look(bytes, bytes_max)?;
    read.check_imports()?;
    Ok(read)
}

/// Reads a component without judging what it imports.
///
/// # Errors
/// It is no component, or does not export what its manifest says.
pub fn look(bytes: &[u8], bytes_max: usize) -> Result<Read, LoadError> {
    if bytes.len() > bytes_max {
        return Err(LoadError::TooLarge { bytes: bytes.len(), bytes_max });
    }
    let shape = Shape::read(bytes)?;
    check_contract(&shape)?;
    let manifest = manifest::extract(bytes).map_err(LoadError::Manifest)?;
    check_roles(&manifest, &shape)?;
    let Shape { imports, exports } = shape;
    Ok(Read { manifest: Arc::new(manifest), imports, exports, digest: digest(bytes) })
}

/// SHA-256, as `sha256:` and 64 hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn check_contract(shape: &Shape) -> Result<(), LoadError> {
    let names = shape.imports.iter().chain(&shape.exports).map(|name| InterfaceName::parse(name));
    for name in names {
        if name.path.starts_with("weir:plugin/") && name.line != v0_1::VERSION {
            return Err(LoadError::Contract { found: name.line.to_owned(), spoken: v0_1::VERSION });
        }
    }
    Ok(())
}

fn check_roles(manifest: &Manifest, shape: &Shape) -> Result<(), LoadError> {
    let mut has_role = false;
    for role in Role::ALL {
        let word = role.name();
        let path = format!("weir:plugin/{word}");
        let is_exported = shape.exports.iter().any(|export| InterfaceName::parse(export).path == path);
        match (manifest.has(role), is_exported) {
            (true, false) => return Err(LoadError::NotExported(word)),
            (false, true) => return Err(LoadError::NotDeclared(word)),
            (true, true) if role != Role::Mapper && manifest.has(Role::Mapper) => {
                return Err(LoadError::MapperAndMore(word));
            }
            (has, _) => has_role |= has,
        }
    }
    if has_role { Ok(()) } else { Err(LoadError::NoRole) }
}
