//! How the program ends.

use std::process::ExitCode;

/// What the exit code says. The list stands in `weir help` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Something failed.
    Failed = 1,
    /// The project has faults, or what was typed makes no sense; `clap` ends with it too.
    Faults = 2,
    /// What was named is not there.
    NotFound = 3,
    /// Not possible in this state.
    Refused = 4,
    /// No Weir is running.
    NotRunning = 5,
}

/// For `weir help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something failed
  2  the project has faults, or what was typed makes no sense
  3  what was named is not there
  4  not possible in the state things are in
  5  no Weir is running";

/// Why a command ended early, in words for whoever typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title}")]
pub(crate) struct Stop {
    /// What the shell is told.
    pub(crate) exit: Exit,
    /// What, why, and what to do.
    pub(crate) title: String,
    /// Everything that is wrong, where it is more than one thing; at last, where more is said of it.
    pub(crate) faults: Vec<String>,
}

impl Stop {
    pub(crate) fn new(exit: Exit, title: impl Into<String>) -> Self {
        Self { exit, title: title.into(), faults: Vec::new() }
    }

    /// The same, with where more is said of its code.
    pub(crate) fn explained(mut self, code: &str) -> Self {
        self.faults.extend(explain(code));
        self
    }

    /// What was typed makes no sense.
    pub(crate) fn usage(title: impl Into<String>) -> Self {
        Self::new(Exit::Faults, title)
    }
}

/// What to type to read more about a code, if there is a page for it.
pub(crate) fn explain(code: &str) -> Option<String> {
    ::explain::page(code).map(|_| format!("more: weir explain {code}"))
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Prints why it failed and gives the exit code. Whoever closes the pipe that is written to has seen enough.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    let closed = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    if error.downcast_ref::<std::io::Error>().is_some_and(closed) {
        return Exit::Done;
    }
    eprintln!("weir: {error:#}");
    let Some(stop) = error.downcast_ref::<Stop>() else { return Exit::Failed };
    stop.faults.iter().for_each(|fault| eprintln!("  {fault}"));
    stop.exit
}
