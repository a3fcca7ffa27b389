//! What others wrote: their signers prove themselves to Weir, their payloads come through, their events are understood.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, bail, ensure};
use bench::client::Client;
use bench::weir::Settled;
use bytes::Bytes;
use lifecycle::{Clock as _, SystemClock};
use serde_json::{Value, json};
use signature::{Scheme, Signer};
use standin::Service;

use crate::world::{PATIENCE, World, show, target};

const PLUGINS: &str = concat!(
    include_str!("../../bench/project/plugins.toml"),
    "[plugin.github-mapper]\nsource = \"{plugins}/github-mapper.wasm\"\n"
);
const CONNECTIONS: &str = concat!(
    include_str!("../../bench/project/connections.toml"),
    "[secret.github]\nfile = \"secrets/github\"\n",
    "[secret.slack]\nfile = \"secrets/slack\"\n",
    "[secret.stripe]\nfile = \"secrets/stripe\"\n",
);
const STANDARD_SECRET: &str = bench::events::SECRET;
const SLACK_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const STRIPE_SECRET: &str = "whsec_of_a_stripe_endpoint_for_tests";
const GITHUB_SECRET: &str = "It's a Secret to Everybody";

#[tokio::test]
async fn the_signatures_of_others_prove_their_senders_and_nobody_else() -> anyhow::Result<()> {
    let flow = |name: &str, secret: &str| {
        format!(
            "flow: {name}\nowner: dev@example.com\nsource:\n  webhook: {{ path: /{name}, verify: {{ {name}: {{ secret: \
             {secret} }} }}, decode: json }}\n  dedupe: none\nsteps: []\n"
        )
    };
    let world = World::start(&[
        ("connections.toml", CONNECTIONS),
        ("secrets/slack", SLACK_SECRET),
        ("secrets/stripe", STRIPE_SECRET),
        ("secrets/github", GITHUB_SECRET),
        ("flows/standard-webhooks.yaml", &flow("standard-webhooks", "leads")),
        ("flows/slack.yaml", &flow("slack", "slack")),
        ("flows/stripe.yaml", &flow("stripe", "stripe")),
    ])
    .await?;
    let cases = [
        (python("sign.py")?, "standard-webhooks", STANDARD_SECRET),
        (javascript("sign.mjs")?, "standard-webhooks", STANDARD_SECRET),
        (python("sign.py")?, "slack", SLACK_SECRET),
        (python("sign.py")?, "stripe", STRIPE_SECRET),
    ];
    let mut accepted = 0;
    for (mut signer, scheme, secret) in cases {
        let bodies = [r#"{"hello":"weir"}"#, r#"{ "emoji": "\ud83e\udd80", "text": "ünïcode 🦀\n" }"#, "[]", "0"];
        let timestamp = SystemClock.now().duration_since(UNIX_EPOCH)?.as_secs();
        let requests = bodies.map(
            |body| json!({ "scheme": scheme, "secret": secret, "id": "msg_1", "timestamp": timestamp, "body": body }),
        );
        for (body, headers) in bodies.iter().zip(ask(&mut signer, &requests)?) {
            let headers = headers_with_json(&headers)?;
            let answer = world.post(&format!("/{scheme}"), &headers, Bytes::from(*body)).await?;
            ensure!(answer.status() == 202, "{scheme}: {headers:?} {answer:?}\n{}", world.weir.log());
            let changed = format!("{body} ");
            let answer = world.post(&format!("/{scheme}"), &headers, changed.into()).await?;
            ensure!(answer.status() == 401, "{scheme}, with another body: {answer:?}");
            accepted += 1;
        }
    }
    show(&format!("signers of others: {accepted} of {accepted} bodies proven, none when changed"));
    Ok(())
}

#[tokio::test]
async fn every_github_payload_comes_through_its_mapper() -> anyhow::Result<()> {
    let world = World::start(&[
        ("plugins.toml", PLUGINS),
        ("connections.toml", CONNECTIONS),
        ("secrets/github", GITHUB_SECRET),
        ("secrets/slack", SLACK_SECRET),
        ("secrets/stripe", STRIPE_SECRET),
        ("flows/github-to-sink.yaml", include_str!("../project/github-to-sink.yaml")),
    ])
    .await?;
    let folder = tempfile::Builder::new().prefix("weir-github-").tempdir()?;
    let mut writer = javascript("github.mjs")?;
    ensure!(writer.arg(folder.path()).stdout(Stdio::null()).status()?.success(), "the payloads cannot be written");
    let signer = Signer::new(Scheme::GitHub, GITHUB_SECRET.as_bytes())?;
    let mut client = Client::connect(world.weir.ingress()).await?;
    let mut sent = BTreeMap::<String, u64>::new();
    for file in fs::read_dir(folder.path())? {
        let (name, body) = read_payload(&file?.path())?;
        let kind = name.split('.').next().context("a payload has no kind")?.to_owned();
        let mut headers = signer.sign(&name, SystemClock.now(), &body);
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        headers.push(("x-github-event".to_owned(), kind.clone()));
        let answer = client.post("/github", &headers, body).await?;
        ensure!(answer.status() == 202, "{name}: {answer:?}\n{}", world.weir.log());
        *sent.entry(kind).or_default() += 1;
    }
    let total: u64 = sent.values().sum();
    assert_eq!(
        world.weir.settled(PATIENCE).await?,
        Settled { parked: 0, dead: 0 },
        "{:#?}",
        world.executions("state=parked,dead&").await?
    );

    let mut arrived = BTreeMap::<String, u64>::new();
    for entry in world.standin.entries().iter().filter(|entry| entry.service == Service::Sink) {
        let notification: Value = serde_json::from_str(&entry.body)?;
        let text = |key: &str| notification[key].as_str().unwrap_or_default();
        ensure!(!text("title").is_empty(), "{notification:#}");
        *arrived.entry(text("kind").to_owned()).or_default() += 1;
    }
    assert_eq!(arrived, sent);
    show(&format!("GitHub: {total} payloads of {} kinds delivered, none parked", sent.len()));
    Ok(())
}

#[tokio::test]
async fn cloud_events_of_their_sdk_are_understood_in_every_mode() -> anyhow::Result<()> {
    let world = World::start(&[("flows/events.yaml", include_str!("../project/events.yaml"))]).await?;
    let event = |id: &str| {
        let attributes = json!({
            "specversion": "1.0", "id": id, "source": "/sensors/7", "type": "com.example.measured", "subject": "kitchen",
            "time": "2026-03-01T12:00:00+00:00", "datacontenttype": "application/json",
        });
        json!({ "attributes": attributes, "data": { "celsius": 21.5, "unit": "°C" } })
    };
    let requests = [
        json!({ "mode": "binary", "events": [event("binary")] }),
        json!({ "mode": "structured", "events": [event("structured")] }),
        json!({ "mode": "batched", "events": [event("first of two"), event("second of two")] }),
    ];
    for (message, request) in ask(&mut python("send_cloudevents.py")?, &requests)?.iter().zip(&requests) {
        let body = message["body"].as_str().context("the SDK wrote no body")?.to_owned();
        let answer = world.post("/events", &headers_of(&message["headers"])?, body.into()).await?;
        ensure!(answer.status() == 202, "{request}: {answer:?}");
    }
    assert_eq!(world.weir.settled(PATIENCE).await?, Settled { parked: 0, dead: 0 });

    let rows = world.executions("flow=events&").await?;
    let ids = rows.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned);
    let mut understood = Vec::new();
    for execution in world.details(ids).await? {
        let event = &execution["event_detail"];
        let said =
            ["kind", "subject", "time", "content_type"].map(|key| event[key].as_str().unwrap_or_default().to_owned());
        assert_eq!(said[..2], ["com.example.measured", "kitchen"], "{event:#}");
        assert!(said[2].starts_with("2026-03-01T12:00:00"), "{event:#}");
        assert_eq!(said[3], "application/json", "{event:#}");
        assert_eq!(event["data"]["json"], json!({ "celsius": 21.5, "unit": "°C" }), "{event:#}");
        understood.push(event["sender_id"].as_str().unwrap_or_default().to_owned());
    }
    understood.sort();
    assert_eq!(understood, ["binary", "first of two", "second of two", "structured"]);
    Ok(())
}

/// A program of the material, in Python with the SDKs.
fn python(program: &str) -> anyhow::Result<Command> {
    let interpreter = fetched("python/bin/python")?;
    let mut command = Command::new(interpreter);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("material").join(program));
    Ok(command)
}

/// A program of the material, in JavaScript; it finds its packages in the working folder.
pub(crate) fn javascript(program: &str) -> anyhow::Result<Command> {
    let mut command = Command::new("node");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("material").join(program)).current_dir(fetched("node")?);
    Ok(command)
}

pub(crate) fn fetched(what: &str) -> anyhow::Result<PathBuf> {
    let path = target()?.join("weir-material").join(what);
    ensure!(path.exists(), "{} is missing; fetch it: cargo xtask material", path.display());
    Ok(path)
}

/// Gives the program a line of JSON for each request; it answers each with one.
fn ask(program: &mut Command, requests: &[Value]) -> anyhow::Result<Vec<Value>> {
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("cannot start a signer")?;
    let mut stdin = child.stdin.take().context("the signer has no standard input")?;
    requests.iter().try_for_each(|request| writeln!(stdin, "{request}"))?;
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("a program of the material ended with {}", output.status);
    }
    let answers = String::from_utf8(output.stdout)?;
    let answers = answers.lines().map(serde_json::from_str).collect::<Result<Vec<_>, _>>()?;
    ensure!(answers.len() == requests.len(), "{} answers to {} requests", answers.len(), requests.len());
    Ok(answers)
}

fn headers_of(written: &Value) -> anyhow::Result<Vec<(String, String)>> {
    let fields = written.as_object().context("the header fields are no object")?.iter();
    fields
        .map(|(name, value)| Ok((name.clone(), value.as_str().context("a header field is no text")?.to_owned())))
        .collect()
}

fn headers_with_json(written: &Value) -> anyhow::Result<Vec<(String, String)>> {
    let mut headers = headers_of(written)?;
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    Ok(headers)
}

fn read_payload(file: &Path) -> anyhow::Result<(String, Bytes)> {
    let name = file.file_name().and_then(|name| name.to_str()).context("a payload has no name")?;
    Ok((name.to_owned(), fs::read(file)?.into()))
}
