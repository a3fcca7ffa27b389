//! The binary `weir`: what is typed becomes a call of the server, or of the admin API of one that runs. Start at
//! [`Command`].

mod check;
mod client;
mod dev;
mod doctor;
mod event;
mod execution;
mod explain;
mod init;
mod plugin;
mod screen;
mod secret;
mod status;
mod stop;
mod terminal;
mod up;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::client::Client;
use crate::screen::Screen;
use crate::stop::{EXIT_CODES, Exit, report};

/// An event costs hundreds of small allocations, many of which another thread gives back: with the C library's allocator
/// they took a third of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Carries events durably through sandboxed plugins.
#[derive(Parser)]
#[command(name = "weir", version, about, after_help = EXIT_CODES)]
struct Arguments {
    /// The folder of the project.
    #[arg(long, global = true, value_name = "DIR", default_value = ".", env = "WEIR_DIR")]
    dir: PathBuf,
    /// Print JSON, as the admin API gives it; with `up`, log lines as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run Weir on the project in this folder; an empty folder will do.
    Up,
    /// Run Weir on the project in this folder for whoever writes its plugins: those whose `source` in plugins.toml is a
    /// folder run natively where their language can, are granted what they ask for, and are replaced as their files change.
    Dev {
        /// Build every plugin as WebAssembly, in the sandbox that it will be published for.
        #[arg(long)]
        wasm: bool,
        /// The project; else the folder of `--dir`.
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Write a small commented project that runs at once.
    Init {
        /// Where; else in the folder of `--dir`.
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Report every fault of the project, with its place and what to do.
    Check,
    /// Show how everything is, what is wrong first.
    Status,
    /// Examine the data of a Weir that does not run: every record, what is damaged, what can be saved. Changes nothing.
    Doctor,
    /// Bring what runs into line with the project's files; if one has a fault, nothing changes.
    Apply,
    /// Take events in and keep them, and work on none, until `weir resume`.
    Pause,
    /// Work on events again after `weir pause`.
    Resume,
    /// Put a component into the project and into service, while events flow.
    Install(plugin::Install),
    /// Allow a plugin what it asks for beyond its grant.
    Grant(plugin::Grant),
    /// Go back to the generation of a plugin that served before, at once.
    Rollback {
        /// The plugin.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Look at plugins, and make, publish and fetch them.
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Keep secrets in Weir's store, sealed.
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Send and look at events.
    #[command(subcommand)]
    Event(event::Event),
    /// Look at executions, and do something to them.
    #[command(subcommand)]
    Execution(execution::Execution),
    /// Explain a code such as `weir.http.not-granted`: what happened, why, what to do.
    Explain {
        /// The code; without one, all of them are listed.
        #[arg(value_name = "CODE")]
        code: Option<String>,
    },
    /// Print what makes a shell complete the words of `weir`.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    if arguments.nth(1).is_some_and(|first| first == host::COMPILE_CHILD) {
        return host::compile_child_main(arguments);
    }
    let Arguments { dir, json, command } = Arguments::parse();
    let screen = Screen::new(json);
    run(command, &dir, &screen).unwrap_or_else(|error| report(&error)).into()
}

fn run(command: Command, dir: &Path, screen: &Screen) -> anyhow::Result<Exit> {
    match command {
        Command::Up => up::run(dir, screen.json),
        Command::Dev { folder, wasm } => dev::run(folder.as_deref().unwrap_or(dir), wasm, screen.json),
        Command::Init { folder } => init::run(folder.as_deref().unwrap_or(dir), screen),
        Command::Check => check::run(dir, screen),
        Command::Doctor => doctor::run(dir, screen),
        Command::Explain { code } => explain::run(code.as_deref(), screen),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "weir", &mut script);
            screen.print(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Done)
        }
        // Not from within the small runtime of those who only ask: a plugin gets one of its own to run in.
        Command::Plugin(plugin::Plugin::Work(work)) => work.run(dir, screen),
        command => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(ask(command, dir, &mut Client::new(dir), screen))
        }
    }
}

/// Everything that a running Weir is asked for.
async fn ask(command: Command, dir: &Path, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
    match command {
        Command::Status => status::status(client, screen).await,
        Command::Apply => status::apply(client, screen).await,
        Command::Pause => status::pause(client, screen, true).await,
        Command::Resume => status::pause(client, screen, false).await,
        Command::Install(install) => install.run(dir, client, screen).await,
        Command::Grant(grant) => grant.run(client, screen).await,
        Command::Rollback { name } => plugin::rollback(&name, client, screen).await,
        Command::Plugin(plugin) => plugin.run(client, screen).await,
        Command::Secret(secret) => secret.run(client, screen).await,
        Command::Event(event) => event.run(client, screen).await,
        Command::Execution(execution) => execution.run(client, screen).await,
        Command::Up
        | Command::Dev { .. }
        | Command::Init { .. }
        | Command::Check
        | Command::Doctor
        | Command::Explain { .. }
        | Command::Completions { .. } => {
            unreachable!("these ask no running Weir")
        }
    }
}
