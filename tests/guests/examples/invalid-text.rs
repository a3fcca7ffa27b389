//! Gives text that is no UTF-8.

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

guests::mapper!(transform);

fn transform(_: Origin, mut input: Document, _: String) -> Result<Vec<Document>, Fault> {
    // SAFETY: none; that is the point. The text goes straight to the host.
    input.content_type = unsafe { String::from_utf8_unchecked(vec![0xff, 0xfe]) };
    Ok(vec![input])
}
