//! A language's own HTTP client in the real host: what it sends passes the same gate, and a denial keeps its name and its cure.

use std::fs;

use anyhow::ensure;

use crate::author::{Desk, Ended};

const MANIFEST: &str = r#"id = "asker"
version = "0.1.0"
description = "Sends what its input says"
owner = "you@example.com"
licence = "Apache-2.0"
contract = "0.1"
roles = ["actions"]

[actions.ask]
title = "Ask"
effect = "unsafe"

[[http]]
origin = "connection"
methods = ["GET", "POST"]
paths = ["/notes"]
reason = "reads and writes notes"
"#;

/// What each client is tried with: an answer, a body, a status, a lost answer, and a host that nobody asked for. The name of
/// a case, its input, and the rest of it.
const CASES: [(&str, &str, &str); 5] = [
    (
        "reads",
        "{ url: BASE/notes }",
        r#"http:
  - request: { method: GET, url: https://notes.example.com/notes, headers: { authorization: Bearer made-up } }
    response: { status: 200, headers: { content-type: text/plain }, body: zoë }
expect: { output: { status: 200, type: text/plain, text: zoë } }"#,
    ),
    (
        "writes",
        r#"{ url: BASE/notes, body: '{"title":"zoë"}' }"#,
        r#"http:
  - request: { method: POST, url: https://notes.example.com/notes, json: { title: zoë } }
    response: { status: 204 }
expect: { output: { status: 204, type: null, text: "" } }"#,
    ),
    (
        "is-told-to-wait",
        "{ url: BASE/notes }",
        r#"http:
  - request: { method: GET, url: https://notes.example.com/notes }
    response: { status: 429, headers: { retry-after: "7" } }
expect: { fault: { kind: rate-limited, code: http-429, retry_after_ms: 7000 } }"#,
    ),
    (
        "loses-an-answer",
        "{ url: BASE/notes, body: '{}' }",
        r#"http:
  - request: { method: POST, url: https://notes.example.com/notes, json: {} }
    response: { fault: broken, sent: true }
expect: { fault: { kind: unknown-outcome } }"#,
    ),
    (
        "is-denied",
        "{ url: https://evil.example.com/x }",
        "expect: { fault: { kind: forbidden, code: weir.http.not-requested } }",
    ),
];

const FETCH: &str = r#"import { checkFetched, connector } from "@weir/sdk";

// The engine's own, which speaks `wasi:http`: what a package gets that takes hold of it while it is loaded.
const own = globalThis.fetch;

async function ask({ input: { url, body, isOwn } }) {
  const method = body === undefined ? "GET" : "POST";
  const send = isOwn ? own : fetch;
  const answer = checkFetched(await send(url, { method, body, headers: { "Content-Type": "application/json" } }));
  return { status: answer.status, type: answer.headers.get("content-type"), text: await answer.text() };
}

export default connector({ actions: { ask } });
"#;

/// What the engine's own `fetch` is tried with beside.
const BY_WASI: [(&str, &str, &str); 2] = [
    ("writes-by-wasi", r#"{ url: https://notes.example.com/notes, body: '{"title":"zoë"}', isOwn: true }"#, CASES[1].2),
    (
        "is-denied-by-wasi",
        "{ url: https://evil.example.com/x, isOwn: true }",
        "expect: { fault: { kind: internal, code: internal } }",
    ),
];

const URLLIB: &str = r#"import urllib.request
from typing import Any

from weir_sdk import action


@action("ask")
def ask(sent: dict[str, Any]) -> Any:
    body = sent["body"].encode() if "body" in sent else None
    request = urllib.request.Request(sent["url"], body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return {"status": answer.status, "type": answer.headers["content-type"], "text": answer.read().decode()}
"#;

const NET_HTTP: &str = r#"package main

import (
	"io"
	"net/http"
	"strings"

	weir "github.com/weir-project/weir/sdk/go"
	"github.com/weir-project/weir/sdk/go/nethttp"
)

type Sent struct {
	URL  string  `json:"url" weir:"required"`
	Body *string `json:"body"`
}

type Answer struct {
	Status int     `json:"status"`
	Type   *string `json:"type"`
	Text   string  `json:"text"`
}

func ask(call weir.Call[Sent], way *weir.HTTP) (weir.Receipt, error) {
	method, body := http.MethodGet, io.Reader(nil)
	if call.Input.Body != nil {
		method, body = http.MethodPost, strings.NewReader(*call.Input.Body)
	}
	request, err := http.NewRequest(method, call.Input.URL, body)
	if err != nil {
		return weir.Receipt{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := nethttp.Client(way).Do(request)
	if err != nil {
		return weir.Receipt{}, err
	}
	if err := nethttp.Check(response); err != nil {
		return weir.Receipt{}, err
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return weir.Receipt{}, err
	}
	answer := Answer{Status: response.StatusCode, Text: string(text)}
	if kind := response.Header.Get("Content-Type"); kind != "" {
		answer.Type = &kind
	}
	return weir.Receipt{Output: answer}, nil
}

var plugin = weir.Connector(weir.Actions{"ask": weir.Action(ask)})

func init() { weir.Export(plugin) }

func main() {}
"#;

/// A project whose only source is this, with cases that name the connection's base URL as its client does.
fn begin(lang: &str, source: (&str, &str), base: &str) -> anyhow::Result<Desk> {
    let desk = Desk::new()?;
    desk.must(".", &format!("weir plugin new connector --lang {lang} asker && rm -r asker/cases/* asker/*test*"))?;
    fs::write(desk.path("asker/weir-plugin.toml"), MANIFEST)?;
    fs::write(desk.path("asker").join(source.0), source.1)?;
    write_cases(&desk, &CASES, base)?;
    Ok(desk)
}

fn write_cases(desk: &Desk, cases: &[(&str, &str, &str)], base: &str) -> anyhow::Result<()> {
    for (name, input, rest) in cases {
        let input = input.replace("BASE", base);
        let case = format!(
            "about: {name}
call:
  action: ask
  input: {input}
  connection:
    base_url: https://notes.example.com
    credential: {{ scheme: bearer, secret: made-up }}
{rest}
"
        );
        fs::write(desk.path(&format!("asker/cases/{name}.yaml")), case)?;
    }
    Ok(())
}

#[track_caller]
fn check(desk: &Desk, cases: usize) -> anyhow::Result<()> {
    let printed = desk.must("asker", "weir plugin build && weir plugin test --component asker.wasm")?;
    assert!(printed.contains(&format!("{cases} cases, 0 failed")), "{printed}");
    // Nothing is to be seen of a denial that was expected; whoever did not expect it is told what to add.
    desk.edit("asker/cases/is-denied.yaml", "forbidden", "timeout")?;
    let Ended { code, stdout, .. } = desk.shell("asker", "weir plugin test --component asker.wasm --only is-denied")?;
    assert_eq!(code, Some(1), "{stdout}");
    for line in ["does not ask to reach evil.example.com:443", "[[http]]", "origin = \"https://evil.example.com\""] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
    Ok(())
}

#[test]
fn urllib_sends_by_the_gate() -> anyhow::Result<()> {
    check(&begin("python", ("src/asker.py", URLLIB), "https://connection.invalid")?, CASES.len())
}

#[test]
fn net_http_sends_by_the_gate() -> anyhow::Result<()> {
    check(&begin("go", ("main.go", NET_HTTP), "https://connection.invalid")?, CASES.len())
}

#[test]
fn fetch_sends_by_the_gate_with_starlingmonkey_and_says_what_to_use_with_quickjs() -> anyhow::Result<()> {
    let desk = begin("js", ("src/plugin.js", FETCH), "")?;
    let refused = |told: &str| -> anyhow::Result<()> {
        let Ended { code, stdout, stderr } = desk.shell("asker", "weir plugin test --only reads")?;
        ensure!(code == Some(1) && stdout.contains(told), "{told}\n{stdout}{stderr}");
        Ok(())
    };
    refused("leave out `async` and `await`, and send requests by `http`, which waits by itself")?;
    desk.edit("asker/src/plugin.js", "async ", "")?;
    desk.edit("asker/src/plugin.js", "await ", "")?;
    refused(
        "`fetch` of /notes: QuickJS has nothing that waits for a promise; send it by `http`, the second argument of",
    )?;

    fs::write(desk.path("asker/src/plugin.js"), FETCH)?;
    desk.edit("asker/package.json", "\"weir-component\"", "\"weir-component --engine starlingmonkey\"")?;
    let Ended { code, stderr, .. } = desk.shell("asker", "weir plugin build")?;
    let install = "npm install @bytecodealliance/componentize-js@0.23.0 @bytecodealliance/jco@1.15.4";
    assert!(code == Some(1) && stderr.contains(install), "{stderr}");
    desk.must("asker", install)?;
    write_cases(&desk, &BY_WASI, "")?;
    check(&desk, CASES.len() + BY_WASI.len())
}
