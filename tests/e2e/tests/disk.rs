//! What the disk is promised: nothing is acknowledged before it is synced, and a full one loses nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use bench::events::Events;
use bench::weir::{Settled, TO_SINK};
use serde_json::Value;
use standin::{Config, Service};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::world::{PATIENCE, World, eventually, show};

const TRACED: u64 = 20;
const SYSTEM_CALLS: &str = "trace=fdatasync,fsync,read,recvfrom,recvmsg,write,writev,sendto,sendmsg";

#[tokio::test]
async fn nothing_is_acknowledged_before_it_is_synced() -> anyhow::Result<()> {
    let mut world = World::start(&[]).await?;
    // Held back, so that the only records are those of acceptance.
    world.weir.post("/api/v1/pause").await?;
    let trace = world.weir.folder().join("trace");
    let id = world.weir.id().context("weir does not run")?.to_string();
    let mut command = tokio::process::Command::new("strace");
    command.args(["-f", "-y", "-s", "32", "-e", SYSTEM_CALLS, "-p", &id, "-o"]).arg(&trace).kill_on_drop(true);
    let mut tracer = command.stderr(Stdio::piped()).spawn().context("strace is missing: cargo xtask material")?;
    let mut said = BufReader::new(tracer.stderr.take().context("strace has no standard error")?).lines();
    let line = said.next_line().await?.unwrap_or_default();
    ensure!(line.contains("attached"), "strace does not trace: {line}");

    let events = Events::new(0)?;
    for number in 0..TRACED {
        let answer = world.send(TO_SINK, &events.event(number)).await?;
        assert_eq!(answer.status(), 202);
    }
    world.weir.kill().await?;
    tracer.wait().await?;
    assert_eq!(acknowledged_when_synced(&fs::read_to_string(&trace)?)?, TRACED);
    Ok(())
}

/// Reads a trace: between the arrival of a request and its acknowledgement, a sync of the journal has ended well. Gives how
/// many acknowledgements there were.
fn acknowledged_when_synced(trace: &str) -> anyhow::Result<u64> {
    let (mut is_synced, mut acknowledged) = (false, 0);
    // Threads whose sync of the journal has begun.
    let mut syncing = Vec::new();
    for line in trace.lines() {
        let thread = line.split_whitespace().next().unwrap_or_default();
        let is_sync = line.contains(" fdatasync(") || line.contains(" fsync(");
        if line.contains("\"POST /") {
            is_synced = false;
        } else if is_sync && line.contains("/data/journal/") {
            if line.contains("<unfinished ...>") {
                syncing.push(thread);
            } else {
                is_synced |= line.ends_with("= 0");
            }
        } else if line.contains("sync resumed>") && syncing.contains(&thread) {
            syncing.retain(|other| *other != thread);
            is_synced |= line.ends_with("= 0");
        } else if line.contains("\"HTTP/1.1 202") {
            ensure!(is_synced, "acknowledged without a sync:\n{line}");
            acknowledged += 1;
        }
    }
    Ok(acknowledged)
}

#[test]
fn a_trace_without_a_sync_is_found_out() {
    let request = "7 recvfrom(9<socket:[1]>, \"POST /sink HTTP/1.1\"..., 8192, 0, NULL, NULL) = 400\n";
    let begun = "8 fdatasync(5</tmp/weir-x/data/journal/incoming-1> <unfinished ...>\n";
    let ended = "8 <... fdatasync resumed>)         = 0\n";
    let answer = "7 sendto(9<socket:[1]>, \"HTTP/1.1 202 Accepted\"..., 120, MSG_NOSIGNAL, NULL, 0) = 120\n";
    assert!(matches!(acknowledged_when_synced(&[request, begun, ended, answer].concat()), Ok(1)));
    for wrong in [[request, begun, answer, ended], [begun, ended, request, answer], [request, ended, begun, answer]] {
        assert!(acknowledged_when_synced(&wrong.concat()).is_err(), "{}", wrong.concat());
    }
}

/// Above what Weir keeps free for what has been accepted, 1 GiB, by what it writes in this test and some more.
const DISK_MIB: u64 = 1536;
/// Leaves less than that.
const BALLAST_BYTES: u64 = 600 << 20;

#[tokio::test]
async fn a_full_disk_refuses_events_and_recovers_by_itself() -> anyhow::Result<()> {
    let mut world = World::prepare(Config::default(), &[]).await?;
    let disk = SmallDisk::mount(world.weir.folder().join("data"))?;
    world.weir.start().await?;
    let events = Events::new(0)?;
    assert_eq!(world.send(TO_SINK, &events.event(1)).await?.status(), 202);

    disk.fill()?;
    let mut number = 1;
    let refusal = eventually("a full disk is noticed", async || {
        number += 1;
        let answer = world.send(TO_SINK, &events.event(number)).await?;
        Ok((answer.status() != 202).then_some(answer))
    });
    let refusal = refusal.await?;
    assert_eq!(refusal.status(), 503, "{refusal:?}");
    assert!(refusal.headers().contains_key("retry-after"), "{refusal:?}");
    let status = world.json("/api/v1/status").await?;
    let troubles = status["troubles"].as_array().context("the status has no troubles")?;
    assert!(troubles.iter().filter_map(Value::as_str).any(|trouble| trouble.contains("free")), "{status:#}");
    let accepted = number - 1;
    assert_eq!(
        world.weir.settled(PATIENCE).await?,
        Settled { parked: 0, dead: 0 },
        "what was accepted is brought to its end"
    );
    assert_eq!(world.standin.summary()[&Service::Sink].effects, accepted);

    disk.empty()?;
    let again = eventually("events are taken again", async || {
        let answer = world.send(TO_SINK, &events.event(number)).await?;
        Ok((answer.status() == 202).then_some(()))
    });
    again.await?;
    assert_eq!(world.weir.settled(PATIENCE).await?, Settled { parked: 0, dead: 0 });
    assert_eq!(world.standin.summary()[&Service::Sink].effects, accepted + 1);
    show("full disk: refused with 503 and Retry-After, taken again when there was room, nothing lost");
    Ok(())
}

/// A small file system in memory; it is unmounted when this is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&at)?;
        let size = format!("size={DISK_MIB}m,mode=700");
        run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"], &at).context("a full disk can be tried by root alone")?;
        Ok(Self(at))
    }

    /// Takes room away.
    fn fill(&self) -> anyhow::Result<()> {
        let ballast = fs::File::create(self.0.join("ballast"))?;
        rustix::fs::fallocate(&ballast, rustix::fs::FallocateFlags::empty(), 0, BALLAST_BYTES)?;
        Ok(())
    }

    /// Gives it back.
    fn empty(&self) -> anyhow::Result<()> {
        Ok(fs::remove_file(self.0.join("ballast"))?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: Weir may still have files open.
        if let Err(error) = run("umount", &["--lazy"], &self.0) {
            eprintln!("{error:#}");
        }
    }
}

fn run(program: &str, arguments: &[&str], at: &Path) -> anyhow::Result<()> {
    let status =
        Command::new(program).args(arguments).arg(at).status().with_context(|| format!("cannot start {program}"))?;
    if !status.success() {
        bail!("{program} {} ended with {status}", at.display());
    }
    Ok(())
}
