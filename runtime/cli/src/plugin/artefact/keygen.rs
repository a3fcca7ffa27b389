use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use artefact::Publisher;
use clap::Args;
use serde_json::json;

use super::{password, password_in_environment};
use crate::screen::Screen;
use crate::stop::{Exit, Stop};

#[derive(Args)]
pub(crate) struct Keygen {
    /// The file of the secret key; the public key comes beside it, as a file that ends in `.pub`.
    #[arg(long, value_name = "FILE", default_value = "weir-publisher.key")]
    out: PathBuf,
    /// Keep the secret key without a password, for machines that publish.
    #[arg(long)]
    no_password: bool,
}

impl Keygen {
    pub(crate) fn run(self, screen: &Screen) -> anyhow::Result<Exit> {
        let public_file = self.out.with_extension("pub");
        if public_file == self.out {
            let title = "--out names the secret key; the public key beside it is what ends in .pub";
            return Err(Stop::usage(title).into());
        }
        for file in [&self.out, &public_file] {
            if file.exists() {
                let title = format!("`{}` is there already; choose another name with --out", file.display());
                return Err(Stop::new(Exit::Refused, title).into());
            }
        }
        let password = match self.no_password {
            true => None,
            false => Some(new_password()?),
        };
        let (secret, public) = artefact::generate(password.as_deref())?;
        // Nobody but its owner may read it, at no instant.
        create(&self.out, 0o600, &secret)?;
        if let Err(error) = create(&public_file, 0o644, &public) {
            // Half a pair would stand in the way of the next.
            let _ = fs::remove_file(&self.out);
            return Err(error);
        }
        let publisher = Publisher::read(&public)?;
        if screen.json {
            let (id, key) = (publisher.id(), publisher.to_string());
            let all = json!({ "secret": self.out, "public": public_file, "key": key, "key_id": id });
            screen.print(&format!("{all}\n"))?;
            return Ok(Exit::Done);
        }
        screen.print(&format!(
            "wrote the secret key: {}\nwrote the public key: {}\n\nKeep the first to yourself, and a copy of it in a safe \
             place: who has it publishes in your name, and without it you cannot. Tell others the second, which is\n\n  \
             {publisher}\n",
            self.out.display(),
            public_file.display()
        ))?;
        Ok(Exit::Done)
    }
}

/// Asked for twice where it is not seen: a key with a misspelt password is lost.
fn new_password() -> anyhow::Result<String> {
    let prompt = "new password of the secret key";
    let first = password(prompt, "to keep the key without one: --no-password")?;
    let is_typed = io::stdin().is_terminal() && password_in_environment().is_none();
    if is_typed && password(&format!("{prompt}, once more"), "type it once more")? != first {
        return Err(Stop::usage("the two passwords differ; nothing was written").into());
    }
    Ok(first)
}

fn create(file: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write `{}`", file.display()))
}
