//! The real program in a temporary folder: what is typed, and what is printed.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use expect_test::{Expect, expect};
use regex::Regex;
use tempfile::TempDir;

/// A project, and perhaps a Weir that runs on it.
struct Weir {
    folder: TempDir,
    running: Option<Child>,
}

impl Weir {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), running: None }
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.folder.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Changes what the journal wrote.
    fn overwrite(&self, segment: &str, offset: u64, bytes: &[u8]) {
        let file = fs::File::options().write(true).open(self.folder.path().join("data/journal").join(segment));
        file.unwrap().write_all_at(bytes, offset).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("WEIR_DIR").env("WEIR_LOG", "off");
        command
    }

    /// Starts it and waits until it says that it is ready.
    fn up(&mut self) {
        let mut child = self.command(&["up"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        self.running = Some(child);
        assert!(first.contains("is ready"), "{first:?}");
    }

    /// What a command prints, what it complains of, and how it ends.
    #[track_caller]
    fn check(&self, arguments: &[&str], expected: Expect) {
        expected.assert_eq(&self.run(arguments, ""));
    }

    fn run(&self, arguments: &[&str], input: &str) -> String {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        let complaints: String = stderr.lines().map(|line| format!("! {line}\n")).collect();
        let exit = match output.status.code() {
            Some(0) => String::new(),
            code => format!("exit code {}\n", code.unwrap()),
        };
        without_chance(&format!("{stdout}{complaints}{exit}"), self.folder.path())
    }

    /// The id of the latest execution of a flow.
    fn latest(&self, flow: &str) -> String {
        let output = self.command(&["execution", "list", "--flow", flow, "--json"]).output().unwrap();
        let page: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        page["executions"][0]["id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Weir {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.kill();
            let _ = running.wait();
        }
    }
}

/// Ids, times, ports and the folder differ each time.
fn without_chance(text: &str, folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap().display().to_string();
    let mut text = text.replace(&folder, "FOLDER");
    for (pattern, word) in [
        ("(evt|exe)_[0-9a-z]{26}", "${1}_ID"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME"),
        ("@[0-9a-f]{12}", "@VERSION"),
        (r"127\.0\.0\.1:\d+", "ADDRESS"),
        (r"pid \d+", "pid PID"),
        (r"process \d+", "process PID"),
        (r"\d+\.\d\d\d s ", "SECONDS "),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, word).into_owned();
    }
    text
}

/// Answers when it has ended, so that nobody has to wait for it.
const GREETS: &str = "\
flow: hello
owner: you@example.com
source:
  webhook: { path: /hello, verify: none, decode: json, reply: { sync: { within: 1m } } }
steps:
  - { id: greeting, set: { text: \"Hello, ${event.data.name}!\" } }
on_failure: { park: true }
";

const LATER: &str = "\
flow: later
owner: you@example.com
source: { webhook: { path: /later, verify: none } }
steps: [{ id: a, set: { x: 1 } }]
";

fn running() -> Weir {
    let mut weir = Weir::new();
    weir.write("weir.toml", "[ingress]\nlisten = \"127.0.0.1:0\"\n");
    weir.write("flows/hello.yaml", GREETS);
    weir.up();
    weir
}

#[test]
fn a_new_project_is_written_once_and_runs_at_once() {
    let mut weir = Weir::new();
    weir.check(
        &["init"],
        expect![[r#"
        wrote in .:
          weir.toml
          plugins.toml
          connections.toml
          flows/hello.yaml
          .gitignore

        Run it, and send it an event from another terminal:

          weir up
          weir event send --flow hello --data '{"name":"Ada"}'
          weir execution list
    "#]],
    );
    weir.check(
        &["init"],
        expect![[r#"
        ! weir: these files are there already; move them away, or choose another folder
        !   ./weir.toml
        !   ./plugins.toml
        !   ./connections.toml
        !   ./flows/hello.yaml
        !   ./.gitignore
        exit code 4
    "#]],
    );
    weir.check(
        &["check"],
        expect![[r#"
        no faults: 1 flow, 0 plugins, 0 connections
    "#]],
    );
    weir.check(
        &["status"],
        expect![[r#"
        ! weir: no Weir is running in FOLDER: start it with `weir up`
        exit code 5
    "#]],
    );
    let settings = fs::read_to_string(weir.folder.path().join("weir.toml")).unwrap();
    weir.write("weir.toml", &settings.replace("#listen = \"127.0.0.1:8080\"", "listen = \"127.0.0.1:0\""));
    weir.up();
    weir.check(
        &["status"],
        expect![[r#"
        Weir 0.1.0 in FOLDER (pid PID)
        events are taken in at http://ADDRESS

        nothing is wrong

        FLOW   PATH    OPEN  PARKED  DEAD  OWNER
        hello  /hello  0     0       0     you@example.com

        since the start: 0 events accepted, 0 repeats, 0 attempts; 0 finished, 0 parked, 0 dead
    "#]],
    );
    weir.check(
        &["event", "send", "--flow", "hello", "--data", "{\"name\": \"Ada\"}"],
        expect![[r#"
            evt_ID
        "#]],
    );
}

#[test]
fn every_fault_of_a_project_is_told() {
    let weir = Weir::new();
    weir.write("weir.toml", "[ingress]\nlisten = \"everywhere\"\nbodies = \"1MiB\"\n");
    weir.write("plugins.toml", "[plugin.crm]\nsource = \"crm.wasm\"\n");
    weir.write(
        "flows/x.yaml",
        "flow: x\nsource: { webhook: { path: /x, verify: none } }\nsteps: [{ id: a, mapper: m@1 }]\n",
    );
    weir.check(&["check"], expect![[r#"
        weir.toml:2:1: `everywhere` is not an address and a port; write one such as `ADDRESS`
        weir.toml:3:1: unknown key `bodies`; known here: listen, tls, body, connections
        plugins.toml:2:1: component `./crm.wasm` cannot be read: No such file or directory (os error 2); build it, or write where it is
        flows/x.yaml:1:1: a flow needs `owner`; add `owner:` with an e-mail address or a URL: who is told when it fails
        flows/x.yaml:3:26: plugin `m@1` is not installed; install it with `weir install FILE`
        ! weir: 5 faults in the project
        exit code 2
    "#]]);
    weir.check(&["up"], expect![[r#"
        ! weir: 5 faults in the project; nothing was started
        !   weir.toml:2:1: `everywhere` is not an address and a port; write one such as `ADDRESS`
        !   weir.toml:3:1: unknown key `bodies`; known here: listen, tls, body, connections
        !   plugins.toml:2:1: component `FOLDER/crm.wasm` cannot be read: No such file or directory (os error 2); build it, or write where it is
        !   flows/x.yaml:1:1: a flow needs `owner`; add `owner:` with an e-mail address or a URL: who is told when it fails
        !   flows/x.yaml:3:26: plugin `m@1` is not installed; install it with `weir install FILE`
        exit code 2
    "#]]);
    weir.check(
        &["status"],
        expect![[r#"
            ! weir: weir.toml has faults, so it cannot be known where Weir runs
            !   weir.toml:2:1: `everywhere` is not an address and a port; write one such as `ADDRESS`
            !   weir.toml:3:1: unknown key `bodies`; known here: listen, tls, body, connections
            exit code 2
        "#]],
    );
}

#[test]
fn an_execution_is_found_shown_and_replayed() {
    let weir = running();
    weir.check(
        &["event", "send", "--data", "{\"name\": \"Ada\"}", "--type", "greeting"],
        expect![[r#"
            {"text":"Hello, Ada!"}
        "#]],
    );
    weir.check(
        &["execution", "list"],
        expect![[r#"
            ID                                STATE     RECEIVED                  FLOW   KIND      ATTEMPTS  REASON
            exe_ID-0  finished  TIME  hello  greeting  0
        "#]],
    );
    let id = weir.latest("hello");
    weir.check(
        &["execution", "show", &id],
        expect![[r#"
        exe_ID-0  finished

          flow        hello@VERSION
          event       evt_ID  greeting
          source      /hello
          received    TIME
          changed     TIME
          data        {"name":"Ada"}

        step greeting  done
          output      {"text":"Hello, Ada!"}
    "#]],
    );
    weir.check(
        &["execution", "replay", &id],
        expect![[r#"
        exe_ID-0 replayed as exe_ID-1
    "#]],
    );
    weir.check(
        &["execution", "replay", &id, "--from", "nothing"],
        expect![[r#"
        ! weir: flow `hello` has no step `nothing`; its steps are greeting
        exit code 2
    "#]],
    );
    weir.check(
        &["execution", "discard", &id],
        expect![[r#"
        ! weir: execution `exe_ID-0` is finished: only what is parked or dead can be discarded; to end it, cancel it
        exit code 4
    "#]],
    );
    weir.check(
        &["execution", "show", "exe_01h455vb4pex5vsknk084sn02q-0"],
        expect![[r#"
            ! weir: there is no execution `exe_ID-0`
            !   more: weir explain weir.execution.unknown
            exit code 3
        "#]],
    );
    weir.check(
        &["execution", "show", "17"],
        expect![[r#"
            ! weir: `17` is not an id of the form exe_, 26 characters, - and a number
            !   more: weir explain weir.execution.id
            exit code 2
        "#]],
    );
    let event = id.split('-').next().unwrap().replace("exe_", "evt_");
    let shown = weir.run(&["event", "show", &event], "");
    assert!(shown.contains("\"name\": \"Ada\"") && shown.contains("weir-cli"), "{shown}");
}

#[test]
fn what_is_parked_is_dealt_with_in_bulk() {
    let weir = running();
    weir.check(
        &["event", "send", "--data", "{}"],
        expect![[r#"
            ! weir: the flow ended with a fault: `event.data.name` (line 6, column 55): there is no field `name`
            !   more: weir explain weir.parked.data
            exit code 1
        "#]],
    );
    weir.check(
        &["event", "send", "--data", "{\"nom\": \"Ada\"}"],
        expect![[r#"
            ! weir: the flow ended with a fault: `event.data.name` (line 6, column 55): there is no field `name`
            !   more: weir explain weir.parked.data
            exit code 1
        "#]],
    );
    weir.check(&["execution", "list", "--state", "parked"], expect![[r#"
        ID                                STATE   RECEIVED                  FLOW   KIND     ATTEMPTS  REASON
        exe_ID-0  parked  TIME  hello  webhook  0         `event.data.name` (line 6, column 55): there is no field `name`
        exe_ID-0  parked  TIME  hello  webhook  0         `event.data.name` (line 6, column 55): there is no field `name`
    "#]]);
    weir.check(
        &["execution", "discard", "--where", "state=parked"],
        expect![[r#"
        ! weir: nobody is here to answer: discard 2 executions? If so, say it with --yes
        exit code 2
    "#]],
    );
    weir.check(
        &["execution", "discard", "--where", "state=parked,flow=hello", "--yes", "--rate", "500/s"],
        expect![[r#"
            exe_ID-0 discarded
            exe_ID-0 discarded
            ! weir: 2 executions discarded, 0 refused
        "#]],
    );
    weir.check(
        &["execution", "list", "--state", "parked"],
        expect![[r#"
        no executions
    "#]],
    );
    let lines = weir.run(&["execution", "export", "--where", "state=discarded"], "");
    let exported: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(exported.iter().map(|each| &each["state_detail"]).collect::<Vec<_>>(), ["discarded", "discarded"]);
}

#[test]
fn secrets_go_in_and_never_out() {
    let weir = running();
    expect![[r#"
        secret `leads` is kept, sealed
    "#]]
    .assert_eq(&weir.run(&["secret", "set", "leads"], "open sesame\n"));
    expect![[r#"
        ! weir: the secret `leads` is empty; to take it away: weir secret remove leads
        exit code 2
    "#]]
    .assert_eq(&weir.run(&["secret", "set", "leads"], "\n"));
    weir.check(
        &["secret", "list", "--json"],
        expect![[r#"
        ["leads"]
    "#]],
    );
    weir.check(
        &["secret", "remove", "leads"],
        expect![[r#"
        secret `leads` is gone
    "#]],
    );
    weir.check(
        &["secret", "remove", "leads"],
        expect![[r#"
        ! weir: there is no secret `leads` in the store; `weir secret list` shows what there is
        exit code 3
    "#]],
    );
    weir.check(
        &["secret", "set", "../status"],
        expect![[r#"
            ! weir: `../status` is no name: it may have letters, digits, `-`, `_` and `.`
            exit code 2
        "#]],
    );
}

#[test]
fn what_cannot_be_done_is_told_with_what_can() {
    let weir = running();
    weir.check(
        &["grant", "crm"],
        expect![[r#"
        ! weir: no plugin `crm` is installed; `weir plugin list` shows what is installed
        exit code 3
    "#]],
    );
    weir.check(
        &["rollback", "crm"],
        expect![[r#"
            ! weir: plugin `crm` serves nothing; `weir plugin list` shows what does
            !   more: weir explain weir.refused
            exit code 4
        "#]],
    );
    weir.check(
        &["plugin", "inspect", "crm"],
        expect![[r#"
        ! weir: no plugin `crm` is installed; `weir plugin list` shows what is installed
        exit code 3
    "#]],
    );
    weir.write("crm.wasm", "no component");
    weir.check(
        &["install", "crm.wasm"],
        expect![[r#"
            ! weir: this is no WebAssembly file; give the `.wasm` that `weir plugin build` writes
            !   more: weir explain weir.load.not-wasm
            exit code 2
        "#]],
    );
    weir.check(
        &["plugin", "inspect", "crm.wasm"],
        expect![[r#"
            ! weir: this is no WebAssembly file; give the `.wasm` that `weir plugin build` writes
            !   more: weir explain weir.load.not-wasm
            exit code 2
        "#]],
    );
    weir.check(
        &["event", "send", "--flow", "leads"],
        expect![[r#"
        ! weir: there is no flow `leads`; known are: hello
        exit code 3
    "#]],
    );
    weir.check(
        &["event", "send", "--data", "no JSON"],
        expect![[r#"
            ! weir: the event was not taken in at /hello: the content type is `text/plain; charset=utf-8`; this path takes `application/json` or another `+json`
            !   more: weir explain wrong-content-type
            exit code 2
        "#]],
    );
    weir.check(
        &["execution", "list", "--state", "done"],
        expect![[r#"
            ! weir: `done` is no state; known are: ready, waiting, parked, dead, finished, cancelled, discarded
            !   more: weir explain weir.query
            exit code 2
        "#]],
    );
    weir.check(
        &["execution", "list", "--since", "soon"],
        expect![[r#"
        ! weir: `soon` is no time: write how long ago, such as `2h`, or `2026-11-23T08:00:00Z`
        exit code 2
    "#]],
    );
    weir.write("flows/hello.yaml", "flow: hello\n");
    weir.check(
        &["apply"],
        expect![[r#"
            ! weir: the project has 3 faults
            !   flows/hello.yaml:1:1: a flow needs `owner`; add `owner:` with an e-mail address or a URL: who is told when it fails
            !   flows/hello.yaml:1:1: a flow needs `source`; add `source:` with a `webhook:` in it
            !   flows/hello.yaml:1:1: a flow needs `steps`; add `steps:` with a list
            !   more: weir explain weir.project.faults
            exit code 2
        "#]],
    );
    weir.write("flows/hello.yaml", GREETS);
    weir.check(
        &["apply"],
        expect![[r#"
            flow hello@VERSION: takes events
        "#]],
    );
}

#[test]
fn faults_of_shape_and_of_meaning_are_told_at_once_and_none_twice() {
    let weir = Weir::new();
    weir.write("plugins.toml", "[plugin.crm]\nsorce = \"crm.wasm\"\n[plugin.chat]\ngrant = { http = 3 }\n");
    weir.write(
        "connections.toml",
        "[connection.crm]\nownr = \"a@example.com\"\nplugins = [\"crm\"]\nbase_url = \"nowhere\"\ncredential = { scheme = \
         \"bearer\", secrt = { env = \"A\" } }\n[connection.other]\nowner = 3\nsettings = 4\n[secret.leads]\nstorr = \"x\"\n",
    );
    weir.write(
        "flows/x.yaml",
        "flow: x\nowner: a@example.com\nsource: { webhook: { path: /x, verify: none } }\nsteps:\n  - { id: a, action: \
         crm@1.create, connection: crm }\n  - { id: b, action: chat@1.post, connection: other }\n  - { id: c, mapper: m@1 }\n",
    );
    weir.check(
        &["check"],
        expect![[r#"
            plugins.toml:2:1: unknown key `sorce`; did you mean `source`?
            plugins.toml:2:1: component `./crm.wasm` cannot be read: No such file or directory (os error 2); build it, or write where it is
            plugins.toml:3:9: `source` is missing in `plugin.chat`; add it: the component's file, relative to this one; or the folder of its project, in which it was built
            plugins.toml:4:18: `plugin.chat.grant.http` is not a list of tables; write which requests it may make
            connections.toml:2:1: unknown key `ownr`; did you mean `owner`?
            connections.toml:4:1: `nowhere` is not an origin: it must begin with https:// or http://; write one such as `https://api.example.com/crm`
            connections.toml:5:35: unknown key `secrt`; did you mean `secret`?
            connections.toml:6:13: `plugins` is missing in `connection.other`; add it: the plugins that may use it
            connections.toml:7:9: `connection.other.owner` is not text in quotes; write who is told when it stops working
            connections.toml:8:1: the settings are not a table; write `{ tenant = "acme" }` or the like
            connections.toml:10:1: unknown key `storr`; did you mean `store`?
            flows/x.yaml:7:22: plugin `m@1` is not installed; install it with `weir install FILE`
            ! weir: 12 faults in the project
            exit code 2
        "#]],
    );
    weir.write("plugins.toml", "[plugin.crm\n");
    weir.write("connections.toml", "");
    weir.check(
        &["check"],
        expect![[r#"
            plugins.toml:1:12: not TOML: unclosed table, expected `]`; mend the line
            flows/x.yaml:5:48: there is no connection `crm`; add `[connection.crm]` to connections.toml
            flows/x.yaml:6:47: there is no connection `other`; add `[connection.other]` to connections.toml
            ! weir: 3 faults in the project
            exit code 2
        "#]],
    );
}

#[test]
fn a_pause_and_settings_that_wait_for_a_start_are_told() {
    let weir = running();
    weir.check(
        &["pause"],
        expect![[r#"
            paused: events are taken in and kept, and none is worked on until `weir resume` or a new start
        "#]],
    );
    // Nobody waits for the answer of a flow that does not run.
    weir.write("flows/later.yaml", LATER);
    weir.run(&["apply"], "");
    weir.check(
        &["event", "send", "--flow", "later"],
        expect![[r#"
            evt_ID
        "#]],
    );
    weir.check(
        &["status"],
        expect![[r#"
            Weir 0.1.0 in FOLDER (pid PID)
            events are taken in at http://ADDRESS

            ! Weir is paused: events are kept and none is worked on, executions that wait: 1; to go on: weir resume

            FLOW   PATH    OPEN  PARKED  DEAD  OWNER
            hello  /hello  0     0       0     you@example.com
            later  /later  1     0       0     you@example.com

            since the start: 1 event accepted, 0 repeats, 0 attempts; 0 finished, 0 parked, 0 dead
        "#]],
    );
    weir.check(
        &["resume"],
        expect![[r#"
            work goes on
        "#]],
    );
    assert!(weir.run(&["status"], "").contains("nothing is wrong"));

    let settings = "[ingress]\nlisten = \"127.0.0.1:0\"\n[data]\nretention = \"7d\"\n";
    weir.write("weir.toml", settings);
    let told = "! weir.toml has changed, and is taken up at the next start only: stop Weir, then weir up\n";
    for command in ["apply", "status"] {
        let said = weir.run(&[command], "");
        assert!(said.contains(told), "{command}: {said}");
    }
}

#[test]
fn the_doctor_tells_what_is_whole_what_is_cut_and_what_is_lost() {
    let mut weir = Weir::new();
    weir.check(
        &["doctor"],
        expect![[r#"
            ! weir: there is no data folder `./data`: no Weir has run here yet; `--dir` names another project
            exit code 3
        "#]],
    );
    fs::create_dir(weir.folder.path().join("data")).unwrap();
    weir.check(
        &["doctor"],
        expect![[r#"
            ! weir: `./data` is not the data folder of a Weir: it holds no journal; `weir.toml` says where the data are, and `--dir` names another project
            exit code 3
        "#]],
    );
    weir.write("weir.toml", "[ingress]\nlisten = \"127.0.0.1:0\"\n");
    weir.up();
    for number in 0..6 {
        weir.run(&["event", "send", "--data", &format!("{{\"number\": {number}}}")], "");
    }
    weir.check(
        &["doctor"],
        expect![[r#"
            ! weir: `./data/journal` is in use by process PID; stop that one first, or give this one another directory; while it runs, `weir status` says how it is
            exit code 4
        "#]],
    );
    let mut running = weir.running.take().unwrap();
    running.kill().unwrap();
    running.wait().unwrap();

    let healthy: serde_json::Value = serde_json::from_str(&weir.run(&["doctor", "--json"], "")).unwrap();
    assert_eq!((&healthy["healthy"], &healthy["state"]), (&true.into(), &"trusted".into()), "{healthy:#}");
    assert!(healthy["records"].as_u64() >= Some(6) && healthy["findings"] == serde_json::json!([]), "{healthy:#}");

    // Behind the last batch: as if the power had failed while one more was being written.
    let segment = healthy["segments"][0]["file"].as_str().unwrap().to_owned();
    let end = healthy["segments"][0]["used_bytes"].as_u64().unwrap();
    weir.overwrite(&segment, end, &[0xa5; 700]);
    let torn = weir.run(&["doctor"], "");
    assert!(torn.contains("every record can be read\n- `incoming-0000000001.segment` ends with 1.0 KiB"), "{torn}");
    assert!(torn.contains("the next start cuts them off") && !torn.contains("exit code"), "{torn}");

    // In the middle: a batch that somebody was told is durable.
    let bytes = fs::read(weir.folder.path().join("data/journal").join(&segment)).unwrap();
    let third = br#"{"number": 2}"#;
    let place = bytes.windows(third.len()).position(|window| window == third).unwrap();
    weir.overwrite(&segment, place as u64, b"[");
    let damaged = weir.run(&["doctor"], "");
    for said in [
        "some records cannot be read, and Weir does not start on it",
        "put the file back from a copy of the data folder",
        "records can be read; 1 cannot be read (number ",
        "move the data folder away, keep it",
        "exit code 1",
    ] {
        assert!(damaged.contains(said), "no `{said}` in:\n{damaged}");
    }
    let refused = weir.run(&["up"], "");
    assert!(refused.contains("`weir doctor` tells what can be saved") && refused.contains("exit code 1"), "{refused}");
    let after = fs::read(weir.folder.path().join("data/journal").join(&segment)).unwrap();
    assert_eq!(after[place], b'[', "neither has changed anything");
}

/// Five lists of two hundred inside each other.
const EXPLODES: &str = "\
flow: hello
owner: you@example.com
source:
  webhook: { path: /hello, verify: none, decode: json, reply: { sync: { within: 1m } } }
steps:
  - id: all
    set:
      x: \"${event.data.map(a, event.data.map(b, event.data.map(c, event.data.map(d, event.data.map(e, a)))))}\"
on_failure: { park: true }
";

#[test]
fn an_expression_that_explodes_ends_at_its_limit() {
    let mut weir = Weir::new();
    weir.write("weir.toml", "[ingress]\nlisten = \"127.0.0.1:0\"\n");
    weir.write("flows/hello.yaml", EXPLODES);
    weir.up();
    let list: Vec<_> = (0..200).collect();
    let refused = weir.run(&["event", "send", "--data", &format!("{list:?}")], "");
    assert!(refused.contains("takes more than 1000000 units of work; do it in a mapper"), "{refused}");
    assert!(weir.run(&["status"], "").contains("1 parked and 0 dead executions"), "it waits for a person");
}

#[test]
fn every_code_is_explained_and_a_slip_is_told_what_was_meant() {
    let weir = Weir::new();
    weir.check(&["explain", "weir.http.not-granted"], expect![[r##"
        # weir.http.not-granted

        The operator has not granted the plugin what it asked to reach.

        ## Why

        A request must lie within what the manifest asks for and within what `plugins.toml` grants: origin, method and path. It
        lay within the first and not within the second.

        ## What to do

        If it is meant, add the line that the message gives to the plugin's grant and `weir apply`; `weir grant NAME` grants all
        that the manifest asks for.

        ## Example

        ```
        # plugins.toml
        [plugin.crm.grant]
        http = [{ origin = "https://api.example.com", methods = ["GET"], paths = ["/contacts/*"] }]
        ```
    "##]]);
    weir.check(
        &["explain", "weir.http.notgranted"],
        expect![[r#"
        ! weir: there is no page for the code `weir.http.notgranted`; did you mean `weir.http.not-granted`?
        exit code 3
    "#]],
    );
    weir.check(&["explain", "my-own-code"], expect![[r#"
        ! weir: there is no page for the code `my-own-code`; `weir explain` lists those of Weir; what a plugin's own codes mean stands in its README
        exit code 3
    "#]]);
    weir.check(&["explain", "no-flow", "--json"], expect![[r##"
        {"code":"no-flow","summary":"The flow of this path is just being replaced.","page":"# no-flow\n\nThe flow of this path is just being replaced.\n\n## Why\n\nPaths and flows are replaced one after the other; for a moment one was there without the other.\n\n## What to do\n\nSend it again after a second.\n\n## Example\n\n```\nHTTP/1.1 503 Service Unavailable\nretry-after: 1\n```\n"}
    "##]]);
    let of_a_status = weir.run(&["explain", "http-404"], "");
    assert!(of_a_status.starts_with("# http-STATUS\n"), "{of_a_status}");

    let of_a_check = weir.run(&["explain", "w003"], "");
    assert!(of_a_check.starts_with("# W003: "), "{of_a_check}");

    let all = weir.run(&["explain"], "");
    let line = "weir.trap                      The plugin trapped: its sandbox ended in the middle of a call.\n";
    assert!(all.starts_with("CODE ") && all.contains(line) && all.contains("\nW001 "), "{all}");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&weir.run(&["explain", "--json"], "")).unwrap();
    assert!(rows.len() > 100 && rows.iter().all(|row| row["code"].is_string() && row["summary"].is_string()));
}

/// A component in text, with a manifest of a mapper in it.
fn mapper(text: &str, contract: &str) -> Vec<u8> {
    let manifest = format!(
        "id = \"greeter\"\nversion = \"1.0.0\"\ndescription = \"Greets.\"\nowner = \"you@example.com\"\n\
         licence = \"Apache-2.0\"\ncontract = \"{contract}\"\nroles = [\"mapper\"]\n"
    );
    let manifest = manifest::Manifest::from_toml(&manifest, &|_| None).unwrap();
    manifest::embed(&wat::parse_str(text).unwrap(), &manifest).unwrap()
}

#[test]
fn a_component_that_is_not_what_it_says_is_told_how_to_mend_it() {
    let weir = running();
    let write = |text: &str| fs::write(weir.folder.path().join("x.wasm"), mapper(text, "0.1")).unwrap();
    write("(component)");
    weir.check(&["install", "x.wasm"], expect![[r#"
        ! weir: the manifest names the role `mapper` and the component does not export it; export it or remove it from `roles`
        !   more: weir explain weir.load.roles
        exit code 2
    "#]]);
    weir.write("input.json", "{}");
    weir.check(
        &["plugin", "invoke", "x.wasm", "transform", "--input", "input.json"],
        expect![[r#"
            ! weir: the manifest names the role `mapper` and the component does not export it; export it or remove it from `roles`
            !   more: weir explain weir.load.roles
            exit code 2
        "#]],
    );

    let role = |name: &str| format!("(export \"weir:plugin/{name}\" (instance $r))");
    write(&format!("(component (instance $r) {} {})", role("mapper@0.1.0"), role("actions@0.1.0")));
    weir.check(
        &["install", "x.wasm"],
        expect![[r#"
        ! weir: the component exports the role `actions` and the manifest does not name it; add it to `roles`
        !   more: weir explain weir.load.roles
        exit code 2
    "#]],
    );

    write(&format!("(component (instance $r) {})", role("mapper@0.7.0")));
    weir.check(
        &["install", "x.wasm"],
        expect![[r#"
        ! weir: the component speaks contract 0.7 and this Weir speaks 0.1; build it with an SDK for 0.1
        !   more: weir explain weir.load.contract
        exit code 2
    "#]],
    );
    weir.check(&["explain", "weir.load.contract"], expect![[r#"
        # weir.load.contract

        The component speaks another version of the contract than this Weir.

        ## Why

        Its imports or exports name `weir:plugin/…` in a version that is not linked here. While the first number is 0, the
        second must be the same.

        ## What to do

        Build it with the SDK of this version, which `weir plugin new` writes into the project. Or run the Weir that it was
        built for.

        ## Example

        ```
        weir plugin new mapper --lang rust fresh     # holds the SDK of this Weir
        ```
    "#]]);
}

#[test]
fn a_project_that_cannot_be_built_is_told_what_to_mend_or_to_get() {
    let weir = Weir::new();
    let manifest = "\
id = \"greeter\"
verson = \"1.0.0\"
description = \"Greets.\"
owner = \"you@example.com\"
licence = \"Apache-2.0\"
contract = \"0.7\"
roles = [\"maper\"]
";
    weir.write("m/Cargo.toml", "");
    weir.write("m/weir-plugin.toml", manifest);
    weir.check(
        &["plugin", "build", "m"],
        expect![[r#"
        ! weir: 3 faults in `m/weir-plugin.toml`
        !   m/weir-plugin.toml:2:1: unknown key `verson`; did you mean `version`?
        !   m/weir-plugin.toml:6:1: `contract`: contract version `0.7` is not served; this Weir serves 0.1
        !   m/weir-plugin.toml:7:10: `maper` is not known for `roles`; did you mean `mapper`?
        exit code 2
    "#]],
    );
    weir.check(&["plugin", "build", "n"], expect![[r#"
        ! weir: `n` is no plugin project: none of Cargo.toml, package.json, pyproject.toml, go.mod, Makefile is there; `weir plugin new` writes one
        exit code 2
    "#]]);

    weir.write(
        "m/cases/greets.yaml",
        "transfrom: {}\nhttp:\n- request: { url: /x }\nexpect: { fault: { kind: bad } }\n",
    );
    weir.check(&["plugin", "test", "m"], expect![[r#"
        ! weir: 5 faults in the cases; nothing was run
        !   m/cases/greets.yaml:1:1: a case has no key `transfrom`; did you mean `transform`?
        !   m/cases/greets.yaml:1:1: the case calls nothing; add one of `transform:` (a mapper), `call:` (an action) or `verify:` (what became of a call)
        !   m/cases/greets.yaml:3:3: the exchange has no `response`; add `response: { status: 200, json: … }` or `response: { fault: timeout }`
        !   m/cases/greets.yaml:3:12: `method` is missing; add `method: GET`, or whichever it is
        !   m/cases/greets.yaml:3:14: the URL is a path, and the call has no base URL; write the URL in full, or add `connection: { base_url: … }` to the call
        exit code 2
    "#]]);

    let mended = manifest.replace("verson", "version").replace("0.7", "0.1").replace("maper", "mapper");
    weir.write("m/weir-plugin.toml", &mended);
    let output = weir.command(&["plugin", "build", "m"]).env("PATH", "").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    expect![[r#"
        weir: `rustc` is missing; install Rust: https://rustup.rs
    "#]]
    .assert_eq(&told);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_source_that_is_a_folder_stands_for_the_component_built_in_it() {
    let weir = Weir::new();
    weir.write(
        "plugins.toml",
        "[plugin.greeter]\nsource = \"plugins/greeter\"\n[plugin.faulty]\nsource = \"plugins/faulty\"\n",
    );
    let manifest = "id = \"greeter\"\nversion = \"1.0.0\"\ndescription = \"Greets.\"\nowner = \"you@example.com\"\n\
                    licence = \"Apache-2.0\"\ncontract = \"0.1\"\nroles = [\"mapper\"]\n";
    weir.write("plugins/greeter/weir-plugin.toml", manifest);
    weir.write("plugins/faulty/weir-plugin.toml", "id = 3\n");
    weir.check(&["check"], expect![[r#"
        plugins.toml:2:1: component `./plugins/greeter/greeter.wasm` cannot be read: No such file or directory (os error 2); build it: weir plugin build ./plugins/greeter
        plugins.toml:4:1: the manifest of `./plugins/faulty` cannot be read: it has faults; `weir plugin build ./plugins/faulty` tells what is wrong with it
        ! weir: 2 faults in the project
        exit code 2
    "#]]);
    weir.write("plugins.toml", "[plugin.greeter]\nsource = \"plugins/greeter\"\n");
    weir.write("plugins/greeter/greeter.wasm", "no component");
    weir.check(&["check"], expect![[r#"
        plugins.toml:2:1: component `./plugins/greeter/greeter.wasm`: not a WebAssembly component; build it with its manifest for this version of Weir
        ! weir: 1 fault in the project
        exit code 2
    "#]]);
}

#[test]
fn a_case_is_made_of_a_step_that_calls_a_plugin() {
    let weir = running();
    weir.run(&["event", "send", "--data", "{\"name\": \"Ada\"}"], "");
    let id = weir.latest("hello");
    weir.check(
        &["execution", "export", &id, "--case"],
        expect![[r#"
        ! weir: flow `hello` has no step that has called a plugin or is about to
        !   more: weir explain weir.flow.no-call
        exit code 2
    "#]],
    );
    weir.check(
        &["execution", "export", &id, "--case", "greeting"],
        expect![[r#"
        ! weir: flow `hello` has a step `greeting` that calls no plugin: `set` stands in the flow itself
        !   more: weir explain weir.flow.no-call
        exit code 2
    "#]],
    );
}
