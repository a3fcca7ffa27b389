//! Credentials go where they belong and show nowhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use capability::{Grant, GrantText, HttpRuleText};
use connection::{Connection, Credential, Secret, Slot};
use egress::{Auth, Request};
use std::sync::Arc;

use crate::support::{Bench, SECRET, Server, bearer, connection, get, grant, ok, post, status};

#[tokio::test]
async fn the_credential_that_was_asked_for_is_added() {
    let server = Server::answering("127.0.0.1", |_| ok("")).await;
    let bench = Bench::new();
    let mut both = Connection::new("crm");
    both.origins = vec![server.url("a.test", "").parse().expect("an origin")];
    both.base_url = Some(server.url("a.test", "/base/"));
    both.plugins = vec!["crm".to_owned()];
    both.credential = bearer();
    both.named.insert("upload".into(), Credential::ApiKeyQuery { name: "key".into(), secret: Secret::new(SECRET) });
    let both = Arc::new(both);
    let send = |auth, url: &str| Request {
        connection: Some(both.clone()),
        auth,
        url: url.to_owned(),
        ..get(&server.url("a.test", "/"))
    };
    let (_, record) = bench.send(send(Auth::Default, "/x?a=b")).await;
    assert_eq!((record.path.as_str(), record.origin), ("/base/x", server.url("a.test", "")));
    let response = bench.response(send(Auth::Named("upload".into()), &server.url("a.test", "/y?a=b"))).await;
    assert_eq!(response.url, server.url("a.test", "/y?a=b"));
    bench.response(send(Auth::Anonymous, "/z")).await;
    let fault = bench.fault(send(Auth::Named("other".into()), "/z")).await;
    assert_eq!((fault.code, fault.request_sent), ("weir.http.credential", false));

    let seen = server.seen();
    let sent: Vec<_> = seen.iter().map(|seen| (seen.target.as_str(), seen.header("authorization"))).collect();
    let token = format!("Bearer {SECRET}");
    assert_eq!(sent, [("/base/x?a=b", token.as_str()), ("/y?a=b&key=s3cret-Key%2F42%2Bx", ""), ("/base/z", "")]);
}

#[tokio::test]
async fn a_credential_stays_with_its_plugin_and_its_origins() {
    let server = Server::answering("127.0.0.1", |_| ok("")).await;
    let bench = Bench::new();
    let origin = server.url("a.test", "");
    let stranger = Request {
        grant: grant("stranger", &[&origin]),
        connection: Some(connection("crm", &[&origin], bearer())),
        ..get(&server.url("a.test", "/"))
    };
    let fault = bench.fault(stranger).await;
    assert_eq!((fault.code, fault.request_sent), ("weir.http.connection", false));
    assert!(fault.message.contains("plugins = [\"stranger\"]"), "{}", fault.message);
    assert_eq!(server.accepted(), 0);
    // Granted, but none of the connection's origins: the request goes without it.
    let elsewhere = Some(connection("crm", &["https://crm.example.com"], bearer()));
    bench.response(Request { connection: elsewhere, ..get(&server.url("a.test", "/")) }).await;
    assert_eq!(server.seen()[0].header("authorization"), "");
    // A grant for the connection's origins follows the connection.
    let rule = HttpRuleText { origin: "connection".into(), methods: vec!["GET".into()], paths: vec!["/*".into()] };
    let text = GrantText { http: vec![rule], private_networks: vec!["127.0.0.1".into()] };
    let own = Arc::new(Grant::parse("crm", &text).expect("a grant"));
    let with = |connection| Request { grant: own.clone(), connection, ..get(&server.url("a.test", "/")) };
    bench.response(with(Some(connection("crm", &[&origin], bearer())))).await;
    assert_eq!(server.seen()[1].header("authorization"), format!("Bearer {SECRET}"));
    assert_eq!(bench.fault(with(None)).await.code, "weir.http.not-granted");
}

#[tokio::test]
async fn a_path_that_is_the_secret_is_filled_behind_the_gate() {
    let server = Server::answering("127.0.0.1", |_| ok("")).await;
    let bench = Bench::new();
    let origin = server.url("a.test", "");
    let hook = |secret: &str| {
        let slot = Slot { name: "hook".into(), secret: Secret::new(secret), raw: true, body: false };
        Some(connection("chat", &[&origin], Credential::Slots { slots: vec![slot] }))
    };
    let rule = HttpRuleText { origin: origin.clone(), methods: vec!["POST".into()], paths: vec!["/services/*".into()] };
    let text = GrantText { http: vec![rule], private_networks: vec!["127.0.0.1".into()] };
    let grant = Arc::new(Grant::parse("chat", &text).expect("a grant"));
    let send = |secret: &str, path: &str| Request {
        grant: grant.clone(),
        connection: hook(secret),
        ..post(&server.url("a.test", path), "{{hook}}")
    };
    let (answer, record) = bench.send(send(&format!("T01/{SECRET}"), "/services/{{hook}}?x=1")).await;
    assert_eq!(answer.expect("an answer").status, 200);
    assert_eq!(record.path, "/services/{{hook}}");
    let [seen] = &server.seen()[..] else { panic!("one request") };
    assert_eq!(seen.target, format!("/services/T01/{SECRET}?x=1"));
    assert_eq!(seen.body.as_ref(), b"{{hook}}", "a slot is filled in the body only where the connection says so");

    for (secret, path, code) in [
        ("T01/../../admin", "/services/{{hook}}", "weir.http.credential"),
        ("x", "/services/{{other}}", "weir.http.credential"),
        ("x", "/other/{{hook}}", "weir.http.not-granted"),
        ("x", "/{{hook}}", "weir.http.not-granted"),
        ("services/x", "/{{hook}}", "weir.http.not-granted"),
    ] {
        let fault = bench.fault(send(secret, path)).await;
        assert_eq!((fault.code, fault.request_sent), (code, false), "{secret} in {path}");
    }
    let in_host = Request { url: "http://{{hook}}.test/services/x".into(), ..send("x", "/") };
    assert_eq!(bench.fault(in_host).await.code, "weir.http.url");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn what_a_secret_does_to_the_path_is_checked_again() {
    let server = Server::answering("127.0.0.1", |_| ok("")).await;
    let origin = server.url("a.test", "");
    let slot = Slot { name: "dots".into(), secret: Secret::new(".."), raw: false, body: false };
    let request = Request {
        connection: Some(connection("crm", &[&origin], Credential::Slots { slots: vec![slot] })),
        ..get(&server.url("a.test", "/v1/{{dots}}/admin"))
    };
    let fault = Bench::new().fault(request).await;
    assert_eq!((fault.code, fault.request_sent), ("weir.http.url", false));
    assert!(!fault.message.contains(".."), "{}", fault.message);
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn an_echoing_destination_tells_the_plugin_nothing() {
    const ROUNDS: usize = 200;
    let server = Server::answering("127.0.0.1", |seen| {
        let forms = [
            seen.header("authorization").to_owned(),
            STANDARD.encode(SECRET),
            hex::encode(SECRET),
            "s3cret-Key%2F42%2Bx".to_owned(),
            STANDARD.encode(seen.header("authorization")),
        ];
        let mut answer = ok(forms.join(" and "));
        answer.headers_mut().insert("x-echo", forms.join(",").parse().expect("a value"));
        answer
    })
    .await;
    let bench = Bench::new();
    let origin = server.url("a.test", "");
    let account = connection("crm", &[&origin], bearer());
    for _ in 0..ROUNDS {
        // `send` searches answer, record and fault.
        let response = bench.response(Request { connection: Some(account.clone()), ..get(&server.url("a.test", "/")) });
        let body = response.await.body;
        assert_eq!(String::from_utf8_lossy(&body).matches("[redacted]").count(), 5);
    }
    assert!(server.seen().iter().all(|seen| seen.header("authorization").ends_with(SECRET)));
    println!("echo: {ROUNDS} answers, each with the secret in 10 places, 0 of them shown");

    // A redirect back to the same place brings the key along in its address.
    let key = Credential::ApiKeyQuery { name: "key".into(), secret: Secret::new(SECRET) };
    let server = Server::answering("127.0.0.1", |seen| match seen.target.strip_prefix("/start") {
        Some(query) => status(302, &[("location", &format!("/end{query}"))]),
        None => ok(""),
    })
    .await;
    let origin = server.url("a.test", "");
    let request =
        Request { connection: Some(connection("crm", &[&origin], key)), ..get(&server.url("a.test", "/start?a=1")) };
    let response = bench.response(request).await;
    assert_eq!(response.url, server.url("a.test", "/end?a=1&key=[redacted]"));
    let targets: Vec<_> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/start?a=1&key=s3cret-Key%2F42%2Bx", "/end?a=1&key=s3cret-Key%2F42%2Bx"]);
}
