//! `weir status`, `weir apply`, `weir pause` and `weir resume`.

use api::{Applied, Status};

use crate::check::counted;
use crate::client::Client;
use crate::screen::{Screen, Tone, clean, plain};
use crate::stop::Exit;

/// Prints how everything is, what is wrong first.
pub(crate) async fn status(client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
    screen.answer(&client.get("/status").await?, |status: &Status| in_words(status, screen))?;
    Ok(Exit::Done)
}

fn in_words(status: &Status, screen: &Screen) -> String {
    let Status { version, pid, project, listen, accepting, troubles, flows, counts, .. } = status;
    let mut text = format!("Weir {version} in {} (pid {pid})\n", project.display());
    text.push_str(&match accepting {
        true => format!("events are taken in at {listen}\n\n"),
        false => format!("{}\n\n", screen.paint("events are not taken in", Tone::Bad)),
    });
    match troubles.is_empty() {
        true => text.push_str(&format!("{}\n", screen.paint("nothing is wrong", Tone::Good))),
        false => troubles.iter().for_each(|trouble| {
            text.push_str(&format!("{} {}\n", screen.paint("!", Tone::Bad), clean(trouble)));
        }),
    }
    let number = |count: u64, tone| (count.to_string(), if count == 0 { Tone::Plain } else { tone });
    let rows: Vec<_> = flows
        .iter()
        .map(|flow| {
            let waiting = number(flow.open, Tone::Waiting);
            let (parked, dead) = (number(flow.parked, Tone::Bad), number(flow.dead, Tone::Bad));
            vec![plain(&flow.name), plain(&flow.path), waiting, parked, dead, plain(&flow.owner)]
        })
        .collect();
    text.push('\n');
    text.push_str(&screen.table(&["FLOW", "PATH", "OPEN", "PARKED", "DEAD", "OWNER"], &rows));
    text.push_str(&format!(
        "\nsince the start: {} accepted, {}, {}; {} finished, {} parked, {} dead\n",
        counted(counts.accepted as usize, "event"),
        counted(counts.repeated as usize, "repeat"),
        counted(counts.attempts as usize, "attempt"),
        counts.finished,
        counts.parked,
        counts.dead
    ));
    text
}

/// Brings what runs into line with the files.
pub(crate) async fn apply(client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
    screen.answer(&client.post("/apply").await?, |applied: &Applied| {
        let Applied { plugins, flows, troubles } = applied;
        let plugins =
            plugins.iter().map(|plugin| format!("plugin {} {}: {}\n", plugin.name, plugin.version, plugin.message));
        let flows = flows.iter().map(|flow| format!("flow {flow}: takes events\n"));
        let troubles = troubles.iter().map(|trouble| format!("{} {}\n", screen.paint("!", Tone::Bad), clean(trouble)));
        plugins.chain(flows).chain(troubles).collect()
    })?;
    Ok(Exit::Done)
}

/// Lets work rest, or go on.
pub(crate) async fn pause(client: &mut Client, screen: &Screen, pause: bool) -> anyhow::Result<Exit> {
    let (path, done) = match pause {
        true => (
            "/pause",
            "paused: events are taken in and kept, and none is worked on until `weir resume` or a new start\n",
        ),
        false => ("/resume", "work goes on\n"),
    };
    client.post(path).await?;
    screen.print(if screen.json { "{}\n" } else { done })?;
    Ok(Exit::Done)
}
