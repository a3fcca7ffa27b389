//! Talks to the stand-ins as a connector would.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use standin::{Config, Fault, Faults, Service, Standin};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// One request on a connection of its own: the status and the body, or an error if the connection was closed.
async fn send(standin: &Standin, request: http::request::Builder, body: &str) -> anyhow::Result<(u16, String)> {
    let stream = TcpStream::connect(standin.address()).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let request = request.header("host", "standin").body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8(body.to_vec())?))
}

fn crm(method: &str, path: &str, key: Option<&str>) -> http::request::Builder {
    let request = Request::builder().method(method).uri(path).header("x-api-key", Config::default().crm_api_key);
    match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    }
}

async fn json_of(standin: &Standin, request: http::request::Builder, body: &str) -> (u16, Value) {
    let (status, body) = send(standin, request, body).await.unwrap();
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn a_contact_is_created_once_per_key_then_found_updated_and_listed() {
    let standin = Standin::start(Config::default()).await.unwrap();
    let ada = json!({ "email": "ada@example.com", "name": "Ada" }).to_string();
    let (status, created) = json_of(&standin, crm("POST", "/crm/v3/contacts", Some("k1")), &ada).await;
    assert_eq!((status, created["id"].as_str()), (201, Some("c1")));
    assert_eq!(json_of(&standin, crm("POST", "/crm/v3/contacts", Some("k1")), &ada).await, (200, created.clone()));
    let (status, _) = json_of(&standin, crm("POST", "/crm/v3/contacts", Some("k2")), &ada).await;
    assert_eq!(status, 409, "another key, the same address");
    let bob = json!({ "email": "bob@example.com" }).to_string();
    let (status, refusal) = json_of(&standin, crm("POST", "/crm/v3/contacts", Some("k1")), &bob).await;
    assert_eq!((status, refusal["code"].as_str()), (422, Some("key_reused")));
    assert_eq!(json_of(&standin, crm("POST", "/crm/v3/contacts", Some("k3")), &bob).await.0, 201);

    let found = json_of(&standin, crm("GET", "/crm/v3/contacts?email=ada%40example.com", None), "").await;
    assert_eq!(found, (200, json!({ "results": [created] })));
    let change = json!({ "phone": "1" }).to_string();
    let (status, updated) = json_of(&standin, crm("PATCH", "/crm/v3/contacts/c1", None), &change).await;
    assert_eq!((status, &updated["phone"]), (200, &json!("1")));
    let (_, page) = json_of(&standin, crm("GET", "/crm/v3/contacts?limit=1", None), "").await;
    assert_eq!((&page["results"][0], &page["next"]), (&updated, &json!("c1")));
    let (_, page) = json_of(&standin, crm("GET", "/crm/v3/contacts?limit=1&after=c1", None), "").await;
    assert_eq!((&page["results"][0]["email"], &page["next"]), (&json!("bob@example.com"), &Value::Null));

    let summary = &standin.summary()[&Service::Crm];
    assert_eq!((summary.effects, summary.keys, summary.repeated_keys), (3, 3, 2));
    assert_eq!((summary.keys_with_several_effects, summary.effects_repeated_under_another_key), (0, 0));
}

#[tokio::test]
async fn nothing_is_served_without_the_credential() {
    let standin = Standin::start(Config::default()).await.unwrap();
    let contacts = Request::builder().uri("/crm/v3/contacts").header("x-api-key", "wrong");
    assert_eq!(send(&standin, contacts, "").await.unwrap().0, 401);
    let webhook = Request::builder().method("POST").uri("/services/T0000/B0000/wrong");
    assert_eq!(send(&standin, webhook, r#"{"text":"hi"}"#).await.unwrap(), (403, "invalid_token".to_owned()));
    let message = Request::builder().method("POST").uri("/api/chat.postMessage");
    let (_, refused) = json_of(&standin, message, r##"{"channel":"#a","text":"hi"}"##).await;
    assert_eq!(refused["error"], "invalid_auth");
}

#[tokio::test]
async fn messages_are_posted_by_webhook_and_by_token() {
    let standin = Standin::start(Config::default()).await.unwrap();
    let webhook = Request::builder().method("POST").uri(Config::default().chat_webhook_path);
    assert_eq!(send(&standin, webhook, r#"{"text":"hi"}"#).await.unwrap(), (200, "ok".to_owned()));
    let bearer = format!("Bearer {}", Config::default().chat_token);
    let post = || Request::builder().method("POST").uri("/api/chat.postMessage").header("authorization", &bearer);
    let (_, posted) = json_of(&standin, post(), r##"{"channel":"#a","text":"hi"}"##).await;
    assert_eq!((&posted["ok"], &posted["channel"]), (&json!(true), &json!("#a")));
    assert_eq!(json_of(&standin, post(), r#"{"text":"hi"}"#).await.1["error"], "channel_not_found");
    assert_eq!(standin.summary()[&Service::Chat].effects, 2);
}

#[tokio::test]
async fn misbehaviour_is_served_as_ordered_and_written_down() {
    let standin = Standin::start(Config::default()).await.unwrap();
    let sink = || Request::builder().method("POST").uri("/sink/a").header("idempotency-key", "k");
    standin.set_faults(Service::Sink, Faults { rate_limited: 1.0, ..Faults::default() });
    assert_eq!(send(&standin, sink(), "{}").await.unwrap().0, 429);
    standin.set_faults(Service::Sink, Faults { drop_answer: 1.0, ..Faults::default() });
    assert!(send(&standin, sink(), "{}").await.is_err());
    let control = Request::builder().method("POST").uri("/_standin/faults");
    send(&standin, control, r#"{"sink": {"drop_request": 1}}"#).await.unwrap();
    assert!(send(&standin, sink(), "{}").await.is_err());

    let entries = standin.entries();
    let seen: Vec<_> = entries.iter().map(|entry| (entry.fault, entry.status, entry.effect)).collect();
    let expected = [
        (Some(Fault::RateLimited), Some(429), false),
        (Some(Fault::DropAnswer), None, true),
        (Some(Fault::DropRequest), None, false),
    ];
    assert_eq!(seen, expected);
    let (_, summary) = json_of(&standin, Request::builder().uri("/_standin/summary"), "").await;
    assert_eq!((&summary["sink"]["repeated_keys"], &summary["sink"]["effects"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn the_directory_has_pages_a_lag_and_a_limit() {
    let standin = Standin::start(Config { directory_contacts: 3, ..Config::default() }).await.unwrap();
    let to = |method: &str, path: &str| {
        let key = Config::default().directory_key;
        Request::builder().method(method).uri(format!("/tenants/acme/v2/{key}{path}"))
    };
    let (_, account) = json_of(&standin, to("GET", "/account"), "").await;
    assert_eq!(account["tenant"], "acme");
    let (_, page) = json_of(&standin, to("GET", "/workspaces/main/contacts?limit=2"), "").await;
    assert_eq!((&page["contacts"][0]["id"], &page["next_cursor"]), (&json!(9_007_199_254_740_993_u64), &json!("p_2")));
    let (_, page) = json_of(&standin, to("GET", "/workspaces/main/contacts?limit=2&cursor=p_2"), "").await;
    assert_eq!((page["contacts"].as_array().map(Vec::len), &page["next_cursor"]), (Some(1), &Value::Null));

    standin.set_directory_lag(std::time::Duration::from_secs(60));
    let ada = json!({ "email": "ada@example.com", "reference": "k1" }).to_string();
    let create = || to("POST", "/workspaces/main/contacts").header("idempotency-key", "k1");
    let (status, created) = json_of(&standin, create(), &ada).await;
    assert_eq!(status, 201);
    assert_eq!(json_of(&standin, create(), &ada).await, (200, created.clone()));
    let search = || to("GET", "/workspaces/main/contacts/search?reference=k1");
    let (_, late) = json_of(&standin, search(), "").await;
    assert!(late["contacts"] == json!([]) && late["lag_ms"].as_u64().is_some_and(|ms| ms > 50_000), "{late}");
    standin.set_directory_lag(std::time::Duration::ZERO);
    assert_eq!(json_of(&standin, search(), "").await.1, json!({ "contacts": [created], "lag_ms": 0 }));
    let (_, other) = json_of(&standin, to("GET", "/workspaces/other/contacts"), "").await;
    assert_eq!(other, json!({ "contacts": [], "next_cursor": null }));

    let invalid = json_of(&standin, to("POST", "/workspaces/main/contacts"), "{}").await;
    assert_eq!((invalid.0, &invalid.1["error"]["details"][0]["field"]), (422, &json!("email")));
    let wrong = Request::get("/tenants/acme/v2/wrong/account");
    assert_eq!(json_of(&standin, wrong, "").await.0, 401);
    standin.set_faults(Service::Directory, Faults { rate_limited: 1.0, retry_after_s: 7, ..Faults::default() });
    assert_eq!(send(&standin, to("GET", "/account"), "").await.unwrap().0, 429);
}
