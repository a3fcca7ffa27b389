//! Calls the host without end: by the contract if its input is `log`, else by WASI.

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

guests::mapper!(transform);

fn transform(_: Origin, input: Document, _: String) -> Result<Vec<Document>, Fault> {
    use guests::mapper::weir::plugin::log::{Level, write};
    loop {
        if input.data == b"log" {
            write(Level::Debug, "", &[]);
        } else {
            std::hint::black_box(std::time::SystemTime::now());
        }
    }
}
