//! A failed execution becomes a case of its plugin: what was seen to happen on a running Weir happens again in the author's
//! folder, and nothing secret stands in the file.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::operator::{Typed, typed, weir};
use crate::world::{World, eventually};

/// The stand-in's key for the CRM: the connection to the destination below has the same.
const SECRET: &str = "crm-key-for-tests";
/// What a sender proves itself with, in a header field of its own.
const TOKEN: &str = "t0p-s3cret-tok3n";

/// A form goes to a destination that declines; another to one that closes the connection.
const FLOW: &str = "\
flow: NAME
owner: dev@example.com
source:
  webhook: { path: /NAME, verify: none, decode: json }
  dedupe: none
steps:
  - id: contact
    mapper: lead-mapper@1
  - id: send
    action: http@1.send
    connection: fussy
    with:
      path: /NAME
      query: { page: 2, access_token: T0ken-in-a-query, who: \"${steps.contact.output.email}\" }
      body: \"${steps.contact.output}\"
";

const CONNECTION: &str = "\
[connection.fussy]
owner = \"dev@example.com\"
plugins = [\"http\"]
base_url = \"http://DESTINATION/api\"
settings = { tenant = \"t1\" }
credential = { scheme = \"api-key-header\", name = \"X-Api-Key\", secret = { file = \"secrets/crm\" } }
";

/// The connections of the benches, which their flows need.
const CONNECTIONS: &str = include_str!("../../bench/project/connections.toml");

/// A world with the flows, an author's folder, and a destination that answers no request well.
struct Exports {
    world: World,
    desk: TempDir,
    _destination: JoinSet<anyhow::Result<()>>,
}

impl Exports {
    async fn start() -> anyhow::Result<Self> {
        let mut destination = JoinSet::new();
        let address = declining(&mut destination).await?;
        let connections = format!("{CONNECTIONS}\n{}", CONNECTION.replace("DESTINATION", &address.to_string()));
        let flow = |name| FLOW.replace("NAME", name);
        let files = [
            ("connections.toml", connections.as_str()),
            ("flows/declined.yaml", &flow("declined")),
            ("flows/closed.yaml", &flow("closed")),
        ];
        let world = World::start(&files).await?;
        let desk = tempfile::Builder::new().prefix("weir-cases-").tempdir()?;
        fs::create_dir(desk.path().join("cases"))?;
        Ok(Self { world, desk, _destination: destination })
    }

    /// Sends a form; gives its execution when an attempt of the step has failed.
    async fn failed(&self, flow: &str, step: usize, form: &'static str) -> anyhow::Result<String> {
        let headers = [("content-type", "application/json"), ("x-form", "fair"), ("x-auth-token", TOKEN)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let answer = self.world.post(&format!("/{flow}"), &headers, Bytes::from_static(form.as_bytes())).await?;
        ensure!(answer.status() == 202, "{answer:?}");
        let accepted: Value = serde_json::from_slice(answer.body())?;
        let event = accepted["event"].as_str().context("no id")?;
        let id = format!("{}-0", event.replace("evt_", "exe_"));
        eventually("a failed attempt", async || {
            let shown = self.world.json(&format!("/api/v1/executions/{id}")).await?;
            let outcome = &shown["steps"][step]["attempts"][0]["outcome"];
            Ok(outcome["failed"].is_object().then(|| id.clone()))
        })
        .await
    }

    fn case(&self, name: &str) -> PathBuf {
        self.desk.path().join(format!("cases/{name}.yaml"))
    }

    /// Exports with these further words; gives the text of the file.
    async fn export(&self, id: &str, name: &str, words: &[&str]) -> anyhow::Result<String> {
        let file = self.case(name);
        let mut arguments = vec!["execution", "export", id, "--case"];
        arguments.extend(words);
        arguments.extend(["-o", typed(&file)?]);
        weir(&self.world, &arguments).await?.expect(&[])?;
        Ok(fs::read_to_string(file)?)
    }

    /// Runs the case with the component that the running Weir has.
    async fn test(&self, name: &str, plugin: &str) -> anyhow::Result<Typed> {
        let component = self.world.plugins.path().join(format!("{plugin}.wasm"));
        let folder = typed(self.desk.path())?;
        weir(&self.world, &["plugin", "test", folder, "--component", typed(&component)?, "--only", name]).await
    }
}

/// Declines with what it was sent, the key among it, or closes the connection.
async fn declining(running: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    running.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await?;
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                if stream.read_buf(&mut request).await? == 0 {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&request);
            if text.starts_with("POST /api/closed") {
                continue;
            }
            let key = text.lines().find_map(|line| line.to_lowercase().strip_prefix("x-api-key: ").map(str::to_owned));
            let key = key.context("the request has no key")?;
            let body = format!(
                r#"{{"error":"declined","field":"email","your_key":"{key}","session":{{"token":"T0ken-in-a-body"}}}}"#
            );
            let head = "HTTP/1.1 422 Unprocessable Content\r\nContent-Type: application/json\r\nX-Request-Id: r-1\r\n\
                        Set-Cookie: sid=C00kie-value\r\nX-Session-Token: T0ken-in-a-field\r\nConnection: close\r\n";
            let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await?;
        }
    });
    Ok(address)
}

#[track_caller]
fn assert_holds(text: &str, all: &[&str], none: &[&str]) {
    for part in all {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    for part in none {
        assert!(!text.contains(part), "{part:?} in\n{text}");
    }
}

#[tokio::test]
async fn a_failed_mapping_fails_again_as_a_case() -> anyhow::Result<()> {
    let exports = Exports::start().await?;
    let form = r#"{"email":"Ada at example.com","phone":"+49 30 1234567","message":"Ada at example.com","n":1.10}"#;
    let id = exports.failed("declined", 0, form).await?;
    let text = exports.export(&id, "no-address", &[]).await?;
    let said = ["transform:", "kind: invalid-input", "code: email", "/email\"", "header.x-form: fair", "1.1"];
    assert_holds(&text, &said, &[TOKEN, "call:", "http:"]);
    exports.test("no-address", "lead-mapper").await?.expect(&["1 case, 0 failed"])?;

    // It does say what is expected: another fault is a difference.
    fs::write(exports.case("other"), text.replace("code: email", "code: phone"))?;
    let other = exports.test("other", "lead-mapper").await?;
    ensure!(other.code == Some(1), "{}", other.stdout);
    other.says(&[r#"/expect/fault/code: expected "phone", got "email""#])?;

    let redacted = exports.export(&id, "redacted", &["contact", "--redact", "/email", "--redact", "/phone"]).await?;
    assert_holds(&redacted, &["Aaa aa aaaaaaa.aaa", "+11 11 1111111"], &["Ada", "+49", TOKEN]);
    exports.test("redacted", "lead-mapper").await?.expect(&["1 case, 0 failed"])?;
    let nowhere = weir(&exports.world, &["execution", "export", &id, "--case", "--redact", "/mail"]).await?;
    nowhere.refuses(2, &["nothing at `/mail`", "`/email`, `/phone`"])?;
    let no_step = weir(&exports.world, &["execution", "export", &id, "--case", "nothing"]).await?;
    no_step.refuses(2, &["no step `nothing`; its steps are contact, send"])
}

#[tokio::test]
async fn a_failed_delivery_fails_again_with_what_the_destination_said() -> anyhow::Result<()> {
    let exports = Exports::start().await?;
    let form = r#"{"email":"ada@example.com","message":"my key is crm-key-for-tests"}"#;
    let id = exports.failed("declined", 1, form).await?;
    let shown = weir(&exports.world, &["execution", "show", &id]).await?;
    shown.expect(&["422 in", r#"{"error":"declined","field":"email","your_key":"[redacted]""#])?;
    assert_holds(&shown.stdout, &[], &["weir.exchanges"]);

    let text = exports.export(&id, "declined", &[]).await?;
    let said = [
        "action: send",
        "secret: made-up-secret",
        "tenant: t1",
        "status: 422",
        "error: declined",
        "x-request-id",
        "my key is [redacted]",
    ];
    let secret = ["T0ken-in-a-query", "T0ken-in-a-body", "T0ken-in-a-field", "C00kie", "secrets/crm", SECRET, TOKEN];
    assert_holds(&text, &said, &secret);
    assert_holds(&text, &["/declined?access_token=A1aaa-aa-a-aaaaa&page=2&who=ada%40example.com"], &["FILL IN"]);
    exports.test("declined", "http-connector").await?.expect(&["1 case, 0 failed"])?;

    // What is hidden is hidden as URLs write it too.
    let hidden = exports.export(&id, "hidden", &["--redact", "/body/email"]).await?;
    assert_holds(&hidden, &["&who=aaa%40aaaaaaa.aaa", "email: aaa@aaaaaaa.aaa"], &["ada@", "ada%40"]);
    exports.test("hidden", "http-connector").await?.expect(&["1 case, 0 failed"])?;

    // The step before it succeeded, and calls nothing over HTTP: all of it is known.
    let before = exports.export(&id, "contact", &["contact"]).await?;
    assert_holds(&before, &["output:", "email: ada@example.com"], &["fault:", TOKEN]);
    exports.test("contact", "lead-mapper").await?.expect(&["1 case, 0 failed"])
}

#[tokio::test]
async fn a_lost_answer_is_lost_again() -> anyhow::Result<()> {
    let exports = Exports::start().await?;
    let id = exports.failed("closed", 1, r#"{"email":"ada@example.com"}"#).await?;
    let text = exports.export(&id, "closed", &["send"]).await?;
    assert_holds(&text, &["fault: broken", "sent: true"], &[SECRET, TOKEN]);
    exports.test("closed", "http-connector").await?.expect(&["1 case, 0 failed"])
}

#[tokio::test]
async fn what_was_not_recorded_is_to_be_filled_in() -> anyhow::Result<()> {
    let world = World::start(&[]).await?;
    let id = crate::operator::send(&world, 1).await?;
    ensure!(world.weir.settled(crate::world::PATIENCE).await?.dead == 0);
    let printed = weir(&world, &["execution", "export", &id, "--case"]).await?;
    printed.expect(&["# FILL IN", "status: 200", "url: \"/sink\"", "expect:"])?;
    let several = weir(&world, &["execution", "export", &id, &id, "--case"]).await?;
    several.refuses(2, &["one execution"])
}
