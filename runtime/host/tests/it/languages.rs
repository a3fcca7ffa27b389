//! What other languages' run-times do in a sandbox that Rust's does not: collect garbage.

use super::support::{built_plugin, set, transform_call};
use engine::PluginCaller as _;
use host::PluginSettings;
use wasmparser::{Parser, Payload, TypeRef};

/// Bytes of a lead's name. Most of what passes through the sandbox is handed over by the host, which is when no import may
/// be called: a collector that looks at the clock there traps.
const NAME_BYTES: usize = 64 << 10;
/// So that some 25 MiB pass through a heap that collects at every few.
const CALLS: u8 = 200;

/// A library that is linked when it runs imports the table that all of them share, and puts its functions there for every call.
#[test]
fn nothing_is_linked_when_it_runs() {
    for plugin in ["lead-mapper-python", "contacts-python", "lead-mapper-js", "contacts-ts"] {
        let component = built_plugin(plugin);
        let imports = Parser::new(0).parse_all(&component).filter_map(|payload| match payload.expect("is read") {
            Payload::ImportSection(section) => Some(section),
            _ => None,
        });
        for import in imports.flat_map(|section| section.into_imports()) {
            let import = import.expect("is read");
            let is_shared = matches!(import.ty, TypeRef::Table(_)) && import.name == "__indirect_function_table";
            assert!(!is_shared, "{plugin} has a library that was not linked");
        }
    }
}

/// What a call in Python looks at it does not write to, or a fresh sandbox would copy twice as much of its memory.
#[test]
fn objects_of_python_that_last_are_immortal() {
    for plugin in ["lead-mapper-python", "contacts-python"] {
        let component = built_plugin(plugin);
        let is_there = component.windows(24).any(|bytes| bytes == b"weir: objects which last");
        assert!(!is_there, "{plugin} has a table of objects that was not used");
        // The count of an immortal object. A component that was not looked at has some 7,000 of them.
        let immortal = component.windows(4).filter(|bytes| *bytes == (5_u32 << 28).to_le_bytes()).count();
        assert!(immortal > 50_000, "{plugin} has {immortal} immortal objects");
    }
}

#[tokio::test]
async fn a_garbage_collector_is_in_nobodys_way() {
    let set = set();
    for (plugin, calls_per_sandbox, calls, name_bytes) in [
        ("lead-mapper-go", u32::MAX, CALLS, NAME_BYTES),
        ("lead-mapper-js", u32::MAX, CALLS, NAME_BYTES),
        // So much in one call that a collection begins in a sandbox of its own, too.
        ("lead-mapper-go", 1, 3, 32 * NAME_BYTES),
    ] {
        let settings = PluginSettings { calls_per_sandbox, ..PluginSettings::default() };
        let name = format!("{plugin}-{calls_per_sandbox}");
        set.install(&name, built_plugin(plugin), &settings).await;
        let lead = format!(r#"{{"email":"ada@example.com","name":"{}"}}"#, "n".repeat(name_bytes));
        for random in 1..=calls {
            let called = set.host.transform(transform_call(&name, &lead, random)).await.expect("is served");
            let contact = called.answer.unwrap_or_else(|fault| panic!("{name}, call {random}: {fault}")).remove(0);
            assert!(contact.data.len() > name_bytes, "{name}: {}", contact.data.len());
        }
    }
}
