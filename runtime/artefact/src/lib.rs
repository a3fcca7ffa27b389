//! Plugins as signed OCI artefacts: what is packed, signed, judged against the version before, pushed, pulled and pinned.
//! An artefact is the Wasm layout that other tools know, one layer; what belongs to it is attached to it. Talks to a
//! registry or a folder for the person who typed a command, and never for a running Weir. Never learns how a plugin is
//! built or run. Start at [`Release`] and [`fetch()`].

mod changelog;
mod compatibility;
mod error;
mod fetch;
mod key;
mod layout;
mod notice;
mod oci;
mod pins;
mod place;
mod publish;
mod reach;
mod reference;
mod registry;
mod release;
mod schema;
mod whole;

pub use compatibility::{Change, changes};
pub use error::ArtefactError;
pub use fetch::{Fetched, Wanted, fetch, versions};
pub use key::{Publisher, SigningKey, generate, is_encrypted};
pub use layout::is_layout;
pub use notice::{Notice, NoticeKind, post};
pub use oci::Digest;
pub use pins::{PINS_FILE, Pin, Pins, Taken};
pub use place::{Access, Place};
pub use publish::{Cleared, Published, clear, publish};
pub use reach::{Reach, judge_reach};
pub use reference::{Location, Reference, Target};
pub use release::{Paper, Release};
pub use whole::Staged;
