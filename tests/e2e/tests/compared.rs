//! A new version of a mapper is compared with what the old one gave to the events of a running Weir, before it serves.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use bench::client::Client;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::operator::{typed, weir};
use crate::world::{PATIENCE, World, show, target, weir_binary};

const FLOW: &str = "\
flow: forms
owner: dev@example.com
source:
  webhook: { path: /forms, verify: none, decode: json }
  dedupe: none
steps:
  - id: contact
    mapper: lead-mapper@1
";

const EVENTS: usize = 1000;

/// The form of that number: some have a telephone number abroad, some come from a company that the new version refuses,
/// some write their address in a way that only the new version reads.
fn form(number: usize) -> Value {
    let mut form = json!({ "email": format!("lead-{number}@example.com"), "name": "Ada", "company": "Example" });
    match number % 50 {
        1 | 2 => form["phone"] = format!("+49 30 {number:07}").into(),
        3 => form["phone"] = format!("030 {number:07}").into(),
        4 => form["company"] = "Refused Ltd".into(),
        5 => form["email"] = format!("lead-{number} at example.com").into(),
        _ => {}
    }
    form
}

/// How many of the forms are of one kind.
fn of_kind(kinds: &[usize]) -> usize {
    (0..EVENTS).filter(|number| kinds.contains(&(number % 50))).count()
}

/// The first-party mapper in a project of its own, changed.
async fn changed_mapper(folder: &Path) -> anyhow::Result<PathBuf> {
    let new = ["plugin", "new", "mapper", "--lang", "rust", "lead-mapper", "--into", typed(folder)?];
    let made = Command::new(weir_binary()?).args(new).output().await?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (ours, project) = (root.join("plugins/lead-mapper"), folder.join("lead-mapper"));
    fs::copy(root.join("Cargo.lock"), project.join("Cargo.lock"))?;
    for entry in fs::read_dir(ours.join("schemas"))? {
        let entry = entry?;
        fs::copy(entry.path(), project.join("schemas").join(entry.file_name()))?;
    }
    let manifest = fs::read_to_string(ours.join("weir-plugin.toml"))?;
    fs::write(project.join("weir-plugin.toml"), manifest.replace("version = \"1.0.0\"", "version = \"1.1.0\""))?;
    let mut source = fs::read_to_string(ours.join("src/lib.rs"))?;
    for (from, to) in [
        ("{ \"+\" }", "{ \"00\" }"),
        ("text.trim().to_ascii_lowercase()", "text.trim().to_ascii_lowercase().replace(\" at \", \"@\")"),
        (
            "let lead = mapping.input;",
            "let lead = mapping.input;\n    if lead.company == \"Refused Ltd\" {\n        \
             return Err(Fault::invalid_input(\"not from there\").code(\"company\"));\n    }",
        ),
    ] {
        ensure!(source.contains(from), "the mapper holds no {from:?}");
        source = source.replace(from, to);
    }
    fs::write(project.join("src/lib.rs"), source)?;
    Ok(project)
}

#[tokio::test]
async fn a_changed_mapper_is_compared_with_what_was_recorded() -> anyhow::Result<()> {
    let world = World::start(&[("flows/forms.yaml", FLOW)]).await?;
    let mut client = Client::connect(world.weir.ingress()).await?;
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    for number in 0..EVENTS {
        let answer = client.post("/forms", &headers, Bytes::from(form(number).to_string())).await?;
        ensure!(answer.status() == 202, "{answer:?}");
    }
    ensure!(world.weir.settled(PATIENCE).await?.parked as usize == of_kind(&[5]));
    let plugins = world.plugins.path();
    let (old, connector) = (plugins.join("lead-mapper.wasm"), plugins.join("http-connector.wasm"));

    let same = weir(&world, &["plugin", "compare", typed(&old)?, "--flow", "forms"]).await?;
    same.expect(&["1000 recorded calls", "same             1000", "differ              0"])?;

    let folder = tempfile::Builder::new().prefix("weir-compare-").tempdir()?;
    let project = changed_mapper(folder.path()).await?;
    let built = Command::new(weir_binary()?)
        .args(["plugin", "build", typed(&project)?])
        .env("CARGO_TARGET_DIR", target()?)
        .output()
        .await?;
    ensure!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let new = project.join("lead-mapper.wasm");

    // Every execution of every flow is looked at; the other flows that have such a step have had no event.
    let told = weir(&world, &["plugin", "compare", typed(&new)?, "--last", "1000"]).await?;
    ensure!(told.code == Some(1), "{}{}", told.stdout, told.stderr);
    told.says(&[
        "lead-mapper 1.1.0 against lead-mapper 1.0.0: 1000 recorded calls",
        "/output/phone: 40 of 1000, e.g. event evt_",
        "\"+4930",
        "→ \"004930",
        "new fault invalid-input (company): 20 of 1000",
        "an output → not from there",
        "mended fault invalid-input (email): 20 of 1000",
    ])?;

    let json =
        weir(&world, &["plugin", "compare", typed(&new)?, "--flow", "forms", "--step", "contact", "--json"]).await?;
    let found: Value = serde_json::from_str(&json.stdout).context("no JSON")?;
    let counts = ["compared", "same", "differ", "new_faults", "mended_faults", "gone"].map(|what| found[what].as_u64());
    let expected = [EVENTS, EVENTS - 80, of_kind(&[1, 2]), of_kind(&[4]), of_kind(&[5]), 0];
    assert_eq!(counts, expected.map(|count| Some(count as u64)), "{found:#}");
    let took = found["took_ms"].as_u64().context("no time")?;

    // With the old component instead of what was recorded: the same, and a part of them is enough.
    let with =
        ["plugin", "compare", typed(&new)?, "--with", typed(&old)?, "--flow", "forms", "--last", "100", "--json"];
    let found: Value = serde_json::from_str(&weir(&world, &with).await?.stdout)?;
    assert_eq!((&found["compared"], &found["differ"]), (&json!(100), &json!(4)), "{found:#}");

    let refused = weir(&world, &["plugin", "compare", typed(&connector)?]).await?;
    refused.refuses(4, &["`http-connector` is a connector", "answers are not recorded", "weir plugin test"])?;
    let nowhere = weir(&world, &["plugin", "compare", typed(&old)?, "--flow", "forms", "--step", "nothing"]).await?;
    nowhere.refuses(2, &["no step `nothing`; its steps are contact"])?;
    show(&format!("{EVENTS} recorded calls compared with a changed mapper in {took} ms"));
    Ok(())
}
