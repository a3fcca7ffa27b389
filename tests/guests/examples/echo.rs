//! Gives its input back: the guest that behaves.

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

guests::mapper!(transform);

fn transform(_: Origin, input: Document, _: String) -> Result<Vec<Document>, Fault> {
    Ok(vec![input])
}
