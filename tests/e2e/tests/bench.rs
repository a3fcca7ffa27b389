//! An author's bench: what `weir plugin test` and `invoke` do with a component that has been built.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use anyhow::{Context as _, ensure};

use crate::author::{Desk, Ended};
use crate::world::{PATIENCE, copied_plugins};

const CASE: &str = "\
call:
  action: send
  input: { path: /orders, body: { number: 1234 } }
  connection: { base_url: https://api.example.com }
http:
- request: { method: POST, url: /ordres, json: { number: 1234 } }
  response: { status: 200, json: { ok: true } }
expect:
  output: { ok: true }
";

/// A desk with one case of a plugin of ours, and the component as `plugin.wasm`.
fn desk(plugin: &str, case: &str) -> anyhow::Result<Desk> {
    let (desk, built) = (Desk::new()?, copied_plugins()?);
    fs::create_dir(desk.path("cases"))?;
    fs::write(desk.path("cases/case.yaml"), case)?;
    fs::copy(built.path().join(format!("{plugin}.wasm")), desk.path("plugin.wasm"))?;
    Ok(desk)
}

#[test]
fn a_wrong_exchange_never_becomes_what_is_expected() -> anyhow::Result<()> {
    let desk = desk("http-connector", CASE)?;
    let update = "weir plugin test . --component plugin.wasm --update";
    let Ended { code, stdout, .. } = desk.shell(".", update)?;
    ensure!(code == Some(1) && stdout.contains("FAILED") && stdout.contains("mend `http` first"), "{stdout}");
    assert_eq!(fs::read_to_string(desk.path("cases/case.yaml"))?, CASE);

    desk.edit("cases/case.yaml", "ordres", "orders")?;
    desk.edit("cases/case.yaml", "output: { ok: true }", "output: { ok: false }")?;
    let stdout = desk.must(".", update)?;
    ensure!(stdout.contains("updated"), "{stdout}");
    // A number of more than 64 bits is compared digit by digit, which no double holds.
    desk.edit("cases/case.yaml", "number: 1234", "number: 123456789012345678901")?;
    desk.must(".", "weir plugin test . --component plugin.wasm")?;
    desk.edit("cases/case.yaml", "json: { number: 123456789012345678901", "json: { number: 123456789012345678902")?;
    let Ended { code, stdout, .. } = desk.shell(".", "weir plugin test . --component plugin.wasm")?;
    let other =
        "/http/0/request/json/number: expected \"number:123456789012345678902\", got \"number:123456789012345678901\"";
    ensure!(code == Some(1) && stdout.contains(other), "{stdout}");
    Ok(())
}

#[test]
fn what_is_saved_is_tested_again() -> anyhow::Result<()> {
    let desk = desk("http-connector", CASE)?;
    let mut command = desk.command(".", "exec weir plugin test . --component plugin.wasm --watch")?;
    let mut watching = command.stdout(Stdio::piped()).spawn()?;
    let printed = BufReader::new(watching.stdout.take().context("is piped")?);
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || printed.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    // It may test once more than that: the caches of this desk lie in the folder too.
    let told = |result: &str| -> anyhow::Result<()> {
        while !lines.recv_timeout(PATIENCE).with_context(|| format!("no {result:?}"))?.starts_with(result) {}
        Ok(())
    };
    let tried = told("1 case, 1 failed")
        .and_then(|()| desk.edit("cases/case.yaml", "ordres", "orders"))
        .and_then(|()| told("1 case, 0 failed"));
    watching.kill()?;
    watching.wait()?;
    tried
}

#[test]
fn what_became_of_a_call_is_told_and_no_flag_is_ignored() -> anyhow::Result<()> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/crm-connector/cases");
    let desk = desk("crm-connector", &fs::read_to_string(cases.join("settles-a-lost-answer.yaml"))?)?;
    let invoke = "weir plugin invoke plugin.wasm create-contact --case cases/case.yaml";
    let Ended { code, stderr, .. } = desk.shell(".", invoke)?;
    ensure!(code == Some(0) && stderr.contains("settlement happened") && stderr.contains("external id c7"), "{stderr}");
    desk.edit("cases/case.yaml", "results: [{ id: c7, email: ada@example.com }]", "results: []")?;
    let Ended { stderr, .. } = desk.shell(".", invoke)?;
    ensure!(stderr.contains("settlement absent"), "{stderr}");
    for (flags, why) in [("--options '{}'", "only a mapper has options"), ("--grant", "--live")] {
        let Ended { code, stderr, .. } = desk.shell(".", &format!("{invoke} {flags}"))?;
        ensure!(code == Some(2) && stderr.contains(why), "{flags}: {code:?} {stderr}");
    }
    let built = copied_plugins()?;
    fs::copy(built.path().join("lead-mapper.wasm"), desk.path("mapper.wasm"))?;
    fs::write(desk.path("input.json"), "{}")?;
    let script = "weir plugin invoke mapper.wasm transform --input input.json --options '[]'";
    let Ended { code, stderr, .. } = desk.shell(".", script)?;
    ensure!(code == Some(2) && stderr.contains("`--options` must be a JSON object"), "{code:?} {stderr}");
    Ok(())
}
