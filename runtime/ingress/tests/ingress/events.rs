//! What becomes of good requests.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use engine::{Answer, Incoming};
use expect_test::{Expect, expect};
use http::Method;
use ingress::{Decode, DedupeRule, Reply, Route};
use model::{Document, Fault, FaultKind, StateKind};
use signature::{Scheme, Signer};

use crate::support::*;

fn show(incoming: &Incoming) -> String {
    let attributes = &incoming.event.attributes;
    let mut lines = vec![
        format!("source {}", incoming.source),
        format!("{} {} from {} as {}", attributes.kind, attributes.id, attributes.source, attributes.content_type),
    ];
    let optional = [("subject", &attributes.subject), ("time", &attributes.time), ("schema", &attributes.schema)];
    lines.extend(optional.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?))));
    lines.extend(attributes.extensions.iter().map(|(name, value)| format!("extension {name} {value}")));
    lines.extend(incoming.dedupe.iter().map(|dedupe| format!("repeats by {} within {:?}", dedupe.key, dedupe.window)));
    lines.extend(incoming.event.transport.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.push(String::from_utf8_lossy(&incoming.event.data).into_owned());
    assert_eq!(incoming.event.received.as_millis(), NOW_SECONDS * 1000);
    blot(&lines.join("\r\n"))
}

/// The event that the request brings.
async fn check(route: Route, request: Vec<u8>, expected: Expect) {
    let running = start(vec![route]).await;
    let answer = running.exchange(request).await;
    assert!(answer.starts_with("HTTP/1.1 202 Accepted\n"), "{answer}");
    expected.assert_eq(&show(&running.take_one()));
}

/// A POST to `/in` that is signed with the secret `hush`.
fn signed(scheme: Scheme, id: &str, fields: &[&str], body: &str) -> Vec<u8> {
    let signer = Signer::new(scheme, b"hush").unwrap();
    let signature = signer.sign(id, UNIX_EPOCH + Duration::from_secs(NOW_SECONDS), body.as_bytes());
    let signature: Vec<String> = signature.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let fields: Vec<&str> = fields.iter().copied().chain(signature.iter().map(String::as_str)).collect();
    post("/in", &fields, body)
}

fn once(scheme: Scheme) -> Route {
    verified(scheme, Route { dedupe: by_sender_id(), ..route("/in") })
}

#[tokio::test]
async fn a_catch_all_takes_anything() {
    let everything = Route {
        methods: vec![Method::POST, Method::PUT],
        decode: Decode::Bytes,
        source: "inbox".into(),
        ..route("/*")
    };
    let request = "PUT /any/path?a=1&b HTTP/1.1\r\nhost: test\r\ncontent-type: image/png\r\nauthorization: Basic eA==\r\n\
        cookie: a=b\r\nconnection: close\r\ncontent-length: 3\r\n\r\npng";
    check(
        everything,
        request.into(),
        expect![[r#"
            source inbox
            webhook evt_01m830mq20… from /any/path as image/png
            method: PUT
            path: /any/path
            query: a=1&b
            header.host: test
            header.content-type: image/png
            header.connection: close
            header.content-length: 3
            png"#]],
    )
    .await;
}

#[tokio::test]
async fn json_is_kept_as_it_came() {
    check(
        route("/in"),
        post("/in", &["content-type: application/vnd.x+json"], "{ \"b\" : 1.0, \"a\":2 }\n"),
        expect![[r#"
            source in
            webhook evt_01m830mq20… from /in as application/vnd.x+json
            method: POST
            path: /in
            query: 
            header.host: test
            header.connection: close
            header.content-length: 21
            header.content-type: application/vnd.x+json
            { "b" : 1.0, "a":2 }
        "#]],
    )
    .await;
}

#[tokio::test]
async fn a_form_becomes_json() {
    let form = Route { decode: Decode::Form, ..route("/in") };
    let fields = ["content-type: application/x-www-form-urlencoded; charset=utf-8"];
    check(
        form,
        post("/in", &fields, "name=Ada+L.&tag=a&tag=b"),
        expect![[r#"
        source in
        webhook evt_01m830mq20… from /in as application/json
        method: POST
        path: /in
        query: 
        header.host: test
        header.connection: close
        header.content-length: 23
        header.content-type: application/x-www-form-urlencoded; charset=utf-8
        {"name":"Ada L.","tag":["a","b"]}"#]],
    )
    .await;
}

#[tokio::test]
async fn github() {
    let fields = ["x-github-event: issues", "x-hub-signature: sha1=00"];
    check(
        once(Scheme::GitHub),
        signed(Scheme::GitHub, "72d3162e", &fields, r#"{"action":"opened"}"#),
        expect![[r#"
        source in
        issues 72d3162e from /in as application/json
        repeats by 72d3162e within 3600s
        method: POST
        path: /in
        query: 
        header.host: test
        header.connection: close
        header.content-length: 19
        header.x-github-event: issues
        header.x-github-delivery: 72d3162e
        {"action":"opened"}"#]],
    )
    .await;
}

#[tokio::test]
async fn shopify() {
    let fields = ["x-shopify-topic: orders/create"];
    check(
        once(Scheme::Shopify),
        signed(Scheme::Shopify, "b54557e4", &fields, r#"{"id":7}"#),
        expect![[r#"
        source in
        orders/create b54557e4 from /in as application/json
        repeats by b54557e4 within 3600s
        method: POST
        path: /in
        query: 
        header.host: test
        header.connection: close
        header.content-length: 8
        header.x-shopify-topic: orders/create
        header.x-shopify-webhook-id: b54557e4
        {"id":7}"#]],
    )
    .await;
}

#[tokio::test]
async fn stripe() {
    let body = r#"{"id":"evt1","object":"event","type":"charge.succeeded","data":{"id":"ch_1","type":"x"}}"#;
    check(
        once(Scheme::Stripe),
        signed(Scheme::Stripe, "", &[], body),
        expect![[r#"
        source in
        charge.succeeded evt1 from /in as application/json
        repeats by evt1 within 3600s
        method: POST
        path: /in
        query: 
        header.host: test
        header.connection: close
        header.content-length: 88
        {"id":"evt1","object":"event","type":"charge.succeeded","data":{"id":"ch_1","type":"x"}}"#]],
    )
    .await;
}

#[tokio::test]
async fn slack() {
    let body = r#"{"type":"event_callback","event_id":"Ev1","event":{"type":"message","text":"hi"}}"#;
    check(
        once(Scheme::Slack),
        signed(Scheme::Slack, "", &[], body),
        expect![[r#"
        source in
        message Ev1 from /in as application/json
        repeats by Ev1 within 3600s
        method: POST
        path: /in
        query: 
        header.host: test
        header.connection: close
        header.content-length: 81
        header.x-slack-request-timestamp: 1795397672
        {"type":"event_callback","event_id":"Ev1","event":{"type":"message","text":"hi"}}"#]],
    )
    .await;
}

#[tokio::test]
async fn standard_webhooks() {
    check(
        once(Scheme::StandardWebhooks),
        signed(Scheme::StandardWebhooks, "msg_1", &[], r#"{"type":"user.created"}"#),
        expect![[r#"
            source in
            user.created msg_1 from /in as application/json
            repeats by msg_1 within 3600s
            method: POST
            path: /in
            query: 
            header.host: test
            header.connection: close
            header.content-length: 23
            header.webhook-id: msg_1
            header.webhook-timestamp: 1795397672
            {"type":"user.created"}"#]],
    )
    .await;
}

#[tokio::test]
async fn a_sender_of_ones_own() {
    let own = Route {
        kind_header: Some("X-Event".into()),
        ..verified(Scheme::ApiKey { header: "X-Key".into() }, route("/in"))
    };
    check(
        own,
        post("/in", &["x-event: ping", "x-key: hush", "x-github-event: other"], "{}"),
        expect![[r#"
        source in
        ping evt_01m830mq20… from /in as application/json
        method: POST
        path: /in
        query: 
        header.host: test
        header.connection: close
        header.content-length: 2
        header.x-event: ping
        header.x-github-event: other
        {}"#]],
    )
    .await;
}

#[tokio::test]
async fn slacks_challenge_is_sent_back_once_its_sender_is_proven() {
    let running = start(vec![once(Scheme::Slack)]).await;
    let body = r#"{"type":"url_verification","token":"t","challenge":"3eZbrw1a"}"#;
    let answer = running.exchange(signed(Scheme::Slack, "", &[], body)).await;
    expect![[r#"
        HTTP/1.1 200 OK
        content-type: text/plain; charset=utf-8
        connection: close
        content-length: 8

        3eZbrw1a"#]]
    .assert_eq(&answer);
    let answer = running.exchange(post("/in", &[], body)).await;
    assert!(answer.starts_with("HTTP/1.1 401 Unauthorized\n"), "{answer}");
    assert_eq!(*running.intake.arrived.borrow(), 0);
}

#[tokio::test]
async fn cloudevent_in_binary_mode() {
    let fields = [
        "ce-specversion: 1.0",
        "ce-id: 1",
        "ce-source: //shop/%C3%BC",
        "ce-type: order.placed",
        "ce-time: 2026-11-23T01:34:32Z",
        "ce-subject: 7",
        "ce-traceparent: 00-1",
        "content-type: application/json",
    ];
    check(
        Route { dedupe: by_sender_id(), ..route("/in") },
        post("/in", &fields, r#"{"a":1}"#),
        expect![[r#"
        source in
        order.placed 1 from //shop/ü as application/json
        subject 7
        time 2026-11-23T01:34:32Z
        extension traceparent 00-1
        repeats by //shop/ü 1 within 3600s
        method: POST
        path: /in
        query: 
        header.host: test
        header.connection: close
        header.content-length: 7
        header.ce-specversion: 1.0
        header.ce-id: 1
        header.ce-source: //shop/%C3%BC
        header.ce-type: order.placed
        header.ce-time: 2026-11-23T01:34:32Z
        header.ce-subject: 7
        header.ce-traceparent: 00-1
        header.content-type: application/json
        {"a":1}"#]],
    )
    .await;
}

#[tokio::test]
async fn cloudevent_in_structured_mode() {
    let body = r#"{"specversion":"1.0","id":"1","source":"/a","type":"t","dataschema":"http://s","count":3,
        "flag":true,"subject":null,"data": {"b": 1,  "a":[2]} }"#;
    let fields = ["content-type: application/cloudevents+json; charset=utf-8"];
    check(
        route("/in"),
        post("/in", &fields, body),
        expect![[r#"
        source in
        t 1 from /a as application/json
        schema http://s
        extension count 3
        extension flag true
        method: POST
        path: /in
        query: 
        header.host: test
        header.connection: close
        header.content-length: 153
        header.content-type: application/cloudevents+json; charset=utf-8
        {"b": 1,  "a":[2]}"#]],
    )
    .await;
}

#[tokio::test]
async fn cloudevent_with_data_of_another_format() {
    let bytes = || Route { decode: Decode::Bytes, ..route("/in") };
    let fields = ["content-type: application/cloudevents+json"];
    let text =
        r#"{"specversion":"1.0","id":"1","source":"/a","type":"t","datacontenttype":"text/xml","data":"<a\u003e"}"#;
    check(
        bytes(),
        post("/in", &fields, text),
        expect![[r#"
        source in
        t 1 from /a as text/xml
        method: POST
        path: /in
        query: 
        header.host: test
        header.connection: close
        header.content-length: 102
        header.content-type: application/cloudevents+json
        <a>"#]],
    )
    .await;
    let base64 =
        r#"{"specversion":"1.0","id":"1","source":"/a","type":"t","datacontenttype":"x/y","data_base64":"cG5n"}"#;
    check(
        bytes(),
        post("/in", &fields, base64),
        expect![[r#"
            source in
            t 1 from /a as x/y
            method: POST
            path: /in
            query: 
            header.host: test
            header.connection: close
            header.content-length: 100
            header.content-type: application/cloudevents+json
            png"#]],
    )
    .await;
}

#[tokio::test]
async fn cloudevents_in_a_batch_are_accepted_together() {
    let running = start(vec![Route { dedupe: by_sender_id(), ..route("/in") }]).await;
    let batch = r#"[{"specversion":"1.0","id":"1","source":"/a","type":"t","data":1},
        {"specversion":"1.0","id":"2","source":"/a","type":"t"},
        {"specversion":"1.0","id":"1","source":"/a","type":"t","data":1}]"#;
    let request = post("/in", &["content-type: application/cloudevents-batch+json"], batch);
    expect![[r#"
        HTTP/1.1 202 Accepted
        content-type: application/json
        connection: close
        content-length: 155

        {"events":[{"event":"evt_01m830mq20…"},{"event":"evt_01m830mq20…"},{"event":"evt_01m830mq20…","repeat":true}]}"#]].assert_eq(&running.exchange(request).await);
    let seen = running.take_seen();
    let data: Vec<_> = seen.iter().map(|incoming| incoming.event.data.clone()).collect();
    assert_eq!(data, ["1", ""]);
}

#[tokio::test]
async fn a_repeat_gets_the_first_ones_id_and_other_data_a_conflict() {
    let running = start(vec![once(Scheme::GitHub)]).await;
    let send = |body| running.exchange(signed(Scheme::GitHub, "72d3162e", &[], body));
    let first = send("{}").await;
    let repeat = send("{}").await;
    assert!(repeat.starts_with("HTTP/1.1 202 Accepted\n"));
    let id = |answer: &str| answer.rsplit("evt_").next().map(|rest| rest[..10].to_owned());
    assert_eq!(id(&first), id(&repeat));
    expect![[r#"
        HTTP/1.1 202 Accepted
        content-type: application/json
        connection: close
        content-length: 56

        {"event":"evt_01m830mq20…","repeat":true}"#]]
    .assert_eq(&repeat);
    let other = send("[]").await;
    expect![[r#"
        HTTP/1.1 409 Conflict
        content-type: application/problem+json
        connection: close
        content-length: 199

        {"title":"Conflict","status":409,"code":"same-id-other-data","detail":"event `evt_01m830mq20…` was accepted under the same id with other data","event":"evt_01m830mq20…"}"#]].assert_eq(&other);
    assert_eq!(running.take_seen().len(), 1);
}

#[tokio::test]
async fn repeats_can_be_known_by_what_is_computed() {
    let key = Arc::new(|event: &model::Event| Ok((event.data != "{}").then(|| event.data.len().to_string())));
    let rule = DedupeRule::By { key, window: Duration::from_secs(9) };
    let running = start(vec![Route { dedupe: rule, ..route("/in") }]).await;
    for body in ["{}", "[1]"] {
        running.exchange(post("/in", &[], body)).await;
    }
    let keys: Vec<_> =
        running.take_seen().into_iter().map(|incoming| incoming.dedupe.map(|dedupe| dedupe.key)).collect();
    assert_eq!(keys, [None, Some("3".to_owned())]);
}

#[tokio::test]
async fn who_waits_gets_the_flows_answer() {
    let running = start(vec![Route { reply: Reply::Sync { within: Duration::from_secs(1) }, ..route("/in") }]).await;
    let output = || Some(Document::json(r#"{"id":7}"#));
    let fault = |kind| Some(Fault::new(kind, "crm.email", "the address is not one"));
    for (answer, expected) in [
        (
            None,
            expect![[r#"
            HTTP/1.1 202 Accepted
            content-type: application/json
            connection: close
            content-length: 42

            {"event":"evt_01m830mq20…"}"#]],
        ),
        (
            Some((StateKind::Finished, output(), None)),
            expect![[r#"
            HTTP/1.1 200 OK
            content-type: application/json
            connection: close
            content-length: 8

            {"id":7}"#]],
        ),
        (
            Some((StateKind::Finished, None, None)),
            expect![[r#"
            HTTP/1.1 200 OK
            content-type: application/json
            connection: close
            content-length: 42

            {"event":"evt_01m830mq20…"}"#]],
        ),
        (
            Some((StateKind::Waiting, None, None)),
            expect![[r#"
            HTTP/1.1 202 Accepted
            content-type: application/json
            connection: close
            content-length: 42

            {"event":"evt_01m830mq20…"}"#]],
        ),
        (
            Some((StateKind::Parked, None, fault(FaultKind::InvalidInput))),
            expect![[r#"
            HTTP/1.1 422 Unprocessable Entity
            content-type: application/problem+json
            connection: close
            content-length: 151

            {"title":"Unprocessable Entity","status":422,"code":"flow-declined","detail":"the flow ended with a fault: the address is not one","fault":"crm.email"}"#]],
        ),
        (
            Some((StateKind::Dead, None, fault(FaultKind::Unavailable))),
            expect![[r#"
            HTTP/1.1 502 Bad Gateway
            content-type: application/problem+json
            connection: close
            content-length: 140

            {"title":"Bad Gateway","status":502,"code":"flow-failed","detail":"the flow ended with a fault: the address is not one","fault":"crm.email"}"#]],
        ),
        (
            Some((StateKind::Cancelled, None, None)),
            expect![[r#"
            HTTP/1.1 502 Bad Gateway
            content-type: application/problem+json
            connection: close
            content-length: 123

            {"title":"Bad Gateway","status":502,"code":"flow-ended","detail":"the flow was ended by a person before it gave an answer"}"#]],
        ),
    ] {
        *running.intake.answer.lock().unwrap() = answer.map(|(state, output, fault)| Answer { state, output, fault });
        expected.assert_eq(&running.exchange(post("/in", &[], "{}")).await);
    }
}

#[tokio::test]
async fn routes_are_replaced_while_it_runs() {
    let running = start(vec![route("/old")]).await;
    let status = async |path| running.exchange(post(path, &[], "{}")).await[9..12].to_owned();
    assert_eq!((status("/old").await, status("/new").await), ("202".into(), "404".into()));
    running.handle.set_routes(vec![route("/new")]).unwrap();
    assert_eq!((status("/old").await, status("/new").await), ("404".into(), "202".into()));
    running.handle.set_routes(vec![route("/a"), route("/a")]).unwrap_err();
    assert_eq!(status("/new").await, "202");
}
