//! `weir execution`: look at executions, and do something to them.

mod act;
mod case;
mod export;
mod filter;
mod forms;
mod list;
mod mask;
mod replay;
mod show;

use clap::Subcommand;

use crate::client::Client;
use crate::screen::{Screen, Tone};
use crate::stop::Exit;
use model::StateKind;

pub(crate) use case::to_document;
pub(crate) use list::rows;

#[derive(Subcommand)]
pub(crate) enum Execution {
    /// List executions, the newest first.
    List(list::List),
    /// Show all that happened to an execution: steps, attempts, requests, log lines.
    Show {
        /// The execution.
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Let executions go on that are parked, dead or waiting; finished steps are not run again, keys stay the same.
    Retry(act::Act),
    /// Run executions once more, as new ones; only a dead letter that is repeated on its own version keeps its keys.
    Replay(replay::Replay),
    /// End executions that have not ended.
    Cancel(act::Act),
    /// Put parked or dead executions away.
    Discard(act::Act),
    /// Write executions as JSON lines, each what `show --json` prints; or one as a case for `weir plugin test`.
    Export(export::Export),
}

impl Execution {
    pub(crate) async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.run(client, screen).await,
            Self::Show { id } => show::run(&id, client, screen).await,
            Self::Retry(act) => act.run(act::Order::Retry, client, screen).await,
            Self::Replay(replay) => replay.run(client, screen).await,
            Self::Cancel(act) => act.run(act::Order::Cancel, client, screen).await,
            Self::Discard(act) => act.run(act::Order::Discard, client, screen).await,
            Self::Export(export) => export.run(client, screen).await,
        }
    }
}

/// How a state is coloured.
fn tone(state: StateKind) -> Tone {
    match state {
        StateKind::Finished => Tone::Good,
        StateKind::Ready | StateKind::Waiting => Tone::Waiting,
        StateKind::Parked | StateKind::Dead => Tone::Bad,
        StateKind::Cancelled | StateKind::Discarded => Tone::Faint,
    }
}
