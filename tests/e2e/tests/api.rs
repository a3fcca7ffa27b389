//! The admin API held to what it publishes, by a tester that others wrote: it makes requests of `openapi.json`, sensible
//! ones and others, and looks at every answer.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use bench::events::Events;
use bench::weir::{Settled, TO_CRM};
use http::Request;
use http_body_util::Full;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::material::fetched;
use crate::world::{PATIENCE, World, show};

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../runtime/api/openapi.json");
/// What every answer is looked at for.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,negative_data_rejection,unsupported_method";

#[tokio::test]
async fn every_answer_of_the_admin_api_is_as_published() -> anyhow::Result<()> {
    let world = World::start(&[]).await?;
    let events = Events::new(256)?;
    for number in 0..5 {
        ensure!(world.send(TO_CRM, &events.event(number)).await?.status() == 202);
    }
    assert_eq!(world.weir.settled(PATIENCE).await?, Settled { parked: 0, dead: 0 });
    let rows = world.executions("").await?;
    let execution = rows[0]["id"].as_str().context("an execution has no id")?;
    let event = rows[0]["event"].as_str().context("an event has no id")?;

    let mut serving = JoinSet::new();
    let address = serve(world.weir.folder().join("data/weir.sock"), &mut serving).await?;
    let folder = tempfile::Builder::new().prefix("weir-schemathesis-").tempdir()?;
    // First whatever comes to its mind, then ids that are known here: it would hardly guess one.
    let known = format!(
        "[[operations]]\ninclude-path-regex = \"^/executions/\"\nparameters = {{ id = \"{execution}\" }}\n\
         [[operations]]\ninclude-path-regex = \"^/events/\"\nparameters = {{ id = \"{event}\" }}\n"
    );
    for (what, config) in [("anything", ""), ("known ids", &known)] {
        let file = folder.path().join("schemathesis.toml");
        std::fs::write(&file, config)?;
        let said = run(address, &file).await?;
        // It says so when whatever it asks for is not there.
        ensure!(config.is_empty() || !said.contains("Missing test data"), "the known ids were not used: {said}");
        show(&format!("schemathesis, {what}: {}", summary(&said)));
    }
    // An order is an object: a list of its fields in their order is nothing that anybody means.
    let order = Request::post(format!("/api/v1/executions/{execution}/replay")).header("host", "weir");
    let order = order.header("content-type", "application/json").body(Full::from("[null, false, true]"))?;
    let answer = world.weir.admin().await?.send(order).await?;
    ensure!(answer.status() == 422, "{answer:?}");
    Ok(())
}

/// Lets the tester try the API; gives what it said.
async fn run(address: SocketAddr, config: &Path) -> anyhow::Result<String> {
    let mut command = Command::new(fetched("python/bin/schemathesis")?);
    command.arg("--no-color").arg("--config-file").arg(config).args([
        "run",
        PUBLISHED,
        "--url",
        &format!("http://{address}/api/v1"),
    ]);
    command.env("SCHEMATHESIS_HOOKS", Path::new(env!("CARGO_MANIFEST_DIR")).join("material/schemathesis_hooks.py"));
    command.args([
        "--checks",
        CHECKS,
        "--request-timeout",
        "60",
        "--max-examples",
        "20",
        "--phases",
        "examples,coverage,fuzzing",
    ]);
    // The same requests in every run.
    command.args(["--seed", "1", "--generation-deterministic"]);
    let output = command.current_dir(config.parent().context("the file lies nowhere")?).output().await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(said)
}

/// How many requests were made, from what it said.
fn summary(said: &str) -> String {
    said.lines().rev().find(|line| line.contains("passed")).unwrap_or(said).trim().to_owned()
}

/// Hands connections to a port over to the socket, because the tester knows none.
async fn serve(socket: PathBuf, serving: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut tester, _) = listener.accept().await?;
            let mut weir = UnixStream::connect(&socket).await?;
            connections.spawn(async move { copy_bidirectional(&mut tester, &mut weir).await });
        }
    });
    Ok(address)
}
