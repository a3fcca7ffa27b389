use artefact::{NoticeKind, Pins, Reference, Wanted, fetch};
use clap::Args;

use super::{Key, Network, told, wait};
use crate::screen::{Screen, clean};
use crate::stop::{Exit, Stop};

/// What is said of a release, and by whom.
#[derive(Args)]
pub(crate) struct Deprecate {
    /// The version, as oci://HOST/REPOSITORY:VERSION or oci:FOLDER:VERSION.
    #[arg(value_name = "REFERENCE")]
    reference: String,
    /// Why, and what to use instead; for whoever uses it.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    key: Key,
    #[command(flatten)]
    network: Network,
}

#[derive(Args)]
pub(crate) struct Yank {
    #[command(flatten)]
    said: Deprecate,
}

impl Deprecate {
    pub(crate) fn run(self, screen: &Screen) -> anyhow::Result<Exit> {
        told(self.post(NoticeKind::Deprecated, screen), screen)
    }

    fn post(&self, kind: NoticeKind, screen: &Screen) -> anyhow::Result<Exit> {
        let reference: Reference = self.reference.parse()?;
        if reference.target.is_none() {
            return Err(Stop::usage("say which version: oci://HOST/REPOSITORY:VERSION").into());
        }
        if self.reason.trim().is_empty() {
            return Err(Stop::usage("the reason is empty; tell those who use it what to do").into());
        }
        let key = self.key.open()?;
        let notice = wait(async {
            let mut place = self.network.open(&reference).await?;
            let pins = Pins::default();
            let wanted = Wanted { yanked: true, ..Wanted::new(reference.target.clone(), &pins) };
            let fetched = fetch(&mut place, &reference.location, &wanted).await?;
            let made = screen.now().to_string();
            Ok(artefact::post(&mut place, &fetched, kind, self.reason.trim(), made, &key).await?)
        })?;
        if screen.json {
            screen.print(&format!("{}\n", serde_json::to_string(&notice)?))?;
            return Ok(Exit::Done);
        }
        let what = match kind {
            NoticeKind::Deprecated => "is deprecated: whoever pulls it is told",
            NoticeKind::Yanked => "is yanked: it is pulled no more, but by its digest and with --yanked",
        };
        screen.print(&format!("{} {} {what}: {}\n", notice.id, notice.version, clean(&notice.reason)))?;
        Ok(Exit::Done)
    }
}

impl Yank {
    pub(crate) fn run(self, screen: &Screen) -> anyhow::Result<Exit> {
        told(self.said.post(NoticeKind::Yanked, screen), screen)
    }
}
