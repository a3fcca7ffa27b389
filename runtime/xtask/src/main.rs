//! Development commands: `cargo xtask test` is what CI runs. It sets up what it needs by itself, so that a fresh clone
//! and a toolchain suffice. Knows the workspace and nothing of how Weir works; `demo` and `bench` only build what is
//! needed, well optimised, and start the programs of that name in `tests/bench`. Start at [`Command`].

mod check;
mod codegen;
mod guests;
mod languages;
mod material;
mod optimised;
mod process;
mod tidy;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Development commands of Weir.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Every check and every test, with whatever they need set up first; what CI runs.
    #[command(visible_alias = "ci")]
    Test,
    /// The rules that hold the tree together: arrows between rooms, lengths, words, licences.
    Tidy,
    /// Builds the plugins for Weir's sandbox.
    Guests,
    /// Fetches what others wrote and the tests run against: signers, senders, payloads.
    Material,
    /// Writes the generated files anew.
    Codegen,
    /// Sends 1,000 events through a real Weir to stand-ins, and shows what became of them.
    Demo {
        /// Kill Weir with SIGKILL in the middle of the load, and start it again.
        #[arg(long)]
        kill: bool,
        /// How many events.
        #[arg(long, default_value_t = 1_000)]
        events: u64,
        /// Stop when the numbers are shown, instead of leaving Weir running until Ctrl-C.
        #[arg(long)]
        once: bool,
    },
    /// Measures, each figure beside a control.
    Bench {
        /// Also write the figures as JSON.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
        /// Which figures; all if none is named.
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Options::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::load()?;
    match command {
        Command::Test => check::run(&workspace),
        Command::Tidy => {
            let failures = tidy::run(&workspace)?;
            failures.iter().for_each(|failure| println!("{failure}"));
            println!("tidy: {} found", failures.len());
            Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Guests => {
            guests::build(&workspace)?;
            process::run(&mut process::cargo(&["build", "--quiet", "--workspace", "--bins"], &workspace.root))?;
            guests::build_others(&workspace, &workspace.target.join("debug/weir"))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Material => material::fetch(&workspace).map(|()| ExitCode::SUCCESS),
        Command::Codegen => codegen::write(&workspace).map(|()| ExitCode::SUCCESS),
        Command::Demo { kill, events, once } => {
            let mut arguments = vec!["--events".to_owned(), events.to_string()];
            arguments.extend(kill.then(|| "--kill".to_owned()));
            arguments.extend(once.then(|| "--once".to_owned()));
            optimised::run(&workspace, "demo", &arguments)
        }
        Command::Bench { json, names } => {
            let json = json.map(|path| std::path::absolute(&path)).transpose()?;
            let mut arguments: Vec<String> =
                json.map(|path| ["--json".to_owned(), path.display().to_string()]).into_iter().flatten().collect();
            arguments.extend(names);
            optimised::run(&workspace, "bench", &arguments)
        }
    }
}
