//! Panics.

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

guests::mapper!(transform);

fn transform(_: Origin, input: Document, _: String) -> Result<Vec<Document>, Fault> {
    panic!("no idea what to do with {} bytes", input.data.len())
}
