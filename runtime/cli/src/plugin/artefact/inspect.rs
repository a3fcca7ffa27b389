use std::path::Path;

use artefact::{ArtefactError, Fetched, Pins, Reach, Reference, Wanted, fetch};
use clap::Args;
use host::Read;
use manifest::Manifest;
use serde_json::json;

use super::super::workbench::component;
use super::super::{heading, inspect_installed, line, word};
use super::{Network, judge, told};
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
            self.published().await.map(|(bytes, fetched)| (bytes, Some(fetched)))
        } else if file.exists() {
            component(file).map(|bytes| (bytes, None))
        } else {
            return inspect_installed(&self.plugin, client, screen).await;
        };
        told(seen.and_then(|(bytes, fetched)| self.show(&bytes, fetched.as_ref(), screen)), screen)
    }

    /// Whatever is there is shown, also what would be refused.
    async fn published(&self) -> anyhow::Result<(Vec<u8>, Fetched)> {
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
        Ok((fetched.component(&mut place, server::COMPONENT_BYTES_MAX).await?, fetched))
    }

    fn show(&self, component: &[u8], fetched: Option<&Fetched>, screen: &Screen) -> anyhow::Result<Exit> {
        let (read, reach) = judge(component)?;
        let Read { manifest, imports, digest, .. } = &read;
        if screen.json {
            let all = json!({
                "from": self.plugin, "bytes": component.len(), "digest": digest, "manifest": **manifest,
                "imports": imports, "reaches": reach.lines, "published": fetched.map(published),
            });
            screen.print(&format!("{all}\n"))?;
            return Ok(Exit::Done);
        }
        screen.print(&words(manifest, digest, component.len(), &reach, fetched))?;
        Ok(Exit::Done)
    }
}

fn published(fetched: &Fetched) -> serde_json::Value {
    let papers: Vec<_> = fetched.papers.iter().map(|paper| &paper.name).collect();
    json!({
        "reference": fetched.reference.to_string(), "release": fetched.digest, "publisher": fetched.publisher,
        "key_id": fetched.publisher.id(), "source": fetched.source, "papers": papers, "notices": fetched.notices,
    })
}

fn words(manifest: &Manifest, digest: &str, bytes: usize, reach: &Reach, fetched: Option<&Fetched>) -> String {
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
    }
    text
}
