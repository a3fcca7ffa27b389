//! Plugins that come from others and go to others: keys, publishing, taking, looking at, and speaking of them later.

mod inspect;
mod keygen;
mod notice;
mod publish;
mod pull;
mod verify;

use std::env;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};

use anyhow::Context;
use artefact::{Access, ArtefactError, Place, Publisher, Reference, SigningKey};
use clap::Args;
use host::{LoadError, Read};
use serde_json::json;

pub(crate) use inspect::Inspect;
pub(crate) use keygen::Keygen;
pub(crate) use notice::{Deprecate, Yank};
pub(crate) use publish::Publish;
pub(crate) use pull::{Pull, Taken, Trust, take};
pub(crate) use verify::Verify;

use crate::screen::Screen;
use crate::stop::{Exit, Stop};
use crate::terminal::read_secret;

/// In the environment: the password of a secret key, where nobody sits at a terminal.
const PASSWORD: &str = "WEIR_KEY_PASSWORD";

/// How a registry is spoken to.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Network {
    /// Speak without TLS to a registry on another machine; on this one it is tried by itself.
    #[arg(long)]
    plain_http: bool,
}

impl Network {
    pub(super) async fn open(&self, reference: &Reference) -> Result<Place, ArtefactError> {
        let access = Access { plain_http: self.plain_http, logins: logins() };
        Place::open(&reference.location, &access).await
    }
}

/// Where Docker, Podman and Skopeo keep accounts.
fn logins() -> Vec<PathBuf> {
    let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = |path: &str| named("HOME").map(|home| home.join(path));
    let docker = named("DOCKER_CONFIG").or_else(|| home(".docker")).map(|folder| folder.join("config.json"));
    let runtime = named("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json"));
    let files = [named("REGISTRY_AUTH_FILE"), docker, runtime, home(".config/containers/auth.json")];
    files.into_iter().flatten().collect()
}

/// A publisher's secret key.
#[derive(Clone, Debug, Args)]
pub(crate) struct Key {
    /// The secret key that `weir plugin keygen` or `minisign -G` wrote; its password is asked for, or taken from the
    /// variable WEIR_KEY_PASSWORD.
    #[arg(long = "key", value_name = "FILE")]
    file: PathBuf,
}

impl Key {
    pub(super) fn open(&self) -> anyhow::Result<SigningKey> {
        let shown = self.file.display();
        let text = fs::read_to_string(&self.file).with_context(|| format!("cannot read the secret key `{shown}`"))?;
        let password = match artefact::is_encrypted(&text) {
            true => Some(password(&format!("password of `{shown}`"), "type it, or set WEIR_KEY_PASSWORD")?),
            false => None,
        };
        Ok(SigningKey::open(&text, password.as_deref())?)
    }
}

fn password(prompt: &str, instead: &str) -> anyhow::Result<String> {
    env::var(PASSWORD).or_else(|_| read_secret(prompt, instead))
}

/// A publisher as it is typed: the key itself, or the file that holds it.
pub(super) fn publisher(text: &str) -> Result<Publisher, ArtefactError> {
    fs::read_to_string(text).map_or_else(|_| Publisher::read(text), |file| Publisher::read(&file))
}

/// Reads a component, and refuses one whose manifest asks for less than it imports.
pub(super) fn judge(component: &[u8]) -> anyhow::Result<(Read, artefact::Reach)> {
    let bytes_max = usize::try_from(server::COMPONENT_BYTES_MAX)?;
    let read = host::look(component, bytes_max)?;
    let reach = artefact::judge_reach(&read.manifest, &read.imports)?;
    read.check_imports()?;
    Ok((read, reach))
}

/// Runs what talks to a registry.
pub(super) fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// Gives a refusal its code: below the message, and in JSON where that is wanted.
pub(crate) fn told(ended: anyhow::Result<Exit>, screen: &Screen) -> anyhow::Result<Exit> {
    let Err(error) = ended else { return ended };
    let (code, exit, faults) = if let Some(error) = error.downcast_ref::<ArtefactError>() {
        (error.code(), exit(error), error.faults())
    } else if let Some(error) = error.downcast_ref::<LoadError>() {
        (error.code(), Exit::Faults, Vec::new())
    } else {
        return Err(error);
    };
    let title = format!("{error:#}");
    if screen.json {
        let refused = json!({ "refused": { "code": code, "message": title, "faults": faults } });
        screen.print(&format!("{refused}\n"))?;
    }
    Err(Stop { exit, title, faults }.explained(code).into())
}

fn exit(error: &ArtefactError) -> Exit {
    match error {
        ArtefactError::Reference { .. } => Exit::Faults,
        ArtefactError::NotFound { .. } => Exit::NotFound,
        ArtefactError::Key { .. }
        | ArtefactError::Login { .. }
        | ArtefactError::Registry { .. }
        | ArtefactError::File { .. } => Exit::Failed,
        _ => Exit::Refused,
    }
}

/// Writes a file whole or not at all.
pub(super) fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let unfinished = file.with_extension("unfinished");
    let written = fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, file));
    written.with_context(|| format!("cannot write `{}`", file.display()))
}
