use std::path::{Path, PathBuf};

use artefact::{Fetched, NoticeKind, Pins, Reach, Reference, Staged, Target, Wanted, fetch};
use clap::Args;
use host::Read;
use serde_json::json;

use super::{Network, judge, publisher, told, wait, within};
use crate::screen::{Screen, clean};
use crate::stop::{Exit, Stop};

/// From whom a plugin is taken, and what is allowed thereby.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Trust {
    /// Who must have published it: a public key, or the file that holds it. Else whoever is pinned in
    /// weir-publishers.json, and at first use whoever published it.
    #[arg(long, value_name = "KEY|FILE")]
    publisher: Option<String>,
    /// Take a version that is older than the pinned one.
    #[arg(long)]
    downgrade: bool,
    /// Take a version that its publisher has yanked; it must be named by its digest.
    #[arg(long)]
    yanked: bool,
    #[command(flatten)]
    network: Network,
}

/// A plugin that was fetched and believed.
pub(crate) struct Taken {
    pub(crate) component: Vec<u8>,
    pub(crate) fetched: Fetched,
    pub(crate) read: Read,
    pub(crate) reach: Reach,
    downgrade: bool,
}

impl Taken {
    /// Pins its publisher in the project's folder, before anything is done with it.
    pub(crate) fn pin_publisher(&self, dir: &Path) -> anyhow::Result<()> {
        Ok(Pins::update(dir, |pins| pins.meet(&self.fetched, self.downgrade))?)
    }

    /// Pins it in the project's folder, as what was taken last.
    pub(crate) fn pin(&self, dir: &Path) -> anyhow::Result<()> {
        Ok(Pins::update(dir, |pins| pins.take(&self.fetched, self.downgrade))?)
    }

    /// Tells what its publisher said of it later.
    pub(crate) fn warn(&self) {
        let Fetched { id, version, notices, .. } = &self.fetched;
        for notice in notices {
            let what = match notice.notice {
                NoticeKind::Deprecated => "is deprecated",
                NoticeKind::Yanked => "was yanked",
            };
            eprintln!("weir: {id} {version} {what} by its publisher: {}", clean(&notice.reason));
        }
    }

    /// Whose it is, in a line.
    pub(crate) fn publisher(&self) -> String {
        let publisher = &self.fetched.publisher;
        match self.fetched.is_known {
            true => format!("by key {}, which is pinned", publisher.id()),
            // The whole key: anybody can make one with the same id.
            false => format!("by key {publisher}, seen for the first time"),
        }
    }
}

/// Fetches a plugin and judges all of it. Nothing is written.
pub(crate) async fn take(reference: &Reference, trust: &Trust, dir: &Path) -> anyhow::Result<Taken> {
    let pins = Pins::load(dir)?;
    if trust.yanked && !matches!(reference.target, Some(Target::Digest(_))) {
        return Err(Stop::usage("a yanked version is taken by its digest only: oci://…@sha256:…").into());
    }
    let publisher = trust.publisher.as_deref().map(publisher).transpose()?;
    let wanted = Wanted {
        publisher,
        downgrade: trust.downgrade,
        yanked: trust.yanked,
        ..Wanted::new(reference.target.clone(), &pins)
    };
    let (fetched, component) = within(async {
        let mut place = trust.network.open(reference).await?;
        let fetched = fetch(&mut place, &reference.location, &wanted).await?;
        let component = fetched.component(&mut place, server::COMPONENT_BYTES_MAX).await?;
        Ok((fetched, component))
    })
    .await?;
    let (read, reach) = judge(&component)?;
    fetched.check_identity(&read.manifest)?;
    Ok(Taken { component, fetched, read, reach, downgrade: trust.downgrade })
}

#[derive(Args)]
#[command(after_help = "\
Nothing is written unless all of it holds. The publisher's key and the version are pinned in weir-publishers.json in the \
project's folder, to be committed with it: another publisher's key and an older version are refused from then on.

Examples:
  weir plugin pull oci://registry.example.com/acme/crm
  weir plugin pull oci://registry.example.com/acme/crm:1.2.0 -o plugins/crm.wasm
  weir plugin pull oci://registry.example.com/acme/crm@sha256:… --publisher acme.pub")]
pub(crate) struct Pull {
    /// `oci://HOST[:PORT]/REPOSITORY` or oci:FOLDER, with :VERSION or @sha256:…; without either, the newest version.
    #[arg(value_name = "REFERENCE")]
    reference: String,
    /// Where to write the component; else ID.wasm in this folder.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
}

impl Pull {
    pub(crate) fn run(self, dir: &Path, screen: &Screen) -> anyhow::Result<Exit> {
        told(self.pull(dir, screen), screen)
    }

    fn pull(&self, dir: &Path, screen: &Screen) -> anyhow::Result<Exit> {
        let reference: Reference = self.reference.parse()?;
        let taken = wait(take(&reference, &self.trust, dir))?;
        taken.warn();
        let Fetched { id, version, digest, publisher, is_known, notices, .. } = &taken.fetched;
        let file = self.output.clone().unwrap_or_else(|| format!("{id}.wasm").into());
        // The pin before the file has its name: a component whose publisher is not pinned must not lie there. And behind its
        // bytes: what cannot be written is not taken.
        let staged = Staged::write(&file, &taken.component)?;
        taken.pin(dir)?;
        staged.put()?;
        if screen.json {
            let all = json!({
                "id": id, "version": version.to_string(), "digest": digest, "component": taken.read.digest,
                "publisher": publisher, "known": is_known, "notices": notices, "file": file,
            });
            screen.print(&format!("{all}\n"))?;
            return Ok(Exit::Done);
        }
        let shown = file.display();
        screen.print(&format!("pulled {id} {version} {}: {shown}\n  {digest}\n", taken.publisher()))?;
        Ok(Exit::Done)
    }
}
