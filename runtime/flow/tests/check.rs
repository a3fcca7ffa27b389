//! What is wrong with flows, and how it is said.

use std::time::Duration;

use expect_test::{Expect, expect};
use flow::{ActionInfo, Catalogue, ConnectionInfo, Flow, MapperInfo, Permissive, PluginName, check, parse_duration};
use manifest::Effect;

const CONTACT_SCHEMA: &str = r#"{"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}"#;

/// A mapper `lead-mapper@1` with one option, connectors `crm@1`, `crm@2` and `slack@1`, connections `crm` and `team-slack`.
struct Installed;

impl Catalogue for Installed {
    fn mapper(&self, plugin: &PluginName) -> Option<MapperInfo> {
        let options = serde_json::json!({
            "type": "object", "properties": {"country": {"type": "string"}}, "additionalProperties": false
        });
        (plugin.to_string() == "lead-mapper@1").then(|| MapperInfo { options: Some(options) })
    }

    fn action(&self, plugin: &PluginName, action: &str) -> Option<ActionInfo> {
        self.actions(plugin)
            .iter()
            .any(|known| known == action)
            .then(|| ActionInfo { effect: Effect::Keyed, key_lifetime: Some(Duration::from_secs(86_400)) })
    }

    fn connection(&self, name: &str) -> Option<ConnectionInfo> {
        match name {
            "crm" => Some(ConnectionInfo { plugins: Some(vec!["crm".to_owned()]) }),
            "team-slack" => Some(ConnectionInfo { plugins: Some(vec!["slack".to_owned()]) }),
            _ => None,
        }
    }

    fn plugins(&self) -> Vec<PluginName> {
        [("crm", 1), ("crm", 2), ("lead-mapper", 1), ("slack", 1)]
            .map(|(name, major)| PluginName { name: name.to_owned(), major })
            .to_vec()
    }

    fn actions(&self, plugin: &PluginName) -> Vec<String> {
        let actions: &[&str] = match plugin.to_string().as_str() {
            "crm@1" => &["create-contact", "find-contact"],
            "slack@1" => &["post-message"],
            _ => &[],
        };
        actions.iter().map(|&action| action.to_owned()).collect()
    }

    fn connections(&self) -> Vec<String> {
        vec!["crm".to_owned(), "team-slack".to_owned()]
    }
}

fn read(path: &str) -> Option<String> {
    match path {
        "schemas/contact.json" => Some(CONTACT_SCHEMA.to_owned()),
        "schemas/broken.json" => Some("{\"type\": ".to_owned()),
        _ => None,
    }
}

fn checked(name: &str, text: &str) -> Result<Flow, String> {
    check(name, text, &read, &Installed).map_err(|problems| {
        let lines: Vec<_> = problems.iter().map(|problem| problem.to_line("x.yaml") + "\n").collect();
        lines.concat()
    })
}

/// The problems of a text, or the flow if there are none.
#[track_caller]
fn check_flow(text: &str, expected: Expect) {
    let shown = match checked("x", text) {
        Ok(flow) => format!("{:#?}\n{:#?}\n", flow.source, flow.steps),
        Err(problems) => problems,
    };
    expected.assert_eq(&shown);
}

/// The same for steps in a flow that is otherwise right. The steps begin in line 5.
#[track_caller]
fn check_steps(steps: &str, expected: Expect) {
    let head = "flow: x\nowner: a@example.com\nsource: { webhook: { path: /x, verify: none } }\nsteps:\n";
    check_flow(&format!("{head}{steps}"), expected);
}

/// The same for the source alone, which begins in line 4.
#[track_caller]
fn check_source(source: &str, expected: Expect) {
    check_flow(
        &format!("flow: x\nowner: a@example.com\nsource:\n{source}\nsteps: [{{ id: a, set: {{ b: 1 }} }}]\n"),
        expected,
    );
}

fn example(name: &str) -> String {
    let path = format!("{}/examples/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{path}: {fault}"))
}

#[test]
fn the_example_of_the_design_is_right() {
    let flow = checked("leads-to-crm", &example("leads-to-crm")).expect("no problems");
    expect![[""]].assert_eq(&format!("{flow:#?}\n"));
}

#[test]
fn every_example_is_right() {
    for name in ["leads-to-crm", "orders"] {
        checked(name, &example(name)).expect("no problems");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    check_flow(
        "flow: y\nownr: a@example.com\nsource:\n  webhok: {}\nwhen: evnt.data\nconcurrency: 0\nsteps:\n  - id: a b\n    mapper: lead-mapper\n  - id: b\n    action: crm.create-contact\n    conection: crm\non_failure: { alert: me, park: maybe }\n",
        expect![[""]],
    );
}

#[test]
fn plugins_actions_and_connections_must_be_there() {
    check_steps(
        "  - { id: a, mapper: lead-maper@1 }\n  - { id: b, mapper: crm@1 }\n  - { id: c, mapper: crm@1.x }\n  - { id: d, mapper: lead-mapper@1, options: { contry: DE } }\n  - { id: e, action: crm@3.create-contact }\n  - { id: f, action: crm@1.create-contct, connection: team-slack }\n  - { id: g, action: lead-mapper@1.go }\n  - { id: h, action: crm@1, connection: cmr }\n  - { id: i, action: crm@1.find-contact, connection: team-slack }\n  - { id: j, action: nothing.go }\n",
        expect![[""]],
    );
}

#[test]
fn a_step_is_of_one_kind() {
    check_steps(
        "  - { id: a }\n  - { id: b, set: { x: 1 }, mapper: lead-mapper@1 }\n  - { id: c, set: [1], retry: { attempts: 1 } }\n  - { id: d, mapper: lead-mapper@1, with: {}, connection: crm }\n  - mapper\n  - { mapper: lead-mapper@1, timeout: soon, retry: { attempts: none, first: 1h, max: 1m } }\n",
        expect![[""]],
    );
}

#[test]
fn ids_can_be_written_in_expressions_and_occur_once() {
    check_steps(
        "  - { id: find-contact, set: {} }\n  - { id: in, set: {} }\n  - { id: 1st, set: {} }\n  - { id: a, set: {} }\n  - { id: a, set: {} }\n",
        expect![[""]],
    );
}

#[test]
fn names_in_expressions_are_resolved() {
    check_steps(
        r#"  - { id: first, when: evnt.data.x, set: { a: "${steps.second.output}", b: "é ${event.dat.x}" } }
  - { id: second, set: { a: "${steps.fist.output} ${steps.first.ouput}", b: "${event}", c: "${steps}", d: "${steps.first}" } }
  - { id: third, when: "event.data.items.all(item, itm.x)", set: { a: "${item}" } }
  - { id: fourth, set: { a: "${event.data.trimm()}", b: "${size()}", c: "${has(event)}", d: "${event.data.?a}" } }
"#,
        expect![[""]],
    );
}

#[test]
fn expressions_are_bounded_before_they_are_evaluated() {
    let long = format!("event.data.a{}", " + event.data.a".repeat(400));
    let chain = format!("1{}", " + 1".repeat(1000));
    let members = format!("event.data{}", ".a".repeat(2000));
    let optional = format!("event.data{}", ".?a".repeat(1300));
    let brackets = format!("{}1{}", "(".repeat(2000), ")".repeat(2000));
    let conditions = format!("{}1", "true ? 1 : ".repeat(300));
    for expression in [long, chain, members, optional, brackets, conditions] {
        let head = "flow: x\nowner: a@example.com\nsource: { webhook: { path: /x, verify: none } }\nsteps:\n";
        let problems = checked("x", &format!("{head}  - {{ id: a, set: {{ a: \"${{{expression}}}\" }} }}\n"))
            .expect_err("too deep");
        assert!(problems.starts_with("x.yaml:5:"), "{problems}");
    }
}

#[test]
fn what_is_no_cel_is_told_with_its_place() {
    check_steps(
        r#"  - { id: a, when: "1 +", set: { a: "${1 ++ 2} ${", b: "x ${event.data.} y", c: "${}" } }
  - id: b
    when: ${event.data.new}
    set:
      a: |
        one ${event.daat}
      b: "\u0041 ${event.daat}"
      c: ${b"bytes"}
      d: ${google.protobuf.Duration{seconds: 1}}
      e: ${event.data.name.matches("[")}
      f: ${event.data.name.matches("(a{1000}){1000}")}
      g: ${event.data.name.matches(event.data.pattern)}
      h: ${[?event.data]}
"#,
        expect![[""]],
    );
}

#[test]
fn sources_are_checked() {
    check_source("  webhook: { path: x, methods: [post], decode: xml, reply: soon, body_limit: 1MB }", expect![[""]]);
    check_source(
        "  webhook: { path: /a//b, verify: {}, decode: jsn, reply: { sync: {} }, bodylimit: 1 }",
        expect![[""]],
    );
    check_source(
        "  webhook: { path: /a, verify: { hmac: { secret: Sup3rS3cret!, algorithm: md5 } } }\n  dedupe: { window: 0s }",
        expect![[""]],
    );
    check_source("  webhook: { path: /a, verify: { githb: { secret: x } } }\n  dedupe: steps.a.output", expect![[""]]);
    check_source("  webhook: { path: /a, verify: { github: { tolerance: 5m } } }", expect![[""]]);
}

#[test]
fn sources_keep_what_was_written() {
    check_source(
        "  webhook:\n    path: /shop/orders\n    methods: [POST, PUT]\n    verify: { hmac: { header: X-Sig, secret: [new, old], algorithm: sha512, encoding: base64, prefix: v1= } }\n    decode: form\n    reply: { sync: { within: 10s } }\n    body_limit: 512KiB\n  dedupe: { key: event.data.id, window: 2d }",
        expect![[""]],
    );
}

#[test]
fn schemas_must_be_there_and_stand_alone() {
    check_steps(
        "  - { id: a, set: {}, expect: schemas/none.json }\n  - { id: b, set: {}, expect: schemas/broken.json }\n  - { id: c, set: {}, expect: ../contact.json }\n  - { id: d, set: {}, expect: { type: objekt } }\n  - { id: e, set: {}, expect: { $ref: \"https://example.com/schema.json\" } }\n  - { id: f, set: {}, expect: { $ref: \"#/$defs/none\" } }\n  - { id: g, set: {}, expect: [] }\n",
        expect![[""]],
    );
}

#[test]
fn yaml_is_bounded() {
    check_flow("", expect![[""]]);
    check_flow("flow: x\n owner: y\n", expect![[""]]);
    check_flow("- flow\n", expect![[""]]);
    check_flow("flow: x\nflow: y\n", expect![[""]]);
    check_flow("flow: x\n---\nflow: y\n", expect![[""]]);
    check_flow("a: &a [1]\nb: [*a, *a]\n", expect![[""]]);
    check_flow("flow: !secret x\n", expect![[""]]);
    check_flow("? [a]\n: b\n", expect![[""]]);
    check_flow(&format!("flow: {}\n", "[".repeat(100_000)), expect![[""]]);
    check_flow(&"#".repeat((256 << 10) + 1), expect![[""]]);
    check_steps(&"  - { id: a, set: {} }\n".repeat(101), expect![[""]]);
}

#[test]
fn excerpts_point_at_the_place() {
    let text = "flow: x\nownr: a@example.com\n";
    let problems = check("x", text, &read, &Permissive).expect_err("there are problems");
    let excerpts: Vec<_> = problems.iter().map(|problem| problem.to_excerpt("flows/x.yaml", text)).collect();
    expect![[""]].assert_eq(&excerpts.concat());
}

#[test]
fn a_version_is_rebuilt_from_its_bundle() {
    let text = example("leads-to-crm");
    let flow = checked("leads-to-crm", &text).expect("no problems");
    let again = Flow::from_bundle("leads-to-crm", flow.bundle(), &Permissive).expect("no problems");
    assert_eq!((again.reference(), again.bundle()), (flow.reference(), flow.bundle()));
    expect![[""]].assert_eq(&flow.reference().to_string());

    // A file that it refers to is part of the version, another file is not.
    let other = |path: &str| (path == "schemas/contact.json").then(|| "{}".to_owned());
    let changed = check("leads-to-crm", &text, &other, &Installed).expect("no problems");
    assert_ne!(changed.reference(), flow.reference());
    Flow::from_bundle("leads-to-crm", "{}", &Permissive).expect_err("no bundle");
}

#[test]
fn a_plugin_without_a_catalogue_counts_as_there() {
    check("leads-to-crm", &example("leads-to-crm"), &read, &Permissive).expect("no problems");
}

#[test]
fn durations_have_a_unit() {
    for (text, millis) in [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("2d", 172_800_000)] {
        assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
    }
    for text in ["", "5", "s", "1.5s", "-1s", "5 s", "1w", "99999999999999999999s", "18446744073709551615d", "５s"] {
        assert_eq!(parse_duration(text), None, "{text}");
    }
}
