//! TOML that people write, read against a shape: every fault at once, each with its place and the fix, and the published
//! JSON Schema from the same table. And [`yaml`] as a tree that knows its places. Pure. Never learns what the keys mean.
//! Start at [`read()`].

pub mod duration;
mod nearest;
mod read;
mod shape;
pub mod size;
pub mod yaml;

pub use nearest::nearest;
pub use read::{Problem, Written, read, read_partly};
pub use shape::{ID_RULE, Key, Shape, extend, is_id, optional, required, table_schema};
