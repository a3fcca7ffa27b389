//! Redirects are followed by the host, each through the whole gate.

use std::sync::{Arc, OnceLock};

use connection::{Credential, Secret, Slot};
use egress::{HttpFaultKind, Request};

use crate::support::{Bench, SECRET, Server, bearer, connection, get, grant, ok, post, status};

/// A server that sends everybody on to where `to` says.
async fn redirecting(code: u16, to: Arc<OnceLock<String>>) -> Server {
    Server::answering("127.0.0.1", move |_| status(code, &[("location", to.get().expect("set"))])).await
}

fn to(url: impl Into<String>) -> Arc<OnceLock<String>> {
    Arc::new(OnceLock::from(url.into()))
}

#[tokio::test]
async fn a_credential_follows_only_to_origins_that_the_connection_covers() {
    let uncovered = Server::answering("127.0.0.1", |_| ok("uncovered")).await;
    let covered = Server::answering("127.0.0.1", |_| ok("covered")).await;
    let bench = Bench::new();
    let key = Credential::ApiKeyHeader { name: "x-api-key".into(), prefix: String::new(), secret: Secret::new(SECRET) };
    let query = Credential::ApiKeyQuery { name: "key".into(), secret: Secret::new(SECRET) };
    let slot = Slot { name: "token".into(), secret: Secret::new(SECRET), raw: false, body: true };
    let slots = Credential::Slots { slots: vec![slot] };
    for (round, credential) in [bearer(), key, query, slots].into_iter().enumerate() {
        for (server, body) in [(&uncovered, "uncovered"), (&covered, "covered")] {
            let first = redirecting(307, to(server.url("b.test", "/landed"))).await;
            let origins = [first.url("a.test", ""), covered.url("b.test", "")];
            let origins: Vec<_> = origins.iter().map(String::as_str).collect();
            let headers = if matches!(credential, Credential::Slots { .. }) {
                vec![("authorization".to_owned(), "Key {{token}}".to_owned())]
            } else {
                Vec::new()
            };
            let request = Request {
                grant: grant("crm", &[&first.url("a.test", ""), &server.url("b.test", "")]),
                connection: Some(connection("crm", &origins, credential.clone())),
                headers,
                ..post(&first.url("a.test", "/start"), "{{token}}")
            };
            let response = bench.response(request).await;
            assert_eq!(
                (response.body.as_ref(), response.url.as_str()),
                (body.as_bytes(), &*server.url("b.test", "/landed"))
            );
            let [sent] = &first.seen()[..] else { panic!("one request") };
            assert!(has_secret(sent), "round {round}: {sent:?}");
        }
        let (at_uncovered, at_covered) = (uncovered.seen(), covered.seen());
        assert_eq!((at_uncovered.len(), at_covered.len()), (round + 1, round + 1));
        assert!(!has_secret(&at_uncovered[round]), "round {round}: {:?}", at_uncovered[round]);
        assert!(has_secret(&at_covered[round]), "round {round}: {:?}", at_covered[round]);
    }
}

fn has_secret(seen: &crate::support::Seen) -> bool {
    let all = format!("{} {:?} {:?}", seen.target, seen.headers, seen.body);
    all.contains(SECRET) || all.contains("s3cret-Key%2F42%2Bx")
}

#[tokio::test]
async fn a_destination_cannot_ask_for_a_secret_with_a_slot_of_its_own() {
    let slot = Slot { name: "token".into(), secret: Secret::new(SECRET), raw: false, body: false };
    let last = Server::answering("127.0.0.1", |_| ok("")).await;
    let first = redirecting(302, to(last.url("b.test", "/{{token}}?a={{token}}"))).await;
    let origins = [first.url("a.test", ""), last.url("b.test", "")];
    let request = Request {
        grant: grant("crm", &[&origins[0], &origins[1]]),
        connection: Some(connection("crm", &[&origins[0], &origins[1]], Credential::Slots { slots: vec![slot] })),
        ..get(&first.url("a.test", "/{{token}}"))
    };
    Bench::new().response(request).await;
    assert!(has_secret(&first.seen()[0]));
    assert_eq!(last.seen()[0].target, "/%7B%7Btoken%7D%7D?a=%7B%7Btoken}}");
}

#[tokio::test]
async fn a_destination_that_redirects_anywhere_cannot_be_used_to_hand_the_secret_on() {
    let bench = Bench::new();
    let slot = Slot { name: "token".into(), secret: Secret::new(SECRET), raw: false, body: false };
    let key = Credential::ApiKeyQuery { name: "key".into(), secret: Secret::new(SECRET) };
    for (credential, place) in [(Credential::Slots { slots: vec![slot] }, "/{{token}}"), (key, "/")] {
        let elsewhere = Server::answering("127.0.0.1", |_| ok("")).await;
        // It sends everybody on to what stands behind `to=`, with whatever comes after it.
        let open = Server::answering("127.0.0.1", |seen| {
            let place = seen.target.split_once("to=").map_or("/", |(_, place)| place);
            status(302, &[("location", place)])
        })
        .await;
        let origins = [open.url("a.test", ""), elsewhere.url("b.test", "")];
        let request = Request {
            grant: grant("crm", &[&origins[0], &origins[1]]),
            connection: Some(connection("crm", &[&origins[0]], credential)),
            ..get(&open.url("a.test", &format!("/go?to={}", elsewhere.url("b.test", place))))
        };
        let fault = bench.fault(request).await;
        assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Denied, "weir.http.redirect", true));
        assert!(has_secret(&open.seen()[0]), "{:?}", open.seen());
        assert_eq!(elsewhere.accepted(), 0);
    }
}

#[tokio::test]
async fn a_redirect_goes_back_to_the_first_step_of_the_gate() {
    let forbidden = Server::answering("127.0.0.2", |_| ok("")).await;
    let bench = Bench::new();
    bench.names.set("inside.test", &[&["127.0.0.2"]]);
    bench.names.set("flips.test", &[&["127.0.0.1", "127.0.0.2"]]);
    for (location, origin, code) in [
        (forbidden.url("127.0.0.2", "/"), forbidden.url("127.0.0.2", ""), "weir.http.address"),
        (forbidden.url("inside.test", "/"), forbidden.url("inside.test", ""), "weir.http.address"),
        (forbidden.url("flips.test", "/"), forbidden.url("flips.test", ""), "weir.http.address"),
        (
            "http://169.254.169.254/latest/meta-data".to_owned(),
            "http://169.254.169.254".to_owned(),
            "weir.http.address",
        ),
        (forbidden.url("inside.test", "/"), "http://c.test".to_owned(), "weir.http.not-granted"),
        (forbidden.url("2130706434", "/"), forbidden.url("127.0.0.2", ""), "weir.http.address"),
        (forbidden.url("user@a.test", "/"), forbidden.url("a.test", ""), "weir.http.url"),
        ("file:///etc/passwd".to_owned(), "http://c.test".to_owned(), "weir.http.url"),
        ("//169.254.169.254/x".to_owned(), "http://169.254.169.254".to_owned(), "weir.http.address"),
        ("/%2e%2e%2fadmin".to_owned(), "http://c.test".to_owned(), "weir.http.url"),
        ("http://[".to_owned(), "http://c.test".to_owned(), "weir.http.redirect"),
    ] {
        let first = redirecting(302, to(location.clone())).await;
        let both = grant("crm", &[&first.url("a.test", ""), &origin]);
        let fault = bench.fault(Request { grant: both, ..get(&first.url("a.test", "/")) }).await;
        assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Denied, code, true), "{location}");
        assert_eq!(first.seen().len(), 1);
    }
    assert_eq!(forbidden.accepted(), 0);
}

#[tokio::test]
async fn five_redirects_are_followed_and_a_sixth_is_not() {
    let server = Server::answering("127.0.0.1", |seen| {
        let left: usize = seen.target[1..].parse().expect("a number");
        if left == 0 { ok("done") } else { status(302, &[("location", &format!("./{}", left - 1))]) }
    })
    .await;
    let bench = Bench::new();
    let response = bench.response(get(&server.url("a.test", "/5"))).await;
    assert_eq!((response.body.as_ref(), response.url), (&b"done"[..], server.url("a.test", "/0")));
    let fault = bench.fault(get(&server.url("a.test", "/6"))).await;
    assert_eq!((fault.kind, fault.code, fault.request_sent), (HttpFaultKind::Broken, "weir.http.redirects", true));
    assert_eq!(server.seen().len(), 12);
}

#[tokio::test]
async fn the_method_after_a_redirect_follows_the_status() {
    let bench = Bench::new();
    for (code, method, expected, keeps_body) in [
        (301, "POST", "GET", false),
        (302, "POST", "GET", false),
        (303, "POST", "GET", false),
        (303, "PUT", "GET", false),
        (307, "POST", "POST", true),
        (308, "POST", "POST", true),
        (301, "PUT", "PUT", true),
        (302, "DELETE", "DELETE", true),
        (303, "HEAD", "HEAD", true),
    ] {
        let last = Server::answering("127.0.0.1", |_| ok("")).await;
        let first = redirecting(code, to(last.url("b.test", "/"))).await;
        let request = Request {
            grant: grant("crm", &[&first.url("a.test", ""), &last.url("b.test", "")]),
            method: method.to_owned(),
            headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
            ..post(&first.url("a.test", "/"), "hello")
        };
        bench.response(request).await;
        let [seen] = &last.seen()[..] else { panic!("one request") };
        let (body, content_type) = if keeps_body { (&b"hello"[..], "text/plain") } else { (&b""[..], "") };
        assert_eq!((seen.method.as_str(), seen.body.as_ref()), (expected, body), "{code} after {method}");
        assert_eq!(seen.header("content-type"), content_type);
    }
    let no_location = Server::answering("127.0.0.1", |_| status(302, &[])).await;
    assert_eq!(bench.response(get(&no_location.url("a.test", "/"))).await.status, 302);
}
