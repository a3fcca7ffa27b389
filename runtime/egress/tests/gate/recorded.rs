//! What stands in for the network stands behind the gate, not around it.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use egress::{Config, HttpFaultKind, NoAnswer, Request, SentRequest, SentResponse, Transport};
use futures_util::future::BoxFuture;

use crate::support::{Bench, SECRET, bearer, connection, get, grant, post};

/// Answers by path, and remembers what came.
#[derive(Default)]
struct Recordings(Mutex<Vec<SentRequest>>);

impl Transport for Recordings {
    fn answer<'a>(&'a self, request: &'a SentRequest) -> BoxFuture<'a, Result<SentResponse, NoAnswer>> {
        self.0.lock().expect("no panic").push(request.clone());
        let answer = |status, headers: &[(&str, &str)], body: &str| SentResponse {
            status,
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: Bytes::from(body.to_owned()),
        };
        let answer = match request.url.rsplit('/').next() {
            Some("echo") => Ok(answer(200, &[("x-token", SECRET)], SECRET)),
            Some("moved") => Ok(answer(302, &[("location", "https://other.test/echo")], "")),
            Some("nonsense") => Ok(answer(200, &[("content-encoding", "gzip")], "no gzip")),
            _ => Err(NoAnswer {
                kind: HttpFaultKind::Timeout,
                code: "weir.http.limit.first-byte",
                message: "no answer".to_owned(),
                request_sent: true,
            }),
        };
        Box::pin(async { answer })
    }
}

#[tokio::test]
async fn recordings_answer_only_what_has_passed_the_gate() {
    let recordings = Arc::new(Recordings::default());
    let bench = Bench::with(Config { transport: Some(recordings.clone()), ..Config::default() });
    let origin = "https://a.example";
    let send = |url: &str| Request {
        grant: grant("crm", &[origin, "https://10.0.0.1"]),
        connection: Some(connection("crm", &[origin], bearer())),
        url: url.to_owned(),
        ..post("https://a.example/", "body")
    };
    // `Bench::send` makes sure that the secret, which the recording echoes, shows nowhere.
    let echoed = bench.response(send("/echo")).await;
    assert_eq!((echoed.status, echoed.body.as_ref()), (200, &b"[redacted]"[..]));
    let fault = bench.fault(send("/lost")).await;
    assert_eq!((fault.kind, fault.request_sent), (HttpFaultKind::Timeout, true));
    assert_eq!(bench.fault(send("/nonsense")).await.code, "weir.http.encoding");
    assert_eq!(bench.fault(send("/moved")).await.code, "weir.http.not-granted", "a redirect is a request of its own");
    let passed = recordings.0.lock().expect("no panic").clone();
    assert_eq!(passed.len(), 4);
    assert!(passed.iter().all(|sent| sent.headers == [("authorization".to_owned(), format!("Bearer {SECRET}"))]));

    for (denied, code) in
        [("https://b.example/echo", "weir.http.not-granted"), ("https://10.0.0.1/echo", "weir.http.address")]
    {
        let (answer, record) = bench.send(send(denied)).await;
        assert_eq!(answer.expect_err(denied).code, code);
        assert!(record.fault.is_some());
    }
    let own =
        Request { headers: vec![("authorization".to_owned(), "mine".to_owned())], ..get("https://a.example/echo") };
    assert_eq!(bench.fault(own).await.code, "weir.http.header");
    assert_eq!(recordings.0.lock().expect("no panic").len(), 4, "nothing of that came through");
}
