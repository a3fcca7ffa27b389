//! Takes memory until it gets no more.

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

guests::mapper!(transform);

fn transform(_: Origin, _: Document, _: String) -> Result<Vec<Document>, Fault> {
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1_u8; 1024 * 1024]);
        std::hint::black_box(&taken);
    }
}
