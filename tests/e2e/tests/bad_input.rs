//! Bad input of every kind: a clear answer, and nothing lost.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bench::events::{Events, SECRET};
use bench::load::{self, Load, Pace, Until};
use bench::weir::{Settled, TO_SINK, Weir};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use lifecycle::{Clock as _, SystemClock};
use serde_json::Value;
use signature::{Scheme, Signer};
use standin::Config;
use tokio::process::Command;

use crate::world::{PATIENCE, World, weir_binary};

/// The exit code for faults in the project's files.
const EXIT_FAULTS: i32 = 2;

/// A request that must be refused, and how.
struct Refused {
    what: &'static str,
    path: &'static str,
    headers: Vec<(String, String)>,
    body: Bytes,
    status: u16,
    code: &'static str,
}

#[tokio::test]
async fn a_bad_request_is_told_what_is_wrong_and_leaves_no_trace() -> anyhow::Result<()> {
    let world = World::start(&[]).await?;
    for Refused { what, path, headers, body, status, code } in bad_requests()? {
        let answer = world.post(path, &headers, body).await.context(what)?;
        let problem: Value = serde_json::from_slice(answer.body()).context(what)?;
        assert_eq!((answer.status().as_u16(), problem["code"].as_str()), (status, Some(code)), "{what}: {problem:#}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 20), "{what}: {problem:#}");
    }
    let get = Request::get(TO_SINK).header("host", "localhost").body(Full::default())?;
    let answer = bench::client::Client::connect(world.weir.ingress()).await?.send(get).await?;
    assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str()?), (405, "POST"));

    assert_eq!(world.executions("").await?, Vec::<Value>::new());
    assert_eq!(world.send(TO_SINK, &Events::new(0)?.event(1)).await?.status(), 202, "it goes on");
    assert_eq!(world.weir.settled(PATIENCE).await?, Settled { parked: 0, dead: 0 });
    Ok(())
}

fn bad_requests() -> anyhow::Result<Vec<Refused>> {
    const LEAD: &str = r#"{"email":"ada@example.com"}"#;
    const LONG_AGO: Duration = Duration::from_secs(3600);
    let signer = Signer::new(Scheme::StandardWebhooks, SECRET.as_bytes())?;
    let stranger = Signer::new(Scheme::StandardWebhooks, b"whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA==")?;
    let now = SystemClock.now();
    let typed = |mut headers: Vec<(String, String)>, content_type: &str| {
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        headers
    };
    let refused = |what, headers, body: &str, status, code| Refused {
        what,
        path: TO_SINK,
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
        status,
        code,
    };
    let proven = |body: &str| signer.sign("msg_bad", now, body.as_bytes());
    let json = "application/json";
    let large = format!(r#"{{"message":"{}"}}"#, "x".repeat(2 << 20));
    let unsigned = refused("no signature", typed(Vec::new(), json), LEAD, 401, "unproven-sender");
    Ok(vec![
        refused("no JSON", typed(proven(r#"{"email":"#), json), r#"{"email":"#, 400, "malformed"),
        refused("nothing at all", typed(proven(""), json), "", 400, "malformed"),
        refused("a bare control character in JSON", typed(proven("\"\u{0}\""), json), "\"\u{0}\"", 400, "malformed"),
        refused("another content type", typed(proven(LEAD), "text/csv"), LEAD, 415, "wrong-content-type"),
        refused("a large body", typed(proven(&large), json), &large, 413, "body-too-large"),
        refused(
            "a stranger",
            typed(stranger.sign("msg_bad", now, LEAD.as_bytes()), json),
            LEAD,
            401,
            "unproven-sender",
        ),
        refused("a changed body", typed(proven(LEAD), json), r#"{"email":"eve@example.com"}"#, 401, "unproven-sender"),
        refused(
            "a signature of an hour ago",
            typed(signer.sign("msg_bad", now - LONG_AGO, LEAD.as_bytes()), json),
            LEAD,
            401,
            "unproven-sender",
        ),
        refused(
            "a signature of the future",
            typed(signer.sign("msg_bad", now + LONG_AGO, LEAD.as_bytes()), json),
            LEAD,
            401,
            "unproven-sender",
        ),
        Refused { path: "/nobody/listens", status: 404, code: "unknown-path", what: "an unknown path", ..unsigned },
        refused("no signature", typed(Vec::new(), json), LEAD, 401, "unproven-sender"),
    ])
}

#[tokio::test]
async fn an_id_stands_for_one_body() -> anyhow::Result<()> {
    let world = World::start(&[]).await?;
    let signer = Signer::new(Scheme::StandardWebhooks, SECRET.as_bytes())?;
    let send = async |body: &'static str| {
        let mut headers = signer.sign("msg_once", SystemClock.now(), body.as_bytes());
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        let answer = world.post(TO_SINK, &headers, body.into()).await?;
        anyhow::Ok((answer.status().as_u16(), serde_json::from_slice::<Value>(answer.body())?))
    };
    let (status, first) = send(r#"{"email":"ada@example.com"}"#).await?;
    assert_eq!(status, 202, "{first:#}");
    let (status, other) = send(r#"{"email":"eve@example.com"}"#).await?;
    assert_eq!((status, other["code"].as_str()), (409, Some("same-id-other-data")), "{other:#}");
    assert_eq!(other["event"], first["event"]);
    let (status, again) = send(r#"{"email":"ada@example.com"}"#).await?;
    assert_eq!((status, &again["event"]), (202, &first["event"]), "{again:#}");
    world.weir.settled(PATIENCE).await?;
    assert_eq!(world.executions("").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_second_weir_finds_folder_and_port_taken() -> anyhow::Result<()> {
    let world = World::start(&[]).await?;
    let (code, said) = up(world.weir.folder()).await?;
    assert!(code != 0 && said.contains("data") && said.contains("use"), "{code}: {said}");

    let listen = format!("[ingress]\nlisten = \"{}\"\n", world.weir.ingress());
    let other = World::prepare(Config::default(), &[("weir.toml", &listen)]).await?;
    let (code, said) = up(other.weir.folder()).await?;
    let address = world.weir.ingress().to_string();
    assert!(code != 0 && said.contains(&address) && said.contains("in use"), "{code}: {said}");

    assert_eq!(world.send(TO_SINK, &Events::new(0)?.event(1)).await?.status(), 202, "the first goes on");
    assert_eq!(world.weir.settled(PATIENCE).await?, Settled { parked: 0, dead: 0 });
    Ok(())
}

#[tokio::test]
async fn a_damaged_journal_is_not_started_on_and_the_place_is_named() -> anyhow::Result<()> {
    let mut world = World::start(&[]).await?;
    let load = Load {
        target: world.weir.ingress(),
        path: TO_SINK.to_owned(),
        events: Events::new(0)?.into(),
        first: 1,
        connections: 1,
        pace: Pace::Closed,
        until: Until::Events(20),
        insist: false,
        watcher: None,
    };
    assert_eq!(load::run(load).await.accepted, 20);
    world.weir.settled(PATIENCE).await?;
    world.weir.kill().await?;
    let (file, place) = damage(&world.weir)?;
    let (code, said) = up(world.weir.folder()).await?;
    assert!(code != 0 && said.contains(&file) && said.contains("damaged"), "{code}: {said}");
    let named = said.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<u64>().ok());
    assert!(named.into_iter().any(|named| named.abs_diff(place) < 4096), "byte {place} was changed: {said}");
    Ok(())
}

/// Changes a byte of the first event in the journal, behind which good ones follow; gives the file and the place.
fn damage(weir: &Weir) -> anyhow::Result<(String, u64)> {
    for entry in fs::read_dir(weir.folder().join("data/journal"))? {
        let path = entry?.path();
        let address = b"lead-1@example.com";
        let bytes = fs::read(&path)?;
        let Some(place) = bytes.windows(address.len()).position(|window| window == address) else { continue };
        fs::File::options().write(true).open(&path)?.write_all_at(b"L", place as u64)?;
        let name = path.file_name().and_then(|name| name.to_str()).context("a segment has no name")?;
        return Ok((name.to_owned(), place as u64));
    }
    anyhow::bail!("the first event does not lie in the journal")
}

#[tokio::test]
async fn every_fault_of_a_project_is_told_and_nothing_is_started() -> anyhow::Result<()> {
    let files = [
        ("weir.toml", "[ingress]\nlisten = \"{ingress}\"\nlissten = 1\n[data]\nretention = \"soon\"\n"),
        ("flows/broken.yaml", "flow: broken\nsteps: [\n"),
        ("flows/unknown-keys.yaml", include_str!("../project/bad/unknown-keys.yaml")),
        ("flows/exploding.yaml", include_str!("../project/bad/exploding.yaml")),
        ("flows/nothing-there.yaml", include_str!("../project/bad/nothing-there.yaml")),
    ];
    let world = World::prepare(Config::default(), &files).await?;
    let (code, said) = up(world.weir.folder()).await?;
    assert_eq!(code, EXIT_FAULTS, "{said}");
    let expected = [
        ("weir.toml:3:", "lissten"),
        ("weir.toml:5:", "retention"),
        ("flows/broken.yaml:", ""),
        ("flows/unknown-keys.yaml:4:", "webhok"),
        ("flows/unknown-keys.yaml:8:", "maper"),
        ("flows/exploding.yaml:6:", "brackets lie more than 32 deep"),
        ("flows/nothing-there.yaml:7:", "nobody"),
        ("flows/nothing-there.yaml:9:", "create-house"),
        ("flows/nothing-there.yaml:13:", "nowhere"),
    ];
    for (place, about) in expected {
        let told = said.lines().any(|line| line.trim_start().starts_with(place) && line.contains(about));
        assert!(told, "no fault at {place} about `{about}`:\n{said}");
    }
    assert!(!world.weir.folder().join("data").exists(), "nothing was begun");
    Ok(())
}

/// Runs `weir up`, which must end by itself; gives the exit code and what it said.
async fn up(folder: &Path) -> anyhow::Result<(i32, String)> {
    let mut command = Command::new(weir_binary()?);
    command.args(["up", "--dir"]).arg(folder).env("WEIR_LOG", "warn").kill_on_drop(true);
    let output =
        tokio::time::timeout(PATIENCE, command.output()).await.context("weir runs, though it should not")??;
    ensure!(output.stdout.is_empty(), "it said that it is ready: {}", String::from_utf8_lossy(&output.stdout));
    let code = output.status.code().context("weir ended by a signal")?;
    Ok((code, String::from_utf8_lossy(&output.stderr).into_owned()))
}
