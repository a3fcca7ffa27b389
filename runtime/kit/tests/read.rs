//! Cases with faults: each is told with its place and what to do, all at once.

use expect_test::{Expect, expect};
use kit::{Call, ExpectedBody, Reply, read};

#[track_caller]
fn check(text: &str, expected: Expect) {
    let problems = read("x", text).expect_err("has faults");
    let lines: Vec<_> = problems.iter().map(|problem| problem.to_line("x.yaml")).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn every_fault_is_told_at_once() {
    check(
        "",
        expect![
            "x.yaml:1:1: the file is empty; begin with `transform:` or `call:`; `weir plugin new` writes an example"
        ],
    );
    check(
        "call: {}\ntransform: {}\n",
        expect!["x.yaml:1:1: a case makes one call; put this one into a file of its own"],
    );
    check(
        r#"
transform:
  input: {}
  input_base64: "?"
  event: { received: yesterday, typ: x }
  options: 3
http:
- request: { method: GET, url: /x }
  response: { status: 99, json: 1, body: "" }
- response: { fault: tiemout }
expect:
  output: 1
  outputs: 2
  external_id: x
  fault: { kind: bad, fields: { email: x } }
"#,
        expect![[r#"
            x.yaml:4:3: there are two inputs; keep `input` or `input_base64`
            x.yaml:5:12: `yesterday` is no time; write it as `2026-01-01T00:00:00Z`
            x.yaml:5:33: `event` has no key `typ`; did you mean `type`?
            x.yaml:6:12: `options` is a text instead of a map; write `name: value` lines
            x.yaml:8:27: the URL is a path, and the call has no base URL; write the URL in full, or add `connection: { base_url: … }` to the call
            x.yaml:9:23: `status` is no number from 200 to 599; write such a number
            x.yaml:9:36: there are two bodies; keep one of `json`, `body`, `body_base64`
            x.yaml:10:3: the exchange has no `request`; add `request: { method: GET, url: /path }`
            x.yaml:10:22: `tiemout` is not known for `fault`; did you mean `timeout`?
            x.yaml:13:3: these exclude each other; keep one of `output`, `outputs`, `fault`
            x.yaml:13:12: `outputs` is a text instead of a list; write `- ` before each
            x.yaml:14:3: `expect` has no key `external_id`; known: `output`, `outputs`, `content_type`, `metadata`, `fault`
            x.yaml:15:18: `bad` is not known for `kind`; known: `invalid-input`, `unauthorized`, `forbidden`, `not-found`, `conflict`, `rate-limited`, `unavailable`, `timeout`, `rejected`, `unknown-outcome`, `internal`
            x.yaml:15:33: `email` is no JSON Pointer; did you mean `/email`?"#]],
    );
    check(
        r#"
call:
  actoin: create
  input: {}
  context: { attempt: 0, remaining: soon }
  connection:
    base_url: notes.example.com
    credential: { scheme: bearer, key: x }
http:
- request: { method: GET, url: /x }
  response: { status: 200, fault: timeout }
"#,
        expect![[r#"
            x.yaml:3:3: `call` has no key `actoin`; did you mean `action`?
            x.yaml:3:3: `action` is missing; name one of the manifest's actions
            x.yaml:5:23: `attempt` is no number from 1 to 4294967295; write such a number
            x.yaml:5:26: `soon` is no length of time; write it as `500ms` or `30s`
            x.yaml:7:15: `notes.example.com` is not an origin: it must begin with https:// or http://; write it as `https://api.example.com`
            x.yaml:8:17: this is no credential: unknown field `key`, expected `secret`; write it as in connections.toml, such as { scheme: bearer, secret: made-up }
            x.yaml:10:27: the URL is a path, and the call has no base URL; write the URL in full, or add `connection: { base_url: … }` to the call
            x.yaml:11:28: an answer and no answer at once; keep `status` for an answer, or `fault` for none"#]],
    );
}

#[test]
fn what_is_written_is_what_is_called() {
    let text = r#"
call:
  action: create
  content_type: text/csv
  input: "a,b\n"
  connection:
    base_url: https://crm.example.com/v3/
    credential: { scheme: basic, user: ada, secret: made-up }
http:
- request: { method: POST, url: /contacts, headers: { X-Two: [a, b] }, json: { n: 9007199254740993 } }
  response: { fault: broken, sent: false }
"#;
    let case = read("x", text).expect("no faults");
    let Call::Action { action, input, connection, verify, .. } = case.call else { panic!("an action") };
    assert_eq!((action.as_str(), &input.data[..], verify), ("create", &b"a,b\n"[..], false));
    assert_eq!(connection.expect("is written").origins[0].as_str(), "https://crm.example.com");
    let [exchange] = &case.http[..] else { panic!("one exchange") };
    assert_eq!(exchange.request.url, "https://crm.example.com/v3/contacts");
    assert_eq!(exchange.request.headers.len(), 2);
    assert_eq!(exchange.request.body, ExpectedBody::Json(serde_json::json!({ "n": 9_007_199_254_740_993_u64 })));
    assert!(matches!(&exchange.reply, Reply::Fault(fault) if !fault.request_sent));
}

#[test]
fn the_examples_that_hold_every_key_are_read() {
    let call = read("call", include_str!("../examples/call.yaml")).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!((call.http.len(), call.expect.map(|expect| expect.len())), (2, Some(5)));
    let transform = read("transform", include_str!("../examples/transform.yaml"));
    let transform = transform.unwrap_or_else(|problems| panic!("{problems:?}"));
    let Call::Transform { event, input, options } = transform.call else { panic!("a mapper") };
    assert_eq!((event.attributes.subject.as_deref(), &input.data[..]), (Some("s1"), &b"a,b"[..]));
    assert_eq!(options, r#"{"source":"fair"}"#);
}

#[test]
fn numbers_go_in_and_are_expected_with_every_digit() {
    let text = "\
call:
  action: x
  input: { id: 123456789012345678901, n: 1.5, text: \"123456789012345678901\" }
  connection: { base_url: https://api.example.com }
http:
- request: { method: GET, url: /x, json: { id: 123456789012345678901 } }
  response: { status: 200, json: [123456789012345678901] }
expect:
  output: 123456789012345678901
";
    let case = read("x", text).expect("a case");
    let Call::Action { input, .. } = &case.call else { panic!("no action") };
    let expected = r#"{"id":123456789012345678901,"n":1.5,"text":"123456789012345678901"}"#;
    assert_eq!(std::str::from_utf8(&input.data), Ok(expected));
    let [exchange] = &case.http[..] else { panic!("one exchange") };
    let Reply::Answer(answer) = &exchange.reply else { panic!("no answer") };
    assert_eq!(&*answer.body, b"[123456789012345678901]");
    let ExpectedBody::Json(sent) = &exchange.request.body else { panic!("no JSON") };
    assert_eq!(sent["id"], "number:123456789012345678901");
    assert_eq!(case.expect.expect("expected")["output"], "number:123456789012345678901");
}
