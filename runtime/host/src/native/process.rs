use std::io::{self, ErrorKind};
use std::process::{ExitStatus, Stdio as Piped};

use rustix::io::Errno;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::Program;
use super::messages::{Ask, Said};
use crate::ledger::Stdio;

/// Begins each text that is meant for the host (RFC 7464), so that whatever else a plugin prints is told apart.
const RECORD_SEPARATOR: u8 = 0x1e;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// A plugin's process, which answers one call at a time. Dropped, it is killed; when the host is gone, its input ends, and
/// it with it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    errors: ChildStderr,
    /// What was read of `output` and belongs to no message that has been taken.
    begun: Vec<u8>,
    message_bytes_max: usize,
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
    #[error("a message of the plugin's process cannot be read: {0}; build it with the SDK of this version")]
    Message(#[from] serde_json::Error),
    #[error("the plugin's process said more than {0} bytes at once")]
    TooMuch(usize),
    #[error("the plugin's process said something that does not belong there")]
    OutOfTurn,
}

impl Broken {
    /// Whether there is no process any more that could answer.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::Start { .. } | Self::Ended(_) | Self::Pipe(_))
    }
}

impl Process {
    pub(crate) fn start(program: &Program, message_bytes_max: usize) -> Result<Self, Broken> {
        let mut command = Command::new(&program.program);
        command.args(&program.arguments).envs(program.environment.iter().cloned()).current_dir(&program.folder);
        command.stdin(Piped::piped()).stdout(Piped::piped()).stderr(Piped::piped()).kill_on_drop(true);
        let failed = |cause| Broken::Start { program: program.program.clone(), cause };
        let mut child = command.spawn().map_err(failed)?;
        let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed(ErrorKind::BrokenPipe.into()));
        };
        Ok(Self { child, input, output, errors, begun: Vec::new(), message_bytes_max })
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
    pub(crate) async fn hear(&mut self, printed: &mut (dyn FnMut(Stdio, &[u8]) + Send)) -> Result<Said, Broken> {
        let (mut out, mut error) = (vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES]);
        let mut has_errors = true;
        loop {
            if let Some(said) = self.take(printed)? {
                self.print_errors(printed);
                return Ok(said);
            }
            tokio::select! {
                read = self.output.read(&mut out) => match read? {
                    0 => {
                        let ended = self.ended().await;
                        self.print_errors(printed);
                        return Err(ended);
                    }
                    count => self.begun.extend_from_slice(&out[..count]),
                },
                read = self.errors.read(&mut error), if has_errors => match read? {
                    0 => has_errors = false,
                    count => printed(Stdio::Error, &error[..count]),
                },
            }
        }
    }

    /// The next whole message of what has been read.
    fn take(&mut self, printed: &mut (dyn FnMut(Stdio, &[u8]) + Send)) -> Result<Option<Said>, Broken> {
        let place = |bytes: &[u8], byte| bytes.iter().position(|each| *each == byte);
        let begin = place(&self.begun, RECORD_SEPARATOR).unwrap_or(self.begun.len());
        if begin > 0 {
            printed(Stdio::Output, &self.begun[..begin]);
            self.begun.drain(..begin);
        }
        let Some(end) = place(&self.begun, b'\n') else {
            let is_too_much = self.begun.len() > self.message_bytes_max;
            return if is_too_much { Err(Broken::TooMuch(self.message_bytes_max)) } else { Ok(None) };
        };
        let said = Said::read(&self.begun[1..end])?;
        self.begun.drain(..=end);
        Ok(Some(said))
    }

    /// Passes on what it has complained of until now. Asked of the system, which knows sooner than the runtime does.
    fn print_errors(&self, printed: &mut (dyn FnMut(Stdio, &[u8]) + Send)) {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match rustix::io::read(&self.errors, &mut chunk[..]) {
                Ok(0) => return,
                Ok(count) => printed(Stdio::Error, &chunk[..count]),
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    async fn ended(&mut self) -> Broken {
        self.child.wait().await.map_or_else(Broken::Pipe, Broken::Ended)
    }
}
