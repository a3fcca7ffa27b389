//! Questions to whoever sits at the terminal.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use anyhow::Context;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::stop::{Exit, Stop};

/// Asks before something is done; without a terminal nobody can answer, so `--yes` must have said it before.
///
/// # Errors
/// The answer was no, or nobody can answer.
pub(crate) fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let title = format!("nobody is here to answer: {question} If so, say it with --yes");
        return Err(Stop::usage(title).into());
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Stop::new(Exit::Failed, "nothing was done").into()),
    }
}

/// Reads a secret: at a terminal without showing it, else all of standard input without the line's end. `instead` is what to
/// do for whoever has none.
pub(crate) fn read_secret(prompt: &str, instead: &str) -> anyhow::Result<String> {
    let stdin = io::stdin();
    let mut text = String::new();
    if stdin.is_terminal() {
        eprint!("{prompt}: ");
        io::stderr().flush()?;
        let _silence = Silence::begin()?;
        stdin.lock().read_line(&mut text)?;
    } else {
        stdin.lock().read_to_string(&mut text).context("the secret on standard input cannot be read")?;
    }
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(Stop::usage(format!("the {prompt} is empty; {instead}")).into());
    }
    Ok(secret.to_owned())
}

/// While it lives, the terminal shows nothing of what is typed.
struct Silence(Termios);

impl Silence {
    fn begin() -> anyhow::Result<Self> {
        let before = tcgetattr(io::stdin()).context("cannot keep the terminal from showing what is typed")?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        silent.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // Nothing better can be done if the terminal has gone away.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
