use bench::events::Events;
use bench::weir::{Settled, TO_CRM};
use serde_json::Value;
use standin::Service;

use crate::world::{PATIENCE, World};

/// The event with this number is of a large company, of which the chat hears too.
const LARGE: u64 = 25;

#[tokio::test]
async fn a_signed_event_reaches_crm_and_chat_and_its_steps_can_be_looked_at() -> anyhow::Result<()> {
    let world = World::start(&[]).await?;
    let answer = world.send(TO_CRM, &Events::new(0)?.event(LARGE)).await?;
    assert_eq!(answer.status(), 202, "{answer:?}\n{}", world.weir.log());
    assert_eq!(world.weir.settled(PATIENCE).await?, Settled { parked: 0, dead: 0 }, "{}", world.weir.log());

    let seen = world.standin.summary();
    assert_eq!((seen[&Service::Crm].effects, seen[&Service::Chat].effects), (1, 1));

    let rows = world.executions("flow=leads-to-crm&state=finished&").await?;
    let accepted: Value = serde_json::from_slice(answer.body())?;
    let events: Vec<_> = rows.iter().map(|row| &row["event"]).collect();
    assert_eq!(events, [&accepted["event"]], "{accepted}");
    let shown = world.details(rows.iter().filter_map(|row| row["id"].as_str()).map(str::to_owned)).await?;
    let steps: Vec<_> = shown[0]["steps"].as_array().into_iter().flatten().map(step_in_words).collect();
    let expected = ["contact done by lead-mapper", "create done by crm", "announce done by chat"];
    assert_eq!(steps, expected, "{:#}", shown[0]);
    Ok(())
}

fn step_in_words(step: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let plugin = text(&step["attempts"][0]["report"]["plugin"]["name"]);
    format!("{} {} by {plugin}", text(&step["id"]), text(&step["state"]))
}
