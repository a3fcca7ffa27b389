//! Types made of what others wrote: each language's own tools take them, and every payload comes through them unharmed.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use anyhow::{Context as _, ensure};

use crate::author::Desk;
use crate::material::javascript;
use crate::world::show;

/// Of GitHub's events, those that are tried in Rust too, whose compiler takes its time.
const SOME: [&str; 5] = ["ping", "push", "issues", "workflow_job", "figures"];

/// Numbers that no double holds, which GitHub does not send.
const NUMBERS: &str =
    r#"{"whole":123456789012345678901234567890,"part":12345678901234567890.123456789,"price":1.10,"list":[2.50]}"#;

/// An event, and what its type is called.
type Typed = (String, String);

/// Writes a project, GitHub's payloads beside it, and the types of each event into `folder` of the project.
fn prepare(desk: &Desk, lang: &str, folder: &str, file: fn(&str) -> String) -> anyhow::Result<Vec<Typed>> {
    let mut writer = javascript("github.mjs")?;
    let written = writer.arg(desk.path("payloads")).stdout(Stdio::null()).status()?;
    ensure!(written.success(), "the payloads cannot be written");
    fs::write(desk.path("payloads/figures.made.json"), NUMBERS)?;
    desk.must(".", &format!("weir plugin new mapper --lang {lang} typed && mkdir -p typed/{folder}"))?;
    let mut events = BTreeSet::new();
    for payload in fs::read_dir(desk.path("payloads"))? {
        let name = payload?.file_name().to_string_lossy().into_owned();
        events.insert(name.split('.').next().unwrap_or_default().to_owned());
    }
    if lang == "rust" {
        events.retain(|event| SOME.contains(&event.as_str()));
    }
    let mut typed = Vec::new();
    for event in events {
        let output = format!("{folder}/{}", file(&event));
        let told = desk.must(
            "typed",
            &format!(
                "mkdir -p $(dirname {output}) && weir plugin types --lang {lang} --from ../payloads/{event}.*.json -o {output}"
            ),
        )?;
        let name = told.split(": ").nth(1).and_then(|rest| rest.split(',').next());
        typed.push((event, name.with_context(|| told.clone())?.to_owned()));
    }
    ensure!(typed.len() >= SOME.len(), "there are only {} events", typed.len());
    Ok(typed)
}

/// One line for each event.
fn lines(typed: &[Typed], line: fn(&str, &str) -> String) -> String {
    typed.iter().map(|(event, name)| line(event, name)).collect()
}

/// Writes the test with its blanks filled.
fn write(desk: &Desk, path: &str, text: &str, blanks: &[(&str, String)]) -> anyhow::Result<()> {
    let filled = blanks.iter().fold(text.to_owned(), |text, (blank, with)| text.replace(blank, with));
    let file = desk.path(path);
    fs::create_dir_all(file.parent().context("a file lies in a folder")?)?;
    Ok(fs::write(file, filled)?)
}

#[test]
fn types_in_rust_hold_what_github_sends() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let typed = prepare(&desk, "rust", "tests/types", |event| format!("{event}.rs"))?;
    desk.take_versions("typed")?;
    // So that the test itself loses nothing: it compares what was sent with what came, digit by digit.
    let exact = "serde_json = { version = \"1\", features = [\"arbitrary_precision\"] }\n";
    desk.edit("typed/Cargo.toml", "serde_json = \"1\"\n", exact)?;
    let modules = lines(&typed, |event, _| format!("#[path = \"types/{event}.rs\"]\nmod {event};\n"));
    let arms = lines(&typed, |event, name| format!("        \"{event}\" => through::<{event}::{name}>,\n"));
    write(
        &desk,
        "typed/tests/types.rs",
        include_str!("../material/types/types.rs.txt"),
        &[("MODULES", modules), ("ARMS", arms)],
    )?;
    let printed = desk.must("typed", "cargo test --quiet --test types -- --nocapture")?;
    show(&format!("types in Rust, {} events: {}", typed.len(), told(&printed)?));
    Ok(())
}

#[test]
fn types_in_typescript_hold_what_github_sends() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let typed = prepare(&desk, "ts", "src/types", |event| format!("{event}.ts"))?;
    let imports =
        lines(&typed, |event, name| format!("import {{ {name} as T_{event} }} from \"../src/types/{event}.js\";\n"));
    let entries = lines(&typed, |event, _| format!("  {event}: T_{event},\n"));
    let text = include_str!("../material/types/types.test.ts.txt");
    write(&desk, "typed/test/types.test.ts", text, &[("IMPORTS", imports), ("ENTRIES", entries)])?;
    let printed = desk.must("typed", "npm install --silent && npm test")?;
    show(&format!("types in TypeScript, {} events: {}", typed.len(), told(&printed)?));
    Ok(())
}

#[test]
fn types_in_javascript_hold_what_github_sends() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let typed = prepare(&desk, "js", "src/types", |event| format!("{event}.js"))?;
    let imports =
        lines(&typed, |event, name| format!("import {{ {name} as T_{event} }} from \"../src/types/{event}.js\";\n"));
    let entries = lines(&typed, |event, _| format!("  {event}: T_{event},\n"));
    let text = include_str!("../material/types/types.test.ts.txt").replace(": any", "");
    write(&desk, "typed/test/types.test.js", &text, &[("IMPORTS", imports), ("ENTRIES", entries)])?;
    let printed = desk.must("typed", "npm install --silent && npm test")?;
    show(&format!("types in JavaScript, {} events: {}", typed.len(), told(&printed)?));
    Ok(())
}

#[test]
fn types_in_python_hold_what_github_sends() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let typed = prepare(&desk, "python", "types_of", |event| format!("{event}.py"))?;
    let entries = lines(&typed, |event, name| format!("    \"{event}\": \"{name}\",\n"));
    write(&desk, "typed/check.py", include_str!("../material/types/types.py.txt"), &[("ENTRIES", entries)])?;
    let checked = desk.must("typed", "MYPYPATH=weir-sdk/src python3 -m mypy --strict types_of/*.py")?;
    let printed = desk.must("typed", "PYTHONPATH=weir-sdk/src:types_of python3 check.py")?;
    show(&format!("types in Python, {} events: {}; mypy: {}", typed.len(), told(&printed)?, checked.trim()));
    Ok(())
}

#[test]
fn types_in_go_hold_what_github_sends() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let typed = prepare(&desk, "go", "of", |event| format!("of_{event}/types.go"))?;
    for (event, _) in &typed {
        // A package of its own for each, because they have types of the same names.
        desk.edit(&format!("typed/of/of_{event}/types.go"), "package main", &format!("package of_{event}"))?;
    }
    let imports = lines(&typed, |event, _| format!("\t\"example.com/typed/of/of_{event}\"\n"));
    let entries =
        lines(&typed, |event, name| format!("\t\"{event}\": func() any {{ return new(of_{event}.{name}) }},\n"));
    let text = include_str!("../material/types/types_test.go.txt");
    write(&desk, "typed/types_test.go", text, &[("IMPORTS", imports), ("ENTRIES", entries)])?;
    let formatted = desk.must("typed", "gofmt -l of && go vet ./...")?;
    assert_eq!(formatted, "", "gofmt would change these");
    let printed = desk.must("typed", "go test -run Payloads -v .")?;
    show(&format!("types in Go, {} events: {}", typed.len(), told(&printed)?));
    Ok(())
}

/// The line in which a test says how much it tried.
fn told(printed: &str) -> anyhow::Result<&str> {
    let line = printed.lines().find_map(|line| line.split("payloads: ").nth(1));
    line.with_context(|| format!("the test says nothing of payloads:\n{printed}"))
}

#[test]
fn what_cannot_be_typed_is_told_and_what_is_written_by_hand_is_kept() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let refused = |script: &str, code: i32, told: &str| -> anyhow::Result<()> {
        let ended = desk.shell(".", script)?;
        ensure!(
            ended.code == Some(code) && ended.stderr.contains(told),
            "{script}: {:?}\n{}",
            ended.code,
            ended.stderr
        );
        Ok(())
    };
    fs::write(desk.path("bad.json"), "{\n  \"a\": nope }")?;
    fs::write(desk.path("schema.json"), r#"{"$schema":"x","properties":{"a":{"$ref":"other.json"}}}"#)?;
    fs::write(desk.path("sample.json"), r#"{"a":1}"#)?;
    fs::write(desk.path("mine.py"), "# mine\n")?;
    refused("weir plugin types --lang go --from none.json", 3, "cannot read `none.json`")?;
    refused("weir plugin types --lang go --from bad.json", 2, "bad.json:2:9: this is no JSON")?;
    refused("weir plugin types --lang go --from schema.json", 2, "refers to `other.json`, which is not in it")?;
    refused("weir plugin types --lang go --from sample.json schema.json", 2, "a schema stands for itself")?;
    refused("weir plugin types --lang python --from sample.json -o mine.py", 4, "`mine.py` is there already")?;
    assert_eq!(fs::read_to_string(desk.path("mine.py"))?, "# mine\n");
    let script = "weir plugin types --lang python --from sample.json -o made.py";
    assert_eq!(desk.must(".", script)?, "wrote made.py: Sample, 1 type\n");
    fs::write(desk.path("sample.json"), r#"{"a":1,"b":{"c":2}}"#)?;
    assert_eq!(desk.must(".", script)?, "wrote made.py: Sample, 2 types\n");
    let piped = desk.must(".", "weir plugin types --lang go --from - --name thing < sample.json")?;
    assert!(piped.contains("type Thing struct {"), "{piped}");
    Ok(())
}
