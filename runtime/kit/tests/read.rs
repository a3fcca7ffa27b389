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
    check("", expect![]);
    check("call: {}\ntransform: {}\n", expect![]);
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
        expect![],
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
        expect![],
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
