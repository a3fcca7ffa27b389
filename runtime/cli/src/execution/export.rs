//! `weir execution export`: one line of JSON for each execution, the same as `show --json` prints and the API gives
//! (`ExecutionDetail` in `openapi.json`). Nothing else stands in the file, so that any tool can read it line by line.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;

use super::filter::Which;
use crate::check::counted;
use crate::client::Client;
use crate::screen::Screen;
use crate::stop::Exit;

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    which: Which,
    /// Write to this file, which must not be there yet.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Export {
    pub(crate) async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        let ids = self.which.ids(client, screen).await?;
        let (mut output, bar): (Box<dyn Write>, _) = match &self.output {
            Some(file) => {
                let created = File::create_new(file).with_context(|| format!("cannot create `{}`", file.display()))?;
                (Box::new(created), ProgressBar::new(ids.len() as u64))
            }
            // A bar would stand between the lines.
            None => (Box::new(io::stdout().lock()), ProgressBar::hidden()),
        };
        let mut lines = BufWriter::new(&mut output);
        for id in &ids {
            lines.write_all(&client.get(&format!("/executions/{id}")).await?)?;
            lines.write_all(b"\n")?;
            bar.inc(1);
        }
        lines.flush()?;
        bar.finish_and_clear();
        if self.output.is_some() {
            eprintln!("weir: {} exported", counted(ids.len(), "execution"));
        }
        Ok(Exit::Done)
    }
}
