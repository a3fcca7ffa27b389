use engine::PluginCaller;
use host::PluginSettings;

use crate::support::{guest, mapper_manifest, set, transform_call};

async fn perceived(random: u8, calls_per_sandbox: u32) -> String {
    let set = set();
    let settings = PluginSettings { calls_per_sandbox, ..PluginSettings::default() };
    set.install("mapper", guest("surroundings", &mapper_manifest("1.0.0")), &settings).await;
    let called = set.host.transform(transform_call("mapper", "[]", random)).await.expect("is served");
    let logged: Vec<_> = called.report.logs.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(logged, ["written to standard output", "written to standard error"]);
    String::from_utf8(called.answer.expect("it answers")[0].data.to_vec()).expect("text")
}

#[tokio::test]
async fn a_mapper_perceives_nothing_but_its_event() {
    let first = perceived(1, 1).await;
    assert_eq!(first, perceived(1, 1).await, "the same event looks the same in another host");
    let other = perceived(2, 1).await;
    let line = |text: &str, name: &str| text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    for name in ["time", "passed", "environment", "arguments", "file"] {
        assert_eq!(line(&first, name), line(&other, name), "only what looks random follows the event's id");
    }
    assert_ne!(line(&first, "random"), line(&other, "random"));
    assert_eq!(line(&first, "time").as_deref(), Some("time 1795397672.118s"));
    assert_eq!(line(&first, "passed").as_deref(), Some("passed 0ns"));
    assert_eq!(line(&first, "environment").as_deref(), Some("environment []"));
    assert!(line(&first, "file").is_some_and(|line| line.contains("Err(")), "{first}");
}
