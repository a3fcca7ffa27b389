//! Gives more than anyone wants.

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

guests::mapper!(transform);

fn transform(_: Origin, mut input: Document, _: String) -> Result<Vec<Document>, Fault> {
    input.data = vec![b'x'; 24 * 1024 * 1024];
    Ok(vec![input])
}
