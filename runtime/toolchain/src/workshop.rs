use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use manifest::Manifest;

use crate::BuildError;

/// A program of a toolchain and how to get it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    pub(crate) program: &'static str,
    /// Goes on from `… is missing; `.
    pub(crate) cure: &'static str,
}

/// What a build works with.
pub(crate) struct Workshop<'a> {
    /// The project's folder.
    pub(crate) folder: &'a Path,
    pub(crate) manifest: &'a Manifest,
    /// Where programs are looked for in place of `PATH`, and written like it: tests have some of them missing.
    pub(crate) programs: Option<&'a OsStr>,
}

impl Workshop<'_> {
    /// A file of the project.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The tool in the project's folder, not started yet.
    pub(crate) fn command(&self, tool: Tool, arguments: &[&str]) -> Command {
        let mut command = Command::new(tool.program);
        command.args(arguments).current_dir(self.folder).stdin(Stdio::null()).stderr(Stdio::inherit());
        if let Some(programs) = self.programs {
            // The tool itself is looked for there, and so is what it starts.
            command.env("PATH", programs);
        }
        command
    }

    /// Runs it and gives what it printed; what it complains of goes to standard error as it comes.
    pub(crate) fn ask(&self, tool: Tool, arguments: &[&str]) -> Result<Vec<u8>, BuildError> {
        let mut command = self.command(tool, arguments);
        let output = command.output().map_err(|cause| cannot_start(tool, cause))?;
        if output.status.success() { Ok(output.stdout) } else { Err(failed(tool, &command, output.status)) }
    }

    /// Runs it; whatever it says goes to standard error as it comes.
    pub(crate) fn run(&self, tool: Tool, arguments: &[&str]) -> Result<(), BuildError> {
        Self::finish(tool, self.command(tool, arguments))
    }

    /// Runs what [`Workshop::command`] gave.
    pub(crate) fn finish(tool: Tool, mut command: Command) -> Result<(), BuildError> {
        command.stdout(io::stderr());
        let status = command.status().map_err(|cause| cannot_start(tool, cause))?;
        if status.success() { Ok(()) } else { Err(failed(tool, &command, status)) }
    }
}

fn cannot_start(tool: Tool, cause: io::Error) -> BuildError {
    match cause.kind() {
        io::ErrorKind::NotFound => {
            BuildError::Missing { tool: format!("`{}`", tool.program), cure: tool.cure.to_owned() }
        }
        _ => BuildError::File { what: "run", file: tool.program.into(), cause },
    }
}

fn failed(tool: Tool, command: &Command, status: ExitStatus) -> BuildError {
    let words: Vec<_> = [OsStr::new(tool.program)].into_iter().chain(command.get_args()).collect();
    let command = words.join(OsStr::new(" ")).to_string_lossy().into_owned();
    BuildError::Failed { command, status: status.to_string() }
}
