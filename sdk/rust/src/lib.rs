//! What plugins for Weir are written with in Rust. A mapper is one function, a connector a few:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use weir_sdk::{Fault, Mapping};
//!
//! #[derive(Deserialize)]
//! struct Lead { email: String, name: String }
//!
//! #[derive(Serialize)]
//! struct Contact { email: String, display_name: String }
//!
//! fn map(mapping: Mapping<Lead>) -> Result<Contact, Fault> {
//!     let lead = mapping.input;
//!     if !lead.email.contains('@') {
//!         return Err(Fault::invalid_input("no address to write to").field("/email", "is not an e-mail address"));
//!     }
//!     Ok(Contact { email: lead.email.to_lowercase(), display_name: lead.name })
//! }
//!
//! weir_sdk::mapper!(map);
//! ```
//!
//! Input and output are typed JSON; a [`Document`] in either place means the raw bytes. [`Documents`] splits or filters.
//! Connectors are described at [`connector!`], requests at [`http`], faults at [`Fault`], native tests at [`testing`].
//!
//! Knows the contract and nothing of Weir's inside. Start at [`Mapping`] or [`Call`].

mod connector;
mod document;
mod fault;
pub mod http;
mod json;
pub mod log;
mod mapper;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod panic;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

/// The bindings, made from `wit/weir.wit` by the test `generated`; never edited.
#[doc(hidden)]
#[expect(unsafe_code, reason = "values cross the boundary of the sandbox by address")]
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
pub mod generated {
    pub mod actions;
    pub mod connection;
    pub mod imports;
    pub mod mapper;
    pub mod verified_actions;
}

pub use connector::{Call, Check, Connector, IntoReceipt, Receipt, Settlement, Verify};
#[doc(hidden)]
pub use connector::{act, settle, unknown_action, unverifiable_action};
pub use document::{Documents, FromDocument, IntoDocuments};
pub use fault::Fault;
pub use generated::connection::exports::weir::plugin::connection::Identity;
pub use generated::imports::weir::plugin::types::{Context, Document, FaultKind, FieldFault, Origin};
pub use http::{Http, Request, Response};
pub use json::{NotANumber, Number};
#[doc(hidden)]
pub use mapper::transform;
pub use mapper::{Mapper, Mapping, NoOptions};
