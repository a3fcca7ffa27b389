//! `weir secret`: names go in and out, the secrets themselves only in.

use bytes::Bytes;
use clap::Subcommand;
use http::Method;

use crate::client::Client;
use crate::screen::{Screen, parse};
use crate::stop::{Exit, Stop};
use crate::terminal::read_secret;

#[derive(Subcommand)]
pub(crate) enum Secret {
    /// Keep a secret: asks for it at a terminal, else reads it from standard input.
    Set {
        /// Its name, by which flows and connections know it.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// List the names of the secrets in the store.
    List,
    /// Take a secret away.
    Remove {
        /// Its name.
        #[arg(value_name = "NAME")]
        name: String,
    },
}

impl Secret {
    pub(crate) async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        let (method, name, secret, done) = match self {
            Self::List => {
                let body = client.get("/secrets").await?;
                screen.answer(&body, |names: &Vec<String>| names.iter().map(|name| format!("{name}\n")).collect())?;
                return Ok(Exit::Done);
            }
            Self::Set { name } => {
                path_segment(&name)?;
                let secret =
                    read_secret(&format!("secret `{name}`"), &format!("to take it away: weir secret remove {name}"))?;
                (Method::PUT, name, Bytes::from(secret), "is kept, sealed")
            }
            Self::Remove { name } => {
                let names: Vec<String> = parse(&client.get("/secrets").await?)?;
                if !names.contains(&name) {
                    let title =
                        format!("there is no secret `{name}` in the store; `weir secret list` shows what there is");
                    return Err(Stop::new(Exit::NotFound, title).into());
                }
                (Method::DELETE, name, Bytes::new(), "is gone")
            }
        };
        client.ask(method, &format!("/secrets/{}", path_segment(&name)?), secret).await?;
        screen.print(&if screen.json { "{}\n".to_owned() } else { format!("secret `{name}` {done}\n") })?;
        Ok(Exit::Done)
    }
}

/// A name as a part of a path of the API: it needs no escaping, or it is none.
pub(crate) fn path_segment(name: &str) -> Result<&str, Stop> {
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    if !name.is_empty() && name.chars().all(plain) {
        return Ok(name);
    }
    Err(Stop::usage(format!("`{name}` is no name: it may have letters, digits, `-`, `_` and `.`")))
}
