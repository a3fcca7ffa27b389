//! Logs far beyond its limit, with what could steer a terminal, and then answers.

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

guests::mapper!(transform);

fn transform(_: Origin, input: Document, _: String) -> Result<Vec<Document>, Fault> {
    use guests::mapper::weir::plugin::log::{Level, write};
    for line in 0..1_000 {
        write(Level::Info, &format!("\u{1b}[2Jline {line}\u{202e}\0"), &[("key".to_owned(), "\u{7}value".to_owned())]);
    }
    Ok(vec![input])
}
