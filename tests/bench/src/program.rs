//! Programs that are started, spoken to, and ended by their own id.

use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A program that runs until it is ended; it is killed when this is dropped.
pub struct Program(Child);

impl Program {
    /// Starts a program that says in its first line of output what the caller must know; gives that line too. What it says
    /// on standard error is shown.
    ///
    /// # Errors
    /// It cannot be started, or ended without a line.
    pub async fn start(path: &Path, arguments: &[&str]) -> anyhow::Result<(Self, String)> {
        let mut command = command(path, arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| cannot_start(path))?;
        let stdout = child.stdout.take().context("the program has no standard output")?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        let line = line.with_context(|| format!("{} ended before it said anything", path.display()))?;
        Ok((Self(child), line))
    }

    /// Starts a program whose output goes to the end of a file.
    ///
    /// # Errors
    /// It cannot be started, or the file not be opened.
    pub fn start_logged(path: &Path, arguments: &[&str], log: &Path) -> anyhow::Result<Self> {
        let log = File::options().append(true).create(true).open(log).context("cannot open the log")?;
        let mut command = command(path, arguments);
        command.stdout(log.try_clone()?).stderr(log);
        Ok(Self(command.spawn().with_context(|| cannot_start(path))?))
    }

    /// Its process id; none once it has ended.
    pub fn id(&self) -> Option<u32> {
        self.0.id()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system will not say.
    pub fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// Kills it with SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    /// It cannot be killed.
    pub async fn kill(mut self) -> std::io::Result<()> {
        self.0.kill().await
    }
}

fn command(path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

fn cannot_start(path: &Path) -> String {
    format!("cannot start {}", path.display())
}
