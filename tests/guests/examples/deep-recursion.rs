//! Recurses until its stack is used up.

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

guests::mapper!(transform);

/// Recurses while there is something left; the caller gives enough for ever.
fn recurse(left: u64) -> u64 {
    match std::hint::black_box(left) {
        0 => 0,
        left => std::hint::black_box(recurse(left - 1)) + 1,
    }
}

fn transform(_: Origin, _: Document, _: String) -> Result<Vec<Document>, Fault> {
    unreachable!("came back from {}", recurse(u64::MAX))
}
