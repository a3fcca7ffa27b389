//! What is wrong with flows, and how it is said.

use std::time::Duration;

use expect_test::{Expect, expect};
use flow::{ActionInfo, Catalogue, ConnectionInfo, Flow, MapperInfo, Permissive, PluginName, check};
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
    expect![[r##"
        Flow {
            name: "leads-to-crm",
            description: None,
            owner: "sales-ops@example.com",
            source: Source {
                kind: Webhook(
                    Webhook {
                        path: "/leads",
                        methods: [
                            "POST",
                        ],
                        verify: Verify {
                            scheme: StandardWebhooks,
                            secrets: [
                                "leads",
                            ],
                            tolerance: 300s,
                        },
                        decode: Json,
                        reply: Async,
                        body_bytes_max: None,
                    },
                ),
                dedupe: Some(
                    Dedupe {
                        key: Expression(event.id),
                        window: 604800s,
                    },
                ),
            },
            when: None,
            lane: None,
            concurrency: None,
            steps: [
                Step {
                    id: "contact",
                    after: [],
                    when: None,
                    kind: Mapper {
                        plugin: PluginName {
                            name: "lead-mapper",
                            major: 1,
                        },
                        options: "{}",
                    },
                    expect: Some(
                        Expect(..),
                    ),
                    retry: Retry {
                        attempts: 12,
                        within: 172800s,
                        first: 1s,
                        max: 3600s,
                    },
                    timeout: None,
                },
                Step {
                    id: "create",
                    after: [
                        0,
                    ],
                    when: None,
                    kind: Action {
                        plugin: PluginName {
                            name: "crm",
                            major: 1,
                        },
                        action: "create-contact",
                        connection: Some(
                            "crm",
                        ),
                        with: None,
                        effect: Keyed,
                        key_lifetime: Some(
                            86400s,
                        ),
                    },
                    expect: None,
                    retry: Retry {
                        attempts: 12,
                        within: 172800s,
                        first: 1s,
                        max: 3600s,
                    },
                    timeout: None,
                },
                Step {
                    id: "announce",
                    after: [
                        1,
                    ],
                    when: Some(
                        Condition(
                            Expression(steps.create.output.created),
                        ),
                    ),
                    kind: Action {
                        plugin: PluginName {
                            name: "slack",
                            major: 1,
                        },
                        action: "post-message",
                        connection: Some(
                            "team-slack",
                        ),
                        with: Some(
                            With(
                                Map(
                                    [
                                        (
                                            "channel",
                                            Literal(
                                                String("#leads"),
                                            ),
                                        ),
                                        (
                                            "text",
                                            Text(
                                                [
                                                    Literal(
                                                        "New: ",
                                                    ),
                                                    Value(
                                                        Expression(steps.contact.output.name),
                                                    ),
                                                ],
                                            ),
                                        ),
                                    ],
                                ),
                            ),
                        ),
                        effect: Keyed,
                        key_lifetime: Some(
                            86400s,
                        ),
                    },
                    expect: None,
                    retry: Retry {
                        attempts: 12,
                        within: 172800s,
                        first: 1s,
                        max: 3600s,
                    },
                    timeout: None,
                },
            ],
            on_failure: OnFailure {
                park: true,
                alert: Owner,
            },
            bundle: "{\"text\":\"# A lead from a web form becomes a contact in the CRM, and the team hears of it.\\nflow: leads-to-crm\\nowner: sales-ops@example.com\\nsource:\\n  webhook: { path: /leads, verify: { standard-webhooks: { secret: leads } }, decode: json }\\n  dedupe: event.id\\nsteps:\\n  - id: contact\\n    mapper: lead-mapper@1                 # a Wasm mapper; or `set:` with fields\\n    expect: schemas/contact.json          # validated before anything is sent\\n  - id: create\\n    action: crm@1.create-contact          # input: the previous step's output unless `with:` says otherwise\\n    connection: crm\\n    retry: { attempts: 12, within: 2d }\\n  - id: announce\\n    when: steps.create.output.created\\n    action: slack@1.post-message\\n    connection: team-slack\\n    with: { channel: \\\"#leads\\\", text: \\\"New: ${steps.contact.output.name}\\\" }\\non_failure: { park: true, alert: owner }\\n\",\"files\":{\"schemas/contact.json\":\"{\\\"type\\\": \\\"object\\\", \\\"required\\\": [\\\"name\\\"], \\\"properties\\\": {\\\"name\\\": {\\\"type\\\": \\\"string\\\"}}}\"}}",
            version: "7a672c50207a",
        }
    "##]].assert_eq(&format!("{flow:#?}\n"));
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
        expect![[r#"
            x.yaml:1:1: a flow needs `owner`; add `owner:` with an e-mail address or a URL: who is told when it fails
            x.yaml:1:7: the flow is called `y`, its file `x`; write `flow: x`, or rename the file
            x.yaml:2:1: a flow has no key `ownr`; did you mean `owner`?
            x.yaml:4:3: `source` needs `webhook`; add `webhook: { path: /…, verify: … }`
            x.yaml:4:3: `source` has no key `webhok`; did you mean `webhook`?
            x.yaml:5:7: there is no variable `evnt`; did you mean `event`?
            x.yaml:6:14: `concurrency` is a whole number from 1, not `0`
            x.yaml:8:9: `a b` is no id for a step; use letters, digits and `_`, so that `steps.a_b.output` can be written
            x.yaml:9:13: `lead-mapper` lacks its major version; write `lead-mapper@1`
            x.yaml:11:13: `crm` lacks its major version; write `crm@1.create-contact` or `crm@2.create-contact`
            x.yaml:12:5: a step has no key `conection`; did you mean `connection`?
            x.yaml:13:22: `alert` is an e-mail address or a URL, not `me`; write an address such as `team@example.com` or `https://example.com/team`
            x.yaml:13:32: `park` cannot be `maybe`; known: `true`, `false`
        "#]],
    );
}

#[test]
fn plugins_actions_and_connections_must_be_there() {
    check_steps(
        "  - { id: a, mapper: lead-maper@1 }\n  - { id: b, mapper: crm@1 }\n  - { id: c, mapper: crm@1.x }\n  - { id: d, mapper: lead-mapper@1, options: { contry: DE } }\n  - { id: e, action: crm@3.create-contact }\n  - { id: f, action: crm@1.create-contct, connection: team-slack }\n  - { id: g, action: lead-mapper@1.go }\n  - { id: h, action: crm@1, connection: cmr }\n  - { id: i, action: crm@1.find-contact, connection: team-slack }\n  - { id: j, action: nothing.go }\n",
        expect![[r#"
            x.yaml:5:22: plugin `lead-maper@1` is not installed; did you mean `lead-mapper@1`?
            x.yaml:6:22: plugin `crm@1` is no mapper
            x.yaml:7:22: `crm@1.x` names no plugin; write a name and a major version, such as `crm@1`
            x.yaml:8:46: `options`: Additional properties are not allowed ('contry' was unexpected); see what `lead-mapper@1` takes: `weir plugin inspect`
            x.yaml:9:22: plugin `crm@3` is not installed; did you mean `crm@1`?
            x.yaml:10:22: plugin `crm@1` has no action `create-contct`; did you mean `create-contact`?
            x.yaml:11:22: plugin `lead-mapper@1` offers no actions
            x.yaml:12:22: `crm@1` names no action; write `PLUGIN@MAJOR.ACTION`, such as `crm@1.create-contact`
            x.yaml:12:41: there is no connection `cmr`; known: `crm`, `team-slack`
            x.yaml:13:54: plugin `crm` may not use connection `team-slack`; add it to `plugins` of `[connection.team-slack]`
            x.yaml:14:22: `nothing` lacks its major version; known: `crm@1`, `crm@2`, `lead-mapper@1`, `slack@1`
        "#]],
    );
}

#[test]
fn a_step_is_of_one_kind() {
    check_steps(
        "  - { id: a }\n  - { id: b, set: { x: 1 }, mapper: lead-mapper@1 }\n  - { id: c, set: [1], retry: { attempts: 1 } }\n  - { id: d, mapper: lead-mapper@1, with: {}, connection: crm }\n  - mapper\n  - { mapper: lead-mapper@1, timeout: soon, retry: { attempts: none, first: 1h, max: 1m } }\n",
        expect![[r#"
            x.yaml:5:5: a step needs one of `mapper`, `set` and `action`
            x.yaml:6:5: a step cannot have `mapper`, `set`; make them steps of their own
            x.yaml:7:19: `set` is a map of fields, not a list
            x.yaml:7:31: `retry` has no meaning beside `set`; leave it out
            x.yaml:8:43: `with` has no meaning beside `mapper`; leave it out
            x.yaml:8:59: `connection` has no meaning beside `mapper`; leave it out
            x.yaml:9:5: a step is a map, not a text
            x.yaml:10:5: a step needs `id`; add `id: NAME`
            x.yaml:10:39: `timeout` is a time, not `soon`; write a number and `ms`, `s`, `m`, `h` or `d`, such as `30s`
            x.yaml:10:52: the longest wait, `max`, is shorter than the first; raise `max` or lower `first`
            x.yaml:10:64: `attempts` is a whole number from 1, not `none`
        "#]],
    );
}

#[test]
fn ids_can_be_written_in_expressions_and_occur_once() {
    check_steps(
        "  - { id: find-contact, set: {} }\n  - { id: in, set: {} }\n  - { id: 1st, set: {} }\n  - { id: a, set: {} }\n  - { id: a, set: {} }\n",
        expect![[r#"
            x.yaml:5:11: `find-contact` is no id for a step; use letters, digits and `_`, so that `steps.find_contact.output` can be written
            x.yaml:6:11: `in` is no id for a step; use letters, digits and `_`, so that `steps.s_in.output` can be written
            x.yaml:7:11: `1st` is no id for a step; use letters, digits and `_`, so that `steps.s_1st.output` can be written
            x.yaml:9:11: the id `a` occurs twice; give every step an id of its own
        "#]],
    );
}

#[test]
fn names_in_expressions_are_resolved() {
    check_steps(
        r#"  - { id: first, when: evnt.data.x, set: { a: "${steps.second.output}", b: "é ${'ü' + event.dat.x}" } }
  - { id: second, set: { a: "${steps.fist.output} ${steps.first.ouput}", b: "${event}", c: "${steps}", d: "${steps.first}" } }
  - { id: third, when: "event.data.items.all(item, itm.x)", set: { a: "${item}" } }
  - { id: fourth, set: { a: "${event.data.trimm()}", b: "${size()}", c: "${has(event)}", d: "${event.data.?a}" } }
"#,
        expect![[r#"
            x.yaml:5:24: there is no variable `evnt`; did you mean `event`?
            x.yaml:5:56: step `second` has not ended at this point; use it in a step that comes after; the order in the file counts
            x.yaml:5:93: `event` has no member `dat`; did you mean `data`?
            x.yaml:6:38: there is no step `fist`; did you mean `first`?
            x.yaml:6:65: `steps.first` has no member `ouput`; did you mean `output`?
            x.yaml:6:80: `event` is no value by itself; name one of its members: `id`, `source`, `kind`, `subject`, `time`, `received`, `data`, `headers`, `query`, `method`, `path`, `extensions`
            x.yaml:6:95: `steps` is no value by itself; write `steps.first.output`
            x.yaml:6:116: `steps.first` is no value by itself; write `steps.first.output`
            x.yaml:7:52: there is no variable `itm`; did you mean `item`?
            x.yaml:7:74: there is no variable `item`; known: `event`, `steps`
            x.yaml:8:43: there is no function `trimm`; did you mean `trim`?
            x.yaml:8:60: `size` is called in another way; write `size(x)`
            x.yaml:8:80: `event` is no value by itself; name one of its members: `id`, `source`, `kind`, `subject`, `time`, `received`, `data`, `headers`, `query`, `method`, `path`, `extensions`
            x.yaml:8:106: a field that may be missing needs a value for that case; add `.orValue(…)` behind it
        "#]],
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
      d: "${google.protobuf.Duration{seconds: 1}}"
      e: ${event.data.name.matches("[")}
      f: ${event.data.name.matches("(a{1000}){1000}")}
      g: ${event.data.name.matches(event.data.pattern)}
      h: ${[?event.data]}
"#,
        expect![[r#"
            x.yaml:5:24: this is not CEL: it ends too early
            x.yaml:5:43: this is not CEL: extraneous input '+'
            x.yaml:5:48: `${` is not closed; add `}`, or write `$${` if you mean the text `${`
            x.yaml:5:72: this is not CEL: no viable alternative at input '.'
            x.yaml:5:84: the expression is empty; write CEL, such as `event.data.email`
            x.yaml:7:11: `when` is an expression already; write `event.data.new`
            x.yaml:10:9: `event` has no member `daat`; did you mean `data`?
            x.yaml:11:10: `event` has no member `daat`; did you mean `data`?
            x.yaml:12:12: JSON has no bytes; leave out the `b` before the quote
            x.yaml:13:37: there are no message types; write a map: `{"name": value}`
            x.yaml:14:36: the pattern of `matches` is no regular expression: unclosed character class
            x.yaml:15:36: the pattern is too big; use fewer or smaller repetitions
            x.yaml:16:47: the pattern of `matches` must be written out; give it as a text in quotes
            x.yaml:17:12: optional items are not supported; use `filter`
        "#]],
    );
}

#[test]
fn sources_are_checked() {
    check_source(
        "  webhook: { path: x, methods: [post], decode: xml, reply: soon, body_limit: 1MB }",
        expect![[r#"
            x.yaml:4:12: `webhook` needs `verify`; write `verify: { standard-webhooks: { secret: NAME } }`, or `verify: none` to let everybody send
            x.yaml:4:20: `x` is no path for a webhook; write `/` and names of letters, digits and `-._~`, such as `/shop/orders`, or `/shop/*` for all below
            x.yaml:4:33: `methods` cannot hold `post`; did you mean `POST`?
            x.yaml:4:48: `decode: xml` is not there yet; use `json`, `form` or `bytes`, and a mapper behind `bytes`
            x.yaml:4:60: `reply` cannot be `soon`; write `async` or `{ sync: { within: 10s } }`
            x.yaml:4:78: `body_limit` is a size, not `1MB`; write a number and `B`, `KiB`, `MiB` or `GiB`, such as `512KiB`
        "#]],
    );
    check_source(
        "  webhook: { path: /a//b, verify: {}, decode: jsn, reply: { sync: {} }, bodylimit: 1 }",
        expect![[r#"
            x.yaml:4:20: `/a//b` is no path for a webhook; write `/` and names of letters, digits and `-._~`, such as `/shop/orders`, or `/shop/*` for all below
            x.yaml:4:35: `verify` names one scheme; write `verify: { standard-webhooks: { secret: NAME } }`, or `verify: none` to let everybody send
            x.yaml:4:47: `decode` cannot be `jsn`; did you mean `json`?
            x.yaml:4:67: `sync` needs `within`; add `within: 10s`
            x.yaml:4:73: `webhook` has no key `bodylimit`; did you mean `body_limit`?
        "#]],
    );
    check_source(
        "  webhook: { path: /a, verify: { hmac: { secret: Sup3rS3cret!, algorithm: md5 } } }\n  dedupe: { window: 0s }",
        expect![[r#"
            x.yaml:4:40: the scheme of `verify` needs `header`; add `header: NAME`
            x.yaml:4:50: `secret` is the name of a secret, not the secret; name it, such as `leads`, and set it with `weir secret set leads`
            x.yaml:4:75: `algorithm` cannot be `md5`; known: `sha256`, `sha512`, `sha1`
            x.yaml:5:21: `window` is a time, not `0s`; write a number and `ms`, `s`, `m`, `h` or `d`, such as `30s`
        "#]],
    );
    check_source(
        "  webhook: { path: /a, verify: { githb: { secret: x } } }\n  dedupe: steps.a.output",
        expect![[r#"
            x.yaml:4:32: there is no scheme `githb`; did you mean `github`?
            x.yaml:5:17: there is no step `a`
        "#]],
    );
    check_source(
        "  webhook: { path: /a, verify: { github: { tolerance: 5m } } }",
        expect![[r#"
            x.yaml:4:42: the scheme of `verify` needs `secret`; add `secret: NAME`, and set it with `weir secret set NAME`
            x.yaml:4:44: the scheme of `verify` has no key `tolerance`; known: `secret`
        "#]],
    );
}

#[test]
fn sources_keep_what_was_written() {
    check_source(
        "  webhook:\n    path: /shop/orders\n    methods: [POST, PUT]\n    verify: { hmac: { header: X-Sig, secret: [new, old], algorithm: sha512, encoding: base64, prefix: v1= } }\n    decode: form\n    reply: { sync: { within: 10s } }\n    body_limit: 512KiB\n  dedupe: { key: event.data.id, window: 2d }",
        expect![[r#"
            Source {
                kind: Webhook(
                    Webhook {
                        path: "/shop/orders",
                        methods: [
                            "POST",
                            "PUT",
                        ],
                        verify: Verify {
                            scheme: Hmac {
                                header: "x-sig",
                                algorithm: Sha512,
                                encoding: Base64,
                                prefix: "v1=",
                            },
                            secrets: [
                                "new",
                                "old",
                            ],
                            tolerance: 300s,
                        },
                        decode: Form,
                        reply: Sync {
                            within: 10s,
                        },
                        body_bytes_max: Some(
                            524288,
                        ),
                    },
                ),
                dedupe: Some(
                    Dedupe {
                        key: Expression(event.data.id),
                        window: 172800s,
                    },
                ),
            }
            [
                Step {
                    id: "a",
                    after: [],
                    when: None,
                    kind: Set(
                        Set(
                            Map(
                                [
                                    (
                                        "b",
                                        Literal(
                                            Number(1),
                                        ),
                                    ),
                                ],
                            ),
                        ),
                    ),
                    expect: None,
                    retry: Retry {
                        attempts: 12,
                        within: 172800s,
                        first: 1s,
                        max: 3600s,
                    },
                    timeout: None,
                },
            ]
        "#]],
    );
}

#[test]
fn schemas_must_be_there_and_stand_alone() {
    check_steps(
        "  - { id: a, set: {}, expect: schemas/none.json }\n  - { id: b, set: {}, expect: schemas/broken.json }\n  - { id: c, set: {}, expect: ../contact.json }\n  - { id: d, set: {}, expect: { type: objekt } }\n  - { id: e, set: {}, expect: { $ref: \"https://example.com/schema.json\" } }\n  - { id: f, set: {}, expect: { $ref: \"#/$defs/none\" } }\n  - { id: g, set: {}, expect: [] }\n",
        expect![[r#"
            x.yaml:5:31: there is no file `schemas/none.json`; paths count from the project's folder
            x.yaml:6:31: `schemas/broken.json` is not valid JSON: EOF while parsing a value at line 1 column 9
            x.yaml:7:31: `../contact.json` lies outside of the project; give its path below the project's folder
            x.yaml:8:31: this is no JSON Schema: at /type: "objekt" is not valid under any of the schemas listed in the 'anyOf' keyword
            x.yaml:9:31: this is no JSON Schema: `$ref: https://example.com/schema.json` leads out of the schema
            x.yaml:10:31: this is no JSON Schema: Pointer '/$defs/none' does not exist
            x.yaml:11:31: `expect` is a text, not a list
        "#]],
    );
}

#[test]
fn yaml_is_bounded() {
    check_flow(
        "",
        expect![[r#"
            x.yaml:1:1: the file is empty; begin with `flow: NAME`; `weir init` writes an example
        "#]],
    );
    check_flow(
        "flow: x\n owner: y\n",
        expect![[r#"
            x.yaml:2:7: this is not YAML: mapping values are not allowed in this context; a text with `: ` or `{` in it must stand in quotes
        "#]],
    );
    check_flow(
        "- flow\n",
        expect![[r#"
        x.yaml:1:1: a flow is a map, not a list
    "#]],
    );
    check_flow(
        "flow: x\nflow: y\n",
        expect![[r#"
        x.yaml:1:1: a flow needs `owner`; add `owner:` with an e-mail address or a URL: who is told when it fails
        x.yaml:1:1: a flow needs `source`; add `source:` with a `webhook:` in it
        x.yaml:1:1: a flow needs `steps`; add `steps:` with a list
        x.yaml:2:1: the key `flow` occurs twice; keep one of them
    "#]],
    );
    check_flow(
        "flow: x\n---\nflow: y\n",
        expect![[r#"
        x.yaml:2:1: a file holds one flow; put what follows `---` into a file of its own
    "#]],
    );
    check_flow(
        "a: &a [1]\nb: [*a, *a]\n",
        expect![[r#"
        x.yaml:1:4: anchors and aliases are not allowed; write the value out where it is needed
    "#]],
    );
    check_flow(
        "flow: !secret x\n",
        expect![[r#"
        x.yaml:1:7: tags are not allowed; leave out what begins with `!`
    "#]],
    );
    check_flow(
        "? [a]\n: b\n",
        expect![[r#"
        x.yaml:1:3: a key must be a text; write `key: value`
    "#]],
    );
    check_flow(
        &format!("flow: {}\n", "[".repeat(100_000)),
        expect![[r#"
        x.yaml:1:262: this is not YAML: recursion limit exceeded
    "#]],
    );
    check_flow(
        &"#".repeat((256 << 10) + 1),
        expect![[r#"
        x.yaml:1:1: the file is longer than 256 KiB; split the flow in two
    "#]],
    );
    check_steps(
        &"  - { id: a, set: {} }\n".repeat(101),
        expect![[r#"
        x.yaml:5:3: there are 101 steps, and 100 are allowed; split the flow in two
    "#]],
    );
}

#[test]
fn excerpts_point_at_the_place() {
    let text = "flow: x\nownr: a@example.com\n";
    let problems = check("x", text, &read, &Permissive).expect_err("there are problems");
    let excerpts: Vec<_> = problems.iter().map(|problem| problem.to_excerpt("flows/x.yaml", text)).collect();
    expect![[r#"
        flows/x.yaml:1:1: a flow needs `owner`
         1 | flow: x
           | ^
         fix: add `owner:` with an e-mail address or a URL: who is told when it fails
        flows/x.yaml:1:1: a flow needs `source`
         1 | flow: x
           | ^
         fix: add `source:` with a `webhook:` in it
        flows/x.yaml:1:1: a flow needs `steps`
         1 | flow: x
           | ^
         fix: add `steps:` with a list
        flows/x.yaml:2:1: a flow has no key `ownr`
         2 | ownr: a@example.com
           | ^
         fix: did you mean `owner`?
    "#]]
    .assert_eq(&excerpts.concat());
}

#[test]
fn a_version_is_rebuilt_from_its_bundle() {
    let text = example("leads-to-crm");
    let flow = checked("leads-to-crm", &text).expect("no problems");
    let again = Flow::from_bundle("leads-to-crm", flow.bundle(), &Permissive).expect("no problems");
    assert_eq!((again.reference(), again.bundle()), (flow.reference(), flow.bundle()));
    expect!["leads-to-crm@7a672c50207a"].assert_eq(&flow.reference().to_string());

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
