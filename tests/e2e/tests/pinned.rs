//! What a project knows of its publishers holds: it is written before anything is taken, and nothing that fails changes it.

use std::fs;

use anyhow::Context as _;
use serde_json::Value;

use crate::author::Ended;
use crate::published::{Registry, Stall};
use crate::world::World;

/// What stands in the file of the folder `taken`; nothing if it is not there.
fn pins(stall: &Stall) -> anyhow::Result<Value> {
    match stall.read("taken/weir-publishers.json") {
        Ok(bytes) => Ok(serde_json::from_slice::<Value>(&bytes)?["plugins"].clone()),
        Err(_) => Ok(Value::Null),
    }
}

fn key(stall: &Stall, file: &str) -> anyhow::Result<String> {
    let text = String::from_utf8(stall.read(file)?)?;
    Ok(text.lines().last().context("a key has two lines")?.to_owned())
}

/// Publishes the component by another name.
fn publish_as(stall: &Stall, id: &str, version: &str, to: &str) -> anyhow::Result<Value> {
    stall.write(id, version, "- New.", |manifest| manifest.id = id.to_owned())?;
    stall.json(&format!("weir --json plugin publish {id}/p.wasm --report {id}/report.json {to} --key own.key"))
}

#[test]
fn who_pulls_at_the_same_time_loses_no_pin() -> anyhow::Result<()> {
    let stall = Stall::open("lead-mapper")?;
    let ids = ["one", "two", "three", "four"];
    for id in ids {
        publish_as(&stall, id, "1.0.0", &format!("oci:{id}-shelf"))?;
    }
    for _ in 0..3 {
        let _ = fs::remove_file(stall.desk.path("taken/weir-publishers.json"));
        let pulls = ids.map(|id| format!("weir --dir taken plugin pull oci:{id}-shelf -o taken/{id}.wasm & "));
        stall.desk.must(".", &format!("{}wait", pulls.concat()))?;
        assert_eq!(pins(&stall)?.as_array().map(Vec::len), Some(ids.len()));
    }
    Ok(())
}

#[test]
fn a_place_that_gives_another_plugin_or_another_release_is_refused() -> anyhow::Result<()> {
    let stall = Stall::open("lead-mapper")?;
    for id in ["crm", "erp"] {
        publish_as(&stall, id, "1.0.0", &format!("oci:{id}-shelf"))?;
        stall.desk.must(".", &format!("weir --dir taken plugin pull oci:{id}-shelf -o taken/{id}.wasm"))?;
    }
    let before = pins(&stall)?;
    // Genuine, known, and not what that place gave.
    stall.desk.must(".", "mv crm-shelf kept && cp -r erp-shelf crm-shelf")?;
    let (code, message) = stall.refusal("weir --dir taken plugin pull oci:crm-shelf -o taken/crm.wasm")?;
    assert!(code == "weir.artefact.identity" && message.contains("gave `crm` before"), "{message}");
    // The same version once more, by its own publisher.
    publish_as(&stall, "crm", "1.0.0", "oci:again")?;
    let (code, message) = stall.refusal("weir --dir taken plugin pull oci:again -o taken/crm.wasm")?;
    assert!(code == "weir.artefact.republished" && message.contains("never published twice"), "{message}");
    // By another publisher: both keys are shown whole, since an id can be copied.
    stall.desk.must(".", "weir plugin keygen --no-password --out other.key")?;
    stall.desk.must(".", "weir plugin publish crm/p.wasm --report crm/report.json oci:theirs --key other.key")?;
    let (code, message) = stall.refusal("weir --dir taken plugin pull oci:theirs -o taken/crm.wasm")?;
    let keys = [key(&stall, "own.pub")?, key(&stall, "other.pub")?];
    assert!(code == "weir.artefact.publisher" && keys.iter().all(|key| message.contains(key)), "{message}");
    assert_eq!(pins(&stall)?, before);
    Ok(())
}

#[test]
fn what_cannot_be_written_or_read_pins_nothing() -> anyhow::Result<()> {
    let stall = Stall::open("lead-mapper")?;
    stall.publish("1.0.0", "oci:shelf")?;
    let pull = |to: &str| format!("weir --dir taken plugin pull oci:shelf -o {to}");
    fs::write(stall.desk.path("file"), "")?;
    for to in ["file/lead.wasm", "taken"] {
        assert_eq!(stall.refusal(&pull(to))?.0, "weir.artefact.file", "{to}");
    }
    assert_eq!(pins(&stall)?, Value::Null);
    let pulled = stall.desk.must(".", &pull("new/folder/lead.wasm"))?;
    assert!(pulled.contains(&key(&stall, "own.pub")?), "{pulled}");
    assert_eq!(stall.read("new/folder/lead.wasm")?, stall.read("1.0.0/p.wasm")?);

    // What a merge leaves that was not finished.
    fs::write(stall.desk.path("taken/weir-publishers.json"), format!("{} HEAD\n", "<".repeat(7)))?;
    let (code, message) = stall.refusal(&pull("taken/lead.wasm"))?;
    assert!(code == "weir.artefact.unreadable" && message.contains("taken/weir-publishers.json"), "{message}");
    fs::remove_file(stall.desk.path("taken/weir-publishers.json"))?;
    let Ended { code, stderr, .. } = stall.desk.shell(".", &format!("{} --publisher gone.pub", pull("x.wasm")))?;
    assert!(code == Some(2) && stderr.contains("--publisher `gone.pub` is no public key of minisign"), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn an_installed_plugin_has_its_publisher_pinned_before_and_its_version_behind() -> anyhow::Result<()> {
    let world = World::start(&[]).await?;
    let stall = Stall::open("lead-mapper")?;
    let version = format!("{}.9.99", stall.manifest.major().unwrap_or(0));
    stall.publish(&version, "oci:shelf")?;
    // No Weir runs there.
    let Ended { code, stdout, .. } = stall.desk.shell(".", "weir --dir taken install oci:shelf")?;
    let own = key(&stall, "own.pub")?;
    assert!(code == Some(5) && stdout.contains(&format!("by key {own}, seen for the first time")), "{stdout}");
    let pinned = pins(&stall)?;
    assert!(pinned[0]["publisher"] == own.as_str() && pinned[0]["version"].is_null(), "{pinned:#}");

    let dir = world.weir.folder().display().to_string();
    // Where nothing can be pinned nothing is installed.
    fs::write(world.weir.folder().join("weir-publishers.json"), "[]")?;
    let (code, _) = stall.refusal(&format!("weir --dir {dir} install oci:shelf"))?;
    assert_eq!(code, "weir.artefact.unreadable");
    let listed = stall.desk.must(".", &format!("weir --dir {dir} plugin list"))?;
    assert!(!listed.contains(&version), "{listed}");
    fs::remove_file(world.weir.folder().join("weir-publishers.json"))?;

    let installed = stall.json(&format!("weir --json --dir {dir} install oci:shelf"))?;
    assert_eq!((installed["publisher"].as_str(), installed["known"].as_bool()), (Some(own.as_str()), Some(false)));
    assert_eq!(installed["version"], version.as_str());
    let again = stall.desk.must(".", &format!("weir --dir {dir} install oci:shelf"))?;
    assert!(again.contains("which is pinned"), "{again}");
    Ok(())
}

#[tokio::test]
async fn what_its_publisher_says_does_not_steer_the_terminal_and_is_said_of_what_is_older() -> anyhow::Result<()> {
    let registry = Registry::start("").await?;
    let stall = Stall::open("lead-mapper")?;
    let repository = format!("oci://{}/lead", registry.host);
    stall.publish("1.0.0", &repository)?;
    stall.publish("1.1.0", &repository)?;
    let pull = format!("weir --dir taken plugin pull {repository}");
    stall.desk.must(".", &format!("{pull} -o taken/lead.wasm"))?;
    let reason = "\"$(printf '\\033[2Jloses leads')\"";
    stall.desk.must(".", &format!("weir plugin yank {repository}:1.1.0 --reason {reason} --key own.key"))?;
    let (code, message) = stall.refusal(&format!("{pull}:1.1.0 -o taken/lead.wasm"))?;
    assert!(code == "weir.artefact.yanked" && message.contains("loses leads"), "{message}");
    assert!(!message.contains('\u{1b}'), "{message:?}");
    let (code, message) = stall.refusal(&format!("{pull} -o taken/lead.wasm"))?;
    assert!(code == "weir.artefact.downgrade" && message.contains("1.1.0 (yanked by its publisher: "), "{message}");
    // What else is there is shown where no version is named.
    let inspected = stall.json(&format!("weir --json plugin inspect {repository}"))?;
    assert_eq!(inspected["published"]["versions"], serde_json::json!(["1.1.0", "1.0.0"]));
    Ok(())
}

#[test]
fn a_release_is_judged_against_what_its_users_have_and_never_burns_its_version() -> anyhow::Result<()> {
    let stall = Stall::open("crm-connector")?;
    stall.publish("1.0.0", "oci:shelf")?;
    let publish = |folder: &str| {
        format!("weir --json plugin publish {folder}/p.wasm --report {folder}/report.json oci:shelf --key own.key")
    };
    // An action that is tried out, and taken back before it is stable.
    stall.write("rc1", "1.1.0-rc.1", "- New.", |manifest| {
        let action = manifest.actions.values().next().expect("has actions").clone();
        manifest.actions.insert("tried".to_owned(), action);
    })?;
    assert_eq!(stall.json(&publish("rc1"))?["before"], "1.0.0");
    stall.write("rc2", "1.1.0-rc.2", "- New.", |_| {})?;
    let second = stall.json(&publish("rc2"))?;
    assert_eq!(
        (second["before"].as_str(), second["changes"][0]["is_breaking"].as_bool()),
        (Some("1.1.0-rc.1"), Some(true))
    );
    stall.write("stable", "1.1.0", "- New.", |_| {})?;
    let stable = stall.json(&publish("stable"))?;
    assert_eq!((stable["before"].as_str(), stable["changes"].as_array().map(Vec::len)), (Some("1.0.0"), Some(0)));

    // What could not be pulled is not published.
    let before = stall.desk.must(".", "find shelf | sort")?;
    for (file, text) in
        [("large/LICENSE", "x".repeat(5 << 20)), ("large/CHANGELOG.md", "\n## 1.2.0\n\n- New.\n".repeat(300_000))]
    {
        stall.write("large", "1.2.0", "- New.", |_| {})?;
        fs::write(stall.desk.path(file), text)?;
        assert_eq!(stall.refusal(&publish("large"))?.0, "weir.artefact.too-large", "{file}");
    }
    assert_eq!(stall.desk.must(".", "find shelf | sort")?, before);

    // A version that somebody else pushed is named, with what can be done.
    stall.desk.must(".", "weir plugin keygen --no-password --out other.key && cp -r shelf theirs")?;
    stall.desk.must(".", "rm -r large && mkdir foreign && cp -r stable/. foreign")?;
    stall.write("foreign", "9.9.9", "- New.", |_| {})?;
    stall.desk.must(".", "weir plugin publish foreign/p.wasm --report foreign/report.json oci:odd --key other.key")?;
    stall.desk.must(".", "skopeo --insecure-policy copy --all oci:odd:9.9.9 oci:empty:9.9.9")?;
    stall.write("next", "1.2.0", "- New.", |_| {})?;
    let (code, message) =
        stall.refusal("weir plugin publish next/p.wasm --report next/report.json oci:empty --key own.key")?;
    assert!(code == "weir.artefact.publisher" && message.contains("9.9.9 in oci:empty stands in the way"), "{message}");
    Ok(())
}
