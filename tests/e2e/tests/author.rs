//! What a plugin's author does, in a folder outside the repository: a new project, built, tested, changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use crate::world::{copied_plugins, target, weir_binary};

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A folder with a home and caches of its own.
pub(crate) struct Desk {
    folder: TempDir,
    weir: PathBuf,
}

impl Desk {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("weir-author-").tempdir().context("cannot make a folder")?;
        Ok(Self { folder, weir: weir_binary()? })
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// What would be typed in a shell in that folder, not started yet.
    pub(crate) fn command(&self, folder: &str, script: &str) -> anyhow::Result<Command> {
        let programs = self.weir.parent().context("the program lies in a folder")?;
        let path = std::env::var("PATH").unwrap_or_default();
        // What builds and checks plugins in Python, and caches of other tools that later tests find filled.
        let target = target()?;
        let (python, caches) = (target.join("weir-languages/python/python/bin"), target.join("weir-caches"));
        let mut command = Command::new("sh");
        command
            .args(["-e", "-c", script])
            .current_dir(self.path(folder))
            .env("PATH", format!("{}:{}:{path}", programs.display(), python.display()))
            .env("GOCACHE", caches.join("go"))
            .env("PIP_CACHE_DIR", caches.join("pip"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env_remove("WEIR_DIR");
        Ok(command)
    }

    /// Runs what would be typed in a shell in that folder.
    pub(crate) fn shell(&self, folder: &str, script: &str) -> anyhow::Result<Ended> {
        let output = self.command(folder, script)?.output()?;
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok(Ended { code: output.status.code(), stdout, stderr })
    }

    /// The same, and it must succeed.
    pub(crate) fn must(&self, folder: &str, script: &str) -> anyhow::Result<String> {
        let Ended { code, stdout, stderr } = self.shell(folder, script)?;
        ensure!(code == Some(0), "`{script}` ended with {code:?}:\n{stdout}{stderr}");
        Ok(stdout)
    }

    /// A new project, with the versions of this workspace, so that the test needs no network.
    fn begin(&self, kind: &str, name: &str) -> anyhow::Result<()> {
        self.must(".", &format!("weir plugin new {kind} --lang rust {name}"))?;
        self.take_versions(name)
    }

    /// Gives a project in Rust the versions of this workspace, so that its build needs no network.
    pub(crate) fn take_versions(&self, project: &str) -> anyhow::Result<()> {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
        fs::copy(lock, self.path(project).join("Cargo.lock"))?;
        Ok(())
    }

    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) -> anyhow::Result<()> {
        let file = self.path(file);
        let text = fs::read_to_string(&file)?;
        ensure!(text.contains(from), "{} holds no {from:?}:\n{text}", file.display());
        Ok(fs::write(&file, text.replace(from, to))?)
    }
}

/// The commands of a README, as they stand there, but for the one that needs a Weir that runs.
pub(crate) fn commands(readme: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(readme)?;
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines: Vec<_> = blocks.flat_map(str::lines).filter(|line| !line.starts_with("weir install")).collect();
    if lines.is_empty() {
        bail!("{} holds no commands", readme.display());
    }
    Ok(lines.join("\n"))
}

/// What `weir plugin test` says that a case took.
struct Cost {
    ms: f64,
    kib: u64,
    host_calls: u64,
}

/// Reads the line of a case that holds: `ok      NAME  0.12 ms  1088 KiB  0 host calls`.
fn cost(printed: &str, case: &str) -> anyhow::Result<Cost> {
    let words = printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let cost = words.into_iter().find_map(|words| match words[..] {
        ["ok", name, ms, "ms", kib, "KiB", calls, "host", _] if name == case => Some((ms, kib, calls)),
        _ => None,
    });
    let (ms, kib, calls) = cost.with_context(|| format!("no line of `{case}` in\n{printed}"))?;
    Ok(Cost { ms: ms.parse()?, kib: kib.parse()?, host_calls: calls.parse()? })
}

#[test]
fn a_new_mapper_is_green_by_its_readme_and_a_broken_expectation_is_told() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.begin("mapper", "greeter")?;
    let script = commands(&desk.path("greeter/README.md"))?;
    let printed = desk.must("greeter", &script)?;
    assert!(printed.contains("built greeter 0.1.0 from Rust") && printed.contains("3 cases, 0 failed"), "{printed}");
    let cost = cost(&printed, "greets")?;
    assert!(cost.ms > 0.0 && cost.kib > 0 && cost.host_calls == 0, "{printed}");

    let case = desk.path("greeter/cases/greets.yaml");
    let written = fs::read_to_string(&case)?;
    desk.edit("greeter/cases/greets.yaml", "Hello, Ada!", "Hello, Bob!")?;
    let Ended { code, stdout, .. } = desk.shell("greeter", "weir plugin test --only greets")?;
    assert_eq!(code, Some(1), "{stdout}");
    let difference = r#"/expect/output/greeting: expected "Hello, Bob!", got "Hello, Ada!""#;
    assert!(stdout.contains(difference) && stdout.contains("2 cases, 1 failed"), "{stdout}");

    desk.must("greeter", "weir plugin test --update")?;
    assert_eq!(fs::read_to_string(&case)?, written);
    let output = desk.must("greeter", r#"echo '{"name":"Grace"}' | weir plugin invoke transform --input -"#)?;
    assert_eq!(output, "{\n  \"greeting\": \"Hello, Grace!\"\n}\n");

    fs::write(&case, "transfrom: {}\nhttp:\n- request: { url: /x }\nexpect: { fault: { kind: bad } }\n")?;
    let Ended { code, stderr, .. } = desk.shell("greeter", "weir plugin test")?;
    assert_eq!(code, Some(2), "{stderr}");
    for fault in ["greets.yaml:1:1: a case has no key `transfrom`; did you mean `transform`?", "greets.yaml:3:3: "] {
        assert!(stderr.contains(fault), "{stderr}");
    }
    Ok(())
}

#[test]
fn a_new_connector_is_green_and_a_request_that_its_manifest_does_not_ask_for_is_denied() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.begin("connector", "notes")?;
    let printed = desk.must("notes", &commands(&desk.path("notes/README.md"))?)?;
    assert!(printed.contains("4 cases, 0 failed"), "{printed}");
    assert_eq!(cost(&printed, "creates-a-note")?.host_calls, 1, "{printed}");
    let invoke = "weir plugin invoke create-note --case cases/creates-a-note.yaml";
    assert_eq!(desk.must("notes", invoke)?, "{\n  \"id\": \"n1\"\n}\n");

    // Recordings stand behind the gate: what the manifest does not ask for never reaches them.
    desk.edit("notes/weir-plugin.toml", "paths = [\"/notes\", \"/me\"]", "paths = [\"/me\"]")?;
    let Ended { code, stdout, .. } = desk.shell("notes", "weir plugin test")?;
    assert_eq!(code, Some(1), "{stdout}");
    for line in ["[[http]]", "origin = \"connection\"", "methods = [\"POST\"]", "paths = [\"/notes\"]"] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
    assert!(stdout.contains("does not ask to reach notes.example.com:443"), "{stdout}");
    assert!(stdout.contains("/http/0/request: expected POST https://notes.example.com/notes, got nothing"), "{stdout}");

    let Ended { code, stderr, .. } = desk.shell("notes", invoke)?;
    assert_eq!(code, Some(1), "{stderr}");
    for line in
        ["does not ask to reach notes.example.com:443", "[[http]]", "methods = [\"POST\"]", "paths = [\"/notes\"]"]
    {
        assert!(stderr.contains(line), "{line}\n{stderr}");
    }

    let Ended { code, stderr, .. } = desk.shell("notes", &format!("{invoke} --live"))?;
    assert!(code == Some(4) && stderr.contains("--grant"), "{code:?} {stderr}");
    Ok(())
}

#[test]
fn a_role_that_only_the_manifest_or_only_the_code_has_is_told_by_the_build() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.begin("connector", "notes")?;
    let refused = |told: &str| -> anyhow::Result<()> {
        let Ended { code, stderr, .. } = desk.shell("notes", "weir plugin build")?;
        ensure!(code == Some(2) && stderr.contains(told), "{code:?} {stderr}");
        ensure!(stderr.contains("more: weir explain weir.load.roles"), "{stderr}");
        Ok(())
    };
    let (all, fewer) = ("\"verification\", \"connection\"]", "\"verification\"]");
    desk.edit("notes/weir-plugin.toml", all, fewer)?;
    refused("the component exports the role `connection` and the manifest does not name it; add it to `roles`")?;

    desk.edit("notes/weir-plugin.toml", fewer, all)?;
    desk.edit("notes/src/lib.rs", "    check: check_connection,\n", "")?;
    refused(
        "the manifest names the role `connection` and the component does not export it; export it or remove it from",
    )?;
    Ok(())
}

#[test]
fn without_a_network_the_build_says_what_needs_one() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    desk.must(".", "weir plugin new mapper --lang rust greeter")?;
    // No crate is kept, and nobody listens where the network should be.
    let alone = "CARGO_HOME=$PWD/none CARGO_NET_RETRY=0 CARGO_HTTP_PROXY=http://127.0.0.1:9";
    let Ended { code, stderr, .. } = desk.shell("greeter", &format!("{alone} weir plugin build"))?;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("needs a network once; without one, take along what `cargo vendor` writes"), "{stderr}");
    Ok(())
}

#[test]
fn the_cases_of_every_plugin_of_ours_hold() -> anyhow::Result<()> {
    let desk = Desk::new()?;
    let components = copied_plugins()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut tested = 0;
    for entry in fs::read_dir(root.join("plugins"))?.chain(fs::read_dir(root.join("sdk/c"))?) {
        let folder = entry?.path();
        if !folder.join("weir-plugin.toml").is_file() {
            continue;
        }
        let name = folder.file_name().context("a folder has a name")?.to_string_lossy().into_owned();
        let component = components.path().join(format!("{name}.wasm"));
        let (folder_shown, component) = (folder.display(), component.display());
        // Compiled code is kept between runs: to compile those in Python takes longer than all cases together.
        let cache = target()?.join("weir-caches");
        let script =
            format!("XDG_CACHE_HOME='{}' weir plugin test '{folder_shown}' --component '{component}'", cache.display());
        println!("{name}\n{}", desk.must(".", &script)?);
        let cases = fs::read_dir(folder.join("cases"))?.count();
        ensure!(cases >= 2, "{name} has {cases} case; write one that is good and one that is not");
        tested += 1;
    }
    ensure!(tested >= 18, "only {tested} plugins were found");
    Ok(())
}
