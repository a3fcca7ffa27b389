//! What other languages' run-times do in a sandbox that Rust's does not: collect garbage.

use super::support::{built_plugin, set, transform_call};
use engine::PluginCaller as _;
use host::PluginSettings;

/// Bytes of a lead's name. Most of what passes through the sandbox is handed over by the host, which is when no import may
/// be called: a collector that looks at the clock there traps.
const NAME_BYTES: usize = 64 << 10;
/// So that some 25 MiB pass through a heap that collects at every few.
const CALLS: u8 = 200;

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
