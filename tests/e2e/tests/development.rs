//! `weir dev`: a plugin's source changes while events flow.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
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
    connection: desk
    with: { title: \"${steps.greet.output.greeting}\", text: Milk }
";

const PLUGINS: &str = "\
[plugin.greeter]
source = \"plugins/greeter\"

[plugin.notes]
source = \"plugins/notes\"

[plugin.notes.grant]
private_networks = [\"127.0.0.0/8\"]
";

/// Two plugins with all that they depend on, on a machine that does other things too.
const FIRST_BUILDS: Duration = Duration::from_secs(600);

/// A language, and where its mapper lies.
struct Lang {
    name: &'static str,
    source: &'static str,
}

const RUST: Lang = Lang { name: "rust", source: "src/lib.rs" };
const GO: Lang = Lang { name: "go", source: "main.go" };
const PYTHON: Lang = Lang { name: "python", source: "src/greeter.py" };
const TYPESCRIPT: Lang = Lang { name: "ts", source: "src/plugin.ts" };

/// A project with a mapper and a connector in source, and a Weir that runs it.
struct Bench {
    folder: TempDir,
    lang: Lang,
    port: u16,
    desk: Desk,
    weir: Child,
}

/// Where notes are made: it answers each with an id, and keeps what it was sent.
struct Desk {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let (address, requests) = (listener.local_addr()?, Arc::new(Mutex::new(Vec::new())));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A connection that breaks is the sender's affair.
                if let Ok(request) = answer(stream) {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                }
            }
        });
        Ok(Self { address, requests })
    }

    /// What `connections.toml` says of it.
    fn connection(&self) -> String {
        format!(
            "[connection.desk]\nowner = \"dev@example.com\"\nplugins = [\"notes\"]\nbase_url = \"http://{}\"\n\
             credential = {{ scheme = \"bearer\", secret = {{ env = \"DESK_TOKEN\" }} }}\n",
            self.address
        )
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads one request, answers it, and gives its text.
fn answer(mut stream: TcpStream) -> std::io::Result<String> {
    let (mut text, mut chunk) = (String::new(), [0; 4096]);
    let is_whole = |text: &str| {
        let length =
            text.to_lowercase().split_once("content-length: ").and_then(|(_, rest)| rest.lines().next()?.parse().ok());
        text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.len() >= length.unwrap_or(0))
    };
    while !is_whole(&text) {
        match stream.read(&mut chunk)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => text.push_str(&String::from_utf8_lossy(&chunk[..count])),
        }
    }
    let head = "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 11";
    write!(stream, "{head}\r\n\r\n{{\"id\":\"n1\"}}")?;
    Ok(text)
}

impl Bench {
    async fn start(lang: Lang, options: &[&str]) -> anyhow::Result<Self> {
        Self::start_with(lang, options, |_| Ok(())).await
    }

    /// The same with a mapper whose source was changed first.
    async fn start_with(
        lang: Lang,
        options: &[&str],
        change: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("weir-dev-").tempdir()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let (root, desk) = (folder.path(), Desk::start()?);
        for (kind, name) in [("mapper", "greeter"), ("connector", "notes")] {
            let mut new = Command::new(weir_binary()?);
            new.args(["plugin", "new", kind, "--lang", lang.name, name, "--into"]).arg(root.join("plugins"));
            ensure!(new.output().await?.status.success(), "{name} cannot be made");
            if lang.name == "rust" {
                let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
                fs::copy(lock, root.join("plugins").join(name).join("Cargo.lock"))?;
            }
        }
        change(&root.join("plugins/greeter").join(lang.source))?;
        fs::create_dir(root.join("flows"))?;
        fs::write(root.join("flows/greetings.yaml"), FLOW)?;
        fs::write(root.join("connections.toml"), desk.connection())?;
        fs::write(root.join("plugins.toml"), PLUGINS)?;
        fs::write(root.join("weir.toml"), format!("[ingress]\nlisten = \"127.0.0.1:{port}\"\n"))?;
        let log = fs::File::create(root.join("dev.log"))?;
        let mut command = Command::new(weir_binary()?);
        command
            .arg("dev")
            .args(options)
            .arg(root)
            .env("CARGO_TARGET_DIR", target()?.join("dev"))
            .env("DESK_TOKEN", "t0ken");
        let python = target()?.join("weir-languages/python/python/bin");
        command.env("PATH", format!("{}:{}", python.display(), std::env::var("PATH")?)).kill_on_drop(true);
        let weir = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let mut bench = Self { folder, lang, port, desk, weir };
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
        self.folder.path().join("plugins/greeter").join(self.lang.source)
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

    /// What the mapper makes of a name, and how the execution went that far.
    async fn greeting(&self) -> anyhow::Result<(Value, Value)> {
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let mut client = Client::connect(([127, 0, 0, 1], self.port).into()).await?;
        let answer = client.post("/greet", &headers, Bytes::from_static(br#"{"name":"Ada"}"#)).await?;
        let accepted: Value = serde_json::from_slice(answer.body())?;
        let id = format!("{}-0", accepted["event"].as_str().context("no id")?.replace("evt_", "exe_"));
        eventually("a greeting", async || {
            let shown = self.json(&format!("/api/v1/executions/{id}")).await?;
            let greeting = &shown["steps"][0]["output"]["json"]["greeting"];
            Ok(greeting.is_string().then(|| (greeting.clone(), shown.clone())))
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

    /// What is alive in the folder of the project: its plugins' processes.
    fn processes(&self) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")?.flatten() {
            let place = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
            if place.starts_with(self.folder.path().canonicalize()?.join("plugins")) {
                let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                found.push(name.trim().to_owned());
            }
        }
        Ok(found)
    }

    /// Waits for a generation that is none of these.
    async fn changed(&self, plugin: &str, before: &[&str]) -> anyhow::Result<String> {
        let changed = async || Ok(Some(self.serving(plugin).await?).filter(|digest| !before.contains(&&**digest)));
        eventually("another generation", changed).await.with_context(|| self.log())
    }
}

/// A project whose plugins run natively, through a day of its author.
async fn runs_natively(lang: Lang, name: &str, broken: (&str, &str)) -> anyhow::Result<()> {
    let mut bench = Bench::start(lang, &[]).await?;
    bench
        .says(&format!("no sandbox: greeter ({name}), notes ({name}). As they will be published: weir dev --wasm"))
        .await?;
    let (greeting, _) = bench.greeting().await?;
    assert_eq!(greeting, "Hello, Ada!");
    let noted = async || Ok(bench.desk.requests().first().cloned());
    let request = eventually("a note", noted).await.with_context(|| bench.log())?;
    let lower = request.to_lowercase();
    assert!(request.starts_with("POST /notes "), "{request}");
    assert!(
        lower.contains("\r\nauthorization: bearer t0ken\r\n") && lower.contains("\r\nidempotency-key: "),
        "{request}"
    );
    assert!(request.contains(r#""title":"Hello, Ada!""#), "{request}");
    let first = bench.serving("greeter").await?;
    assert!(first.starts_with("native:"), "{first}");
    assert_ne!(bench.processes()?, Vec::<String>::new());

    // Nothing was built, and nothing of it outlives this Weir.
    let root = bench.folder.path();
    assert!(!root.join("plugins/greeter/greeter.wasm").exists() && !root.join("data/plugins").exists());
    assert!(!root.join("weir.lock").exists());

    bench.edit("\"Hello\"", "\"Good morning\"")?;
    let second = bench.changed("greeter", &[&first]).await?;
    let (greeting, shown) = bench.greeting().await?;
    assert_eq!(greeting, "Good morning, Ada!");
    assert!(shown.to_string().contains(&second), "an execution says what made it: {shown:#}");
    bench.says("greeter 0.1.0 serves new calls now, natively (").await?;
    let untouched = bench.log().matches("notes 0.1.0 serves").count();
    assert_eq!(untouched, 0, "{}", bench.log());

    // What is broken says where, and changes nothing.
    bench.edit("\"Good morning\"", broken.0)?;
    bench.says(broken.1).await?;
    bench.says("what serves goes on serving").await?;
    assert_eq!(bench.serving("greeter").await?, second);
    assert_eq!(bench.greeting().await?.0, "Good morning, Ada!");
    bench.edit(broken.0, "\"Good evening\"")?;
    bench.changed("greeter", &[&first, &second]).await?;
    assert_eq!(bench.greeting().await?.0, "Good evening, Ada!");

    // There is nothing to go back to but the files.
    let refused =
        Command::new(weir_binary()?).arg("--dir").arg(bench.folder.path()).args(["rollback", "greeter"]).output();
    let refused = refused.await?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(4) && said.contains("runs natively, from its files"), "{said}");

    let times: Vec<_> =
        bench.log().lines().filter(|line| line.contains("serves new calls now")).map(str::to_owned).collect();
    crate::world::show(&format!("{name}: {}", times.join("; ")));
    // Killed, it tells its plugins nothing; they notice.
    bench.weir.kill().await?;
    let gone = async || Ok(bench.processes()?.is_empty().then_some(()));
    eventually("its plugins end", gone).await
}

#[tokio::test]
async fn what_does_not_start_at_first_is_told_and_serves_when_it_is_mended() -> anyhow::Result<()> {
    let replace = |from: &str, to: &str, file: &Path| -> anyhow::Result<()> {
        Ok(fs::write(file, fs::read_to_string(file)?.replace(from, to))?)
    };
    let bench = Bench::start_with(PYTHON, &[], |file| replace("\"Hello\"", "Hello", file)).await?;
    bench.says("! plugin `greeter`: the plugin does not start").await?;
    bench.says("NameError: name 'Hello' is not defined").await?;
    assert_eq!(bench.log().matches("NameError").count(), 1, "{}", bench.log());
    bench.edit("Hello", "\"Hello\"")?;
    bench.says("greeter 0.1.0 serves new calls now, natively").await?;
    assert_eq!(bench.greeting().await?.0, "Hello, Ada!");
    Ok(())
}

#[tokio::test]
async fn python_runs_natively() -> anyhow::Result<()> {
    runs_natively(PYTHON, "Python", ("Greeting.of()", "AttributeError: type object 'Greeting' has no attribute 'of'"))
        .await
}

#[tokio::test]
async fn typescript_runs_natively() -> anyhow::Result<()> {
    runs_natively(TYPESCRIPT, "JavaScript", ("+ )", "src/plugin.ts:8:")).await
}

#[tokio::test]
async fn go_runs_natively() -> anyhow::Result<()> {
    runs_natively(GO, "Go", ("7", "main.go:27:")).await
}

#[tokio::test]
async fn as_webassembly_it_runs_what_will_be_published() -> anyhow::Result<()> {
    let bench = Bench::start(GO, &["--wasm"]).await?;
    let (greeting, _) = bench.greeting().await?;
    assert_eq!(greeting, "Hello, Ada!");
    let first = bench.serving("greeter").await?;
    assert!(first.starts_with("sha256:") && !bench.log().contains("Natively"), "{first}\n{}", bench.log());
    bench.edit("\"Hello\"", "\"Good morning\"")?;
    bench.changed("greeter", &[&first]).await?;
    assert_eq!(bench.greeting().await?.0, "Good morning, Ada!");
    assert_eq!(bench.processes()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn where_nothing_runs_natively_components_are_built_and_what_does_not_build_changes_nothing() -> anyhow::Result<()>
{
    let bench = Bench::start(RUST, &[]).await?;
    bench.says("For development only").await?;
    assert!(!bench.log().contains("Natively"), "{}", bench.log());
    assert_eq!(bench.greeting().await?.0, "Hello, Ada!");
    let first = bench.serving("greeter").await?;

    bench.edit("\"Hello\"", "\"Good morning\"")?;
    let second = bench.changed("greeter", &[&first]).await?;
    assert_eq!(bench.greeting().await?.0, "Good morning, Ada!");
    bench.says("greeter 0.1.0 serves new calls now (").await?;

    bench.edit("\"Good morning\"", "1 + \"\"")?;
    bench.says("does not build: what serves goes on serving").await?;
    assert!(bench.log().contains("src/lib.rs:"), "the compiler's own words: {}", bench.log());
    assert_eq!(bench.serving("greeter").await?, second);
    assert_eq!(bench.greeting().await?.0, "Good morning, Ada!");

    bench.edit("1 + \"\"", "\"Good evening\"")?;
    bench.changed("greeter", &[&first, &second]).await?;
    assert_eq!(bench.greeting().await?.0, "Good evening, Ada!");

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
