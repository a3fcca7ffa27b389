//! The shape of `weir-plugin.toml`.

use serde_json::{Value, json};
use written::{Key, Shape, extend, optional, required, table_schema};

const ID_PATTERN: &str = "^[a-z][a-z0-9-]{0,63}$";
const NOT_EMPTY: Shape = Shape::Text(Some("\\S"));

/// The whole file.
pub(crate) const MANIFEST: &[Key] = &[
    required("id", Shape::Text(Some(ID_PATTERN)), "The plugin's name: lower-case letters, digits and hyphens"),
    required("version", Shape::Text(Some("^[0-9]+\\.[0-9]+\\.[0-9]+")), "Its semantic version, such as `1.0.0`"),
    required("description", NOT_EMPTY, "What it does, in a sentence"),
    required("owner", Shape::Text(Some("^https://|@.+\\.")), "Who answers for it: an e-mail address or a URL"),
    required("licence", NOT_EMPTY, "Its licence as an SPDX expression, such as `Apache-2.0`"),
    required("contract", Shape::Text(Some("^0\\.1$")), "The version of the contract it is built for: `0.1`"),
    required(
        "roles",
        Shape::Words(&["mapper", "actions", "verification", "connection"]),
        "The role interfaces that it exports: `mapper` alone, or `actions` with or without the others",
    ),
    optional("mapper", Shape::Table(MAPPER), "The schemas of a mapper"),
    optional("actions", Shape::Named(ACTION), "The actions of a connector, by name"),
    optional("http", Shape::Tables(HTTP), "What a connector asks to reach; the operator's grant decides"),
    optional(
        "auth",
        Shape::NamedByWord("scheme", SCHEMES),
        "The ways to authenticate that its destination knows, by name",
    ),
    optional("rate_limit", Shape::Table(RATE_LIMIT), "What the destination allows; Weir keeps within it"),
    optional("source", Shape::Text(Some("^https://")), "Where its source is found, a URL; published along"),
];

const MAPPER: &[Key] = &[
    optional("input", Shape::SchemaFile, "JSON Schema of what it takes"),
    optional("output", Shape::SchemaFile, "JSON Schema of each document that it gives"),
    optional("options", Shape::SchemaFile, "JSON Schema of the options that a flow may give"),
];

const ACTION: &[Key] = &[
    required("title", NOT_EMPTY, "What it does, in a few words for people"),
    required(
        "effect",
        Shape::Word(&["read", "idempotent", "keyed", "unsafe"]),
        "What a repetition does: `read` changes nothing at all, `idempotent` nothing more, `keyed` nothing more under the \
         same key, `unsafe` has the effect twice",
    ),
    optional(
        "key_lifetime",
        Shape::Duration,
        "With `keyed`: for how long the destination honours a key, such as `24h`",
    ),
    optional("input", Shape::SchemaFile, "JSON Schema of its input"),
    optional("output", Shape::SchemaFile, "JSON Schema of its output"),
    optional("sample", Shape::Any, "An input that works"),
];

const HTTP: &[Key] = &[
    required(
        "origin",
        Shape::Text(Some("^(connection|https?://(\\*\\.)?[a-z0-9-]+(\\.[a-z0-9-]+)*(:[0-9]{1,5})?)$")),
        "`connection`, for the origins of the connection that it is used with, or one such as `https://api.example.com` or \
         `https://*.example.com`",
    ),
    required("methods", Shape::Texts("^[A-Z]+$"), "The methods, in capitals"),
    required("paths", Shape::Texts("^/[^*?#\\s]*\\*?$"), "The paths; a `*` at the end stands for anything behind it"),
    required("reason", NOT_EMPTY, "Why, for the operator who is to grant it"),
];

const RATE_LIMIT: &[Key] = &[
    required("requests", Shape::Count, "How many requests"),
    required("per", Shape::Duration, "In which time, such as `1s` or `1m`"),
];

const SCHEMES: &[(&str, &[Key])] = &[
    ("api-key-header", &[required("name", NOT_EMPTY, "The header field that carries the key")]),
    ("api-key-query", &[required("name", NOT_EMPTY, "The query parameter that carries the key")]),
    ("basic", &[]),
    ("bearer", &[]),
    ("slots", &[required("slots", Shape::Tables(SLOT), "The places `{{name}}` in URL, header fields or body")]),
    ("hmac", HMAC),
];

const SLOT: &[Key] = &[
    required("name", Shape::Text(Some(ID_PATTERN)), "The name between the braces"),
    required("title", NOT_EMPTY, "What it is, for the person who is asked for it"),
];

const HMAC: &[Key] = &[
    required("header", NOT_EMPTY, "The header field that carries the signature"),
    required("algorithm", Shape::Word(&["sha256", "sha1"]), "The hash"),
    required("encoding", Shape::Word(&["hex", "base64"]), "How the signature is written"),
    optional("prefix", Shape::Text(None), "What stands before it in the header field, such as `sha256=`"),
];

/// JSON Schema 2020-12 of `weir-plugin.toml`, as it is published in `wit/manifest.schema.json`.
pub fn json_schema() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "weir-plugin.toml",
        "description": "What a plugin for Weir says of itself. The paths of schemas are relative to this file.",
    });
    extend(&mut schema, table_schema(MANIFEST));
    let lone_mapper =
        json!({ "properties": { "roles": { "maxItems": 1 }, "http": false, "auth": false, "rate_limit": false } });
    let connector = json!({ "properties": { "mapper": false, "roles": { "contains": { "const": "actions" } } }, "required": ["actions"] });
    let is_mapper = json!({ "properties": { "roles": { "contains": { "const": "mapper" } } } });
    extend(&mut schema, json!({ "if": is_mapper, "then": lone_mapper, "else": connector }));
    schema["then"]["properties"]["actions"] = json!(false);
    let keyed = json!({ "properties": { "effect": { "const": "keyed" } } });
    let action = &mut schema["properties"]["actions"]["additionalProperties"];
    let rule = json!({ "if": keyed, "then": { "required": ["key_lifetime"] }, "else": { "properties": { "key_lifetime": false } } });
    extend(action, rule);
    schema
}
