//! The binary `weir`: what is typed becomes a call of the server, or of the admin API of one that runs. Start at
//! [`Command`].

mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Carries events durably through sandboxed plugins.
#[derive(Parser)]
#[command(name = "weir", version, about, disable_help_subcommand = true)]
struct Arguments {
    /// The folder of the project.
    #[arg(long, global = true, value_name = "DIR", default_value = ".", env = "WEIR_DIR")]
    dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run Weir on the project in this folder; an empty folder will do.
    Up(up::Up),
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    if arguments.nth(1).is_some_and(|first| first == host::COMPILE_CHILD) {
        return host::compile_child_main(arguments);
    }
    let Arguments { dir, command } = Arguments::parse();
    let done = match command {
        Command::Up(up) => up.run(&dir),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("weir: {error:#}");
            ExitCode::FAILURE
        }
    }
}
