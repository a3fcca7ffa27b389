use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use artefact::Publisher;
use clap::Args;
use serde_json::json;

use super::password;
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
        for file in [&self.out, &public_file] {
            if file.exists() {
                let title = format!("`{}` is there already; choose another name with --out", file.display());
                return Err(Stop::new(Exit::Refused, title).into());
            }
        }
        let password = match self.no_password {
            true => None,
            false => Some(password("new password of the secret key", "to keep the key without one: --no-password")?),
        };
        let (secret, public) = artefact::generate(password.as_deref())?;
        // Nobody but its owner may read it, at no instant.
        create(&self.out, 0o600, &secret)?;
        create(&public_file, 0o644, &public)?;
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

fn create(file: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(text.as_bytes()));
    written.with_context(|| format!("cannot write `{}`", file.display()))
}
