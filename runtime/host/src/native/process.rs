use std::io::{self, ErrorKind};
use std::process::{ExitStatus, Stdio as Piped};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::Program;
use super::messages::{Ask, Said};
use crate::ledger::Stdio;
use crate::limits::{Exceeded, Limits};

/// Begins each text that is meant for the host (RFC 7464), so that whatever else a plugin prints is told apart.
const RECORD_SEPARATOR: u8 = 0x1e;

/// Bytes that are read at once, and that a pipe holds.
const CHUNK_BYTES: usize = 64 * 1024;

/// A plugin's process, which answers one call at a time. Dropped, it is killed; when the host is gone, its input ends, and
/// its SDK ends it, even if it is busy.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    errors: ChildStderr,
    /// What was read of `output` and belongs to no message that has been taken.
    begun: Vec<u8>,
    /// So much of it is known to hold no end of a message.
    looked: usize,
}

/// Why a process cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("`{program}` cannot be started: {cause}")]
    Start { program: String, cause: io::Error },
    #[error("the plugin's process has ended: {0}")]
    Ended(ExitStatus),
    #[error("the plugin's process cannot be talked to: {0}")]
    Pipe(#[from] io::Error),
    #[error("the plugin's process said what means nothing here")]
    Message(#[from] serde_json::Error),
    #[error("the plugin's process said `{0}`, which does not belong there")]
    OutOfTurn(&'static str),
}

impl Broken {
    /// Whether there is no process any more that could answer.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::Start { .. } | Self::Ended(_) | Self::Pipe(_))
    }
}

impl Process {
    pub(crate) fn start(program: &Program) -> Result<Self, Broken> {
        let mut command = Command::new(&program.program);
        command.args(&program.arguments).envs(program.environment.iter().cloned()).current_dir(&program.folder);
        command.stdin(Piped::piped()).stdout(Piped::piped()).stderr(Piped::piped()).kill_on_drop(true);
        // Who stops Weir at a terminal does not stop its plugins: calls under way may end first.
        command.process_group(0);
        let failed = |cause| Broken::Start { program: program.program.clone(), cause };
        let mut child = command.spawn().map_err(failed)?;
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed(ErrorKind::BrokenPipe.into()));
        };
        Ok(Self { child, input, output, errors, begun: Vec::new(), looked: 0 })
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Says something.
    pub(crate) async fn say(&mut self, ask: &Ask<'_>) -> Result<(), Broken> {
        let mut text = serde_json::to_vec(ask)?;
        text.push(b'\n');
        match self.input.write_all(&text).await {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(self.ended().await),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for what the process says next. What it prints in between goes to `printed`.
    pub(crate) async fn hear(
        &mut self,
        limits: &Limits,
        printed: &mut (dyn FnMut(Stdio, &[u8]) + Send),
    ) -> wasmtime::Result<Said> {
        let mut complaint = Vec::with_capacity(CHUNK_BYTES);
        let mut has_errors = true;
        loop {
            if let Some(said) = self.take(printed)? {
                self.print_errors(printed);
                return Ok(said);
            }
            self.begun.reserve(CHUNK_BYTES);
            tokio::select! {
                read = self.output.read_buf(&mut self.begun) => match read? {
                    0 => {
                        let ended = self.ended().await;
                        self.print_errors(printed);
                        return Err(ended.into());
                    }
                    _ if self.begun.len() as u64 > limits.memory_bytes.saturating_mul(2) => {
                        return Err(Exceeded::Memory(limits.memory_bytes).into());
                    }
                    _ => {}
                },
                read = self.errors.read_buf(&mut complaint), if has_errors => {
                    has_errors = read? > 0;
                    printed(Stdio::Error, &complaint);
                    complaint.clear();
                }
            }
        }
    }

    /// The next whole message of what has been read.
    fn take(&mut self, printed: &mut (dyn FnMut(Stdio, &[u8]) + Send)) -> Result<Option<Said>, Broken> {
        let place = |bytes: &[u8], byte| bytes.iter().position(|each| *each == byte);
        if self.begun.first().is_some_and(|byte| *byte != RECORD_SEPARATOR) {
            let begin = place(&self.begun, RECORD_SEPARATOR).unwrap_or(self.begun.len());
            printed(Stdio::Output, &self.begun[..begin]);
            self.begun.drain(..begin);
        }
        let Some(end) = place(&self.begun[self.looked..], b'\n').map(|end| self.looked + end) else {
            self.looked = self.begun.len();
            return Ok(None);
        };
        let said = Said::read(&self.begun[1..end]);
        self.begun.drain(..=end);
        self.looked = 0;
        Ok(Some(said?))
    }

    /// Passes on what it has complained of until now: as much as a pipe holds. Asked of the system, which knows sooner than the
    /// runtime does.
    fn print_errors(&self, printed: &mut (dyn FnMut(Stdio, &[u8]) + Send)) {
        let mut chunk = vec![0; CHUNK_BYTES];
        if let Ok(count) = rustix::io::read(&self.errors, &mut chunk[..]) {
            printed(Stdio::Error, &chunk[..count]);
        }
    }

    async fn ended(&mut self) -> Broken {
        self.child.wait().await.map_or_else(Broken::Pipe, Broken::Ended)
    }
}
