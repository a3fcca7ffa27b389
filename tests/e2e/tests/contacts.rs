//! One connector in three languages against a directory that behaves as a SaaS does: many pages, a search that lags behind,
//! answers that are lost, a rate limit.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use standin::{Config, Faults, Service, Standin};
use tempfile::TempDir;

use crate::world::{copied_plugins, target, weir_binary};

const CONNECTORS: [&str; 3] = ["contacts-ts", "contacts-python", "contacts-go"];

/// Contacts that the directory has.
const CONTACTS: usize = 10_000;

/// The id of the first one, which a double does not hold.
const FIRST_ID: u64 = (1 << 53) + 1;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// A connector's author with a directory that is there.
struct Desk {
    folder: TempDir,
    components: TempDir,
    weir: PathBuf,
    standin: Standin,
}

impl Desk {
    async fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("weir-contacts-").tempdir().context("cannot make a folder")?;
        let standin = Standin::start(Config { directory_contacts: CONTACTS, ..Config::default() }).await?;
        Ok(Self { folder, components: copied_plugins()?, weir: weir_binary()?, standin })
    }

    /// Calls an action for real, or settles one; gives what it gave, as a case would expect it.
    fn call(&self, connector: &str, kind: &str, mut call: Value) -> anyhow::Result<Value> {
        let Config { directory_key, .. } = Config::default();
        call["connection"] = json!({
            "base_url": format!("http://{}/tenants/acme", self.standin.address()),
            "credential": { "scheme": "slots", "slots": [{ "name": "key", "secret": directory_key }] },
        });
        // JSON is YAML.
        let case = self.folder.path().join("case.yaml");
        fs::write(&case, json!({ kind: call }).to_string())?;
        let output = Command::new(&self.weir)
            .args(["plugin", "invoke", "--json", "--live", "--grant", "--private-network", "127.0.0.1", "--case"])
            .arg(case)
            .arg(self.components.path().join(format!("{connector}.wasm")))
            .arg(call["action"].as_str().context("an action")?)
            // Kept between runs: to compile the one in Python takes longer than all calls together.
            .env("XDG_CACHE_HOME", target()?.join("weir-caches"))
            .output()?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("{connector}: {}", String::from_utf8_lossy(&output.stderr)))?;
        Ok(report["actual"].clone())
    }

    fn create(&self, connector: &str, key: &str) -> anyhow::Result<Value> {
        self.call(connector, "call", creation(key))
    }

    fn effects(&self) -> u64 {
        self.standin.summary().get(&Service::Directory).map_or(0, |summary| summary.effects)
    }
}

fn creation(key: &str) -> Value {
    let input = json!({ "email": format!("{key}@example.com") });
    json!({ "action": "create-contact", "input": input, "context": { "idempotency_key": key } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_is_served_in_every_language() -> anyhow::Result<()> {
    let desk = Desk::new().await?;
    for connector in CONNECTORS {
        all_pages_are_listed(&desk, connector).with_context(|| format!("{connector}, pages"))?;
        one_key_gives_one_contact(&desk, connector).with_context(|| format!("{connector}, keys"))?;
        a_lost_answer_is_settled(&desk, connector).with_context(|| format!("{connector}, lost answers"))?;
        the_limit_says_how_long_to_wait(&desk, connector).with_context(|| format!("{connector}, limits"))?;
    }
    Ok(())
}

fn all_pages_are_listed(desk: &Desk, connector: &str) -> anyhow::Result<()> {
    let (mut ids, mut cursor, mut pages) = (BTreeSet::new(), Value::Null, 0);
    while pages == 0 || cursor != Value::Null {
        let mut call = json!({ "action": "list-contacts", "input": {} });
        if let Value::String(cursor) = cursor {
            call["cursor"] = cursor.into();
        }
        let page = desk.call(connector, "call", call)?;
        let contacts = page["output"].as_array().with_context(|| format!("no page, but {page}"))?;
        ids.extend(contacts.iter().filter_map(|contact| contact["id"].as_u64()));
        cursor = page["next"].clone();
        pages += 1;
        ensure!(pages <= CONTACTS, "the pages have no end");
    }
    let there = ids.range(FIRST_ID..FIRST_ID + CONTACTS as u64).count();
    ensure!(there == CONTACTS, "{there} of {CONTACTS} contacts in {pages} pages");
    Ok(())
}

fn one_key_gives_one_contact(desk: &Desk, connector: &str) -> anyhow::Result<()> {
    let before = desk.effects();
    let key = format!("{connector}-twice");
    let (first, second) = (desk.create(connector, &key)?, desk.create(connector, &key)?);
    ensure!(first == second && first["output"]["reference"] == key.as_str(), "{first} {second}");
    ensure!(desk.effects() - before == 1, "{} contacts", desk.effects() - before);
    Ok(())
}

fn a_lost_answer_is_settled(desk: &Desk, connector: &str) -> anyhow::Result<()> {
    let before = desk.effects();
    let key = format!("{connector}-lost");
    desk.standin.set_directory_lag(LONG);
    desk.standin.set_faults(Service::Directory, Faults { drop_answer: 1.0, ..Faults::default() });
    let lost = desk.create(connector, &key)?;
    desk.standin.set_faults(Service::Directory, Faults::default());
    ensure!(lost["fault"]["kind"] == "unknown-outcome", "{lost}");

    let early = desk.call(connector, "verify", creation(&key))?;
    ensure!(early["settlement"] == "undecided", "the search lags, and yet {early}");
    desk.standin.set_directory_lag(Duration::ZERO);
    let settled = desk.call(connector, "verify", creation(&key))?;
    ensure!(settled["settlement"] == "happened" && settled["output"]["reference"] == key.as_str(), "{settled}");
    let other = desk.call(connector, "verify", creation(&format!("{key}-not")))?;
    ensure!(other["settlement"] == "absent", "{other}");
    ensure!(desk.effects() - before == 1, "{} contacts", desk.effects() - before);
    Ok(())
}

fn the_limit_says_how_long_to_wait(desk: &Desk, connector: &str) -> anyhow::Result<()> {
    let limited = Faults { rate_limited: 1.0, retry_after_s: 7, ..Faults::default() };
    desk.standin.set_faults(Service::Directory, limited);
    let answer = desk.create(connector, &format!("{connector}-limited"))?;
    desk.standin.set_faults(Service::Directory, Faults::default());
    let fault = &answer["fault"];
    ensure!(fault["kind"] == "rate-limited" && fault["retry_after_ms"] == 7000, "{answer}");
    Ok(())
}

#[test]
fn the_three_have_the_same_cases_and_schemas() -> anyhow::Result<()> {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let files = |connector: &str, folder: &str| -> anyhow::Result<Vec<(PathBuf, String)>> {
        let folder = plugins.join(connector).join(folder);
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            files.push((entry.file_name().into(), fs::read_to_string(entry.path())?));
        }
        files.sort();
        Ok(files)
    };
    for folder in ["cases", "schemas"] {
        let [first, others @ ..] = CONNECTORS;
        for other in others {
            ensure!(files(first, folder)? == files(other, folder)?, "{folder} of {first} and {other} differ");
        }
    }
    Ok(())
}
