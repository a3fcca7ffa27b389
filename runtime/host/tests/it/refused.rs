use engine::{AdminError, GenerationState, PluginAdmin};
use host::PluginSettings;
use serde_json::json;

use crate::support::{connector_manifest, embed, guest, mapper_manifest, selector, set, set_with};

/// Stages bytes and gives code and message of the refusal.
async fn refusal(bytes: &[u8]) -> (&'static str, String) {
    let set = set();
    match set.host.stage("plugin", bytes.to_vec().into()).await {
        Err(AdminError::Refused { code, message }) => (code, message),
        other => panic!("it was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_plugin_is_refused_with_the_cure() {
    let whole = guest("echo", &mapper_manifest("1.0.0"));
    let module = wat::parse_str("(module)").expect("valid text");
    let component = |text: &str| wat::parse_str(format!("(component {text})")).expect("valid text");
    let role = |name: &str| format!("(instance $r) (export \"weir:plugin/{name}\" (instance $r))");
    let mapper = role("mapper@0.1.0");
    let connector = embed(&component(&role("actions@0.1.0")), &connector_manifest(&["https://example.com"]));
    let imports = |import: &str| {
        embed(&component(&format!("(import \"{import}\" (instance)) {mapper}")), &mapper_manifest("1.0.0"))
    };
    for (what, bytes, code, cure) in [
        ("not wasm", b"#!/bin/sh".to_vec(), "weir.load.not-wasm", "weir plugin build"),
        ("a core module", module, "weir.load.core-module", "wasm32-wasip2"),
        ("an empty file", Vec::new(), "weir.load.not-wasm", "weir plugin build"),
        ("a truncated file", whole[..whole.len() / 2].to_vec(), "weir.load.truncated", "copy it again"),
        ("a file without its last byte", whole[..whole.len() - 1].to_vec(), "weir.load.truncated", "copy it again"),
        ("a file with its first bytes alone", whole[..12].to_vec(), "weir.load.truncated", "copy it again"),
        ("no manifest", component(&mapper), "weir.load.manifest", "weir plugin build"),
        ("another contract", component(&role("mapper@0.2.0")), "weir.load.contract", "an SDK for 0.1"),
        (
            "another contract imported",
            imports("weir:plugin/log@0.2.0").to_vec(),
            "weir.load.contract",
            "an SDK for 0.1",
        ),
        ("another WASI", imports("wasi:cli/environment@0.3.0").to_vec(), "weir.load.import", "WASI 0.2"),
        ("http in a mapper", imports("wasi:http/types@0.2.3").to_vec(), "weir.load.import", "disableFeatures"),
        ("sockets", imports("wasi:sockets/tcp@0.2.3").to_vec(), "weir.load.import", "--stub-wasi"),
        ("a role that is not there", connector.to_vec(), "weir.load.roles", "`verification`"),
    ] {
        let (found, message) = refusal(&bytes).await;
        assert_eq!(found, code, "{what}: {message}");
        assert!(message.contains(cure), "{what}: {message}");
    }
}

/// A mapper in front of which this core module is started.
fn started(module: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $first {module})
            (core instance (instantiate $first))
            (core module $code (func (export "transform")))
            (core instance $instance (instantiate $code))
            (func $transform (canon lift (core func $instance "transform")))
            (instance $mapper (export "transform" (func $transform)))
            (export "weir:plugin/mapper@0.1.0" (instance $mapper)))"#
    );
    embed(&wat::parse_str(text).expect("valid text"), &mapper_manifest("1.0.0")).to_vec()
}

#[tokio::test]
async fn what_no_sandbox_has_room_for_is_refused_with_what_it_needs() {
    for (module, needs) in [
        ("(table 1 funcref) ".repeat(17), "17"),
        ("(memory 1) ".repeat(5), "5"),
        ("(table 40000 funcref)".to_owned(), "40000"),
    ] {
        let (code, message) = refusal(&started(&module)).await;
        assert_eq!(code, "weir.limit.sandbox", "{message}");
        assert!(message.contains(needs) && message.contains("build it smaller"), "{message}");
    }
    // Within the limits one module may have what several may: it starts, and is refused for the type of its role alone.
    for module in ["(table 1 funcref) ".repeat(15), "(memory 1) ".repeat(3)] {
        let (code, message) = refusal(&started(&module)).await;
        assert_eq!(code, "weir.load.canary", "{message}");
    }
}

#[tokio::test]
async fn a_component_beyond_the_limit_is_not_even_read() {
    let set = set_with(|config| config.artefact_bytes_max = 1000);
    let refused = set.host.stage("plugin", vec![0; 1001].into()).await.expect_err("refused");
    assert!(
        matches!(&refused, AdminError::Refused { code: "weir.limit.artefact", message } if message.contains("1000")),
        "{refused}"
    );
}

#[tokio::test]
async fn a_wider_request_waits_for_its_grant_and_a_broken_file_changes_nothing() {
    let set = set();
    let component = guest("http", &connector_manifest(&["https://api.example.com"]));
    let inspected = set.host.inspect(component.clone()).await.expect("can be inspected");
    assert_eq!(inspected.roles, ["actions", "verification"]);
    assert_eq!(inspected.asks[0].origin, "https://api.example.com");
    let staged = set.host.stage("crm", component.clone()).await.expect("stages");
    assert_eq!(staged.state, GenerationState::Staged);
    assert!(staged.missing[0].contains("https://api.example.com"), "{:?}", staged.missing);
    let (plugin, digest) = (selector("crm"), staged.plugin.digest.clone());
    let refused = set.host.activate(&plugin, &digest).await.expect_err("not granted");
    assert!(refused.to_string().contains("weir grant crm"), "{refused}");
    let approved = set.host.approve(&plugin, &digest).await.expect("approves");
    assert_eq!((approved.state, approved.missing.len()), (GenerationState::Verified, 0));
    assert_eq!(set.host.activate(&plugin, &digest).await.expect("activates").state, GenerationState::Active);
    set.host.stage("crm", component.slice(..component.len() - 7)).await.expect_err("truncated");
    assert_eq!(set.host.stage("crm", component).await.expect("is held already").state, GenerationState::Active);
    assert_eq!(set.host.list().len(), 1);
}

#[tokio::test]
async fn grants_of_settings_decide_again_when_they_change() {
    let set = set();
    let staged = set.host.stage("crm", guest("http", &connector_manifest(&["https://api.example.com"]))).await;
    assert_eq!(staged.expect("stages").state, GenerationState::Staged);
    let rule = json!({ "origin": "https://api.example.com", "methods": ["GET", "POST"], "paths": ["/*"] });
    let grant = serde_json::from_value(json!({ "http": [rule] })).expect("a grant");
    set.host.configure("crm", &PluginSettings { grant, ..PluginSettings::default() }).expect("valid");
    assert_eq!(set.host.list()[0].state, GenerationState::Verified);
}
