//! What the operator's three files may say, as data: `weir.toml`, `plugins.toml`, `connections.toml`.

use written::{Key, Shape, optional, required};

/// `weir.toml`.
pub(crate) const WEIR: &[Key] = &[
    optional("ingress", Shape::Table(INGRESS), "Where events come in"),
    optional("data", Shape::Table(DATA), "Where state is kept, and for how long"),
    optional("secrets", Shape::Table(SECRETS), "How secrets are sealed at rest"),
    optional("egress", Shape::Table(EGRESS), "How outside systems are reached"),
];

const INGRESS: &[Key] = &[
    optional("listen", Shape::Text(None), "Address and port, such as `127.0.0.1:8080`"),
    optional("tls", Shape::Table(TLS), "Certificate and key, to serve HTTPS"),
    optional("body", Shape::Size, "The largest body of a request, where the flow says nothing"),
    optional("connections", Shape::Count, "Connections at once"),
];

const TLS: &[Key] = &[
    required("certificate", Shape::Text(None), "A PEM file with the certificate and those above it"),
    required("key", Shape::Text(None), "A PEM file with the private key"),
];

const DATA: &[Key] = &[
    optional("folder", Shape::Text(None), "The folder, relative to this file"),
    optional("retention", Shape::Duration, "How long finished executions and their payloads are kept"),
    optional("retention_size", Shape::Size, "How much the journal may take; the oldest goes first"),
];

const SECRETS: &[Key] = &[optional("key", Shape::OneKey(KEY_SOURCE), "Where the master key is: 64 hexadecimal digits")];

const KEY_SOURCE: &[Key] =
    &[optional("env", Shape::Text(None), "An environment variable"), optional("file", Shape::Text(None), "A file")];

const EGRESS: &[Key] =
    &[optional("roots", Shape::Texts("\\S"), "PEM files with certificate authorities beside the system's")];

/// `plugins.toml`.
pub(crate) const PLUGINS: &[Key] = &[optional("plugin", Shape::Named(PLUGIN), "The installed plugins, by name")];

const PLUGIN: &[Key] = &[
    required(
        "source",
        Shape::Text(None),
        "The component's file, relative to this one; or the folder of its project, in which it was built",
    ),
    optional("grant", Shape::Table(GRANT), "What it may reach"),
    optional("limits", Shape::Table(LIMITS), "What one call of it may use"),
];

const GRANT: &[Key] = &[
    optional("http", Shape::Tables(HTTP), "Which requests it may make"),
    optional(
        "private_networks",
        Shape::Texts("\\S"),
        "Networks that it may reach although they are not public, such as `127.0.0.0/8`",
    ),
];

const HTTP: &[Key] = &[
    required("origin", Shape::Text(None), "`connection`, or an origin such as `https://api.example.com`"),
    required("methods", Shape::Texts("^[A-Z]+$"), "The methods, in capitals"),
    required("paths", Shape::Texts("^/"), "The paths; a `*` at the end stands for anything behind it"),
];

const LIMITS: &[Key] = &[
    optional("memory", Shape::Size, "Linear memory"),
    optional("cpu", Shape::Duration, "Time on a core"),
    optional("wall", Shape::Duration, "Time, waiting included"),
    optional("concurrency", Shape::Count, "Calls side by side"),
    optional("output", Shape::Size, "What it gives back"),
    optional("request_body", Shape::Size, "The body of one request"),
    optional("response_body", Shape::Size, "The body of one response, decompressed"),
    optional("http_requests", Shape::Count, "Requests"),
    optional("host_calls", Shape::Count, "Calls of the host"),
    optional("log_lines", Shape::Count, "Log lines"),
];

/// `connections.toml`.
pub(crate) const CONNECTIONS: &[Key] = &[
    optional("connection", Shape::Named(CONNECTION), "Accounts at outside systems, by name"),
    optional("secret", Shape::Named(SECRET), "Where the secrets are that flows name; else they are in Weir's store"),
];

const CONNECTION: &[Key] = &[
    required("owner", Shape::Text(None), "Who is told when it stops working"),
    required("plugins", Shape::Texts("\\S"), "The plugins that may use it"),
    optional("base_url", Shape::Text(None), "Where it is, such as `https://api.example.com/crm`"),
    optional("origins", Shape::Texts("\\S"), "Other origins that its credential may go to"),
    optional("account", Shape::Text(None), "Whose account it is"),
    optional("settings", Shape::Any, "A table that the plugin is given: tenant, region, ids"),
    optional("credential", Shape::ByWord("scheme", CREDENTIALS), "How requests prove whose they are"),
    optional("named", Shape::NamedByWord("scheme", CREDENTIALS), "Credentials that a plugin asks for by name"),
];

const CREDENTIALS: &[(&str, &[Key])] = &[
    (
        "api-key-header",
        &[
            required("name", Shape::Text(None), "The header field"),
            optional("prefix", Shape::Text(None), "What stands before the key"),
            required("secret", Shape::OneKey(SECRET), "The key"),
        ],
    ),
    (
        "api-key-query",
        &[
            required("name", Shape::Text(None), "The query parameter"),
            required("secret", Shape::OneKey(SECRET), "The key"),
        ],
    ),
    (
        "basic",
        &[required("user", Shape::Text(None), "The user"), required("secret", Shape::OneKey(SECRET), "The password")],
    ),
    ("bearer", &[required("secret", Shape::OneKey(SECRET), "The token")]),
    ("slots", &[required("slots", Shape::Tables(SLOT), "The places `{{name}}` and what goes there")]),
    (
        "hmac",
        &[
            required("header", Shape::Text(None), "The header field that carries the signature"),
            required("algorithm", Shape::Word(&["sha256", "sha512", "sha1"]), "The hash"),
            required("encoding", Shape::Word(&["hex", "base64"]), "How the signature is written"),
            optional("prefix", Shape::Text(None), "What stands before it"),
            required("secret", Shape::OneKey(SECRET), "The key"),
        ],
    ),
];

const SLOT: &[Key] = &[
    required("name", Shape::Text(None), "The name between the braces"),
    required("secret", Shape::OneKey(SECRET), "What goes there"),
    optional("raw", Shape::Truth, "In a URL, slashes in it stay slashes"),
    optional("body", Shape::Truth, "It may stand in the body too"),
];

const SECRET: &[Key] = &[
    optional("env", Shape::Text(None), "An environment variable"),
    optional("file", Shape::Text(None), "A file"),
    optional("store", Shape::Text(None), "Its name in Weir's store: `weir secret set NAME`"),
];
