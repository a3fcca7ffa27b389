//! `weir execution list`.

use api::types::{ExecutionPage, ExecutionRow};
use clap::Args;

use super::filter::Filter;
use super::tone;
use crate::client::Client;
use crate::screen::{Screen, plain};
use crate::stop::Exit;

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    filter: Filter,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 20, conflicts_with = "all")]
    limit: usize,
    /// Those behind this one, which the end of the list before has named.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// All of them.
    #[arg(long)]
    all: bool,
}

impl List {
    pub(crate) async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        let limit = if self.all { usize::MAX } else { self.limit.max(1) };
        let page = self.filter.rows(self.after, limit, client, screen).await?;
        if screen.json {
            screen.print(&format!("{}\n", serde_json::to_string(&page)?))?;
            return Ok(Exit::Done);
        }
        screen.print(&in_words(&page, screen))?;
        Ok(Exit::Done)
    }
}

fn in_words(page: &ExecutionPage, screen: &Screen) -> String {
    if page.executions.is_empty() {
        return "no executions\n".to_owned();
    }
    let mut text = rows(&page.executions, screen);
    if let Some(next) = &page.next {
        text.push_str(&format!("\nmore: --after {next}, or --all\n"));
    }
    text
}

/// Executions as a table.
pub(crate) fn rows(executions: &[ExecutionRow], screen: &Screen) -> String {
    let row = |row: &ExecutionRow| {
        let flow = row.flow.split('@').next().unwrap_or_default();
        let state = (row.state.to_string(), tone(row.state));
        let reason = plain(row.reason.as_deref().unwrap_or_default());
        vec![
            plain(&row.id),
            state,
            plain(screen.time(&row.received)),
            plain(flow),
            plain(&row.kind),
            plain(row.attempts),
            reason,
        ]
    };
    let rows: Vec<_> = executions.iter().map(row).collect();
    screen.table(&["ID", "STATE", "RECEIVED", "FLOW", "KIND", "ATTEMPTS", "REASON"], &rows)
}
