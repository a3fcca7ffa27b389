//! Manifests that are right and manifests that are wrong, read by this crate and judged by the published JSON Schema.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::{Expect, expect, expect_file};
use manifest::{Effect, Manifest, Problem, ReadManifestError, Role, embed, extract, json_schema};
use serde_json::Value;

const MAPPER: &str = r#"id = "lead-mapper"
version = "1.2.3"
description = "Maps leads"
owner = "crm@example.com"
licence = "MIT OR Apache-2.0"
contract = "0.1"
roles = ["mapper"]
"#;

const CONNECTOR: &str = r#"id = "crm"
version = "1.0.0-rc.1+build"
description = "Talks to a CRM"
owner = "https://example.com/crm"
licence = "Apache-2.0"
contract = "0.1"
roles = ["actions", "verification"]
[actions.create]
title = "Create a contact"
effect = "keyed"
key_lifetime = "24h"
input = "schemas/contact.json"
sample = { email = "ada@example.com", tags = [1, 2.5, true] }
[[http]]
origin = "https://*.example.com"
methods = ["GET", "POST"]
paths = ["/v3/*"]
reason = "reads and writes contacts"
[auth.key]
scheme = "api-key-header"
name = "X-Api-Key"
[rate_limit]
requests = 10
per = "1s"
"#;

fn read_schema(path: &str) -> Option<String> {
    match path {
        "schemas/contact.json" => Some(r#"{"type": "object"}"#.to_owned()),
        "schemas/broken.json" => Some("{".to_owned()),
        "schemas/list.json" => Some("[]".to_owned()),
        _ => None,
    }
}

fn read(text: &str) -> Result<Manifest, Vec<Problem>> {
    Manifest::from_toml(text, &read_schema)
}

/// The manifest with one line in place of another.
fn with(text: &str, line: &str, instead: &str) -> String {
    assert!(text.contains(line), "`{line}` is not there");
    text.replacen(line, instead, 1)
}

fn is_valid_by_schema(text: &str) -> bool {
    let written: Value = toml::from_str(text).expect("TOML");
    jsonschema::draft202012::new(&json_schema()).expect("a schema").is_valid(&written)
}

#[test]
fn the_published_schema_is_fresh() {
    let schema = serde_json::to_string_pretty(&json_schema()).expect("JSON");
    expect_file!["../../../wit/manifest.schema.json"].assert_eq(&format!("{schema}\n"));
    jsonschema::draft202012::meta::validate(&json_schema()).expect("a JSON Schema of 2020-12");
}

#[test]
fn everything_that_is_written_is_read() {
    let connector = read(CONNECTOR).expect("a manifest");
    assert!(connector.has(Role::Verification) && !connector.has(Role::Mapper));
    let create = connector.action("create").expect("the action");
    assert_eq!((create.effect, create.key_lifetime), (Effect::Keyed, Some(Duration::from_secs(86_400))));
    assert_eq!(create.input, Some(serde_json::json!({ "type": "object" })));
    assert_eq!(create.sample, Some(serde_json::json!({ "email": "ada@example.com", "tags": [1, 2.5, true] })));
    assert_eq!(connector.major(), Some(1));
    assert!(read(MAPPER).expect("a manifest").mapper.is_none());
    assert!(is_valid_by_schema(CONNECTOR) && is_valid_by_schema(MAPPER));
}

#[test]
fn the_manifests_of_the_first_plugins_are_valid() {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let folders = fs::read_dir(plugins).expect("the folder").map(|entry| entry.expect("an entry").path());
    let manifests: Vec<PathBuf> =
        folders.map(|folder| folder.join("weir-plugin.toml")).filter(|file| file.is_file()).collect();
    assert!(manifests.len() >= 5, "{manifests:?}");
    for file in manifests {
        let text = fs::read_to_string(&file).expect("text");
        let folder = file.parent().expect("a folder");
        let manifest = Manifest::from_toml(&text, &|path| fs::read_to_string(folder.join(path)).ok());
        let manifest = manifest.unwrap_or_else(|problems| panic!("{}: {problems:?}", file.display()));
        assert_eq!(folder.file_name().and_then(|name| name.to_str()), Some(manifest.id.as_str()));
        assert!(is_valid_by_schema(&text), "{}", file.display());
        let schemas = manifest.actions.values().flat_map(|action| [&action.input, &action.output]).flatten();
        for schema in schemas.chain(manifest.mapper.iter().flat_map(|m| [&m.input, &m.output, &m.options]).flatten()) {
            jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        }
        for (name, action) in &manifest.actions {
            let (input, sample) = (action.input.as_ref().expect("a schema"), action.sample.as_ref().expect("a sample"));
            let schema = jsonschema::draft202012::new(input).expect("a schema");
            assert!(schema.is_valid(sample), "the sample of {name} in {}", file.display());
        }
    }
}

/// Wrong in a way that the schema sees too.
#[track_caller]
fn check_wrong(text: &str, problems: &Expect) {
    assert!(!is_valid_by_schema(text), "the schema takes it:\n{text}");
    check_problems(text, problems);
}

#[track_caller]
fn check_problems(text: &str, problems: &Expect) {
    let found = read(text).expect_err("it is wrong");
    problems.assert_eq(&found.iter().map(|problem| format!("{problem}\n")).collect::<String>());
}

#[test]
fn identity_must_say_something() {
    check_wrong(
        "",
        &expect![[r#"
        1:1: `id` is missing; add it: the plugin's name: lower-case letters, digits and hyphens
        1:1: `version` is missing; add it: its semantic version, such as `1.0.0`
        1:1: `description` is missing; add it: what it does, in a sentence
        1:1: `owner` is missing; add it: who answers for it: an e-mail address or a URL
        1:1: `licence` is missing; add it: its licence as an SPDX expression, such as `Apache-2.0`
        1:1: `contract` is missing; add it: the version of the contract it is built for: `0.1`
        1:1: `roles` is missing; add it: the role interfaces that it exports: `mapper` alone, or `actions` with or without the others
    "#]],
    );
    check_wrong(
        &with(MAPPER, "lead-mapper", "Lead_Mapper"),
        &expect![[r#"
        1:1: `id`: `Lead_Mapper` is not an id; write lower-case letters, digits and hyphens, beginning with a letter, at most 64
    "#]],
    );
    check_wrong(
        &with(MAPPER, "1.2.3", "1.2"),
        &expect![[r#"
        2:1: `version`: `1.2` is not a semantic version; write three numbers, such as `1.0.0`
    "#]],
    );
    check_wrong(
        &with(MAPPER, "Maps leads", " "),
        &expect![[r#"
        3:1: `description`: it is empty; say in a sentence what the plugin does
    "#]],
    );
    check_wrong(
        &with(MAPPER, "crm@example.com", "the CRM team"),
        &expect![[r#"
        4:1: `owner`: `the CRM team` is neither an e-mail address nor a URL; name who answers for the plugin, such as `crm-team@example.com`
    "#]],
    );
    check_wrong(
        &with(MAPPER, "MIT OR Apache-2.0", ""),
        &expect![[r#"
        5:1: `licence`: `` is not an SPDX expression; write one, such as `Apache-2.0`, `MIT OR Apache-2.0` or `LicenseRef-Proprietary`
    "#]],
    );
    check_wrong(
        &with(MAPPER, "\"0.1\"", "\"0.2\""),
        &expect![[r#"
        6:1: `contract`: contract version `0.2` is not served; this Weir serves 0.1
    "#]],
    );
    check_problems(
        &with(MAPPER, "1.2.3", "1.02.3"),
        &expect![[r#"
        2:1: `version`: `1.02.3` is not a semantic version; write three numbers, such as `1.0.0`
    "#]],
    );
    check_problems(
        &with(MAPPER, "MIT OR", "MIT"),
        &expect![[r#"
        5:1: `licence`: `MIT Apache-2.0` is not an SPDX expression; write one, such as `Apache-2.0`, `MIT OR Apache-2.0` or `LicenseRef-Proprietary`
    "#]],
    );
}

#[test]
fn unknown_keys_and_words_are_named_with_what_was_meant() {
    check_wrong(
        &with(MAPPER, "licence", "license"),
        &expect![[r#"
        5:1: unknown key `license`; did you mean `licence`?
    "#]],
    );
    check_wrong(
        &with(MAPPER, "[\"mapper\"]", "[\"maper\"]"),
        &expect![[r#"
        7:10: `maper` is not known for `roles`; did you mean `mapper`?
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "\"keyed\"", "\"key\""),
        &expect![[r#"
        10:10: `key` is not known for `effect`; did you mean `keyed`?
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "\"api-key-header\"", "\"oauth\""),
        &expect![[r#"
        20:10: `oauth` is not known for `scheme`; known are: api-key-header, api-key-query, basic, bearer, slots, hmac
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "name = ", "naem = "),
        &expect![[r#"
        21:1: unknown key `naem`; did you mean `name`?
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "[rate_limit]", "[limits]"),
        &expect![[r#"
            22:2: unknown key `limits`; known here: id, version, description, owner, licence, contract, roles, mapper, actions, http, auth, rate_limit, source
        "#]],
    );
}

#[test]
fn values_of_another_type_are_named() {
    check_wrong(
        &with(MAPPER, "\"1.2.3\"", "1"),
        &expect![[r#"
        2:11: `version` is not text in quotes; write its semantic version, such as `1.0.0`
    "#]],
    );
    check_wrong(
        &with(MAPPER, "[\"mapper\"]", "\"mapper\""),
        &expect![[r#"
        7:9: `roles` is not a list of texts, such as `["a", "b"]`; write the role interfaces that it exports: `mapper` alone, or `actions` with or without the others
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "requests = 10", "requests = -1"),
        &expect![[r#"
        23:12: `rate_limit.requests` is not a whole number from 1; write how many requests
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "requests = 10", "requests = 0"),
        &expect![[r#"
        23:1: `rate_limit.requests`: no request at all is allowed; write at least 1, or leave the table out
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "\"1s\"", "\"soon\""),
        &expect![[r#"
        24:7: `rate_limit.per` is not a length of time, such as `90s` or `24h`; write in which time, such as `1s` or `1m`
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "methods = [\"GET\", \"POST\"]", "methods = \"GET\""),
        &expect![[r#"
        16:11: `http.0.methods` is not a list of texts, such as `["a", "b"]`; write the methods, in capitals
    "#]],
    );
    check_wrong(
        &format!("actions = 1\nhttp = [7]\nauth = {{ a = 1 }}\n{MAPPER}"),
        &expect![[r#"
        1:11: `actions` is not a table; write the actions of a connector, by name
        2:9: `http.0` is not a table; write what a connector asks to reach; the operator's grant decides
        3:10: `auth.a` is not a table; write the ways to authenticate that its destination knows, by name
    "#]],
    );
}

#[test]
fn roles_and_tables_must_fit() {
    check_wrong(
        &with(MAPPER, "[\"mapper\"]", "[]"),
        &expect![[r#"
        7:1: `roles`: there is none; write `["mapper"]` or `["actions"]`
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "[\"actions\", \"verification\"]", "[\"actions\", \"mapper\"]"),
        &expect![[r#"
        7:1: `roles`: `mapper` excludes every other role; make two plugins: a mapper is pure, and a component has one set of imports
        14:3: `http`: a mapper reaches nothing; remove it: a mapper is never granted HTTP
        19:2: `auth`: a mapper reaches nothing; remove it: a mapper is never granted HTTP
        22:2: `rate_limit`: a mapper reaches nothing; remove it: a mapper is never granted HTTP
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "[\"actions\", \"verification\"]", "[\"verification\"]"),
        &expect![[r#"
        7:1: `roles`: a connector without actions; add `actions`: verification and connection exist beside it
        8:2: `actions`: only a connector has actions; add `actions` to `roles`, or remove them
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "[\"actions\", \"verification\"]", "[\"actions\", \"actions\"]"),
        &expect![[r#"
        7:1: `roles`: one is written twice; write each role once
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "[\"actions\", \"verification\"]", "[\"mapper\"]"),
        &expect![[r#"
        8:2: `actions`: only a connector has actions; add `actions` to `roles`, or remove them
        14:3: `http`: a mapper reaches nothing; remove it: a mapper is never granted HTTP
        19:2: `auth`: a mapper reaches nothing; remove it: a mapper is never granted HTTP
        22:2: `rate_limit`: a mapper reaches nothing; remove it: a mapper is never granted HTTP
    "#]],
    );
    check_wrong(
        &with(MAPPER, "[\"mapper\"]", "[\"actions\"]\n[mapper]"),
        &expect![[r#"
        7:1: `roles`: there is no action; describe at least one under `[actions.NAME]`
        8:2: `mapper`: only a mapper has this table; remove it, or make `mapper` the role
    "#]],
    );
}

#[test]
fn actions_http_and_auth_must_be_well_formed() {
    check_wrong(
        &with(CONNECTOR, "key_lifetime = \"24h\"", ""),
        &expect![[r#"
        8:10: `actions.create`: a keyed action whose keys have no lifetime; add `key_lifetime = "24h"` with the time for which the destination honours a key
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "\"keyed\"", "\"read\""),
        &expect![[r#"
        11:1: `actions.create.key_lifetime`: only a keyed action has keys that live; remove it, or make the effect `keyed`
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "[actions.create]", "[actions.\"Create it\"]"),
        &expect![[r#"
        8:10: `actions.Create it`: `Create it` is not a name for an action; write lower-case letters, digits and hyphens, beginning with a letter, at most 64
    "#]],
    );
    for origin in
        ["api.example.com", "ftp://example.com", "https://", "https://a.*.com", "https://u@example.com", "https://a/b"]
    {
        let problems = read(&with(CONNECTOR, "https://*.example.com", origin)).expect_err(origin);
        assert_eq!((problems.len(), problems[0].line, problems[0].column), (1, 15, 1), "{origin}: {problems:?}");
        assert!(!is_valid_by_schema(&with(CONNECTOR, "https://*.example.com", origin)), "{origin}");
    }
    check_wrong(
        &with(CONNECTOR, "[\"GET\", \"POST\"]", "[\"get\"]"),
        &expect![[r#"
        16:1: `http.0.methods`: `get` is not a method; write it in capitals, such as `POST`
    "#]],
    );
    check_wrong(
        &with(CONNECTOR, "[\"/v3/*\"]", "[\"/*/contacts\"]"),
        &expect![[r#"
        17:1: `http.0.paths`: `/*/contacts` is not a path; begin it with `/`, leave out the query, and let `*` stand at its end only
    "#]],
    );
    check_problems(
        &with(CONNECTOR, "X-Api-Key", "X Api Key"),
        &expect![[r#"
        21:1: `auth.key.name`: `X Api Key` is not the name of a header field; write one, such as `X-Api-Key`
    "#]],
    );
}

#[test]
fn schemas_must_be_there() {
    check_wrong(
        &with(CONNECTOR, "schemas/contact.json", "../contact.json"),
        &expect![[r#"
        12:9: `../contact.json` does not lie under `schemas/`; write its path from here, such as `schemas/input.json`
    "#]],
    );
    check_problems(
        &with(CONNECTOR, "schemas/contact.json", "schemas/../../secret"),
        &expect![[r#"
        12:9: `schemas/../../secret` does not lie under `schemas/`; write its path from here, such as `schemas/input.json`
    "#]],
    );
    check_problems(
        &with(CONNECTOR, "schemas/contact.json", "schemas/none.json"),
        &expect![[r#"
        12:9: `schemas/none.json` cannot be read; create it: JSON Schema of its input
    "#]],
    );
    check_problems(
        &with(CONNECTOR, "schemas/contact.json", "schemas/broken.json"),
        &expect![[r#"
        12:9: `schemas/broken.json` is not JSON: EOF while parsing an object at line 1 column 1; mend that file
    "#]],
    );
    check_problems(
        &with(CONNECTOR, "schemas/contact.json", "schemas/list.json"),
        &expect![[r#"
        12:9: `schemas/list.json` is not a JSON Schema; let it hold a JSON object
    "#]],
    );
}

#[test]
fn all_faults_are_told_at_once_in_their_order() {
    let text = CONNECTOR
        .replace("licence", "license")
        .replace("\"keyed\"", "\"sometimes\"")
        .replace("reason =", "why =")
        .replace("requests = 10", "requests = \"ten\"");
    check_wrong(
        &text,
        &expect![[r#"
        5:1: unknown key `license`; did you mean `licence`?
        10:10: `sometimes` is not known for `effect`; known are: read, idempotent, keyed, unsafe
        14:1: `reason` is missing in `http.0`; add it: why, for the operator who is to grant it
        18:1: unknown key `why`; known here: origin, methods, paths, reason
        23:12: `rate_limit.requests` is not a whole number from 1; write how many requests
    "#]],
    );
    check_problems(
        "id = \nversion = 1.0.0\n",
        &expect![[r#"
        1:6: not TOML: string values must be quoted, expected literal string; mend the line
        2:14: not TOML: invalid float, expected nothing; mend the line
    "#]],
    );
    let huge = "#".repeat(300 * 1024);
    check_problems(
        &huge,
        &expect![[r#"
        1:1: the file is too large; keep it within 262144 bytes
    "#]],
    );
}

/// Bytes as the binary format begins: the layer tells components from modules.
const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// A section with its header.
fn section(id: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("short");
    assert!(length < 0x80, "one byte of length");
    [&[id, length], content].concat()
}

#[test]
fn a_manifest_travels_in_the_component() {
    let other = section(0, b"\x05other123");
    let module_within = section(1, &[EMPTY_MODULE, &section(0, b"\x0dweir:manifest{}")].concat());
    let component = [EMPTY_COMPONENT, &other, &module_within].concat();
    let (mapper, connector) = (read(MAPPER).expect("one"), read(CONNECTOR).expect("one"));
    let first = embed(&component, &mapper).expect("embedded");
    assert_eq!(extract(&first).expect("there"), mapper);
    assert!(first.starts_with(&component), "everything else stays as it was");
    let second = embed(&first, &connector).expect("replaced");
    assert_eq!(extract(&second).expect("there"), connector);
    assert_eq!(embed(&second, &mapper).expect("replaced"), first, "the same manifest gives the same bytes");
    assert!(matches!(
        extract(&[first.as_slice(), &first[component.len()..]].concat()),
        Err(ReadManifestError::Repeated)
    ));
}

#[test]
fn what_carries_no_manifest_says_what_it_is() {
    let said = |bytes: &[u8]| {
        let error = extract(bytes).expect_err("no manifest");
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{error}{cause}\n")
    };
    let whole = embed(EMPTY_COMPONENT, &read(MAPPER).expect("one")).expect("embedded");
    let too_large = {
        // A custom section of 1 MiB and its name: three bytes of length.
        let data = [b"\x0dweir:manifest".as_slice(), &vec![b' '; (1 << 20) + 1]].concat();
        let length =
            [0x80 | (data.len() & 0x7f) as u8, 0x80 | (data.len() >> 7 & 0x7f) as u8, (data.len() >> 14) as u8];
        [EMPTY_COMPONENT, &[0], &length, &data].concat()
    };
    let all = [
        said(b"") + &said(b"#!/bin/sh") + &said(EMPTY_MODULE) + &said(EMPTY_COMPONENT),
        said(&whole[..whole.len() - 1]) + &said(&[EMPTY_COMPONENT, b"\x01\x20"].concat()),
        said(&[EMPTY_COMPONENT, &section(0, b"\x0dweir:manifest{}")].concat()) + &said(&too_large),
        said(&[EMPTY_COMPONENT, b"\x63\x00"].concat()),
    ];
    expect![[r#"
        not a WebAssembly component
        not a WebAssembly component
        a core WebAssembly module, not a component; build it for `wasm32-wasip2`, or with `weir plugin build`
        the component carries no manifest; build it with `weir plugin build`
        a damaged WebAssembly component: unexpected end-of-file (at offset 0xb)
        the component is cut short: it has 10 bytes, and a section ends at byte 42
        the manifest in the component cannot be read; it may have been written for another version of Weir: missing field `id` at line 1 column 2
        the manifest takes 1048577 bytes with its schemas, and 1048576 are allowed; shorten the schemas
        the component carries no manifest; build it with `weir plugin build`
    "#]].assert_eq(&all.concat());
    let invalid = Manifest { version: "one".to_owned(), ..read(MAPPER).expect("one") };
    assert!(matches!(embed(EMPTY_COMPONENT, &invalid), Err(ReadManifestError::Invalid(_))));
}

/// Cut anywhere, or with any byte changed, a component gives a manifest or an error, never a panic.
#[test]
fn damage_is_an_error() {
    let module_within = section(1, EMPTY_MODULE);
    let component = [EMPTY_COMPONENT, &module_within].concat();
    let whole = embed(&component, &read(MAPPER).expect("one")).expect("embedded");
    for end in 0..whole.len() {
        extract(&whole[..end]).expect_err("cut short");
    }
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        if let Ok(manifest) = extract(&changed) {
            manifest.validate().expect("valid as extracted");
        }
    }
}
