//! What an operator types, on the real binary with real plugins: install, staged, grant, swap, roll-back; a plugin that
//! panics; files that cannot be plugins.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use bench::events::Events;
use bench::weir::{Settled, TO_SINK};
use bytes::Bytes;
use serde_json::Value;
use tokio::process::Command;

use crate::hot_loading::{Variants, serving};
use crate::world::{PATIENCE, World, eventually, target, weir_binary};

/// What a command printed, and how it ended.
pub(crate) struct Typed {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Typed {
    /// Whether it ended well and printed all of these.
    pub(crate) fn expect(&self, said: &[&str]) -> anyhow::Result<()> {
        ensure!(self.code == Some(0), "exit code {:?}: {}{}", self.code, self.stdout, self.stderr);
        self.says(said)
    }

    /// Whether it printed all of these.
    pub(crate) fn says(&self, said: &[&str]) -> anyhow::Result<()> {
        said.iter().try_for_each(|said| {
            ensure!(self.stdout.contains(said), "no `{said}` in:\n{}", self.stdout);
            Ok(())
        })
    }

    /// Whether it ended like this and complained of all of these.
    pub(crate) fn refuses(&self, code: i32, said: &[&str]) -> anyhow::Result<()> {
        ensure!(self.code == Some(code), "exit code {:?}: {}{}", self.code, self.stdout, self.stderr);
        said.iter().try_for_each(|said| {
            ensure!(self.stderr.contains(said), "no `{said}` in:\n{}", self.stderr);
            Ok(())
        })
    }
}

/// Types a command in the project's folder.
pub(crate) async fn weir(world: &World, arguments: &[&str]) -> anyhow::Result<Typed> {
    let mut command = Command::new(weir_binary()?);
    command.args(arguments).arg("--dir").arg(world.weir.folder()).kill_on_drop(true).stdin(std::process::Stdio::null());
    command.env("XDG_CACHE_HOME", world.plugins.path().join("cache"));
    let output = tokio::time::timeout(PATIENCE, command.output()).await.context("the command does not end")??;
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    Ok(Typed { code: output.status.code(), stdout, stderr })
}

/// Writes a component beside the plugins, as a file that somebody has been given.
fn file(world: &World, name: &str, component: &[u8]) -> anyhow::Result<PathBuf> {
    let file = world.plugins.path().join(name);
    fs::write(&file, component).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

pub(crate) fn typed(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("the path is not UTF-8")
}

/// Sends an event to the sink; gives what `show` prints of its execution when it has ended.
async fn delivered(world: &World, number: u64) -> anyhow::Result<Typed> {
    let id = send(world, number).await?;
    ensure!(world.weir.settled(PATIENCE).await? == Settled { parked: 0, dead: 0 }, "{}", world.weir.log());
    weir(world, &["execution", "show", &id]).await
}

pub(crate) async fn send(world: &World, number: u64) -> anyhow::Result<String> {
    let answer = world.send(TO_SINK, &Events::new(0)?.event(number)).await?;
    ensure!(answer.status() == 202, "{answer:?}");
    let accepted: Value = serde_json::from_slice(answer.body())?;
    let event = accepted["event"].as_str().context("no id")?;
    Ok(format!("{}-0", event.replace("evt_", "exe_")))
}

/// The connector under another version, which asks for an origin more.
fn wider(world: &World) -> anyhow::Result<PathBuf> {
    let component = fs::read(world.plugins.path().join("http-connector.wasm"))?;
    let mut manifest = manifest::extract(&component)?;
    manifest.version = "1.1.0".to_owned();
    manifest.http.push(manifest::HttpRequest {
        origin: "https://elsewhere.example.com".to_owned(),
        methods: vec!["GET".to_owned()],
        paths: vec!["/*".to_owned()],
        reason: "is curious".to_owned(),
    });
    file(world, "wider.wasm", &manifest::embed(&component, &manifest)?)
}

#[tokio::test]
async fn a_wider_plugin_is_staged_granted_swapped_in_and_rolled_back() -> anyhow::Result<()> {
    let mut world = World::start(&[]).await?;
    let wider = wider(&world)?;
    delivered(&world, 1).await?.expect(&["by http 1.0.0"])?;

    let staged = weir(&world, &["install", typed(&wider)?, "--name", "http"]).await?;
    staged.expect(&[
        "staged",
        "weir grant http",
        "1.0.0 goes on serving, also after a restart",
        "elsewhere.example.com",
    ])?;
    delivered(&world, 2).await?.expect(&["by http 1.0.0"])?;
    world.weir.kill().await?;
    world.weir.start().await?;
    weir(&world, &["status"]).await?.expect(&["`http` 1.1.0 is staged", "weir grant http"])?;
    delivered(&world, 3).await?.expect(&["by http 1.0.0"])?;

    weir(&world, &["grant", "http"]).await?.refuses(2, &["https://elsewhere.example.com: GET on /*", "--yes"])?;
    weir(&world, &["grant", "http", "--yes"]).await?.expect(&["plugin http 1.1.0", "serves new calls now"])?;
    weir(&world, &["status"]).await?.expect(&["nothing is wrong"])?;
    delivered(&world, 4).await?.expect(&["by http 1.1.0"])?;
    weir(&world, &["grant", "http"]).await?.refuses(4, &["asks for nothing beyond its grant"])?;

    weir(&world, &["rollback", "http"]).await?.expect(&["plugin http 1.0.0", "serves new calls again"])?;
    delivered(&world, 5).await?.expect(&["by http 1.0.0"])?;
    world.weir.kill().await?;
    world.weir.start().await?;
    delivered(&world, 6).await?.expect(&["by http 1.0.0"])?;
    weir(&world, &["install", typed(&wider)?, "--name", "http"]).await?.expect(&["1.1.0", "serves new calls now"])?;
    delivered(&world, 7).await?.expect(&["by http 1.1.0"])?;
    Ok(())
}

#[tokio::test]
async fn what_is_staged_is_withdrawn_by_what_the_message_says() -> anyhow::Result<()> {
    let mut world = World::start(&[]).await?;
    let before = serving(&world, "http").await?;
    let staged = weir(&world, &["install", typed(&wider(&world)?)?, "--name", "http"]).await?;
    let cure = staged.stdout.lines().find_map(|line| Some(line.split_once("to keep to it: weir ")?.1));
    let cure: Vec<_> = cure.context("the message names no way back")?.split(' ').collect();
    weir(&world, &cure).await?.expect(&["plugin http 1.0.0", "serves already"])?;
    weir(&world, &["status"]).await?.expect(&["nothing is wrong"])?;
    weir(&world, &["grant", "http", "--yes"]).await?.refuses(4, &["asks for nothing beyond its grant"])?;
    world.weir.kill().await?;
    world.weir.start().await?;
    assert_eq!(serving(&world, "http").await?, before);
    weir(&world, &["status"]).await?.expect(&["nothing is wrong"])
}

#[tokio::test]
async fn a_panic_is_shown_with_its_line_and_the_event_goes_on_after_a_roll_back() -> anyhow::Result<()> {
    let world = World::start(&[]).await?;
    let mut manifest = manifest::extract(&fs::read(world.plugins.path().join("lead-mapper.wasm"))?)?;
    manifest.version = "1.2.0".to_owned();
    manifest.mapper = None;
    let panics = file(&world, "panics.wasm", &manifest::embed(&panicking_guest().await?, &manifest)?)?;
    weir(&world, &["install", typed(&panics)?, "--name", "lead-mapper"]).await?.expect(&["serves new calls now"])?;
    let id = send(&world, 1).await?;
    let shown = eventually("an attempt", async || {
        let shown = weir(&world, &["execution", "show", &id]).await?;
        Ok(shown.stdout.contains("weir.trap").then_some(shown))
    });
    shown.await?.expect(&[
        "the plugin trapped",
        "examples/panic.rs:8",
        "no idea what to do with",
        "by lead-mapper 1.2.0",
    ])?;

    weir(&world, &["rollback", "lead-mapper"]).await?.expect(&["plugin lead-mapper 1.0.0"])?;
    weir(&world, &["execution", "retry", &id]).await?.expect(&["taken up again"])?;
    assert_eq!(world.weir.settled(PATIENCE).await?, Settled { parked: 0, dead: 0 });
    weir(&world, &["execution", "show", &id]).await?.expect(&["by lead-mapper 1.0.0", "step send  done"])?;

    let replay = weir(&world, &["execution", "replay", &id]).await?;
    replay.refuses(2, &["these effects would happen again", "1 × step `send`: http@1.send", "--yes"])?;
    weir(&world, &["execution", "replay", &id, "--yes"]).await?.expect(&["replayed as"])
}

/// The guest that panics, with its debug information.
async fn panicking_guest() -> anyhow::Result<Bytes> {
    const TARGET: &str = "wasm32-wasip2";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "guests", "--example", "panic", "--features", "component"]);
    let built = cargo.args(["--target", TARGET]).env("CARGO_TARGET_DIR", target()?).current_dir(root).status().await?;
    ensure!(built.success(), "the guest cannot be built; is the target installed? `rustup target add {TARGET}`");
    Ok(fs::read(target()?.join(TARGET).join("debug/examples/panic.wasm"))?.into())
}

#[tokio::test]
async fn a_file_that_cannot_be_a_plugin_changes_nothing_and_says_why() -> anyhow::Result<()> {
    let world = World::start(&[]).await?;
    let variants = Variants::read(world.plugins.path())?;
    let before = serving(&world, "lead-mapper").await?;
    let files = ["plugins.toml", "weir.lock"].map(|file| world.weir.folder().join(file));
    let texts = files.each_ref().map(|file| fs::read(file).ok());
    let refused = variants.bad.iter().filter_map(|bad| Some((bad, bad.code?)));
    for (number, (bad, code)) in refused.enumerate() {
        let file = file(&world, &format!("bad-{number}.wasm"), &bad.component)?;
        let why = match code {
            "weir.load.truncated" => "the component is truncated",
            "weir.load.contract" => "speaks contract 0.9 and this Weir speaks 0.1",
            "weir.load.core-module" => "a core module, not a component; build it",
            _ => "canary",
        };
        let typed = weir(&world, &["install", typed(&file)?, "--name", bad.plugin]).await?;
        typed.refuses(2, &[why]).with_context(|| format!("a component that {}", bad.what))?;
    }
    assert_eq!(serving(&world, "lead-mapper").await?, before);
    assert_eq!(files.each_ref().map(|file| fs::read(file).ok()), texts);
    weir(&world, &["status"]).await?.expect(&["nothing is wrong"])?;
    delivered(&world, 1).await?.expect(&["by lead-mapper 1.0.0"])
}
