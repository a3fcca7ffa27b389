use crate::{InvalidManifest, Manifest};

/// Why no manifest could be read from a component.
#[derive(Debug, thiserror::Error)]
pub enum ReadManifestError {
    /// The bytes are no component.
    #[error("not a WebAssembly component")]
    NotAComponent,
    /// There is no manifest in it.
    #[error("the component carries no manifest; build it with `weir plugin build`")]
    Missing,
    /// It cannot be read.
    #[error("the manifest in the component cannot be read")]
    Malformed(#[source] serde_json::Error),
    /// It says what cannot be.
    #[error("the manifest in the component is not valid")]
    Invalid(#[source] InvalidManifest),
}

/// Reads the manifest from a component without running anything of it.
pub fn extract(_component: &[u8]) -> Result<Manifest, ReadManifestError> {
    Err(ReadManifestError::Missing)
}

/// The component with the manifest in it; a manifest that it carried before is replaced.
pub fn embed(_component: &[u8], _manifest: &Manifest) -> Result<Vec<u8>, ReadManifestError> {
    Err(ReadManifestError::NotAComponent)
}
