use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use artefact::{ArtefactError, Paper, Published, Reference, Release, Target};
use clap::Args;
use conformance::{FUZZ, InvalidReport, Report};
use serde_json::json;

use super::super::conform::{Told, suite, summary};
use super::super::workbench::component;
use super::{Key, Network, judge, told, wait};
use crate::screen::{Screen, clean};
use crate::stop::{Exit, Stop};

#[derive(Args)]
#[command(after_help = "\
What has to be there: CHANGELOG.md in the plugin's folder with a section for the version, such as `## 1.2.0`. A file \
LICENSE goes along. What would break who uses the version before needs a new major version and a section `### Migration`. \
The version becomes the tag; a tag such as `latest` can be given beside it.

Examples:
  weir plugin publish . oci://registry.example.com/acme/crm --key weir-publisher.key
  weir plugin publish . oci:./shelf --key weir-publisher.key")]
pub(crate) struct Publish {
    /// The plugin's folder, which is built, or a component; its changelog lies beside it.
    #[arg(value_name = "FOLDER|FILE")]
    plugin: PathBuf,
    /// A repository of a registry, `oci://HOST[:PORT]/REPOSITORY`, or a folder in the OCI layout, oci:FOLDER.
    #[arg(value_name = "REFERENCE")]
    to: String,
    #[command(flatten)]
    key: Key,
    /// A report of `weir plugin conform` on this very component, instead of running the suite now.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Where its source is found, if the manifest does not say `source`.
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    #[command(flatten)]
    network: Network,
}

impl Publish {
    pub(crate) fn run(self, screen: &Screen) -> anyhow::Result<Exit> {
        told(self.publish(screen), screen)
    }

    fn publish(&self, screen: &Screen) -> anyhow::Result<Exit> {
        let to: Reference = self.to.parse()?;
        let tag = match &to.target {
            None => None,
            Some(Target::Tag(tag)) => Some(tag.as_str()),
            Some(Target::Digest(_)) => return Err(Stop::usage("nothing is published to a digest; name a tag").into()),
        };
        // First, because a build and the suite take their time.
        let key = self.key.open()?;
        let changelog = self.changelog()?;
        let component = component(&self.plugin)?;
        let (read, _) = judge(&component)?;
        let manifest = &*read.manifest;
        let cleared = wait(async {
            let mut place = self.network.open(&to).await?;
            let publisher = key.publisher()?;
            Ok(artefact::clear(&mut place, &to.location, (manifest, &changelog), publisher, tag).await?)
        })?;
        let report = self.report(&component, screen)?;
        let mut papers = vec![Paper::new("conformance.json", "application/json", report.to_json().into_bytes())];
        papers.extend(self.licence()?);
        let release = Release {
            component: &component,
            manifest,
            imports: &read.imports,
            exports: &read.exports,
            changelog,
            source: self.source.clone().or_else(|| manifest.source.clone()),
            conformance: Some(summary(&report)),
            papers,
            created: screen.now().to_string(),
        };
        let published = wait(async {
            let mut place = self.network.open(&to).await?;
            Ok(artefact::publish(&mut place, &to.location, &release, &key, cleared).await?)
        })?;
        show(&published, &release, screen)?;
        Ok(Exit::Done)
    }

    /// The report that goes along: it vouches for the component.
    fn report(&self, component: &[u8], screen: &Screen) -> anyhow::Result<Report> {
        let report = match &self.report {
            None => suite(component.to_vec(), FUZZ, Vec::new(), Told::Failures, screen)?,
            Some(file) => {
                let text = fs::read_to_string(file);
                let text = text.with_context(|| format!("cannot read the report `{}`", file.display()))?;
                Report::from_json(&text).map_err(does_not_vouch)?
            }
        };
        report.vouch_for(component).map_err(does_not_vouch)?;
        Ok(report)
    }

    /// The folder in which the plugin's papers lie.
    fn folder(&self) -> &Path {
        match self.plugin.parent() {
            Some(parent) if !self.plugin.is_dir() => parent,
            _ => &self.plugin,
        }
    }

    fn changelog(&self) -> anyhow::Result<String> {
        let file = self.folder().join("CHANGELOG.md");
        match fs::read_to_string(&file) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let version = "VERSION".to_owned();
                let reason = format!("`{}` is missing", file.display());
                Err(ArtefactError::Changelog { reason, version }.into())
            }
            Err(error) => Err(error).with_context(|| format!("cannot read `{}`", file.display())),
        }
    }

    fn licence(&self) -> anyhow::Result<Option<Paper>> {
        for name in ["LICENSE", "LICENCE", "LICENSE.txt", "LICENSE.md"] {
            let file = self.folder().join(name);
            if file.is_file() {
                let bytes = fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
                return Ok(Some(Paper::new(name, "text/plain", bytes)));
            }
        }
        Ok(None)
    }
}

fn does_not_vouch(cause: InvalidReport) -> ArtefactError {
    ArtefactError::Conformance { reason: cause.to_string() }
}

fn show(published: &Published, release: &Release<'_>, screen: &Screen) -> anyhow::Result<()> {
    let Published { reference, digest, component, publisher, before } = published;
    let (id, version) = (&release.manifest.id, &release.manifest.version);
    if screen.json {
        let changes = before.as_ref().map(|(_, changes)| changes);
        let before = before.as_ref().map(|(version, _)| version.to_string());
        let all = json!({
            "id": id, "version": version, "reference": reference.to_string(), "digest": digest, "component": component,
            "publisher": publisher, "before": before, "changes": changes,
        });
        return screen.print(&format!("{all}\n"));
    }
    let mut text = format!("published {id} {version}, signed with key {}: {reference}\n", publisher.id());
    match before {
        None => text.push_str("it is the first version there\n"),
        Some((before, changes)) if changes.is_empty() => {
            text.push_str(&format!("nothing changed since {before} in what it takes, gives and asks for\n"));
        }
        Some((before, changes)) => {
            text.push_str(&format!("since {before}\n"));
            for change in changes {
                let word = if change.is_breaking { "breaks" } else { "new" };
                text.push_str(&format!("  {word:<6}  {}\n", clean(&change.words)));
            }
        }
    }
    screen.print(&text)
}
