//! Plugins are published and taken: signed, pushed to a real registry, pulled from it, and refused for every reason there is.
//! What others wrote for registries and signatures must be able to do the same.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use manifest::{Effect, Manifest};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::author::{Desk, Ended};
use crate::world::{World, copied_plugins, eventually, show};

/// `docker-registry` of Debian, with a folder and a port of its own.
pub(crate) struct Registry {
    process: Child,
    folder: TempDir,
    pub(crate) host: String,
}

impl Registry {
    /// `more` goes on in the section `http` of its configuration, and may begin others.
    pub(crate) async fn start(more: &str) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("weir-registry-").tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (host, data) = (format!("127.0.0.1:{port}"), folder.path().join("data"));
        let config = folder.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {host}\n{more}",
            data.display()
        );
        fs::write(&config, text)?;
        let log = fs::File::create(folder.path().join("log"))?;
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().context("docker-registry is missing; install it: cargo xtask material")?;
        let registry = Self { process, folder, host };
        eventually("the registry listens", async || Ok(TcpStream::connect(&registry.host).ok())).await?;
        Ok(registry)
    }

    /// Where it keeps what has this digest.
    fn file(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(hex).join("data")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A folder with a publisher's key, and components of a plugin.
pub(crate) struct Stall {
    pub(crate) desk: Desk,
    component: Vec<u8>,
    pub(crate) manifest: Manifest,
}

impl Stall {
    pub(crate) fn open(plugin: &str) -> anyhow::Result<Self> {
        let desk = Desk::new()?;
        let component = fs::read(copied_plugins()?.path().join(format!("{plugin}.wasm")))?;
        let manifest = manifest::extract(&component)?;
        desk.must(".", "weir plugin keygen --no-password --out own.key && mkdir taken")?;
        Ok(Self { desk, component, manifest })
    }

    /// Writes a version of the component, with a changelog beside it.
    pub(crate) fn write(
        &self,
        folder: &str,
        version: &str,
        news: &str,
        change: impl FnOnce(&mut Manifest),
    ) -> anyhow::Result<()> {
        let mut manifest = Manifest { version: version.to_owned(), ..self.manifest.clone() };
        change(&mut manifest);
        fs::create_dir_all(self.desk.path(folder))?;
        fs::write(self.desk.path(folder).join("p.wasm"), manifest::embed(&self.component, &manifest)?)?;
        fs::write(self.desk.path(folder).join("CHANGELOG.md"), format!("# Changes\n\n## {version}\n\n{news}\n"))?;
        let mut report = report()?;
        report["digest"] = sha256(&self.desk.path(folder).join("p.wasm"))?.into();
        fs::write(self.desk.path(folder).join("report.json"), report.to_string())?;
        Ok(())
    }

    /// Writes a version and publishes it; gives what `--json` says.
    pub(crate) fn publish(&self, version: &str, to: &str) -> anyhow::Result<Value> {
        self.write(version, version, "- New.", |_| {})?;
        self.json(&format!(
            "weir --json plugin publish {version}/p.wasm --report {version}/report.json {to} --key own.key"
        ))
    }

    pub(crate) fn json(&self, command: &str) -> anyhow::Result<Value> {
        let printed = self.desk.must(".", command)?;
        serde_json::from_str(&printed).with_context(|| format!("`{command}` printed no JSON: {printed}"))
    }

    /// What a command is refused with: the code and the message. Nothing may have been written where plugins are taken to.
    pub(crate) fn refusal(&self, command: &str) -> anyhow::Result<(String, String)> {
        let before = listed(&self.desk.path("taken"))?;
        let Ended { code, stdout, stderr } = self.desk.shell(".", command)?;
        ensure!(code.is_some_and(|code| code != 0), "`{command}` was not refused: {stdout}{stderr}");
        ensure!(listed(&self.desk.path("taken"))? == before, "`{command}` wrote something: {stderr}");
        let code = stderr.lines().find_map(|line| line.trim().strip_prefix("more: weir explain "));
        let code = code.with_context(|| format!("`{command}` names no code: {stderr}"))?;
        Ok((code.to_owned(), stderr))
    }

    pub(crate) fn read(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.desk.path(path);
        fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
    }
}

/// A report of the suite on the lead mapper. Said of other components it lets them be published without a run of seconds
/// each; that the suite decides what is published is a test of its own.
fn report() -> anyhow::Result<Value> {
    static REPORT: Mutex<Option<Value>> = Mutex::new(None);
    let mut known = REPORT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(report) = &*known {
        return Ok(report.clone());
    }
    let (desk, plugins) = (Desk::new()?, copied_plugins()?);
    let component = plugins.path().join("lead-mapper.wasm");
    desk.must(".", &format!("weir plugin conform {} --report report.json", component.display()))?;
    let report: Value = serde_json::from_slice(&fs::read(desk.path("report.json"))?)?;
    Ok(known.insert(report).clone())
}

fn sha256(file: &Path) -> anyhow::Result<String> {
    let summed = Command::new("sha256sum").arg(file).output()?.stdout;
    Ok(format!("sha256:{}", String::from_utf8(summed)?.chars().take(64).collect::<String>()))
}

/// Every file below a folder, with its size.
fn listed(folder: &Path) -> anyhow::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => files.extend(listed(&entry.path())?),
            false => files.push((entry.path(), entry.metadata()?.len())),
        }
    }
    files.sort();
    Ok(files)
}

/// An OCI layout in the hands of whoever wants to deceive.
struct Forgery(PathBuf);

impl Forgery {
    /// A copy of a folder with one release, and its manifest.
    fn of(stall: &Stall, shelf: &str, copy: &str) -> anyhow::Result<Self> {
        stall.desk.must(".", &format!("cp -r {shelf} {copy}"))?;
        Ok(Self(stall.desk.path(copy)))
    }

    fn read(&self, digest: &str) -> anyhow::Result<Vec<u8>> {
        Ok(fs::read(self.0.join("blobs/sha256").join(digest.trim_start_matches("sha256:")))?)
    }

    fn json(&self, digest: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.read(digest)?)?)
    }

    fn put(&self, bytes: &[u8]) -> anyhow::Result<(String, usize)> {
        let file = self.0.join("blobs/sha256/unfinished");
        fs::write(&file, bytes)?;
        let digest = sha256(&file)?;
        fs::rename(&file, self.0.join("blobs/sha256").join(digest.trim_start_matches("sha256:")))?;
        Ok((digest, bytes.len()))
    }

    fn index(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&fs::read(self.0.join("index.json"))?)?)
    }

    /// The digest behind a tag.
    fn tagged(&self, tag: &str) -> anyhow::Result<String> {
        let index = self.index()?;
        let mut listed = index["manifests"].as_array().into_iter().flatten();
        let tagged = listed.find(|listed| listed["annotations"]["org.opencontainers.image.ref.name"] == tag);
        Ok(tagged.with_context(|| format!("{tag} is not there"))?["digest"].as_str().unwrap_or_default().to_owned())
    }

    /// Puts JSON behind a tag.
    fn tag(&self, tag: &str, media_type: &str, value: &Value) -> anyhow::Result<String> {
        let (digest, size) = self.put(value.to_string().as_bytes())?;
        let mut index = self.index()?;
        let annotations = json!({ "org.opencontainers.image.ref.name": tag });
        let listed = json!({ "mediaType": media_type, "digest": digest, "size": size, "annotations": annotations });
        let all = index["manifests"].as_array_mut().context("the index has no list")?;
        all.retain(|listed| listed["annotations"]["org.opencontainers.image.ref.name"] != tag);
        all.push(listed);
        fs::write(self.0.join("index.json"), index.to_string())?;
        Ok(digest)
    }

    /// What is attached to a release: the digest of the first attachment.
    fn attachment(&self, release: &str) -> anyhow::Result<String> {
        let list = self.json(&self.tagged(&release.replace(':', "-"))?)?;
        Ok(list["manifests"][0]["digest"].as_str().context("nothing is attached")?.to_owned())
    }

    /// The signature of a release.
    fn signature(&self, release: &str) -> anyhow::Result<Vec<u8>> {
        let attached = self.json(&self.attachment(release)?)?;
        self.read(attached["layers"][0]["digest"].as_str().context("no signature is attached")?)
    }

    /// Publishes another manifest as that version, with this signature in place of the one that it had.
    fn republish(&self, version: &str, image: &Value, signature: &[u8]) -> anyhow::Result<()> {
        let mut attached = self.json(&self.attachment(&self.tagged(version)?)?)?;
        let release = self.tag(version, IMAGE, image)?;
        let (digest, size) = self.put(signature)?;
        attached["layers"][0]["digest"] = digest.into();
        attached["layers"][0]["size"] = size.into();
        attached["subject"] = json!({ "mediaType": IMAGE, "digest": release, "size": image.to_string().len() });
        let (digest, size) = self.put(attached.to_string().as_bytes())?;
        let listed =
            json!({ "mediaType": IMAGE, "digest": digest, "size": size, "artifactType": attached["artifactType"] });
        let list = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [listed] });
        self.tag(&release.replace(':', "-"), INDEX, &list).map(drop)
    }

    /// Signs with the tool of minisign itself.
    fn sign(&self, stall: &Stall, key: &str, image: &Value) -> anyhow::Result<Vec<u8>> {
        fs::write(stall.desk.path("forged.json"), image.to_string())?;
        stall.desk.must(".", &format!("minisign -S -s {key} -m forged.json -x forged.minisig"))?;
        stall.read("forged.minisig")
    }
}

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[tokio::test]
async fn a_registry_takes_and_gives_and_other_clients_read_what_is_there() -> anyhow::Result<()> {
    let registry = Registry::start("").await?;
    let stall = Stall::open("crm-connector")?;
    let repository = format!("oci://{}/acme/crm", registry.host);
    stall.publish("1.0.0", &repository)?;
    let published = stall.publish("1.1.0", &format!("{repository}:latest"))?;
    assert_eq!(published["before"], "1.0.0");

    let skopeo = |arguments: &str| stall.desk.must(".", &format!("skopeo --insecure-policy {arguments}"));
    let docker = format!("docker://{}/acme/crm", registry.host);
    let tags: Value = serde_json::from_str(&skopeo(&format!("list-tags --tls-verify=false {docker}"))?)?;
    for tag in ["1.0.0", "1.1.0", "latest"] {
        ensure!(tags["Tags"].as_array().is_some_and(|tags| tags.contains(&tag.into())), "{tag}: {tags}");
    }
    let image: Value = serde_json::from_str(&skopeo(&format!("inspect --raw --tls-verify=false {docker}:1.1.0"))?)?;
    assert_eq!(image["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(image["layers"].as_array().map(Vec::len), Some(1), "{image:#}");
    assert_eq!(image["layers"][0]["mediaType"], "application/wasm");
    assert_eq!(image["annotations"]["org.opencontainers.image.licenses"], "Apache-2.0");
    skopeo(&format!("copy --src-tls-verify=false {docker}:1.1.0 oci:copied:1.1.0"))?;
    let layer = image["layers"][0]["digest"].as_str().context("a layer")?.trim_start_matches("sha256:");
    assert_eq!(stall.read(&format!("copied/blobs/sha256/{layer}"))?, stall.read("1.1.0/p.wasm")?);

    // The other way round: made offline, put into a registry by the other client.
    stall.publish("2.0.0", "oci:shelf")?;
    let digest = Forgery(stall.desk.path("shelf")).tagged("2.0.0")?;
    for tag in ["2.0.0", &digest.replace(':', "-")] {
        skopeo(&format!("copy --all --dest-tls-verify=false oci:shelf:{tag} docker://{}/theirs:{tag}", registry.host))?;
    }
    let theirs = format!("oci://{}/theirs", registry.host);
    let pulled = stall.json(&format!("weir --json plugin pull {theirs} -o taken/theirs.wasm"))?;
    assert_eq!((pulled["version"].as_str(), pulled["digest"].as_str()), (Some("2.0.0"), Some(digest.as_str())));
    assert_eq!(stall.read("taken/theirs.wasm")?, stall.read("2.0.0/p.wasm")?);
    show(&format!(
        "registry: {} tags listed and a release copied both ways by skopeo",
        tags["Tags"].as_array().map_or(0, Vec::len)
    ));
    Ok(())
}

#[tokio::test]
async fn a_project_is_built_checked_and_published_with_what_a_reader_needs() -> anyhow::Result<()> {
    let registry = Registry::start("").await?;
    let stall = Stall::open("lead-mapper")?;
    let source = "https://example.com/greeter";
    stall.desk.must(".", "weir plugin new mapper --lang js greeter")?;
    stall.desk.edit("greeter/weir-plugin.toml", "contract = ", &format!("source = \"{source}\"\ncontract = "))?;
    let publish = format!("weir plugin publish greeter oci://{}/greeter --key own.key", registry.host);
    let Ended { code, stdout, stderr } = stall.desk.shell(".", &publish)?;
    ensure!(code == Some(0) && stdout.contains("greeter 0.1.0"), "{code:?} {stdout}{stderr}");

    let inspect = format!("skopeo inspect --raw --tls-verify=false docker://{}/greeter:0.1.0", registry.host);
    let image: Value = serde_json::from_str(&stall.desk.must(".", &inspect)?)?;
    let said = |name: &str| image["annotations"][name].as_str().unwrap_or_default();
    assert_eq!(said("org.opencontainers.image.source"), source);
    assert_eq!(said("org.opencontainers.image.version"), "0.1.0");
    let component = sha256(&stall.desk.path("greeter/greeter.wasm"))?;
    assert_eq!(image["layers"][0]["digest"], component.as_str());
    ensure!(said("weir.conformance").contains("conforms"), "{image:#}");
    // The report is the same as whoever doubts it makes, and the release names its digest.
    stall.desk.must(".", "weir plugin conform greeter/greeter.wasm --report own.json")?;
    let papers =
        ["weir-plugin.json", "CHANGELOG.md", "conformance.json"].map(|name| said(&format!("weir.paper.{name}")));
    ensure!(papers.iter().all(|digest| digest.starts_with("sha256:")), "{image:#}");
    assert_eq!(papers[2], sha256(&stall.desk.path("own.json"))?);
    let told = stall.desk.must(".", &format!("weir plugin inspect oci://{}/greeter", registry.host))?;
    ensure!(told.contains(source), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_named_with_what_to_do() -> anyhow::Result<()> {
    let stall = Stall::open("lead-mapper")?;
    stall.write("1.0.0", "1.0.0", "- New.", |_| {})?;
    // Nobody listens there.
    for command in [
        "weir --dir taken plugin pull oci://127.0.0.1:9/lead -o taken/lead.wasm",
        "weir --dir taken install oci://127.0.0.1:9/lead",
        "weir plugin publish 1.0.0/p.wasm --report 1.0.0/report.json oci://127.0.0.1:9/lead --key own.key",
    ] {
        let (code, message) = stall.refusal(command)?;
        assert!(code == "weir.artefact.registry" && message.contains("127.0.0.1:9"), "{code} {message}");
    }
    Ok(())
}

#[tokio::test]
async fn a_pulled_plugin_is_pinned_and_everything_that_is_not_right_is_refused() -> anyhow::Result<()> {
    let registry = Registry::start("").await?;
    let stall = Stall::open("crm-connector")?;
    let at = |name: &str| format!("oci://{}/{name}", registry.host);
    let first = stall.publish("1.0.0", &at("crm"))?;
    let second = stall.publish("1.1.0", &at("crm"))?;
    let pull = |what: &str| format!("weir --dir taken plugin pull {what} -o taken/crm.wasm");

    let pulled = stall.desk.must(".", &pull(&at("crm:1.1.0")))?;
    assert!(pulled.contains("seen for the first time"), "{pulled}");
    assert_eq!(stall.read("taken/crm.wasm")?, stall.read("1.1.0/p.wasm")?);
    let pins: Value = serde_json::from_slice(&stall.read("taken/weir-publishers.json")?)?;
    assert_eq!(pins["plugins"][0]["release"], second["digest"], "{pins:#}");
    let again =
        stall.desk.must(".", &pull(&format!("{}@{}", at("crm"), second["digest"].as_str().unwrap_or_default())))?;
    assert!(again.contains("which is pinned"), "{again}");

    // Older than what is pinned, and taken when it is said.
    let (code, message) = stall.refusal(&pull(&at("crm:1.0.0")))?;
    assert!(code == "weir.artefact.downgrade" && message.contains("1.0.0 is older than 1.1.0"), "{message}");
    // Another publisher of the same plugin.
    stall.desk.must(".", "weir plugin keygen --no-password --out other.key")?;
    stall.desk.must(
        ".",
        &format!("weir plugin publish 1.1.0/p.wasm --report 1.1.0/report.json {} --key other.key", at("other")),
    )?;
    let (code, message) = stall.refusal(&pull(&at("other")))?;
    assert!(code == "weir.artefact.publisher" && message.contains("pinned at the first use"), "{message}");
    let (code, _) = stall.refusal(&format!("{} --publisher other.pub", pull(&at("crm"))))?;
    assert_eq!(code, "weir.artefact.publisher");
    let (code, _) = stall.refusal(&pull(&at("crm:9.9.9")))?;
    assert_eq!(code, "weir.artefact.not-found");

    // Whoever may write where the registry keeps things.
    let component = registry.file(second["component"].as_str().context("a digest")?);
    let bytes = fs::read(&component)?;
    let mut changed = bytes.clone();
    *changed.last_mut().context("bytes")? ^= 1;
    fs::write(&component, &changed)?;
    let (code, message) = stall.refusal(&pull(&at("crm:1.1.0")))?;
    assert!(code == "weir.artefact.tampered" && message.contains("the component was tampered with"), "{message}");
    fs::write(&component, &bytes)?;
    let release = registry.file(second["digest"].as_str().context("a digest")?);
    let text = fs::read_to_string(&release)?;
    fs::write(&release, text.replace("application/wasm", "application/wasn"))?;
    let digest = format!("{}@{}", at("crm"), second["digest"].as_str().unwrap_or_default());
    let (code, message) = stall.refusal(&pull(&digest))?;
    assert!(code == "weir.artefact.digest" && message.contains("another artefact than was asked for"), "{message}");
    fs::write(&release, text)?;
    stall.desk.must(".", &pull(&at("crm:1.1.0")))?;

    let down = stall.desk.must(".", &format!("{} --downgrade", pull(&at("crm:1.0.0"))))?;
    assert!(down.contains(first["digest"].as_str().unwrap_or_default()), "{down}");
    Ok(())
}

#[tokio::test]
async fn a_forged_release_is_refused_for_what_is_wrong_with_it() -> anyhow::Result<()> {
    let registry = Registry::start("").await?;
    let stall = Stall::open("crm-connector")?;
    stall.publish("1.0.0", "oci:shelf")?;
    let honest = Forgery(stall.desk.path("shelf"));
    let release = honest.tagged("1.0.0")?;
    let image = honest.json(&release)?;
    let signature = honest.signature(&release)?;
    // Puts what was forged into the registry, by a client that does not ask what it is, and tries to take it.
    let refused = |name: &str, version: &str, with_attachments: bool| {
        let forged = Forgery(stall.desk.path(name));
        let mut tags = vec![version.to_owned()];
        tags.extend(
            with_attachments.then(|| forged.tagged(version)).transpose()?.map(|digest| digest.replace(':', "-")),
        );
        for tag in tags {
            let to = format!("docker://{}/{name}:{tag}", registry.host);
            let options = "--all --dest-tls-verify=false";
            stall.desk.must(".", &format!("skopeo --insecure-policy copy {options} oci:{name}:{tag} {to}"))?;
        }
        stall.refusal(&format!("weir --dir taken plugin pull oci://{}/{name}:{version} -o taken/x.wasm", registry.host))
    };

    Forgery::of(&stall, "shelf", "unsigned")?;
    let (code, message) = refused("unsigned", "1.0.0", false)?;
    assert!(code == "weir.artefact.unsigned" && message.contains("carries no signature"), "{message}");

    let mut changed = image.clone();
    changed["annotations"]["org.opencontainers.image.description"] = "Another.".into();
    let forged = Forgery::of(&stall, "shelf", "swapped")?;
    forged.republish("1.0.0", &changed, &signature)?;
    let (code, message) = refused("swapped", "1.0.0", true)?;
    assert!(
        code == "weir.artefact.signature" && message.contains("the bytes that were signed are others"),
        "{message}"
    );

    let forged = Forgery::of(&stall, "shelf", "renamed")?;
    forged.tag("2.0.0", IMAGE, &image)?;
    let (code, message) = refused("renamed", "2.0.0", true)?;
    assert!(code == "weir.artefact.identity" && message.contains("is signed as crm-connector 1.0.0"), "{message}");

    // Signed by somebody else, in the publisher's name and in their own.
    stall.desk.must(".", "minisign -G -W -p other.pub -s other.key")?;
    let forged = Forgery::of(&stall, "shelf", "impostor")?;
    forged.republish("1.0.0", &changed, &forged.sign(&stall, "other.key", &changed)?)?;
    let (code, message) = refused("impostor", "1.0.0", true)?;
    assert!(code == "weir.artefact.signature" && message.contains("another key than the publisher's"), "{message}");

    // A component that reaches more than its manifest says, or that says another name, signed by its publisher.
    let less = [
        ("asks-less", "weir.artefact.asks", "asks to reach nothing"),
        ("misnamed", "weir.artefact.identity", "the component in it is"),
    ];
    for (name, expected, words) in less {
        let forged = Forgery::of(&stall, "shelf", name)?;
        stall.write(name, "1.0.0", "- New.", |manifest| match name {
            "asks-less" => manifest.http.clear(),
            _ => manifest.id = "another".to_owned(),
        })?;
        let (digest, size) = forged.put(&stall.read(&format!("{name}/p.wasm"))?)?;
        let mut image = image.clone();
        image["layers"][0]["digest"] = digest.into();
        image["layers"][0]["size"] = size.into();
        forged.republish("1.0.0", &image, &forged.sign(&stall, "own.key", &image)?)?;
        let (code, message) = refused(name, "1.0.0", true)?;
        assert!(code == expected && message.contains(words), "{message}");
    }
    // Such a component is not published either.
    let (code, _) = stall
        .refusal("weir plugin publish asks-less/p.wasm --report asks-less/report.json oci:nowhere --key own.key")?;
    assert_eq!(code, "weir.artefact.asks");
    assert!(!stall.desk.path("nowhere").exists());
    Ok(())
}

#[test]
fn what_breaks_users_needs_a_major_version_and_a_note_and_a_version_is_published_once() -> anyhow::Result<()> {
    let stall = Stall::open("crm-connector")?;
    stall.publish("1.0.0", "oci:shelf")?;
    let publish = |folder: &str| {
        format!("weir plugin publish {folder}/p.wasm --report {folder}/report.json oci:shelf --key own.key")
    };

    let (code, message) = stall.refusal(&publish("1.0.0"))?;
    assert!(code == "weir.artefact.published" && message.contains("raise `version`"), "{message}");
    stall.write("silent", "1.1.0", "", |_| {})?;
    assert_eq!(stall.refusal(&publish("silent"))?.0, "weir.artefact.changelog");
    fs::remove_file(stall.desk.path("silent/CHANGELOG.md"))?;
    assert_eq!(stall.refusal(&publish("silent"))?.0, "weir.artefact.changelog");

    let breaking = |manifest: &mut Manifest| {
        let (name, action) = manifest.actions.pop_first().expect("has actions");
        for action in manifest.actions.values_mut() {
            action.effect = Effect::Unsafe;
            action.key_lifetime = None;
        }
        manifest.actions.insert(format!("{name}-anew"), action);
        manifest.http[0].paths.push("/admin/*".to_owned());
    };
    stall.write("minor", "1.1.0", "- New.", breaking)?;
    let (code, message) = stall.refusal(&publish("minor"))?;
    assert_eq!(code, "weir.artefact.breaking", "{message}");
    for words in ["publish it as 2.0.0", "is gone", "instead of", "it asks for more: ", "/admin/*"] {
        assert!(message.contains(words), "{words}: {message}");
    }
    stall.write("major", "2.0.0", "- New.", breaking)?;
    assert_eq!(stall.refusal(&publish("major"))?.0, "weir.artefact.migration");
    stall.write("major", "2.0.0", "- New.\n\n### Migration\n\nUse the other one.", breaking)?;
    let printed = stall.desk.must(".", &publish("major"))?;
    assert!(printed.contains("since 1.0.0") && printed.contains("breaks"), "{printed}");
    // The line before goes on: it is compared with what its users have.
    let maintained = stall.publish("1.0.1", "oci:shelf")?;
    assert_eq!(
        (maintained["before"].as_str(), maintained["changes"].as_array().map(Vec::len)),
        (Some("1.0.0"), Some(0))
    );

    stall.desk.must(".", "weir plugin keygen --no-password --out other.key")?;
    stall.write("theirs", "3.0.0", "- New.", |_| {})?;
    let (code, _) =
        stall.refusal("weir plugin publish theirs/p.wasm --report theirs/report.json oci:shelf --key other.key")?;
    assert_eq!(code, "weir.artefact.publisher");
    Ok(())
}

#[tokio::test]
async fn a_deprecated_version_warns_and_a_yanked_one_is_taken_only_on_purpose() -> anyhow::Result<()> {
    let registry = Registry::start("").await?;
    let stall = Stall::open("crm-connector")?;
    let repository = format!("oci://{}/crm", registry.host);
    stall.publish("1.0.0", &repository)?;
    let second = stall.publish("1.1.0", &repository)?;
    let pull = |what: &str| format!("weir --dir taken plugin pull {what} -o taken/crm.wasm");

    stall.desk.must(".", &format!("weir plugin deprecate {repository}:1.0.0 --reason 'use 1.1' --key own.key"))?;
    stall.desk.must(".", "weir plugin keygen --no-password --out other.key")?;
    let (code, _) = stall.refusal(&format!("weir plugin yank {repository}:1.0.0 --reason no --key other.key"))?;
    assert_eq!(code, "weir.artefact.not-publisher");
    let Ended { code, stderr, .. } = stall.desk.shell(".", &pull(&format!("{repository}:1.0.0")))?;
    assert!(code == Some(0) && stderr.contains("1.0.0 is deprecated by its publisher: use 1.1"), "{stderr}");

    stall.desk.must(".", &format!("weir plugin yank {repository}:1.1.0 --reason 'loses contacts' --key own.key"))?;
    let (code, message) = stall.refusal(&pull(&format!("{repository}:1.1.0")))?;
    assert!(code == "weir.artefact.yanked" && message.contains("loses contacts"), "{message}");
    // The newest is the newest that was not yanked.
    let newest = stall.json(&format!("weir --json --dir taken plugin pull {repository} -o taken/crm.wasm"))?;
    assert_eq!(newest["version"], "1.0.0");
    let digest = format!("{repository}@{}", second["digest"].as_str().context("a digest")?);
    assert_eq!(stall.refusal(&pull(&digest))?.0, "weir.artefact.yanked");
    stall.desk.must(".", &format!("{} --yanked", pull(&digest)))?;
    assert_eq!(stall.read("taken/crm.wasm")?, stall.read("1.1.0/p.wasm")?);
    let inspected = stall.json(&format!("weir --json plugin inspect {digest}"))?;
    assert_eq!(inspected["published"]["notices"][0]["reason"], "loses contacts", "{inspected:#}");
    Ok(())
}

#[test]
fn only_what_conforms_is_published_and_its_report_goes_along() -> anyhow::Result<()> {
    let stall = Stall::open("lead-mapper")?;
    stall.write("p", "1.0.0", "- New.", |_| {})?;
    let published = stall.desk.must(".", "weir plugin publish p/p.wasm oci:shelf --key own.key")?;
    assert!(published.contains("published lead-mapper 1.0.0"), "{published}");
    let checked = stall.desk.must(".", "weir plugin verify oci:shelf")?;
    assert!(checked.contains("its publisher's report is of this component: lead-mapper 1.0.0 conforms"), "{checked}");

    stall.write("q", "1.1.0", "- New.", |_| {})?;
    let publish = "weir plugin publish q/p.wasm oci:shelf --key own.key --report q/report.json";
    for (key, value) in [("digest", report()?["digest"].clone()), ("checks", json!([]))] {
        let file = stall.desk.path("q/report.json");
        let whole = fs::read(&file)?;
        let mut report: Value = serde_json::from_slice(&whole)?;
        report[key] = value;
        fs::write(&file, report.to_string())?;
        assert_eq!(stall.refusal(publish)?.0, "weir.artefact.conformance", "{key}");
        fs::write(&file, whole)?;
    }
    stall.desk.must(".", publish)?;

    // The suite decides; and it is not run for what may not be published anyhow.
    let stall = Stall::open("crm-connector")?;
    let boasting = |manifest: &mut Manifest| {
        let action = manifest.actions.values().next().expect("has actions").clone();
        manifest.actions.insert("boasted".to_owned(), action);
    };
    let publish = "weir plugin publish p/p.wasm oci:shelf --key own.key";
    stall.write("p", "1.0.0", "- New.", boasting)?;
    assert_eq!(stall.refusal(publish)?.0, "weir.artefact.conformance");
    stall.write("p", "1.0.0", "", boasting)?;
    assert_eq!(stall.refusal(publish)?.0, "weir.artefact.changelog");
    Ok(())
}

#[test]
fn keys_and_signatures_are_those_of_minisign() -> anyhow::Result<()> {
    let stall = Stall::open("lead-mapper")?;
    stall.publish("1.0.0", "oci:shelf")?;
    let shelf = Forgery(stall.desk.path("shelf"));
    let release = shelf.tagged("1.0.0")?;
    fs::write(stall.desk.path("manifest.json"), shelf.read(&release)?)?;
    fs::write(stall.desk.path("manifest.json.minisig"), shelf.signature(&release)?)?;
    let verified = stall.desk.must(".", "minisign -V -m manifest.json -p own.pub")?;
    assert!(verified.contains("Signature and comment signature verified") && verified.contains(&release), "{verified}");

    // Its keys are ours, and what it signs with ours is believed; the forged releases show the latter.
    stall.desk.must(".", "minisign -G -W -p theirs.pub -s theirs.key")?;
    stall.desk.must(".", "weir plugin publish 1.0.0/p.wasm --report 1.0.0/report.json oci:theirs --key theirs.key")?;
    let checked = stall.desk.must(".", "weir plugin verify oci:theirs --publisher theirs.pub")?;
    assert!(checked.contains("the signature of the manifest holds"), "{checked}");
    assert_eq!(stall.refusal("weir plugin verify oci:theirs --publisher own.pub")?.0, "weir.artefact.publisher");

    let secret = fs::metadata(stall.desk.path("own.key"))?.permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&secret) & 0o777, 0o600);
    stall.desk.must(".", "WEIR_KEY_PASSWORD=sesame weir plugin keygen --out locked.key")?;
    let publish = "weir plugin publish 1.0.0/p.wasm --report 1.0.0/report.json oci:locked --key locked.key";
    assert_eq!(stall.refusal(&format!("WEIR_KEY_PASSWORD=barley {publish}"))?.0, "weir.artefact.key");
    stall.desk.must(".", &format!("WEIR_KEY_PASSWORD=sesame {publish}"))?;

    // At a terminal a new one is asked for twice; an empty variable is none.
    let typed = |file: &str, first: &str, second: &str| {
        let script = format!("WEIR_KEY_PASSWORD= weir plugin keygen --out {file}");
        stall
            .desk
            .shell(".", &format!("(sleep 1; echo {first}; sleep 1; echo {second}) | script -qec '{script}' /dev/null"))
    };
    let differing = typed("typed.key", "sesame", "barley")?;
    assert!(differing.code == Some(2) && differing.stdout.contains("differ"), "{}", differing.stdout);
    assert!(!stall.desk.path("typed.key").exists());
    assert_eq!(typed("typed.key", "sesame", "sesame")?.code, Some(0));
    // Half a pair is left nowhere.
    let half = stall.desk.shell(".", "ln -s nowhere half.pub; weir plugin keygen --no-password --out half.key")?;
    assert!(half.code == Some(1) && !stall.desk.path("half.key").exists(), "{}", half.stderr);
    let public = stall.desk.shell(".", "weir plugin keygen --no-password --out mine.pub")?;
    assert!(public.code == Some(2) && !stall.desk.path("mine.pub").exists(), "{}", public.stderr);
    Ok(())
}

#[test]
fn what_a_plugin_reaches_is_told_from_what_it_imports() -> anyhow::Result<()> {
    let stall = Stall::open("crm-connector")?;
    stall.publish("1.0.0", "oci:shelf")?;
    for what in ["1.0.0/p.wasm", "oci:shelf", "oci:shelf:1.0.0"] {
        let told = stall.desk.must(".", &format!("weir plugin inspect {what}"))?;
        assert!(told.contains("the origins of its connection: ") && told.contains("if it is granted"), "{told}");
    }
    let mapper = Stall::open("lead-mapper")?;
    mapper.write("m", "1.0.0", "- New.", |_| {})?;
    let told = mapper.desk.must(".", "weir plugin inspect m/p.wasm")?;
    assert!(told.contains("no network, because it imports nothing that sends requests"), "{told}");
    let checks = mapper.json("weir --json plugin verify m/p.wasm")?;
    ensure!(checks["checks"].as_array().is_some_and(|checks| checks.len() >= 4), "{checks}");
    Ok(())
}

#[tokio::test]
async fn a_published_plugin_is_installed_into_a_weir_that_runs() -> anyhow::Result<()> {
    let world = World::start(&[]).await?;
    let stall = Stall::open("lead-mapper")?;
    let version = format!("{}.{}.99", stall.manifest.major().unwrap_or(0), 9);
    stall.publish(&version, "oci:shelf")?;
    let dir = world.weir.folder().display().to_string();
    let printed = stall.desk.must(".", &format!("weir --dir {dir} install oci:shelf"))?;
    assert!(printed.contains(&format!("plugin lead-mapper {version}")), "{printed}");
    let pins: Value = serde_json::from_slice(&fs::read(world.weir.folder().join("weir-publishers.json"))?)?;
    assert_eq!(pins["plugins"][0]["version"], version.as_str(), "{pins:#}");
    Ok(())
}

#[tokio::test]
async fn a_registry_with_tls_and_accounts_is_used_as_its_owner_wants() -> anyhow::Result<()> {
    let stall = Stall::open("lead-mapper")?;
    // `ada` with the password `secret`, as bcrypt: the registry takes nothing else.
    fs::write(stall.desk.path("accounts"), "ada:$2b$05$KeV0Ko6XbEmZw/HGfOgFye..WQ2Dz1JuP2NlhD0Io40pg9K.CEh4m\n")?;
    let issuer = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    fs::write(stall.desk.path("tls.pem"), issuer.cert.pem())?;
    fs::write(stall.desk.path("tls.key"), issuer.signing_key.serialize_pem())?;
    let [accounts, certificate, key] = ["accounts", "tls.pem", "tls.key"].map(|name| stall.desk.path(name));
    let registry = Registry::start(&format!(
        "  tls:\n    certificate: {}\n    key: {}\nauth:\n  htpasswd:\n    realm: weir\n    path: {}\n",
        certificate.display(),
        key.display(),
        accounts.display()
    ))
    .await?;
    stall.write("p", "1.0.0", "- New.", |_| {})?;
    let publish =
        format!("weir plugin publish p/p.wasm --report p/report.json oci://{}/lead --key own.key", registry.host);

    let (code, message) = stall.refusal(&publish)?;
    assert!(code == "weir.artefact.registry" && message.contains("no TLS connection"), "not trusted: {message}");
    let trusting = format!("export SSL_CERT_FILE={} DOCKER_CONFIG=$PWD; {publish}", certificate.display());
    let (code, message) = stall.refusal(&trusting)?;
    assert!(code == "weir.artefact.login" && message.contains("skopeo login"), "{message}");
    // What `docker login` would have written.
    let account = |encoded: &str| {
        let config = json!({ "auths": { registry.host.as_str(): { "auth": encoded } } });
        fs::write(stall.desk.path("config.json"), config.to_string())
    };
    account("YWRhOndyb25n")?;
    assert_eq!(stall.refusal(&trusting)?.0, "weir.artefact.login");
    account("YWRhOnNlY3JldA==")?;
    stall.desk.must(".", &trusting)?;
    let pull = trusting.replace(&publish, &format!("weir --dir taken plugin pull oci://{}/lead", registry.host));
    stall.desk.must(".", &format!("{pull} -o taken/lead.wasm"))?;
    assert_eq!(stall.read("taken/lead.wasm")?, stall.read("p/p.wasm")?);
    Ok(())
}
