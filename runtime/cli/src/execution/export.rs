//! `weir execution export`: one line of JSON for each execution, the same as `show --json` prints and the API gives
//! (`ExecutionDetail` in `openapi.json`). Nothing else stands in the file, so that any tool can read it line by line. With
//! `--case` one step of one execution, as a case of its plugin.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use form_urlencoded::Serializer;
use indicatif::ProgressBar;

use super::case;
use super::filter::Which;
use crate::check::counted;
use crate::client::Client;
use crate::screen::{Screen, parse};
use crate::stop::{Exit, Stop};

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    which: Which,
    /// Write to this file, which must not be there yet.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the call of this step as a case for `weir plugin test`, without secrets; else of the step that was called
    /// last, which is the one that failed.
    #[arg(long, value_name = "STEP", num_args = 0..=1, default_missing_value = "", conflicts_with = "conditions")]
    case: Option<String>,
    /// With `--case`: put a placeholder of the same type and shape for what stands there in the input, such as
    /// `/customer/email`, wherever it occurs; may be repeated.
    #[arg(long, value_name = "POINTER", requires = "case")]
    redact: Vec<String>,
}

impl Export {
    pub(crate) async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        let ids = self.which.ids(client, screen).await?;
        if let Some(step) = &self.case {
            return self.export_case(&ids, step, client, screen).await;
        }
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

    async fn export_case(
        &self,
        ids: &[String],
        step: &str,
        client: &mut Client,
        screen: &Screen,
    ) -> anyhow::Result<Exit> {
        let [id] = ids else { return Err(Stop::usage("a case is made of one execution: name one").into()) };
        let query = match step {
            "" => String::new(),
            step => format!("?{}", Serializer::new(String::new()).append_pair("step", step).finish()),
        };
        let call = parse(&client.get(&format!("/executions/{id}/call{query}")).await?)?;
        let written = case::write(&call, &self.redact)?;
        let text = if screen.json { format!("{}\n", written.value) } else { written.text()? };
        let Some(file) = &self.output else {
            screen.print(&text)?;
            return Ok(Exit::Done);
        };
        let mut created = File::create_new(file).with_context(|| format!("cannot create `{}`", file.display()))?;
        created.write_all(text.as_bytes())?;
        eprintln!("weir: wrote {}, for the folder `cases` of plugin {}", file.display(), call.plugin);
        let gaps = written.gaps.iter().flatten().count();
        if gaps > 0 {
            eprintln!("weir: {} must be filled in first: look for FILL IN", counted(gaps, "exchange"));
        }
        Ok(Exit::Done)
    }
}
