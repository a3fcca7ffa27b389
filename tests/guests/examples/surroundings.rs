//! Tells all that it can perceive beside its arguments.

use guests::mapper::weir::plugin::types::{Document, Fault, Origin};

guests::mapper!(transform);

use std::collections::HashSet;
use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn transform(_: Origin, mut input: Document, _: String) -> Result<Vec<Document>, Fault> {
    let began = Instant::now();
    std::thread::sleep(Duration::from_secs(3600));
    println!("written to standard output");
    eprintln!("written to standard error");
    let hashed: Vec<_> = (0..20).collect::<HashSet<_>>().into_iter().collect();
    input.data = format!(
        "time {:?}\npassed {:?}\nhashed {hashed:?}\nrandom {:x?}\nenvironment {:?}\narguments {:?}\nfile {:?}\n",
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        began.elapsed(),
        wasip2::random::random::get_random_bytes(20),
        std::env::vars().collect::<Vec<_>>(),
        std::env::args().collect::<Vec<_>>(),
        fs::read("/etc/hostname").map_err(|fault| fault.kind()),
    )
    .into_bytes();
    Ok(vec![input])
}
