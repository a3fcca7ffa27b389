use std::path::Path;

use artefact::{ArtefactError, Fetched, Pins, Reach, Reference, Wanted, fetch, versions};
use clap::Args;
use host::Read;
use manifest::Manifest;
use serde_json::json;

use super::super::workbench::component;
use super::super::{heading, inspect_installed, line, word};
use super::{Network, judge, told, within};
use crate::client::Client;
use crate::screen::{Screen, clean};
use crate::stop::Exit;

#[derive(Args)]
pub(crate) struct Inspect {
    /// A component's file, a plugin's folder, which is built, `oci://HOST/REPOSITORY[:VERSION|@sha256:…]` or oci:FOLDER, or
    /// the name of an installed plugin.
    #[arg(value_name = "FILE|FOLDER|REFERENCE|NAME")]
    plugin: String,
    #[command(flatten)]
    network: Network,
}

impl Inspect {
    pub(crate) async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        let file = Path::new(&self.plugin);
        let seen = if Reference::is_meant(&self.plugin) {
            within(self.published()).await.map(|(bytes, published)| (bytes, Some(published)))
        } else if file.exists() {
            component(file).map(|bytes| (bytes, None))
        } else {
            return inspect_installed(&self.plugin, client, screen).await;
        };
        told(seen.and_then(|(bytes, published)| self.show(&bytes, published.as_ref(), screen)), screen)
    }

    /// What its publisher has yanked is shown too, and so is what an old pin would refuse; what is not signed is not.
    async fn published(&self) -> anyhow::Result<(Vec<u8>, Published)> {
        let reference: Reference = self.plugin.parse()?;
        let mut place = self.network.open(&reference).await?;
        let pins = Pins::default();
        let mut wanted = Wanted::new(reference.target.clone(), &pins);
        wanted.yanked = wanted.target.is_some();
        let fetched = fetch(&mut place, &reference.location, &wanted).await;
        let fetched = match fetched {
            Err(ArtefactError::Yanked { .. }) => {
                fetch(&mut place, &reference.location, &Wanted { yanked: true, ..wanted }).await?
            }
            fetched => fetched?,
        };
        let component = fetched.component(&mut place, server::COMPONENT_BYTES_MAX).await?;
        let versions = match reference.target {
            Some(_) => None,
            None => Some(versions(&mut place).await?.iter().map(ToString::to_string).collect()),
        };
        Ok((component, Published { fetched, versions }))
    }

    fn show(&self, component: &[u8], published: Option<&Published>, screen: &Screen) -> anyhow::Result<Exit> {
        let (read, reach) = judge(component)?;
        let Read { manifest, imports, digest, .. } = &read;
        if screen.json {
            let all = json!({
                "from": self.plugin, "bytes": component.len(), "digest": digest, "manifest": **manifest,
                "imports": imports, "reaches": reach.lines, "published": published.map(Published::json),
            });
            screen.print(&format!("{all}\n"))?;
            return Ok(Exit::Done);
        }
        screen.print(&words(manifest, digest, component.len(), &reach, published))?;
        Ok(Exit::Done)
    }
}

/// A release, and what else lies there.
struct Published {
    fetched: Fetched,
    /// The newest first, where none was named.
    versions: Option<Vec<String>>,
}

impl Published {
    fn json(&self) -> serde_json::Value {
        let Self { fetched, versions } = self;
        let papers: Vec<_> = fetched.papers.iter().map(|paper| &paper.name).collect();
        json!({
            "reference": fetched.reference.to_string(), "release": fetched.digest, "publisher": fetched.publisher,
            "key_id": fetched.publisher.id(), "source": fetched.source, "papers": papers, "notices": fetched.notices,
            "versions": versions,
        })
    }
}

fn words(manifest: &Manifest, digest: &str, bytes: usize, reach: &Reach, published: Option<&Published>) -> String {
    let fetched = published.map(|published| &published.fetched);
    let mut text = String::new();
    let Manifest { id, version, description, owner, licence, contract, roles, actions, source, .. } = manifest;
    heading(&mut text, id, version, description);
    line(&mut text, "digest", digest);
    line(&mut text, "bytes", &bytes.to_string());
    line(&mut text, "contract", contract);
    line(&mut text, "owner", &clean(owner));
    line(&mut text, "licence", &clean(licence));
    let source = fetched.and_then(|fetched| fetched.source.as_ref()).or(source.as_ref());
    source.into_iter().for_each(|source| line(&mut text, "source", &clean(source)));
    roles.iter().for_each(|role| line(&mut text, "role", &word(role)));
    for (name, action) in actions {
        line(&mut text, "action", &clean(&format!("{name}: {} ({})", action.title, word(&action.effect))));
    }
    reach.lines.iter().for_each(|reaches| line(&mut text, "reaches", &clean(reaches)));
    if let Some(fetched) = fetched {
        line(&mut text, "published", &fetched.reference.to_string());
        line(&mut text, "publisher", &fetched.publisher.to_string());
        let papers: Vec<_> = fetched.papers.iter().map(|paper| clean(&paper.name)).collect();
        line(&mut text, "papers", &papers.join(", "));
        for notice in &fetched.notices {
            line(&mut text, &word(&notice.notice), &clean(&notice.reason));
        }
        let versions = published.and_then(|published| published.versions.as_ref());
        versions.into_iter().for_each(|versions| line(&mut text, "versions", &clean(&versions.join(", "))));
    }
    text
}
