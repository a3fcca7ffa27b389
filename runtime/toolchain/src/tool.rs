use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::BuildError;

/// A program of a toolchain and how to get it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tool {
    pub(crate) program: &'static str,
    /// Goes on from `… is missing; `.
    pub(crate) cure: &'static str,
}

impl Tool {
    /// Runs it in the folder and gives what it printed; what it complains of goes to standard error as it comes.
    pub(crate) fn run(self, arguments: &[&str], folder: &Path) -> Result<Vec<u8>, BuildError> {
        let mut command = Command::new(self.program);
        command.args(arguments).current_dir(folder).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = command.output().map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => {
                BuildError::Missing { tool: format!("`{}`", self.program), cure: self.cure.to_owned() }
            }
            _ => BuildError::File { what: "run", file: self.program.into(), cause },
        })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let words: Vec<_> = [OsStr::new(self.program)].into_iter().chain(command.get_args()).collect();
        let command = words.join(OsStr::new(" ")).to_string_lossy().into_owned();
        Err(BuildError::Failed { command, status: output.status.to_string() })
    }
}
