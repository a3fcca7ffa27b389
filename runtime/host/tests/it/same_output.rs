//! The lead mapper of every language, as a component, gives the same bytes for the events of `tests/same-output`, and the
//! same fault where it refuses. None of them traps.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use engine::{PluginCaller, TransformCall};
use host::PluginSettings;
use model::Document;
use serde_json::{Value, json};

use crate::support::{Set, event, selector, set_with};

const MAPPERS: [&str; 4] = ["lead-mapper", "lead-mapper-js", "lead-mapper-python", "lead-mapper-go"];

/// As many events as are worth the name.
const EVENTS_MIN: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mapper_gives_the_same_bytes_in_every_language() {
    // Kept between runs: to compile the one in Python takes longer than all calls together.
    let set = set_with(|config| config.cache_folder = target().join("weir-caches/same-output"));
    for name in MAPPERS {
        set.install(name, component(name), &PluginSettings::default()).await;
    }
    let (events, expected) = (lines("events"), lines("expected"));
    assert!(events.len() >= EVENTS_MIN && events.len() == expected.len(), "{} {}", events.len(), expected.len());
    for (event, expected) in events.iter().zip(&expected) {
        for name in MAPPERS {
            assert_eq!(outcome(&set, name, event).await, *expected, "{name}");
        }
    }
    println!("{} events, the same in {}", events.len(), MAPPERS.join(", "));
}

/// The documents as text, or what of a fault a flow can see.
async fn outcome(set: &Set, name: &str, line: &Value) -> Value {
    let text = |key: &str| line[key].as_str().expect("text").to_owned();
    let input = Document { content_type: text("content_type"), data: text("data").into(), metadata: Vec::new() };
    let call = TransformCall { plugin: selector(name), event: event(1), input, options: text("options").into() };
    match set.host.transform(call).await.expect("is served").answer {
        Ok(documents) => {
            let documents = documents.iter().map(|document| std::str::from_utf8(&document.data).expect("UTF-8"));
            json!({ "name": line["name"], "documents": documents.collect::<Vec<_>>() })
        }
        Err(fault) => {
            let pointers: Vec<_> = fault.fields.iter().map(|field| &field.pointer).collect();
            json!({ "name": line["name"], "fault": fault.kind, "code": fault.code, "pointers": pointers })
        }
    }
}

/// Where Cargo builds: this program lies in `debug/deps` of it.
fn target() -> PathBuf {
    let program = std::env::current_exe().expect("this program");
    program.ancestors().nth(3).expect("a target folder").to_owned()
}

fn component(name: &str) -> Bytes {
    let file = target().join(format!("weir-plugins/{name}.wasm"));
    let missing = |fault| panic!("{}: {fault}; build it: cargo xtask guests", file.display());
    fs::read(&file).unwrap_or_else(missing).into()
}

fn lines(name: &str) -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/same-output/{name}.jsonl"));
    let text = fs::read_to_string(file).expect("the file");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}
