use std::time::Duration;

use connection::{Connection, Credential, Secret};
use engine::{NotServed, PluginCaller, Settlement};
use host::{Limits, PluginSettings};
use model::FaultKind;

use crate::destination::Destination;
use crate::support::{Set, action_call, connector_manifest, fault, granting, guest, set};

async fn connector(guest_name: &str, limits: Limits) -> (Set, Destination) {
    let (set, destination) = (set(), Destination::start().await);
    let component = guest(guest_name, &connector_manifest(&[&destination.origin]));
    set.install("crm", component, &granting(&[&destination.origin], limits)).await;
    (set, destination)
}

#[tokio::test]
async fn both_ways_out_reach_what_is_granted_and_a_denial_holds_through_both() {
    for name in ["http", "wasi-http"] {
        let (set, destination) = connector(name, Limits::default()).await;
        let called = set.invoke(action_call("crm", "send", &format!("POST {}/orders", destination.origin))).await;
        assert_eq!(called.answer.expect("it is granted").output.data, "200 without key");
        let record = &called.report.requests[0];
        assert_eq!((record.method.as_str(), record.path.as_str(), record.status), ("POST", "/orders", Some(200)));
        for denied in ["http://169.254.169.254/latest/meta-data", "http://localhost:1/", "https://evil.example.com/"] {
            let called = set.invoke(action_call("crm", "send", &format!("GET {denied}"))).await;
            let fault = fault(&called);
            assert_eq!(fault.kind, FaultKind::Rejected, "{name}: the guest says what it was told");
            let told = match name {
                "http" => fault.message.clone(),
                _ => called.report.logs[0].message.clone(),
            };
            assert!(told.contains("to ask for it, add to its weir-plugin.toml"), "{name}: {told}");
        }
        assert_eq!(destination.requests(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_flood_of_requests_is_cut_at_its_limit() {
    let (set, destination) = connector("http-flood", Limits { http_requests: 7, ..Limits::default() }).await;
    let called = set.invoke(action_call("crm", "look", &format!("{}/", destination.origin))).await;
    assert_eq!(fault(&called).code, "weir.limit.http-requests");
    assert_eq!((destination.requests(), called.report.requests.len()), (7, 7));
}

#[tokio::test]
async fn slow_and_endless_answers_end_at_a_limit() {
    let limits = Limits { wall: Duration::from_millis(400), response_body_bytes: 64 * 1024, ..Limits::default() };
    let (set, destination) = connector("http", limits).await;
    // The gate's own limit and that of the call end at the same moment; which is first is the scheduler's matter.
    let out_of_time = ["weir.http.limit.total", "weir.limit.wall"];
    for (path, codes) in
        [("/hang", out_of_time), ("/drip", out_of_time), ("/endless", ["weir.http.limit.response-body"; 2])]
    {
        let called = set.invoke(action_call("crm", "look", &format!("GET {}{path}", destination.origin))).await;
        let fault = fault(&called);
        println!("{path:10} {fault}");
        assert!(codes.contains(&fault.code.as_str()), "{path}: {fault}");
        assert!(called.report.duration_us < 5_000_000);
    }
}

#[tokio::test]
async fn a_lost_answer_to_an_unsafe_action_is_an_unknown_outcome_whatever_the_plugin_says() {
    let limits = Limits { wall: Duration::from_millis(400), cpu: Duration::from_millis(100), ..Limits::default() };
    let (set, destination) = connector("http", limits).await;
    let outcome = async |action: &str, request: &str, path: &str| {
        let request = format!("{request} {}{path}", destination.origin);
        set.invoke(action_call("crm", action, &request)).await.answer.map_err(|fault| fault.kind)
    };
    assert_eq!(outcome("send", "POST", "/drop").await, Err(FaultKind::UnknownOutcome), "the connection broke");
    assert_eq!(outcome("send", "POST", "/hang").await, Err(FaultKind::UnknownOutcome), "time ran out");
    assert_eq!(outcome("insist", "POST", "/drop").await, Err(FaultKind::UnknownOutcome), "it trapped afterwards");
    assert_eq!(outcome("insist", "POST", "/orders").await, Err(FaultKind::Internal), "it was answered before the trap");
    assert_eq!(outcome("look", "POST", "/drop").await, Err(FaultKind::Rejected), "repeating does no harm");
    assert_eq!(outcome("send", "GET", "/drop").await, Err(FaultKind::Rejected), "the method is a safe one");
    let shrugged = outcome("shrug", "POST", "/drop").await.expect("the plugin answers for what it says has happened");
    assert!(shrugged.output.data.starts_with(b"weir."), "{shrugged:?}");
    let verified = set.host.verify(action_call("crm", "send", "")).await.expect("is served");
    assert_eq!(verified.answer, Ok(Settlement::Absent));
}

#[tokio::test]
async fn a_connection_is_for_the_plugins_that_it_names() {
    let (set, destination) = connector("http", Limits::default()).await;
    let connection = |name: &str, plugin: &str| {
        let mut connection = Connection::new(name);
        connection.base_url = Some(destination.origin.clone());
        connection.origins = vec![destination.origin.parse().expect("an origin")];
        connection.settings = r#"{"region":"eu"}"#.to_owned();
        connection.account = Some("Example Ltd.".to_owned());
        connection.credential = Credential::Bearer { secret: Secret::new("key-of-the-account") };
        connection.plugins = vec![plugin.to_owned()];
        connection
    };
    set.connections.add(connection("crm", "crm"));
    set.connections.add(connection("chat", "chat"));
    let with = |action: &str, connection: &str| {
        let mut call = action_call("crm", action, "GET /orders");
        call.context.connection = connection.to_owned();
        call
    };
    let called = set.invoke(with("look", "crm")).await;
    assert_eq!(called.answer.expect("it may use it").output.data, "200 with key");
    let called = set.invoke(with("tell", "crm")).await;
    let told = called.answer.expect("it may use it").output.data;
    assert_eq!(told, r#"crm Some("Example Ltd.") {"region":"eu"}"#);
    let refused = set.host.invoke(with("look", "chat")).await.expect_err("another plugin's account");
    assert!(refused.to_string().contains("add \"crm\" to the connection's `plugins`"), "{refused}");
    let refused = set.host.invoke(with("look", "none")).await.expect_err("no such connection");
    assert!(refused.to_string().contains("`none` is not configured"), "{refused}");
}

#[tokio::test]
async fn what_a_plugin_lacks_is_told_before_anything_runs() {
    let (set, _destination) = connector("http", Limits::default()).await;
    let refused = set.host.invoke(action_call("crm", "erase", "")).await.expect_err("no such action");
    assert_eq!(refused, NotServed::Lacks { name: "crm".to_owned(), what: "action `erase`".to_owned() });
    let refused = set.host.transform(crate::support::transform_call("crm", "", 1)).await.expect_err("no mapper");
    assert_eq!(refused, NotServed::Lacks { name: "crm".to_owned(), what: "role `mapper`".to_owned() });
    let refused = set.host.invoke(action_call("erp", "send", "")).await.expect_err("not installed");
    assert_eq!(refused, NotServed::NotInstalled("erp@1".to_owned()));
}

#[tokio::test]
async fn connectors_that_wait_do_not_take_the_slots_of_mappers() {
    let (set, destination) = connector("http", Limits { wall: Duration::from_secs(2), ..Limits::default() }).await;
    set.install("good", guest("echo", &crate::support::mapper_manifest("1.0.0")), &PluginSettings::default()).await;
    let waiting = (0..16).map(|_| set.invoke(action_call("crm", "look", &format!("GET {}/hang", destination.origin))));
    let mut waiting = std::pin::pin!(futures_util::future::join_all(waiting));
    let mapped = async {
        for _ in 0..100 {
            set.transform("good", "[1]").await.answer.expect("it is served");
        }
    };
    tokio::select! {
        biased;
        _ = &mut waiting => panic!("the connectors ended before a mapper was served"),
        () = mapped => {}
    }
}
