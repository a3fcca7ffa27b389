//! Gives its input back with the number of the call: the same in every fresh sandbox, another in one that is kept.

use std::sync::atomic::{AtomicU32, Ordering};

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

static CALLS: AtomicU32 = AtomicU32::new(0);

guests::mapper!(transform);

fn transform(_: Origin, mut input: Document, _: String) -> Result<Vec<Document>, Fault> {
    input.metadata.push(("call".to_owned(), CALLS.fetch_add(1, Ordering::Relaxed).to_string()));
    Ok(vec![input])
}
