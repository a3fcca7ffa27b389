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
use std::path::PathBuf;
use std::time::Duration;

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

use crate::screen::{Screen, clean, cut};
use crate::stop::{Exit, Stop};
use crate::terminal::read_secret;

/// A component of the largest size over a slow line, and everything around it.
const WITHIN: Duration = Duration::from_secs(15 * 60);

/// Characters of a message in which others have their say; more would hide what stands before it.
const TOLD_CHARS_MAX: usize = 2_000;

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
    password_in_environment().map_or_else(|| read_secret(prompt, instead), Ok)
}

/// An empty one is none, as with other variables.
fn password_in_environment() -> Option<String> {
    env::var(PASSWORD).ok().filter(|password| !password.is_empty())
}

/// A publisher as it is typed: the key itself, or the file that holds it.
pub(super) fn publisher(text: &str) -> anyhow::Result<Publisher> {
    match fs::read_to_string(text) {
        Ok(file) => Publisher::read(&file).with_context(|| format!("`{text}` holds no public key")),
        Err(error) => Publisher::read(text).map_err(|_| {
            let title =
                format!("--publisher `{text}` is no public key of minisign, and no file that can be read: {error}");
            Stop::usage(title).into()
        }),
    }
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
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(within(work))
}

/// Holds all that is said to a registry for one command to one deadline: each answer alone may be in time, and there may
/// be no end of them.
pub(super) async fn within<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    held_to(WITHIN, work).await
}

async fn held_to<T>(deadline: Duration, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let late = |_| {
        let title = format!("the registry was not done within {} minutes", deadline.as_secs() / 60);
        Stop::new(Exit::Failed, title)
    };
    tokio::time::timeout(deadline, work).await.map_err(late)?
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
    // What a registry or a plugin's author wrote must not steer the terminal.
    let shown = |text: &str| cut(&clean(text), TOLD_CHARS_MAX);
    let faults = faults.iter().map(|fault| shown(fault)).collect();
    Err(Stop { exit, title: shown(&title), faults }.explained(code).into())
}

fn exit(error: &ArtefactError) -> Exit {
    match error {
        ArtefactError::Reference { .. } => Exit::Faults,
        ArtefactError::NotFound { .. } => Exit::NotFound,
        ArtefactError::Key { .. }
        | ArtefactError::Login { .. }
        | ArtefactError::Registry { .. }
        | ArtefactError::Unreadable { .. }
        | ArtefactError::File { .. } => Exit::Failed,
        _ => Exit::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_registry_without_end_is_left() {
        let left = held_to(Duration::ZERO, std::future::pending::<anyhow::Result<()>>()).await.expect_err("is late");
        assert!(left.to_string().contains("was not done within"), "{left}");
    }

    #[test]
    fn what_others_wrote_does_not_steer_the_terminal() {
        let reason = format!("\u{1b}[2Jall is well{}", "x".repeat(10_000));
        let error = ArtefactError::Yanked { id: "crm".to_owned(), version: "1.0.0".to_owned(), reason };
        let stop = told(Err(error.into()), &Screen::new(false)).expect_err("is refused");
        let title = stop.downcast_ref::<Stop>().map(|stop| stop.title.as_str()).unwrap_or_default();
        assert!(title.contains("all is well") && !title.contains('\u{1b}'), "{title}");
        assert_eq!(title.chars().count(), TOLD_CHARS_MAX);
    }
}
