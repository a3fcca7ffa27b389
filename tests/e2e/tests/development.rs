//! `weir dev`: a plugin's source changes while events flow.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bench::client::Client;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::world::{eventually, target, weir_binary};

const FLOW: &str = "\
flow: greetings
owner: dev@example.com
source:
  webhook: { path: /greet, verify: none, decode: json }
  dedupe: none
steps:
  - id: greet
    mapper: greeter@0
  - id: note
    action: notes@0.create-note
    connection: nowhere
";

const CONNECTIONS: &str = "\
[connection.nowhere]
owner = \"dev@example.com\"
plugins = [\"notes\"]
base_url = \"https://notes.invalid\"
";

const PLUGINS: &str = "\
[plugin.greeter]
source = \"plugins/greeter\"

[plugin.notes]
source = \"plugins/notes\"
";

/// Two plugins with all that they depend on, on a machine that does other things too.
const FIRST_BUILDS: Duration = Duration::from_secs(600);

/// A project with a mapper and a connector in source, and a Weir that runs it.
struct Bench {
    folder: TempDir,
    port: u16,
    weir: Child,
}

impl Bench {
    async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("weir-dev-").tempdir()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let root = folder.path();
        for (kind, name) in [("mapper", "greeter"), ("connector", "notes")] {
            let mut new = Command::new(weir_binary()?);
            new.args(["plugin", "new", kind, "--lang", "rust", name, "--into"]).arg(root.join("plugins"));
            ensure!(new.output().await?.status.success(), "{name} cannot be made");
            let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
            fs::copy(lock, root.join("plugins").join(name).join("Cargo.lock"))?;
        }
        fs::create_dir(root.join("flows"))?;
        fs::write(root.join("flows/greetings.yaml"), FLOW)?;
        fs::write(root.join("connections.toml"), CONNECTIONS)?;
        fs::write(root.join("plugins.toml"), PLUGINS)?;
        fs::write(root.join("weir.toml"), format!("[ingress]\nlisten = \"127.0.0.1:{port}\"\n"))?;
        let log = fs::File::create(root.join("dev.log"))?;
        let mut command = Command::new(weir_binary()?);
        command.arg("dev").arg(root).env("CARGO_TARGET_DIR", target()?.join("dev")).kill_on_drop(true);
        let weir = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let mut bench = Self { folder, port, weir };
        let began = Instant::now();
        while bench.get("/readyz").await.is_err() {
            ensure!(bench.weir.try_wait()?.is_none(), "it has ended:\n{}", bench.log());
            ensure!(began.elapsed() < FIRST_BUILDS, "it is not ready:\n{}", bench.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(bench)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("dev.log")).unwrap_or_default()
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("plugins/greeter/src/lib.rs")
    }

    async fn get(&self, path: &str) -> anyhow::Result<Bytes> {
        let mut admin = Client::connect_unix(&self.folder.path().join("data/weir.sock")).await?;
        let answer = admin.send(Request::get(path).header("host", "weir").body(Full::default())?).await?;
        ensure!(answer.status().is_success(), "{answer:?}");
        Ok(answer.into_body())
    }

    async fn json(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.get(path).await?)?)
    }

    /// The digest of the generation that serves.
    async fn serving(&self, plugin: &str) -> anyhow::Result<String> {
        let rows = self.json("/api/v1/plugins").await?;
        let mut rows = rows.as_array().into_iter().flatten();
        let active = rows.find(|row| row["name"] == plugin && row["state"] == "active");
        let digest = active.and_then(|row| row["digest"].as_str());
        Ok(digest.with_context(|| format!("no generation of {plugin} serves"))?.to_owned())
    }

    /// What the mapper makes of a name.
    async fn greeting(&self) -> anyhow::Result<Value> {
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let mut client = Client::connect(([127, 0, 0, 1], self.port).into()).await?;
        let answer = client.post("/greet", &headers, Bytes::from_static(br#"{"name":"Ada"}"#)).await?;
        let accepted: Value = serde_json::from_slice(answer.body())?;
        let id = format!("{}-0", accepted["event"].as_str().context("no id")?.replace("evt_", "exe_"));
        eventually("a greeting", async || {
            let shown = self.json(&format!("/api/v1/executions/{id}")).await?;
            let greeting = &shown["steps"][0]["output"]["json"]["greeting"];
            Ok(greeting.is_string().then(|| greeting.clone()))
        })
        .await
    }

    fn edit(&self, from: &str, to: &str) -> anyhow::Result<()> {
        let text = fs::read_to_string(self.source())?;
        ensure!(text.contains(from), "the source holds no {from:?}");
        Ok(fs::write(self.source(), text.replace(from, to))?)
    }

    async fn says(&self, what: &str) -> anyhow::Result<()> {
        let said = eventually(what, async || Ok(self.log().contains(what).then_some(()))).await;
        said.with_context(|| self.log())
    }
}

#[tokio::test]
async fn a_changed_source_serves_after_a_moment_and_one_that_does_not_build_changes_nothing() -> anyhow::Result<()> {
    let bench = Bench::start().await?;
    bench.says("For development only").await?;
    assert_eq!(bench.greeting().await?, "Hello, Ada!");
    let first = bench.serving("greeter").await?;

    bench.edit("\"Hello\"", "\"Good morning\"")?;
    let changed = async || Ok(Some(bench.serving("greeter").await?).filter(|digest| *digest != first));
    let second = eventually("another generation", changed).await.with_context(|| bench.log())?;
    assert_eq!(bench.greeting().await?, "Good morning, Ada!");
    bench.says("greeter 0.1.0 serves new calls now (").await?;

    bench.edit("\"Good morning\"", "1 + \"\"")?;
    bench.says("does not build: what serves goes on serving").await?;
    assert!(bench.log().contains("src/lib.rs:"), "the compiler's own words: {}", bench.log());
    assert_eq!(bench.serving("greeter").await?, second);
    assert_eq!(bench.greeting().await?, "Good morning, Ada!");

    bench.edit("1 + \"\"", "\"Good evening\"")?;
    let changed = async || Ok(Some(bench.serving("greeter").await?).filter(|digest| *digest != second));
    eventually("a generation that builds again", changed).await.with_context(|| bench.log())?;
    assert_eq!(bench.greeting().await?, "Good evening, Ada!");

    // The project's own files count too, and their faults are told with their place.
    let flow = bench.folder.path().join("flows/greetings.yaml");
    fs::write(&flow, FLOW.replace("greeter@0", "greter@0"))?;
    bench.says("the change was not taken").await?;
    bench.says("flows/greetings.yaml:8:").await?;
    fs::write(&flow, FLOW.replace("/greet,", "/greet-them,"))?;
    bench.says("the project's files are in service").await?;
    let status = bench.json("/api/v1/status").await?;
    assert_eq!(status["flows"][0]["path"], "/greet-them", "{status:#}");

    // The connector was granted what it asks for, and nothing of that was written.
    bench.serving("notes").await?;
    assert_eq!(fs::read_to_string(bench.folder.path().join("plugins.toml"))?, PLUGINS);
    let times: Vec<_> =
        bench.log().lines().filter(|line| line.contains("serves new calls now")).map(str::to_owned).collect();
    crate::world::show(&times.join("\n"));
    Ok(())
}

#[tokio::test]
async fn it_listens_on_this_machine_alone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("weir.toml"), "[ingress]\nlisten = \"0.0.0.0:0\"\n")?;
    let ended = Command::new(weir_binary()?).arg("dev").arg(folder.path()).output().await?;
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.code() == Some(4) && said.contains("127.0.0.1:8080"), "{said}");
    Ok(())
}
