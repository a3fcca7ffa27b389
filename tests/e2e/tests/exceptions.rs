//! What happens to an author whose plugin throws: the line is told by `weir plugin test`, and by `weir execution show` of a Weir
//! that runs it, in every language.

use std::fs;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use serde_json::Value;

use crate::author::{Desk, Ended};
use crate::operator::{typed, weir};
use crate::world::{World, eventually};

const FLOW: &str = "\
flow: greet
owner: dev@example.com
source:
  webhook: { path: /greet, verify: none, decode: json }
  dedupe: none
steps:
  - id: greet
    mapper: lead-mapper@1
";

/// A way to throw: the language, the file, the line of the template behind which it stands, what stands there, and what is said.
struct Thrown {
    lang: &'static str,
    file: &'static str,
    behind: &'static str,
    throws: &'static str,
    said: &'static str,
}

const RUST: Thrown = Thrown {
    lang: "rust",
    file: "src/lib.rs",
    behind: "    let name = mapping.input.name.trim();\n",
    throws: "    name.parse::<u32>()?;\n",
    said: "invalid digit found in string",
};

const RUST_PANIC: Thrown =
    Thrown { throws: "    assert!(name != \"Eve\", \"no such name\");\n", said: "no such name", ..RUST };

const TYPESCRIPT: Thrown = Thrown {
    lang: "ts",
    file: "src/plugin.ts",
    behind: "  const name = input.name.trim();\n",
    throws: "  if (name !== \"\") throw new RangeError(\"no such name\");\n",
    said: "no such name",
};

const JAVASCRIPT: Thrown = Thrown { lang: "js", file: "src/plugin.js", ..TYPESCRIPT };

const PYTHON: Thrown = Thrown {
    lang: "python",
    file: "src/greeter.py",
    behind: "    name = person.name.strip()\n",
    throws: "    int(name)\n",
    said: "invalid literal for int()",
};

const GO: Thrown = Thrown {
    lang: "go",
    file: "main.go",
    behind: "\tname := strings.TrimSpace(m.Input.Name)\n",
    throws: "\t_ = m.Input.Name[len(name)+7:]\n",
    said: "slice bounds out of range",
};

impl Thrown {
    /// The template's mapper, which throws now, built; its version is one that the flow takes.
    fn build(&self, desk: &Desk) -> anyhow::Result<()> {
        desk.must(".", &format!("weir plugin new mapper --lang {} greeter", self.lang))?;
        if self.lang == "rust" {
            desk.take_versions("greeter")?;
        }
        desk.edit("greeter/weir-plugin.toml", "version = \"0.1.0\"", "version = \"1.7.0\"")?;
        desk.edit(&format!("greeter/{}", self.file), self.behind, &format!("{}{}", self.behind, self.throws))?;
        desk.must("greeter", "weir plugin build").map(drop)
    }

    /// The place as it is shown, `FILE:LINE`. Python names files as its modules are found.
    fn place(&self, desk: &Desk) -> anyhow::Result<String> {
        let text = fs::read_to_string(desk.path(&format!("greeter/{}", self.file)))?;
        let before = text.split_once(self.throws).context("the line stands there")?.0;
        let file = if self.lang == "python" { self.file.trim_start_matches("src/") } else { self.file };
        Ok(format!("{file}:{}", before.lines().count() + 1))
    }
}

async fn check(thrown: &Thrown) -> anyhow::Result<()> {
    let desk = Desk::new()?;
    thrown.build(&desk)?;
    let place = thrown.place(&desk)?;
    // Not the example of the schema, with which a mapper is tried before it serves.
    desk.edit("greeter/cases/greets.yaml", "Ada", "Eve")?;
    let test = "weir plugin test --component greeter.wasm --only greets";
    let Ended { code, stdout, stderr } = desk.shell("greeter", test)?;
    ensure!(code == Some(1), "{code:?} {stdout}{stderr}");
    for said in [&place, thrown.said] {
        ensure!(stdout.contains(said), "{}: no {said:?} in\n{stdout}", thrown.lang);
    }

    let invoke = "echo '{\"name\":\"Eve\"}' | weir plugin invoke greeter.wasm transform --input -";
    let Ended { code, stderr, .. } = desk.shell("greeter", invoke)?;
    ensure!(code == Some(1) && stderr.contains(&place), "{}: no {place:?} in {code:?} {stderr}", thrown.lang);

    let world = World::start(&[("flows/greet.yaml", FLOW)]).await?;
    let component = desk.path("greeter/greeter.wasm");
    let installed = weir(&world, &["install", typed(&component)?, "--name", "lead-mapper"]).await?;
    installed.expect(&["serves new calls now"])?;
    let id = accepted(&world).await?;
    let shown = eventually("an attempt", async || {
        let shown = weir(&world, &["execution", "show", &id]).await?;
        Ok(shown.stdout.contains(thrown.said).then_some(shown))
    });
    shown.await?.expect(&["by lead-mapper 1.7.0", &place])
}

/// Sends a name; gives the execution.
async fn accepted(world: &World) -> anyhow::Result<String> {
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    let answer = world.post("/greet", &headers, Bytes::from_static(br#"{"name":"Eve"}"#)).await?;
    ensure!(answer.status() == 202, "{answer:?}");
    let accepted: Value = serde_json::from_slice(answer.body())?;
    Ok(format!("{}-0", accepted["event"].as_str().context("no id")?.replace("evt_", "exe_")))
}

#[tokio::test]
async fn an_error_in_rust_shows_its_line() -> anyhow::Result<()> {
    check(&RUST).await
}

#[tokio::test]
async fn a_panic_in_rust_shows_its_line() -> anyhow::Result<()> {
    check(&RUST_PANIC).await
}

#[test]
fn a_mapper_that_panics_at_its_own_example_is_not_taken_and_says_where() -> anyhow::Result<()> {
    let always = Thrown { throws: "    assert!(name.is_empty(), \"no such name\");\n", ..RUST_PANIC };
    let desk = Desk::new()?;
    always.build(&desk)?;
    let Ended { code, stderr, .. } = desk.shell("greeter", "weir plugin test --component greeter.wasm")?;
    for said in ["failed its canary call", always.said, &always.place(&desk)?] {
        ensure!(code == Some(2) && stderr.contains(said), "no {said:?} in {code:?} {stderr}");
    }
    Ok(())
}

#[tokio::test]
async fn an_exception_in_typescript_shows_its_line() -> anyhow::Result<()> {
    check(&TYPESCRIPT).await
}

#[tokio::test]
async fn an_exception_in_javascript_shows_its_line() -> anyhow::Result<()> {
    check(&JAVASCRIPT).await
}

#[tokio::test]
async fn an_exception_in_python_shows_its_line() -> anyhow::Result<()> {
    check(&PYTHON).await
}

#[tokio::test]
async fn a_panic_in_go_shows_its_line() -> anyhow::Result<()> {
    check(&GO).await
}
