//! `weir execution replay`: what it would have happen again is shown first.

use std::collections::BTreeMap;

use api::types::{EffectRow, ReplayOrder, Replayed};
use clap::Args;

use super::act::{Pace, Tally};
use super::filter::Which;
use crate::check::counted;
use crate::client::Client;
use crate::screen::{Screen, clean, parse};
use crate::stop::{Exit, Stop};
use crate::terminal::confirm;

#[derive(Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    which: Which,
    /// Begin with this step, and keep what those before it gave.
    #[arg(long, value_name = "STEP")]
    from: Option<String>,
    /// On the flow's current version instead of the one that the execution was pinned to.
    #[arg(long)]
    current: bool,
    #[command(flatten)]
    pace: Pace,
}

impl Replay {
    pub(crate) async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        let ids = self.which.ids(client, screen).await?;
        let mut order = ReplayOrder { from: self.from.clone(), current_version: self.current, repeat_effects: false };
        let mut effects = Vec::new();
        let mut refused = Vec::new();
        let mut allowed = Vec::new();
        for id in ids {
            match client.post_json(&format!("/executions/{id}/effects"), &order).await {
                Ok(body) => {
                    effects.extend(parse::<Vec<EffectRow>>(&body)?);
                    allowed.push(id);
                }
                Err(error) => refused.push((id, error.downcast::<Stop>()?)),
            }
        }
        self.ask(&allowed, &effects)?;
        order.repeat_effects = true;
        let mut tally = Tally::new(&self.pace, allowed.len() + refused.len());
        for (id, stop) in refused {
            tally.note(id, Err(stop.into()))?;
        }
        for id in allowed {
            tally.wait().await;
            let answer = client.post_json(&format!("/executions/{id}/replay"), &order).await;
            let made = answer.and_then(|body| parse::<Replayed>(&body)).map(|replayed| Some(replayed.id));
            tally.note(id, made)?;
        }
        tally.print("replayed", screen)
    }

    fn ask(&self, ids: &[String], effects: &[EffectRow]) -> anyhow::Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let which = counted(ids.len(), "execution");
        if effects.is_empty() {
            // Nothing would happen twice: only the number of them is worth a question.
            return if self.which.is_named() { Ok(()) } else { confirm(&format!("replay {which}?"), self.pace.yes) };
        }
        eprint!("{}", in_words(effects));
        confirm(&format!("replay {which} and have {} again?", counted(effects.len(), "effect")), self.pace.yes)
    }
}

/// Each kind of effect with how often it would happen again, and a few of those that there were.
fn in_words(effects: &[EffectRow]) -> String {
    const NAMED_MAX: usize = 3;
    let mut kinds: BTreeMap<String, Vec<&EffectRow>> = BTreeMap::new();
    for effect in effects {
        let at = effect.connection.as_ref().map(|name| format!(" at connection `{name}`")).unwrap_or_default();
        kinds.entry(format!("step `{}`: {}{at}", effect.step, effect.action)).or_default().push(effect);
    }
    let mut text =
        "these effects would happen again, with new keys unless a dead letter is repeated as it was:\n".to_owned();
    for (kind, effects) in kinds {
        let ids: Vec<_> = effects.iter().filter_map(|effect| effect.external_id.as_deref()).take(NAMED_MAX).collect();
        let ids = if ids.is_empty() { String::new() } else { format!("; it made {}", ids.join(", ")) };
        text.push_str(&format!("  {} × {}{}\n", effects.len(), clean(&kind), clean(&ids)));
    }
    text
}
