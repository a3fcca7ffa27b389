//! Never ends.

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

guests::mapper!(transform);

fn transform(_: Origin, _: Document, _: String) -> Result<Vec<Document>, Fault> {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}
