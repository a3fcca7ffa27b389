//! Writes types for documents, in the languages that plugins are written in: from a JSON Schema, or from samples of which it
//! finds out what they have in common. Pure: text goes in, text comes out. Never learns what a plugin or an event is, nor
//! where a file lies. Start at [`Model`].

mod model;
mod names;
mod sample;
mod schema;
mod write;

pub use model::{Field, Model, Record, Type};
pub use schema::SchemaError;
pub use write::Lang;
