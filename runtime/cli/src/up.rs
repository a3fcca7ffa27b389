//! `weir up`.

use std::future::Future;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use api::Control;
use lifecycle::{Shutdown, ShutdownTrigger, Tasks};
use server::{Project, Server};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::check::counted;
use crate::stop::{Exit, Stop};

/// A second signal ended it at once: what the shell says after an interrupt.
const EXIT_INTERRUPTED: i32 = 130;

/// Runs Weir until a signal ends it.
pub(crate) fn run(dir: &Path, json: bool) -> anyhow::Result<Exit> {
    log(json, "info");
    let dir = dir.canonicalize().with_context(|| format!("cannot use the folder `{}`", dir.display()))?;
    let project = Project::read(&dir).map_err(|problems| Stop {
        exit: Exit::Faults,
        title: format!("{} in the project; nothing was started", counted(problems.len(), "fault")),
        faults: problems.iter().map(ToString::to_string).collect(),
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(project, |_, _| std::future::ready(())))?;
    Ok(Exit::Done)
}

/// Runs the project until a signal ends it, and something beside it.
pub(crate) async fn serve<F>(
    project: Project,
    beside: impl FnOnce(Arc<dyn Control>, Shutdown) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let has_flows = project.root.join("flows").is_dir();
    let program = std::env::current_exe().context("cannot find the program's own file")?;
    let server = Server::build(project, program, |progress| {
        if progress.of > 0 {
            tracing::info!(records = progress.records, of = progress.of, "reading the journal");
        }
    })
    .await?;
    let (trigger, shutdown) = ShutdownTrigger::new();
    let socket = server.socket();
    let listener = api::bind(&socket).with_context(|| format!("cannot make the socket `{}`", socket.display()))?;
    let tasks = Tasks::default();
    tasks.spawn("admin API", api::serve(listener, server.control(), shutdown.clone()));
    tasks.spawn("signals", stop_on_signal(trigger));
    welcome(&server, has_flows).await?;
    tasks.spawn("beside", beside(server.control(), shutdown.clone()));
    server.run(shutdown).await?;
    eprintln!("weir: stopped; everything that was accepted is kept");
    Ok(())
}

async fn welcome(server: &Server, has_flows: bool) -> anyhow::Result<()> {
    let status = server.control().status().await?;
    let mut text = format!("Weir {} is ready (pid {})\n", status.version, status.pid);
    for flow in &status.flows {
        text.push_str(&format!("  {:<24} {}{}\n", flow.name, status.listen, flow.path));
    }
    for trouble in &status.troubles {
        text.push_str(&format!("  ! {trouble}\n"));
    }
    if !has_flows {
        text.push_str(&format!(
            "\nThere are no flows yet: every event is kept, and can be looked at. Try it:\n\n  \
             curl -d '{{\"hello\":\"weir\"}}' -H 'content-type: application/json' {}/try\n  \
             weir execution list\n\nTo begin a project: weir init\n",
            status.listen
        ));
    }
    // Whoever started it may have gone away; that is no reason to stop.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// The first signal asks for an orderly end, the second ends at once: a kill at any point is safe.
async fn stop_on_signal(trigger: ShutdownTrigger) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    for stop in [|trigger: &ShutdownTrigger| trigger.fire(), |_: &ShutdownTrigger| std::process::exit(EXIT_INTERRUPTED)]
    {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        eprintln!("weir: stopping; once more to leave at once");
        stop(&trigger);
    }
}

/// Lines of the log go to standard error, from this level on unless the environment says otherwise.
pub(crate) fn log(json: bool, level: &str) {
    let filter = EnvFilter::try_from_env("WEIR_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        lines.json().init();
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).init();
    }
}
