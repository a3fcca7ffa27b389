//! The exact answer to each bad input.

use std::time::Duration;

use engine::Refused;
use expect_test::{Expect, expect};
use http::Method;
use ingress::{Decode, DedupeRule, Route};
use model::{EventId, Timestamp};
use signature::{Scheme, Signer};

use crate::support::*;

async fn routes() -> Running {
    start(vec![
        route("/json"),
        Route { methods: vec![Method::POST, Method::PUT], decode: Decode::Form, ..route("/form") },
        Route { dedupe: by_sender_id(), ..route("/once") },
        Route {
            dedupe: DedupeRule::By {
                key: std::sync::Arc::new(|_| Err("`order.id` is not there".to_owned())),
                window: Duration::from_secs(1),
            },
            ..route("/computed")
        },
        verified(Scheme::GitHub, route("/github")),
        verified(Scheme::Slack, route("/slack")),
        verified(Scheme::Bearer, route("/bearer")),
    ])
    .await
}

/// Nothing that is refused here may reach the engine.
async fn check(request: impl AsRef<[u8]>, expected: Expect) {
    let running = routes().await;
    expected.assert_eq(&running.exchange(request).await);
    assert_eq!(running.intake.seen.lock().unwrap().len(), 0);
    assert_eq!(*running.intake.arrived.borrow(), 0);
}

#[tokio::test]
async fn unknown_path() {
    check(post("/nowhere", &[], "{}"), expect![[r#"
        HTTP/1.1 404 Not Found
        content-type: application/problem+json
        connection: close
        content-length: 140

        {"title":"Not Found","status":404,"code":"unknown-path","detail":"nothing is received at this path: `weir status` lists the paths that are"}"#]]).await;
}

#[tokio::test]
async fn wrong_method() {
    check("GET /form HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n", expect![[r#"
        HTTP/1.1 405 Method Not Allowed
        content-type: application/problem+json
        allow: POST, PUT
        connection: close
        content-length: 113

        {"title":"Method Not Allowed","status":405,"code":"method-not-allowed","detail":"this path takes POST, PUT only"}"#]]).await;
}

#[tokio::test]
async fn malformed_json() {
    check(post("/json", &["content-type: application/json"], r#"{"a":}"#), expect![[r#"
        HTTP/1.1 400 Bad Request
        content-type: application/problem+json
        connection: close
        content-length: 122

        {"title":"Bad Request","status":400,"code":"malformed","detail":"the body is not JSON: expected value at line 1 column 6"}"#]]).await;
}

#[tokio::test]
async fn empty_body_for_json() {
    check(post("/json", &[], ""), expect![[r#"
        HTTP/1.1 400 Bad Request
        content-type: application/problem+json
        connection: close
        content-length: 133

        {"title":"Bad Request","status":400,"code":"malformed","detail":"the body is not JSON: EOF while parsing a value at line 1 column 0"}"#]]).await;
}

#[tokio::test]
async fn a_name_twice() {
    check(post("/json", &[], r#"{"amount":1,"amount":1000}"#), expect![[r#"
        HTTP/1.1 400 Bad Request
        content-type: application/problem+json
        connection: close
        content-length: 146

        {"title":"Bad Request","status":400,"code":"malformed","detail":"the body is not JSON: an object has the name `amount` twice at line 1 column 26"}"#]]).await;
}

#[tokio::test]
async fn nested_too_deep() {
    check(post("/json", &[], "[".repeat(1000)), expect![[r#"
        HTTP/1.1 400 Bad Request
        content-type: application/problem+json
        connection: close
        content-length: 133

        {"title":"Bad Request","status":400,"code":"malformed","detail":"the body is not JSON: nested more than 64 deep at line 1 column 65"}"#]]).await;
}

#[tokio::test]
async fn wrong_content_type_for_json() {
    check(post("/json", &["content-type: text/plain"], "{}"), expect![[r#"
        HTTP/1.1 415 Unsupported Media Type
        content-type: application/problem+json
        connection: close
        content-length: 174

        {"title":"Unsupported Media Type","status":415,"code":"wrong-content-type","detail":"the content type is `text/plain`; this path takes `application/json` or another `+json`"}"#]]).await;
}

#[tokio::test]
async fn wrong_content_type_for_a_form() {
    check(post("/form", &["content-type: application/json"], "{}"), expect![[r#"
        HTTP/1.1 415 Unsupported Media Type
        content-type: application/problem+json
        connection: close
        content-length: 178

        {"title":"Unsupported Media Type","status":415,"code":"wrong-content-type","detail":"the content type is `application/json`; this path takes `application/x-www-form-urlencoded`"}"#]]).await;
}

#[tokio::test]
async fn two_content_types() {
    let types = ["content-type: application/json", "content-type: text/plain"];
    check(post("/json", &types, "{}"), expect![[r#"
        HTTP/1.1 400 Bad Request
        content-type: application/problem+json
        connection: close
        content-length: 108

        {"title":"Bad Request","status":400,"code":"malformed","detail":"header `content-type` came more than once"}"#]]).await;
}

#[tokio::test]
async fn compressed() {
    check(post("/json", &["content-encoding: gzip"], "{}"), expect![[r#"
        HTTP/1.1 415 Unsupported Media Type
        content-type: application/problem+json
        connection: close
        content-length: 156

        {"title":"Unsupported Media Type","status":415,"code":"wrong-content-encoding","detail":"the body is encoded as `gzip`: send it without a content encoding"}"#]]).await;
}

#[tokio::test]
async fn too_large_and_says_so() {
    check(post("/json", &[], "x".repeat(1025)), expect![[r#"
        HTTP/1.1 413 Payload Too Large
        content-type: application/problem+json
        connection: close
        content-length: 149

        {"title":"Payload Too Large","status":413,"code":"body-too-large","detail":"the body has more than 1024 bytes (limit `body_bytes_max` of this path)"}"#]]).await;
}

#[tokio::test]
async fn too_large_in_chunks() {
    let chunk = format!("200\r\n{}\r\n", "x".repeat(0x200));
    let request = format!(
        "POST /json HTTP/1.1\r\nhost: test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}{chunk}0\r\n\r\n"
    );
    check(request, expect![[r#"
        HTTP/1.1 413 Payload Too Large
        content-type: application/problem+json
        connection: close
        content-length: 149

        {"title":"Payload Too Large","status":413,"code":"body-too-large","detail":"the body has more than 1024 bytes (limit `body_bytes_max` of this path)"}"#]]).await;
}

#[tokio::test]
async fn too_many_header_fields_over_http_1() {
    let fields: Vec<String> = (0..101).map(|number| format!("x-{number}: 1")).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    check(
        post("/json", &fields, "{}"),
        expect![[r#"
            HTTP/1.1 431 Request Header Fields Too Large
            connection: close
            content-type: application/problem+json
            content-length: 191

            {"title":"Request Header Fields Too Large","status":431,"code":"unreadable-request","detail":"the header is too long, or has too many fields (limits `header_bytes_max`, `header_fields_max`)"}"#]],
    )
    .await;
}

#[tokio::test]
async fn every_unproven_sender_gets_the_same_answer() {
    let signed = |secret: &[u8], seconds: u64, body: &str| {
        let signer = Signer::new(Scheme::Slack, secret).unwrap();
        let now = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
        signer.sign("", now, body.as_bytes()).into_iter().map(|(name, value)| format!("{name}: {value}"))
    };
    let good: Vec<String> = signed(b"hush", NOW_SECONDS, "{}").collect();
    let mut answers = Vec::new();
    for fields in [
        Vec::new(),
        good[..1].to_vec(),
        good[1..].to_vec(),
        [&good[..], &good[1..]].concat(),
        signed(b"guess", NOW_SECONDS, "{}").collect(),
        signed(b"hush", NOW_SECONDS - 301, "{}").collect(),
        signed(b"hush", NOW_SECONDS + 301, "{}").collect(),
        signed(b"hush", NOW_SECONDS, "{ }").collect(),
        vec![good[0].clone(), "x-slack-signature: nonsense".to_owned()],
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let running = routes().await;
        answers.push(running.exchange(post("/slack", &fields, "{}")).await);
        assert_eq!(*running.intake.arrived.borrow(), 0);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    expect![[r#"
        HTTP/1.1 401 Unauthorized
        content-type: application/problem+json
        www-authenticate: Signature realm="weir"
        connection: close
        content-length: 146

        {"title":"Unauthorized","status":401,"code":"unproven-sender","detail":"the request does not prove who sent it; the log of the receiver says why"}"#]].assert_eq(&answers[0]);
}

#[tokio::test]
async fn nothing_is_parsed_before_the_sender_is_proven() {
    check(post("/github", &["content-type: text/plain", "x-hub-signature-256: sha256=00"], "{"), expect![[r#"
        HTTP/1.1 401 Unauthorized
        content-type: application/problem+json
        www-authenticate: Signature realm="weir"
        connection: close
        content-length: 146

        {"title":"Unauthorized","status":401,"code":"unproven-sender","detail":"the request does not prove who sent it; the log of the receiver says why"}"#]]).await;
}

#[tokio::test]
async fn wrong_bearer_token() {
    check(post("/bearer", &["authorization: Bearer guess"], "{}"), expect![[r#"
        HTTP/1.1 401 Unauthorized
        content-type: application/problem+json
        www-authenticate: Bearer realm="weir"
        connection: close
        content-length: 146

        {"title":"Unauthorized","status":401,"code":"unproven-sender","detail":"the request does not prove who sent it; the log of the receiver says why"}"#]]).await;
}

#[tokio::test]
async fn sender_id_too_long() {
    let id = format!("ce-id: {}", "x".repeat(257));
    check(post("/once", &["ce-specversion: 1.0", "ce-source: /a", "ce-type: t", &id], "{}"), expect![[r#"
        HTTP/1.1 400 Bad Request
        content-type: application/problem+json
        connection: close
        content-length: 118

        {"title":"Bad Request","status":400,"code":"malformed","detail":"attribute `id` has 257 bytes: at most 256 are taken"}"#]]).await;
}

#[tokio::test]
async fn no_key_for_repeats() {
    check(post("/computed", &[], "{}"), expect![[r#"
        HTTP/1.1 400 Bad Request
        content-type: application/problem+json
        connection: close
        content-length: 128

        {"title":"Bad Request","status":400,"code":"malformed","detail":"the event has no key for its repeats: `order.id` is not there"}"#]]).await;
}

#[tokio::test]
async fn cloudevent_without_its_type() {
    check(
        post("/json", &["ce-specversion: 1.0", "ce-source: /a", "ce-id: 1"], "{}"),
        expect![[r#"
        HTTP/1.1 400 Bad Request
        content-type: application/problem+json
        connection: close
        content-length: 94

        {"title":"Bad Request","status":400,"code":"malformed","detail":"attribute `type` is missing"}"#]],
    )
    .await;
}

#[tokio::test]
async fn cloudevent_of_another_version() {
    let event = r#"{"specversion":"0.3","id":"1","source":"/a","type":"t"}"#;
    check(post("/json", &["content-type: application/cloudevents+json"], event), expect![[r#"
        HTTP/1.1 400 Bad Request
        content-type: application/problem+json
        connection: close
        content-length: 117

        {"title":"Bad Request","status":400,"code":"malformed","detail":"attribute `specversion` must be `1.0` and is `0.3`"}"#]]).await;
}

#[tokio::test]
async fn cloudevent_in_another_format() {
    check(post("/json", &["content-type: application/cloudevents+avro"], "x"), expect![[r#"
        HTTP/1.1 415 Unsupported Media Type
        content-type: application/problem+json
        connection: close
        content-length: 246

        {"title":"Unsupported Media Type","status":415,"code":"wrong-content-type","detail":"the content type is `application/cloudevents+avro`; this path takes CloudEvents in JSON: `application/cloudevents+json` or `application/cloudevents-batch+json`"}"#]]).await;
}

#[tokio::test]
async fn batch_with_one_bad_event() {
    let batch = r#"[{"specversion":"1.0","id":"1","source":"/a","type":"t","data":1},
        {"specversion":"1.0","id":"2","source":"/a","type":"t","time":"noon"}]"#;
    check(post("/json", &["content-type: application/cloudevents-batch+json"], batch), expect![[r#"
        HTTP/1.1 400 Bad Request
        content-type: application/problem+json
        connection: close
        content-length: 184

        {"title":"Bad Request","status":400,"code":"malformed","detail":"event 1 of the batch is refused, and all others with it: attribute `time` is not a time of RFC 3339: `noon`","index":1}"#]]).await;
}

/// The engine takes nothing in, for this reason.
async fn check_refused(refused: Refused, expected: Expect) {
    let running = routes().await;
    *running.intake.refuse.lock().unwrap() = Some(refused);
    expected.assert_eq(&running.exchange(post("/json", &[], "{}")).await);
}

#[tokio::test]
async fn busy() {
    let retry_after = Duration::from_millis(1500);
    check_refused(Refused::Busy { reason: "the disk is nearly full".into(), retry_after }, expect![[r#"
        HTTP/1.1 503 Service Unavailable
        content-type: application/problem+json
        retry-after: 2
        connection: close
        content-length: 132

        {"title":"Service Unavailable","status":503,"code":"busy","detail":"events are not taken in at the moment: the disk is nearly full"}"#]]).await;
}

#[tokio::test]
async fn no_flow() {
    check_refused(
        Refused::NoFlow("json".into()),
        expect![[r#"
        HTTP/1.1 503 Service Unavailable
        content-type: application/problem+json
        retry-after: 1
        connection: close
        content-length: 105

        {"title":"Service Unavailable","status":503,"code":"no-flow","detail":"no flow listens to source `json`"}"#]],
    )
    .await;
}

#[tokio::test]
async fn the_same_id_with_other_data() {
    let first = EventId::new(Timestamp::from_millis(NOW_SECONDS * 1000), [7; 10]);
    check_refused(Refused::Differs { first }, expect![[r#"
        HTTP/1.1 409 Conflict
        content-type: application/problem+json
        connection: close
        content-length: 199

        {"title":"Conflict","status":409,"code":"same-id-other-data","detail":"event `evt_01m830mq20…` was accepted under the same id with other data","event":"evt_01m830mq20…"}"#]]).await;
}

#[tokio::test]
async fn part_of_a_batch_is_not_accepted() {
    let running = routes().await;
    let retry_after = Duration::from_secs(2);
    *running.intake.refuse.lock().unwrap() = Some(Refused::Busy { reason: "too much waits".into(), retry_after });
    let batch = r#"[{"specversion":"1.0","id":"1","source":"/a","type":"t"}]"#;
    let answer = running.exchange(post("/json", &["content-type: application/cloudevents-batch+json"], batch)).await;
    expect![[r#"
        HTTP/1.1 503 Service Unavailable
        content-type: application/problem+json
        retry-after: 2
        connection: close
        content-length: 190

        {"title":"Service Unavailable","status":503,"code":"busy","detail":"event 0 of the batch is refused, and all others with it: events are not taken in at the moment: too much waits","index":0}"#]].assert_eq(&answer);
}
