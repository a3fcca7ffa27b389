//! A Weir of its own in a temporary folder, seen from outside.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Command;

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

/// A Weir with its project. It is killed, and its folder removed, when this is dropped.
pub struct Weir {
    binary: PathBuf,
    folder: TempDir,
    ingress: SocketAddr,
    program: Option<Program>,
}

impl Weir {
    /// Writes the project, with connections to the stand-ins and the plugins of a folder.
    ///
    /// # Errors
    /// A file cannot be written, or a plugin is missing.
    pub fn new(binary: &Path, plugins: &Path, standin: SocketAddr) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("weir-").tempdir().context("cannot make a temporary folder")?;
        let ingress = free_address()?;
        let config = standin::Config::default();
        let filled = [
            ("{ingress}", ingress.to_string()),
            ("{standin}", standin.to_string()),
            ("{plugins}", plugins.display().to_string()),
        ];
        for (file, text) in FILES {
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

    /// Starts it; gives how long it took until it took connections.
    ///
    /// # Errors
    /// It ended instead, or took longer than a minute; its log is part of the message.
    pub async fn start(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let arguments = ["up", "--dir", &self.folder.path().display().to_string()];
        let mut program = Program::start_logged(&self.binary, &arguments, &self.folder.path().join("weir.log"))?;
        while TcpStream::connect(self.ingress).await.is_err() {
            if let Some(status) = program.ended()? {
                bail!("weir ended with {status}:\n{}", self.log());
            }
            if started.elapsed() > START_MAX {
                bail!("weir took no connection for {} s:\n{}", START_MAX.as_secs(), self.log());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.program = Some(program);
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

    /// Runs a command of Weir on this project and gives what it printed as JSON.
    ///
    /// # Errors
    /// The command failed, or printed no JSON.
    pub async fn command(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--json").arg("--dir").arg(self.folder.path()).kill_on_drop(true);
        let output = command.output().await.context("cannot start weir")?;
        let shown = arguments.join(" ");
        if !output.status.success() {
            bail!("`weir {shown}` ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("`weir {shown}` printed no JSON"))
    }

    /// How many executions there are in a state, such as `finished`, by the states' names.
    ///
    /// # Errors
    /// `weir status` failed or says nothing of executions.
    pub async fn executions(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let status = self.command(&["status"]).await?;
        serde_json::from_value(status["executions"].clone()).context("`weir status` gives no numbers of executions")
    }

    /// Waits until no execution is under way any more; gives how many ended in which state.
    ///
    /// # Errors
    /// As for [`executions`](Self::executions), or some are still under way after so long.
    pub async fn settled(&self, within: Duration) -> anyhow::Result<BTreeMap<String, u64>> {
        let deadline = Instant::now() + within;
        loop {
            let executions = self.executions().await?;
            let under_way: u64 = ["ready", "waiting"].iter().filter_map(|state| executions.get(*state)).sum();
            if under_way == 0 {
                return Ok(executions);
            }
            if Instant::now() > deadline {
                bail!("{under_way} executions are still under way after {} s", within.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Its resident memory in MiB.
    ///
    /// # Errors
    /// It does not run.
    pub fn resident_mib(&self) -> anyhow::Result<f64> {
        let id = self.program.as_ref().and_then(Program::id).context("weir does not run")?;
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
