//! The conformance suite: every check fails on its violator and on nothing else, and every plugin of ours is green.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context as _, ensure};
use manifest::Manifest;
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{copied_plugins, target, weir_binary};

/// How a command ended.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs `weir plugin conform`. Compiled code is kept beside what Cargo builds: a component in Python takes ten seconds.
fn conform(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Ended> {
    let output = Command::new(weir_binary()?)
        .args(["plugin", "conform"])
        .args(arguments)
        .env("XDG_CACHE_HOME", target()?.join("conformance"))
        .env_remove("WEIR_DIR")
        .envs(environment.iter().copied())
        .output()?;
    let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    Ok(Ended { code: output.status.code(), stdout, stderr })
}

fn report(component: &Path, more: &[&str]) -> anyhow::Result<(Option<i32>, Value)> {
    let component = component.to_string_lossy();
    let Ended { code, stdout, stderr } = conform(&[&["--json", &*component], more].concat(), &[])?;
    Ok((code, serde_json::from_str(&stdout).with_context(|| format!("no report: {stdout}{stderr}"))?))
}

/// The ids of the checks that ended so.
fn ids(report: &Value, result: &str) -> Vec<String> {
    let checks = report["checks"].as_array().into_iter().flatten();
    checks
        .filter(|check| check["result"] == result)
        .map(|check| check["id"].as_str().unwrap_or("?").to_owned())
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where the guests lie when they have been built.
static GUESTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let target = target().expect("a target folder");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "guests", "--examples", "--features", "component"])
        .args(["--target", "wasm32-wasip2"])
        .env("CARGO_TARGET_DIR", &target)
        .current_dir(root())
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the guests cannot be built; is the target installed? `rustup target add wasm32-wasip2`");
    target.join("wasm32-wasip2/debug/examples")
});

/// The files that describe the violators of a folder.
fn violators(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    let is_violator = |file: &PathBuf| file.extension().is_some_and(|ending| ending == "json");
    let violators: Vec<_> = files.into_iter().filter(is_violator).collect();
    ensure!(!violators.is_empty(), "no violator in {}", folder.display());
    Ok(violators)
}

/// The component that is described: a guest or a text, with a manifest unless it lacks one.
fn component(written: &str) -> anyhow::Result<Vec<u8>> {
    let written: Value = serde_json::from_str(written)?;
    let component = match (written["guest"].as_str(), written["text"].as_str()) {
        (Some(guest), None) => fs::read(GUESTS.join(format!("{}.wasm", guest.replace('-', "_"))))?,
        (None, Some(text)) => wat::parse_str(text)?,
        _ => anyhow::bail!("either `guest` or `text`"),
    };
    match written.get("manifest") {
        None => Ok(component),
        Some(manifest) => {
            let manifest: Manifest = serde_json::from_value(manifest.clone())?;
            Ok(manifest::embed(&component, &manifest)?)
        }
    }
}

#[test]
fn each_check_fails_on_its_violator_and_no_other_does() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let mut wrong = Vec::new();
    let mut tried = BTreeSet::new();
    for entry in fs::read_dir(root().join("tests/conformance"))? {
        let case = entry?.path();
        if !case.is_dir() {
            continue;
        }
        let name = case.file_name().context("a name")?.to_string_lossy().into_owned();
        let id = name.split('-').next().unwrap_or_default().to_owned();
        for violator in violators(&case)? {
            let name = format!("{name}/{}", violator.file_stem().context("a name")?.to_string_lossy());
            let file = folder.path().join("violator.wasm");
            fs::write(&file, component(&fs::read_to_string(violator)?).with_context(|| name.clone())?)?;
            let (code, report) = report(&file, &[])?;
            let failed = ids(&report, "failed");
            println!("{name}: {failed:?}");
            if code != Some(1) || failed != [id.as_str()] {
                wrong.push(format!("{name}: {code:?} {report:#}"));
            }
        }
        tried.insert(id);
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(tried.len() >= 26, "only {} checks have a violator", tried.len());
    Ok(())
}

/// The component with a further module in it that has a memory, as components of other languages have several.
fn with_another_memory(component: &[u8]) -> anyhow::Result<Vec<u8>> {
    let module = wat::parse_str("(module (memory 1))")?;
    let (mut at, mut modules) = (8, 0_u8);
    while at < component.len() {
        modules += u8::from(component[at] == 1);
        let (mut size, mut shift) = (0_usize, 0);
        loop {
            at += 1;
            size |= usize::from(component[at] & 0x7f) << shift;
            shift += 7;
            if component[at] & 0x80 == 0 {
                break;
            }
        }
        at += 1 + size;
    }
    ensure!(modules < 128 && module.len() < 128, "{modules} modules");
    // A section with the module, and one with an instance of it.
    let module = [&[1, u8::try_from(module.len())?][..], &module].concat();
    Ok([component, &module, &[2, 4, 1, 0, modules, 0]].concat())
}

#[test]
fn what_a_component_of_several_memories_keeps_is_seen_too() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("violator.wasm");
    let written = fs::read_to_string(root().join("tests/conformance/W026-determinism/violator.json"))?;
    fs::write(&file, with_another_memory(&component(&written)?)?)?;
    let (code, report) = report(&file, &["--only", "W026"])?;
    ensure!(code == Some(1) && ids(&report, "failed") == ["W026"], "{code:?} {report:#}");
    Ok(())
}

/// A connector that keeps to everything, each of its actions in an unusual way.
const HONEST: &str = r#"{
  "guest": "conduct",
  "manifest": {
    "id": "honest", "version": "1.0.0", "description": "Breaks no rule.", "owner": "violators@example.com",
    "licence": "Apache-2.0", "contract": "0.1", "roles": ["actions", "verification"],
    "actions": {
      "derive-a-key-honestly": {"title": "Derives", "effect": "keyed", "key_lifetime": "24h", "input": {"type": "object"},
        "output": {"type": "object"}, "sample": {"name": "Ada"}},
      "list-honestly": {"title": "Lists", "effect": "read", "input": {"type": "object"}, "sample": {},
        "output": {"type": "object", "properties": {"id": {"type": "string"}, "next_cursor": {"type": "string"}}}},
      "list-things-": {"title": "Has an odd name", "effect": "keyed", "key_lifetime": "24h", "input": {"type": "object"},
        "output": {"type": "object"}, "sample": {}}
    },
    "http": [{"origin": "connection", "methods": ["GET", "POST"], "paths": ["/things"], "reason": "It is honest."}],
    "auth": {"token": {"scheme": "bearer"}}
  }
}"#;

#[test]
fn what_is_done_in_an_unusual_way_conforms() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("honest.wasm");
    fs::write(&file, component(HONEST)?)?;
    let (code, found) = report(&file, &[])?;
    ensure!(code == Some(0), "{found:#}");
    let seen = |id: &str, found: &Value| {
        let checks = found["checks"].as_array().into_iter().flatten();
        checks.filter(|check| check["id"] == id).map(|check| check["seen"].to_string()).collect::<String>()
    };
    // Had it not listed on, nothing would be proven.
    ensure!(seen("W020", &found).contains("list-honestly"), "{}", seen("W020", &found));

    let needy = HONEST.replace("list-things-", "need-settings-honestly");
    let mut needy: Value = serde_json::from_str(&needy)?;
    let actions = needy["manifest"]["actions"].as_object_mut().context("actions")?;
    actions.retain(|name, _| name == "need-settings-honestly");
    fs::write(&file, component(&needy.to_string())?)?;
    let (code, found) = report(&file, &[])?;
    ensure!(code == Some(0), "{found:#}");
    let skipped = ids(&found, "skipped");
    for id in ["W008", "W012", "W013", "W017", "W018", "W019"] {
        ensure!(skipped.iter().any(|skipped| skipped == id), "{id} was not skipped: {found:#}");
    }
    ensure!(seen("W018", &found).contains("--settings"), "{}", seen("W018", &found));
    let (code, found) = report(&file, &["--settings", r#"{"tenant":"t1"}"#])?;
    let tried = ids(&found, "ok");
    for id in ["W008", "W012", "W013", "W014", "W017", "W018", "W019"] {
        ensure!(code == Some(0) && tried.iter().any(|tried| tried == id), "{id} was not tried: {found:#}");
    }
    let Ended { code, stderr, .. } = conform(&["--settings", "[]", &file.to_string_lossy()], &[])?;
    ensure!(code == Some(2) && stderr.contains("`--settings` must be a JSON object"), "{stderr}");
    Ok(())
}

#[test]
fn what_is_not_taken_fails_whichever_check_is_asked_for() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("nothing.wasm");
    fs::write(&file, "nothing")?;
    let Ended { code, stdout, .. } = conform(&["--only", "W012", &file.to_string_lossy()], &[])?;
    ensure!(code == Some(1) && stdout.contains("W005 FAILED"), "{code:?} {stdout}");
    Ok(())
}

/// The plugins of this repository and the examples of its SDKs that have been built, by name.
fn plugins(built: &Path) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let places = ["plugins", "sdk/rust", "sdk/js", "sdk/python", "sdk/go", "sdk/c"].map(|place| root().join(place));
    let mut plugins = Vec::new();
    for place in &places {
        for entry in fs::read_dir(place)? {
            let folder = entry?.path();
            let name = folder.file_name().context("a name")?.to_string_lossy().into_owned();
            let component = built.join(format!("{name}.wasm"));
            if folder.join("weir-plugin.toml").is_file() {
                ensure!(component.is_file(), "{name} was not built: cargo xtask guests");
                plugins.push((name, component));
            }
        }
    }
    plugins.sort();
    ensure!(plugins.iter().any(|(name, _)| name == "ndjson-splitter"), "no plugin in C among {plugins:?}");
    Ok(plugins)
}

#[test]
fn every_plugin_of_ours_conforms() -> anyhow::Result<()> {
    let built = copied_plugins()?;
    let mut wrong = Vec::new();
    for (name, component) in plugins(built.path())? {
        let began = std::time::Instant::now();
        let Ended { code, stdout, stderr } = conform(&[&component.to_string_lossy()], &[])?;
        println!("{name}, {:.1} s\n{stdout}{stderr}", began.elapsed().as_secs_f64());
        if code != Some(0) {
            wrong.push(format!("{name} ended with {code:?}:\n{stdout}{stderr}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn a_report_is_the_same_whatever_the_surroundings_and_a_mapper_perceives_nothing_of_them() -> anyhow::Result<()> {
    let built = copied_plugins()?;
    let folder = TempDir::new()?;
    // A mapper of each language.
    for name in ["lead-mapper", "lead-mapper-js", "lead-mapper-python", "lead-mapper-go", "ndjson-splitter"] {
        check_surroundings(name, &built.path().join(format!("{name}.wasm")), folder.path())?;
    }
    Ok(())
}

fn check_surroundings(name: &str, component: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut reports = Vec::new();
    for (place, environment) in [
        ("here", &[("TZ", "UTC"), ("LANG", "C")][..]),
        (
            "there",
            &[("TZ", "Asia/Kathmandu"), ("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8"), ("HOME", "/nowhere")],
        ),
    ] {
        let file = folder.join(place);
        let Ended { code, stdout, stderr } =
            conform(&["--report", &file.to_string_lossy(), &component.to_string_lossy()], environment)?;
        ensure!(code == Some(0), "{name} {place}: {code:?} {stdout}{stderr}");
        reports.push(fs::read_to_string(file)?);
    }
    assert_eq!(reports[0], reports[1], "{name}");
    let report: Value = serde_json::from_str(&reports[0])?;
    let digest = report["digest"].as_str().context("a digest")?;
    ensure!(digest.len() == 71 && digest.starts_with("sha256:"), "{digest}");
    for machine in ["/tmp", "/root", "/home", &*folder.to_string_lossy()] {
        ensure!(!reports[0].contains(machine), "the report holds `{machine}`: {}", reports[0]);
    }
    let seen = report["checks"].as_array().context("checks")?.iter().find(|check| check["id"] == "W026");
    let seen = seen.context("W026")?["seen"][0].as_str().unwrap_or_default().to_owned();
    ensure!(seen.contains(" inputs, 100 runs each, in fresh and in kept sandboxes: sha256:"), "{name}: {seen}");
    Ok(())
}

#[test]
fn one_check_can_be_run_and_read_about() -> anyhow::Result<()> {
    let built = copied_plugins()?;
    let component = built.path().join("crm-connector.wasm");
    let component = component.to_string_lossy();
    let Ended { code, stdout, .. } = conform(&["--only", "w012", &component], &[])?;
    assert_eq!(code, Some(0), "{stdout}");
    ensure!(stdout.starts_with("W012 ok       makes no request outside what the manifest asks for"), "{stdout}");
    ensure!(stdout.contains("crm-connector 1.0.0 was checked in part: 1 check, 0 failed, 0 skipped"), "{stdout}");

    let explained = Command::new(weir_binary()?).args(["explain", "w012"]).output()?;
    ensure!(explained.stdout.starts_with(b"# W012: makes no request outside"), "{explained:?}");
    let Ended { code, stderr, .. } = conform(&["--only", "W999", &component], &[])?;
    ensure!(code == Some(3) && stderr.contains("there is no check `W999`; the ids are W001 to W0"), "{stderr}");
    // Neither says anything of the whole.
    for arguments in [&["--only", "W012", "--report", "x.json", &component][..], &["--fuzz", "10", &component]] {
        let Ended { code, stderr, .. } = conform(arguments, &[])?;
        ensure!(code == Some(2), "{code:?} {stderr}");
    }
    Ok(())
}
