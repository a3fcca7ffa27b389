//! What a plugin says of itself: `weir-plugin.toml` and its schemas, and the custom section that carries them in the
//! component. Nothing of the plugin runs. Never learns what an operator granted. Start at [`Manifest`].

mod folder;
mod rules;
mod section;
mod shape;
mod toml;
mod types;

pub use folder::FILE;
pub use section::{ReadManifestError, embed, extract};
pub use shape::json_schema;
pub use types::{
    Action, AuthScheme, CredentialSlot, Effect, HttpRequest, InvalidManifest, Manifest, MapperSchemas, RateLimit, Role,
};
pub use written::Problem;
