//! A Weir of its own in a temporary folder, seen from outside.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::events;
use crate::program::Program;

/// The files of the project, with `{names}` to be filled in.
const FILES: &[(&str, &str)] = &[
    ("weir.toml", include_str!("../project/weir.toml")),
    ("plugins.toml", include_str!("../project/plugins.toml")),
    ("connections.toml", include_str!("../project/connections.toml")),
    ("flows/leads-to-crm.yaml", include_str!("../project/flows/leads-to-crm.yaml")),
    ("flows/leads-to-sink.yaml", include_str!("../project/flows/leads-to-sink.yaml")),
];

/// The path of the webhook that ends in the stand-ins for CRM and chat.
pub const TO_CRM: &str = "/leads";
/// The path of the webhook that ends in the sink.
pub const TO_SINK: &str = "/sink";

/// A start that takes longer has failed.
const START_MAX: Duration = Duration::from_secs(60);

/// Executions that will not go on by themselves, when none is open any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Wait for a person or a repair.
    pub parked: u64,
    /// Dead letters.
    pub dead: u64,
}

/// A Weir with its project. It is killed, and its folder removed, when this is dropped.
pub struct Weir {
    binary: PathBuf,
    // Ended before its folder is removed.
    program: Option<Program>,
    folder: TempDir,
    ingress: SocketAddr,
}

impl Weir {
    /// Writes the project, with connections to the stand-ins and the plugins of a folder.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn new(binary: &Path, plugins: &Path, standin: SocketAddr) -> anyhow::Result<Self> {
        Self::with_files(binary, plugins, standin, &[])
    }

    /// The same with further files, which take the place of those of the same name. `{ingress}`, `{standin}` and
    /// `{plugins}` in them are filled in.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn with_files(
        binary: &Path,
        plugins: &Path,
        standin: SocketAddr,
        files: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("weir-").tempdir().context("cannot make a temporary folder")?;
        let ingress = free_address()?;
        let config = standin::Config::default();
        let filled = [
            ("{ingress}", ingress.to_string()),
            ("{standin}", standin.to_string()),
            ("{plugins}", plugins.display().to_string()),
        ];
        for (file, text) in FILES.iter().chain(files) {
            let text = filled.iter().fold((*text).to_owned(), |text, (name, value)| text.replace(name, value));
            write(folder.path(), file, &text)?;
        }
        write(folder.path(), "secrets/leads", events::SECRET)?;
        write(folder.path(), "secrets/crm", &config.crm_api_key)?;
        write(folder.path(), "secrets/chat", config.chat_webhook_path.trim_start_matches("/services/"))?;
        Ok(Self { binary: binary.to_owned(), folder, ingress, program: None })
    }

    /// Where events go in.
    pub fn ingress(&self) -> SocketAddr {
        self.ingress
    }

    /// The project's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What Weir has written to its output.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("weir.log")).unwrap_or_default()
    }

    /// Starts it and waits until it takes events; gives how long that took.
    ///
    /// # Errors
    /// It ended instead, or took longer than a minute; its log is part of the message.
    pub async fn start(&mut self) -> anyhow::Result<Duration> {
        self.launch()?;
        self.ready().await
    }

    /// Starts it, and does not wait for anything.
    ///
    /// # Errors
    /// There is no such program.
    pub fn launch(&mut self) -> anyhow::Result<()> {
        let arguments = ["up", "--dir", &self.folder.path().display().to_string()];
        self.program = Some(Program::start_logged(&self.binary, &arguments, &self.folder.path().join("weir.log"))?);
        Ok(())
    }

    /// Waits until it takes events; gives how long that took.
    ///
    /// # Errors
    /// It does not run, ended instead, or took longer than a minute; its log is part of the message.
    pub async fn ready(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        while self.get("/readyz").await.is_err() {
            let program = self.program.as_mut().context("weir does not run")?;
            if let Some(status) = program.ended()? {
                bail!("weir ended with {status}:\n{}", self.log());
            }
            if started.elapsed() > START_MAX {
                bail!("weir took no events for {} s:\n{}", START_MAX.as_secs(), self.log());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(started.elapsed())
    }

    /// Kills it with SIGKILL. Without effect if it does not run.
    ///
    /// # Errors
    /// It cannot be killed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        match self.program.take() {
            Some(program) => program.kill().await.context("cannot kill weir"),
            None => Ok(()),
        }
    }

    /// What the admin API answers.
    ///
    /// # Errors
    /// Weir does not run, or refuses.
    pub async fn get(&self, path: &str) -> anyhow::Result<Bytes> {
        self.successful(Request::get(path)).await
    }

    /// Gives an order to the admin API.
    ///
    /// # Errors
    /// Weir does not run, or refuses.
    pub async fn post(&self, path: &str) -> anyhow::Result<Bytes> {
        self.successful(Request::post(path)).await
    }

    async fn successful(&self, request: http::request::Builder) -> anyhow::Result<Bytes> {
        let request = request.header("host", "weir").body(Full::default())?;
        let path = request.uri().to_string();
        let response =
            self.admin().await?.send(request).await.with_context(|| format!("cannot ask weir for {path}"))?;
        if !response.status().is_success() {
            bail!("weir answered {path} with {}: {}", response.status(), String::from_utf8_lossy(response.body()));
        }
        Ok(response.into_body())
    }

    /// A connection to the admin API.
    ///
    /// # Errors
    /// Weir does not run.
    pub async fn admin(&self) -> anyhow::Result<Client> {
        let socket = self.folder.path().join("data/weir.sock");
        Client::connect_unix(&socket).await.with_context(|| format!("weir does not listen on {}", socket.display()))
    }

    /// The number of a metric that has no labels.
    ///
    /// # Errors
    /// As for [`get`](Self::get), or there is no such metric.
    pub async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.get("/metrics").await?;
        let text = std::str::from_utf8(&text)?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.with_context(|| format!("weir has no metric `{name}`"))
    }

    /// Waits until no execution can go on by itself any more; gives how many wait for a person.
    ///
    /// # Errors
    /// As for [`get`](Self::get), or some are still open after so long.
    pub async fn settled(&self, within: Duration) -> anyhow::Result<Settled> {
        let deadline = Instant::now() + within;
        loop {
            let status: Value = serde_json::from_slice(&self.get("/api/v1/status").await?)?;
            let flows = status["flows"].as_array().context("the status lists no flows")?;
            let sum = |what: &str| flows.iter().filter_map(|flow| flow[what].as_u64()).sum::<u64>();
            if sum("open") == 0 {
                return Ok(Settled { parked: sum("parked"), dead: sum("dead") });
            }
            if Instant::now() > deadline {
                bail!("{} executions are still open after {} s", sum("open"), within.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Its process id; none if it does not run.
    pub fn id(&self) -> Option<u32> {
        self.program.as_ref().and_then(Program::id)
    }

    /// Its resident memory in MiB.
    ///
    /// # Errors
    /// It does not run.
    pub fn resident_mib(&self) -> anyhow::Result<f64> {
        let id = self.id().context("weir does not run")?;
        let status = fs::read_to_string(format!("/proc/{id}/status")).context("cannot read the state of weir")?;
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("weir has no memory any more")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().context("the size of weir is no number")?;
        Ok(kib / 1024.0)
    }
}

/// An address on this machine that nobody listens on just now.
fn free_address() -> anyhow::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).context("no port is free")
}

fn write(folder: &Path, file: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(file);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}
