//! `weir execution retry`, `cancel` and `discard`: one by one or in bulk.

use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;
use lifecycle::{Clock, SystemClock};
use serde_json::json;

use super::filter::Which;
use crate::check::counted;
use crate::client::Client;
use crate::screen::Screen;
use crate::stop::{Exit, Stop};
use crate::terminal::confirm;

#[derive(Args)]
pub(crate) struct Act {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    pace: Pace,
}

/// How a bulk order is carried out.
#[derive(Args)]
pub(crate) struct Pace {
    /// At most so many in a second, such as `50/s`.
    #[arg(long, value_name = "N/s", value_parser = parse_rate)]
    rate: Option<u32>,
    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    Retry,
    Cancel,
    Discard,
}

impl Order {
    fn word(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Cancel => "cancel",
            Self::Discard => "discard",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Retry => "taken up again",
            Self::Cancel => "cancelled",
            Self::Discard => "discarded",
        }
    }
}

impl Act {
    pub(crate) async fn run(self, order: Order, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        let ids = self.which.ids(client, screen).await?;
        if !self.which.is_named() && !ids.is_empty() {
            confirm(&format!("{} {}?", order.word(), counted(ids.len(), "execution")), self.pace.yes)?;
        }
        let mut tally = Tally::new(&self.pace, ids.len());
        for id in ids {
            tally.wait().await;
            let answer = client.post(&format!("/executions/{id}/{}", order.word())).await;
            tally.note(id, answer.map(|_| None))?;
        }
        tally.print(order.done(), screen)
    }
}

/// What became of each execution of a bulk order.
pub(crate) struct Tally {
    pause: Duration,
    bar: ProgressBar,
    done: Vec<(String, Option<String>)>,
    refused: Vec<(String, Stop)>,
}

impl Tally {
    pub(crate) fn new(pace: &Pace, orders: usize) -> Self {
        let pause = pace.rate.map_or(Duration::ZERO, |rate| Duration::from_secs(1) / rate);
        // One answer takes no time worth a bar; it shows itself on a terminal only.
        let bar = if orders > 1 { ProgressBar::new(orders as u64) } else { ProgressBar::hidden() };
        Self { pause, bar, done: Vec::new(), refused: Vec::new() }
    }

    /// Keeps the rate.
    pub(crate) async fn wait(&self) {
        if !self.pause.is_zero() && self.bar.position() > 0 {
            SystemClock.sleep(self.pause).await;
        }
    }

    /// Notes an answer: the id of what was made, if something was. A refusal of one does not keep the others from going
    /// on, the end of Weir does.
    pub(crate) fn note(&mut self, id: String, answer: anyhow::Result<Option<String>>) -> anyhow::Result<()> {
        match answer.map_err(|error| error.downcast::<Stop>()) {
            Ok(made) => self.done.push((id, made)),
            Err(Ok(stop)) if stop.exit != Exit::NotRunning => self.refused.push((id, stop)),
            Err(Ok(stop)) => return Err(stop.into()),
            Err(Err(error)) => return Err(error),
        }
        self.bar.inc(1);
        Ok(())
    }

    /// The exit code tells of the first refusal.
    pub(crate) fn print(self, word: &str, screen: &Screen) -> anyhow::Result<Exit> {
        self.bar.finish_and_clear();
        let exit = self.refused.first().map_or(Exit::Done, |(_, stop)| stop.exit);
        if screen.json {
            let done = self.done.iter().map(|(id, made)| json!({ "id": id, "made": made }));
            let refused = self.refused.iter().map(|(id, stop)| json!({ "id": id, "title": stop.title }));
            let all = json!({ "done": done.collect::<Vec<_>>(), "refused": refused.collect::<Vec<_>>() });
            screen.print(&format!("{all}\n"))?;
            return Ok(exit);
        }
        let line = |(id, made): &(String, Option<String>)| match made {
            Some(made) => format!("{id} {word} as {made}\n"),
            None => format!("{id} {word}\n"),
        };
        screen.print(&self.done.iter().map(line).collect::<String>())?;
        self.refused.iter().for_each(|(_, stop)| eprintln!("weir: {stop}"));
        if self.done.len() + self.refused.len() != 1 {
            eprintln!("weir: {} {word}, {} refused", counted(self.done.len(), "execution"), self.refused.len());
        }
        Ok(exit)
    }
}

fn parse_rate(text: &str) -> Result<u32, String> {
    let rate = text.strip_suffix("/s").unwrap_or(text).parse().ok().filter(|rate| *rate > 0);
    rate.ok_or_else(|| format!("`{text}` is no rate: write a number and `/s`, such as `50/s`"))
}
