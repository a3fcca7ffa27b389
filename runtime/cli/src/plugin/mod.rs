//! `weir install`, `grant`, `rollback` and `weir plugin`.

mod artefact;
pub(crate) mod build;
mod compare;
mod conform;
mod invoke;
mod new;
mod test;
mod types;
pub(crate) mod watch;
mod workbench;

use std::fmt::Write as _;
use std::path::Path;

use ::artefact::Fetched;
use anyhow::Context;
use api::Deployed;
use api::types::PluginRow;
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::Method;

use self::artefact::{Deprecate, Inspect, Keygen, Publish, Pull, Taken, Trust, Verify, Yank, take, told};
use crate::client::Client;
use crate::screen::{Screen, Tone, clean, parse, plain};
use crate::secret::path_segment;
use crate::stop::{Exit, Stop};
use crate::terminal::confirm;

/// Characters of a digest that tell it from others, `sha256:` included.
const DIGEST_CHARS: usize = 19;

#[derive(Args)]
pub(crate) struct Install {
    /// The component: its file, or where it is published, `oci://HOST/REPOSITORY[:VERSION|@sha256:…]` or oci:FOLDER.
    #[arg(value_name = "FILE|REFERENCE")]
    component: String,
    /// The name by which flows are to know it; else the id in its manifest.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    trust: Trust,
}

impl Install {
    pub(crate) async fn run(self, dir: &Path, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        if !::artefact::Reference::is_meant(&self.component) {
            let body = self.install(read(Path::new(&self.component))?, client).await?;
            return deployed(&body, screen);
        }
        told(self.install_published(dir, client, screen).await, screen)
    }

    /// The publisher is pinned and told before anything is installed, and the version once it is.
    async fn install_published(&self, dir: &Path, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        let taken = self.take(dir).await?;
        taken.warn();
        taken.pin_publisher(dir)?;
        let Fetched { id, version, publisher, is_known, .. } = &taken.fetched;
        if !screen.json {
            screen.print(&format!("{id} {version} is {}\n", taken.publisher()))?;
        }
        let body = self.install(taken.component.clone(), client).await?;
        taken.pin(dir)?;
        if !screen.json {
            return deployed(&body, screen);
        }
        let mut all: serde_json::Value = parse(&body)?;
        all["publisher"] = publisher.to_string().into();
        all["known"] = (*is_known).into();
        screen.print(&format!("{all}\n"))?;
        Ok(Exit::Done)
    }

    async fn take(&self, dir: &Path) -> anyhow::Result<Taken> {
        take(&self.component.parse()?, &self.trust, dir).await
    }

    async fn install(&self, component: Vec<u8>, client: &mut Client) -> anyhow::Result<Bytes> {
        let query = match &self.name {
            Some(name) => format!("?name={}", path_segment(name)?),
            None => String::new(),
        };
        client.ask(Method::POST, &format!("/plugins{query}"), component.into()).await
    }
}

#[derive(Args)]
pub(crate) struct Grant {
    /// The plugin.
    #[arg(value_name = "NAME")]
    name: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

impl Grant {
    pub(crate) async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        let rows: Vec<PluginRow> = parse(&client.get("/plugins").await?)?;
        if !rows.iter().any(|row| row.name == self.name) {
            return Err(unknown(&self.name).into());
        }
        let asks = rows.iter().rfind(|row| row.name == self.name && !row.missing.is_empty());
        if let Some(PluginRow { name, version, owner, missing, .. }) = asks {
            eprintln!("plugin `{name}` {version} of {} asks beyond its grant for", clean(owner));
            missing.iter().for_each(|what| eprintln!("  {}", clean(what)));
            confirm("allow it?", self.yes)?;
        }
        let path = format!("/plugins/{}/grant", path_segment(&self.name)?);
        deployed(&client.post(&path).await?, screen)
    }
}

/// Goes back to the generation before.
pub(crate) async fn rollback(name: &str, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
    let path = format!("/plugins/{}/rollback", path_segment(name)?);
    deployed(&client.post(&path).await?, screen)
}

fn deployed(body: &[u8], screen: &Screen) -> anyhow::Result<Exit> {
    screen.answer(body, |deployed: &Deployed| {
        let Deployed { name, version, digest, message, missing, .. } = deployed;
        let digest = &digest[..digest.len().min(DIGEST_CHARS)];
        let mut text = format!("plugin {name} {version} ({digest}) {}\n", clean(message));
        if !missing.is_empty() {
            text.push_str("it asks beyond its grant for\n");
            missing.iter().for_each(|what| text.push_str(&format!("  {}\n", clean(what))));
        }
        text
    })?;
    Ok(Exit::Done)
}

#[derive(Subcommand)]
pub(crate) enum Plugin {
    /// List the generations of all plugins.
    List,
    /// Show what a plugin is and can reach: an installed one, a component, a project, or a published one.
    Inspect(Inspect),
    #[command(flatten)]
    Work(Work),
}

/// What a plugin's author does, in a host of its own.
#[derive(Subcommand)]
pub(crate) enum Work {
    /// Write a new plugin project: manifest, source, cases, README.
    New(new::New),
    /// Build a plugin project with its language's own tools, and put its manifest in.
    Build(build::Build),
    /// Run a plugin's cases in the real host.
    Test(test::Test),
    /// Call one action, or a mapper, once.
    Invoke(invoke::Invoke),
    /// Check that a plugin keeps to what every plugin must.
    Conform(conform::Conform),
    /// Write types for documents, from samples or a JSON Schema.
    Types(types::Types),
    /// Make a key pair to sign plugins with, in the format of minisign.
    Keygen(Keygen),
    /// Build a plugin, sign it and push it to a registry or a folder, unless that would break who uses it.
    Publish(Publish),
    /// Say of a published version that something else should be used.
    Deprecate(Deprecate),
    /// Take a published version back: it is pulled no more.
    Yank(Yank),
    /// Fetch a published plugin, if its signature holds and it is by whom it was before.
    Pull(Pull),
    /// Check a plugin without taking it: digests, signature, publisher, imports, what its publisher said later.
    Verify(Verify),
    /// Run recorded events of a running Weir through a new version of a mapper, and show what it gives otherwise.
    Compare(compare::Compare),
}

impl Work {
    pub(crate) fn run(self, dir: &Path, screen: &Screen) -> anyhow::Result<Exit> {
        match self {
            Self::New(new) => new.run(screen),
            Self::Build(build) => build.run(screen),
            Self::Test(test) => test.run(screen),
            Self::Invoke(invoke) => invoke.run(screen),
            Self::Conform(conform) => conform.run(screen),
            Self::Types(types) => types.run(screen),
            Self::Keygen(keygen) => keygen.run(screen),
            Self::Publish(publish) => publish.run(screen),
            Self::Deprecate(deprecate) => deprecate.run(screen),
            Self::Yank(yank) => yank.run(screen),
            Self::Pull(pull) => pull.run(dir, screen),
            Self::Verify(verify) => verify.run(dir, screen),
            Self::Compare(compare) => compare.run(dir, screen),
        }
    }
}

impl Plugin {
    pub(crate) async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        match self {
            Self::List => {
                let body = client.get("/plugins").await?;
                screen.answer(&body, |rows: &Vec<PluginRow>| table(rows, screen))?;
                Ok(Exit::Done)
            }
            Self::Inspect(inspect) => inspect.run(client, screen).await,
            Self::Work(_) => unreachable!("this is not run within the runtime of those who only ask"),
        }
    }
}

fn table(rows: &[PluginRow], screen: &Screen) -> String {
    if rows.is_empty() {
        return "no plugins; to add one: weir install FILE\n".to_owned();
    }
    let row = |row: &PluginRow| {
        let digest = plain(&row.digest[..row.digest.len().min(DIGEST_CHARS)]);
        let state = (row.state.clone(), tone(&row.state));
        let counts = [row.calls, row.in_flight, row.traps].map(plain);
        let [calls, in_flight, traps] = counts;
        let roles = plain(row.roles.join(", "));
        vec![plain(&row.name), plain(&row.version), state, digest, calls, in_flight, traps, roles]
    };
    let head = ["NAME", "VERSION", "STATE", "DIGEST", "CALLS", "IN FLIGHT", "TRAPS", "ROLES"];
    screen.table(&head, &rows.iter().map(row).collect::<Vec<_>>())
}

fn tone(state: &str) -> Tone {
    match state {
        "active" => Tone::Good,
        "staged" | "verified" | "draining" => Tone::Waiting,
        "quarantined" => Tone::Bad,
        _ => Tone::Faint,
    }
}

async fn inspect_installed(name: &str, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
    let all: Vec<PluginRow> = parse(&client.get("/plugins").await?)?;
    let rows: Vec<_> = all.into_iter().filter(|row| row.name == name).collect();
    if rows.is_empty() {
        return Err(unknown(name).into());
    }
    if screen.json {
        screen.print(&format!("{}\n", serde_json::to_string(&rows)?))?;
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for row in &rows {
        heading(&mut text, &row.name, &row.version, &row.description);
        line(&mut text, "state", &screen.paint(&row.state, tone(&row.state)));
        line(&mut text, "digest", &row.digest);
        line(&mut text, "owner", &clean(&row.owner));
        line(&mut text, "licence", &clean(&row.licence));
        line(&mut text, "roles", &row.roles.join(", "));
        row.actions.iter().for_each(|action| line(&mut text, "action", &clean(action)));
        row.asks.iter().for_each(|ask| line(&mut text, "asks for", &clean(ask)));
        row.missing.iter().for_each(|what| line(&mut text, "not granted", &clean(what)));
        let calls = format!("{}, {} in flight, {} ended in a trap or at a limit", row.calls, row.in_flight, row.traps);
        line(&mut text, "calls", &calls);
        text.push('\n');
    }
    screen.print(&text)?;
    Ok(Exit::Done)
}

fn unknown(name: &str) -> Stop {
    let title = format!("no plugin `{name}` is installed; `weir plugin list` shows what is installed");
    Stop::new(Exit::NotFound, title)
}

/// The word that a file uses for it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

fn heading(text: &mut String, name: &str, version: &str, description: &str) {
    let _ = writeln!(text, "{name} {version}: {}", clean(description));
}

fn line(text: &mut String, name: &str, value: &str) {
    let _ = writeln!(text, "  {name:<11}  {value}");
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    server::read_component(file).with_context(|| format!("cannot read component `{}`", file.display()))
}
