//! A Weir, its stand-ins, and what to ask them.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bench::client::Client;
use bench::events::Event;
use bench::weir::Weir;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::Value;
use standin::{Config, Standin};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// Nothing that the tests wait for takes so long on a healthy Weir, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A Weir with a project and plugins of its own, and the stand-ins that it delivers to.
pub(crate) struct World {
    pub(crate) weir: Weir,
    pub(crate) standin: Standin,
    /// Copies, because an installed plugin takes the place of the file.
    pub(crate) plugins: TempDir,
}

impl World {
    /// Everything is there, and Weir does not run yet. `files` are added to the project of the benches.
    pub(crate) async fn prepare(config: Config, files: &[(&str, &str)]) -> anyhow::Result<Self> {
        let standin = Standin::start(config).await.context("cannot start the stand-ins")?;
        let plugins = copied_plugins()?;
        let weir = Weir::with_files(&weir_binary()?, plugins.path(), standin.address(), files)?;
        Ok(Self { weir, standin, plugins })
    }

    /// The same, and Weir runs.
    pub(crate) async fn start(files: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut world = Self::prepare(Config::default(), files).await?;
        world.weir.start().await?;
        Ok(world)
    }

    /// Sends one event on a connection of its own.
    pub(crate) async fn send(&self, path: &str, event: &Event) -> anyhow::Result<Response<Bytes>> {
        self.post(path, &event.headers, event.body.clone()).await
    }

    /// Posts a body on a connection of its own.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> anyhow::Result<Response<Bytes>> {
        Client::connect(self.weir.ingress()).await?.post(path, headers, body).await
    }

    /// What the admin API answers.
    pub(crate) async fn json(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.weir.get(path).await?)?)
    }

    /// Installs a component; gives the status and what the admin API says.
    pub(crate) async fn install(&self, name: &str, component: Bytes) -> anyhow::Result<(u16, Value)> {
        let request = Request::post(format!("/api/v1/plugins?name={name}")).header("host", "weir");
        let answer = self.weir.admin().await?.send(request.body(Full::new(component))?).await?;
        Ok((answer.status().as_u16(), serde_json::from_slice(answer.body())?))
    }

    /// Every execution that the filter lets through, the newest first. The filter is a query that ends in `&`, or empty.
    pub(crate) async fn executions(&self, filter: &str) -> anyhow::Result<Vec<Value>> {
        let mut rows = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.json(&format!("/api/v1/executions?{filter}limit=1000{after}")).await?;
            rows.extend(page["executions"].as_array().context("the page has no executions")?.iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(rows),
            }
        }
    }

    /// Everything that is known of these executions, asked for on one connection.
    pub(crate) async fn details(&self, ids: impl IntoIterator<Item = String>) -> anyhow::Result<Vec<Value>> {
        let mut admin = self.weir.admin().await?;
        let mut details = Vec::new();
        for id in ids {
            let request = Request::get(format!("/api/v1/executions/{id}")).header("host", "weir");
            let answer = admin.send(request.body(Full::default())?).await?;
            if !answer.status().is_success() {
                bail!("weir does not know execution {id}: {}", String::from_utf8_lossy(answer.body()));
            }
            details.push(serde_json::from_slice(answer.body())?);
        }
        Ok(details)
    }
}

/// Where Cargo builds: this program lies in `debug/deps` of it.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the program's own file")?;
    Ok(program.ancestors().nth(3).context("the program does not lie in a target folder")?.to_owned())
}

/// The binary under test.
pub(crate) fn weir_binary() -> anyhow::Result<PathBuf> {
    let binary = std::env::var_os("WEIR_BIN")
        .map_or_else(|| target().map(|target| target.join("debug/weir")), |binary| Ok(binary.into()))?;
    if !binary.is_file() {
        bail!("{} is missing; build it: cargo build --workspace --bins", binary.display());
    }
    Ok(binary)
}

pub(crate) fn copied_plugins() -> anyhow::Result<TempDir> {
    let built = target()?.join("weir-plugins");
    let copies =
        tempfile::Builder::new().prefix("weir-plugins-").tempdir().context("cannot make a temporary folder")?;
    let missing = || format!("{} is missing; build it: cargo xtask guests", built.display());
    for entry in fs::read_dir(&built).with_context(missing)? {
        let file = entry?;
        fs::copy(file.path(), copies.path().join(file.file_name())).context("cannot copy a plugin")?;
    }
    Ok(copies)
}

/// Tests that load the machine take turns.
pub(crate) async fn machine_alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::const_new(());
    MACHINE.lock().await
}

/// Asks again and again until the answer is there.
pub(crate) async fn eventually<T>(
    what: &str,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            bail!("{what}: not within {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A whole number from the environment.
pub(crate) fn number_from_environment(name: &str, default: u64) -> anyhow::Result<u64> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is no whole number: {text}")),
        Err(_) => Ok(default),
    }
}

/// Prints a figure of a test that passes too: the harness keeps what `println!` prints.
pub(crate) fn show(figures: &str) {
    // Whoever closed the output does not want them.
    let _ = writeln!(std::io::stdout(), "{figures}");
}
