use std::time::Duration;

use written::yaml::{Yaml, YamlKind, suggest};

use super::fields::Fields;
use super::{Checker, START, is_name, settled};
use crate::cel::{self, Names};
use crate::{
    Decode, Dedupe, Expression, HmacAlgorithm, HmacEncoding, Reply, Scheme, Source, SourceKind, Verify, Webhook,
};

/// For how long a repeat is known: senders give up within three days, and people press "send again" within a week.
const DEDUPE_WINDOW: Duration = Duration::from_secs(7 * 86_400);
/// How far a sender's clock may be off, as Standard Webhooks, Stripe and Slack have it.
const TOLERANCE: Duration = Duration::from_secs(300);

const METHODS: [&str; 5] = ["POST", "PUT", "PATCH", "DELETE", "GET"];
const VERIFY_FIX: &str =
    "write `verify: { standard-webhooks: { secret: NAME } }`, or `verify: none` to let everybody send";

/// The schemes by their names, as far as they need no more.
const SCHEMES: [&str; 9] =
    ["standard-webhooks", "github", "stripe", "slack", "shopify", "hmac", "basic", "bearer", "api-key"];

impl Checker<'_> {
    pub(super) fn source(&mut self, yaml: &Yaml) -> Option<Source> {
        let mut fields = self.fields(yaml, "`source`")?;
        let webhook = self
            .required(&mut fields, "webhook", "add `webhook: { path: /…, verify: … }`")
            .and_then(|yaml| self.webhook(yaml));
        let dedupe = match fields.get("dedupe") {
            Some(yaml) => self.dedupe(yaml),
            None => default_key().map(|key| Some(Dedupe { key, window: DEDUPE_WINDOW })),
        };
        self.finish(fields);
        Some(Source { kind: SourceKind::Webhook(webhook?), dedupe: dedupe? })
    }

    fn webhook(&mut self, yaml: &Yaml) -> Option<Webhook> {
        let mut fields = self.fields(yaml, "`webhook`")?;
        let path = self.required(&mut fields, "path", "add `path: /NAME`").and_then(|yaml| self.path(yaml));
        let methods = fields.get("methods").map(|yaml| self.methods(yaml));
        let verify = self.required(&mut fields, "verify", VERIFY_FIX).and_then(|yaml| self.verify(yaml));
        let decode = fields.get("decode").map(|yaml| self.decode(yaml));
        let reply = fields.get("reply").map(|yaml| self.reply(yaml));
        let body_bytes_max = fields.get("body_limit").map(|yaml| self.bytes(yaml, "`body_limit`"));
        self.finish(fields);
        Some(Webhook {
            path: path?,
            methods: settled(methods)?.unwrap_or_else(|| vec!["POST".to_owned()]),
            verify: verify?,
            decode: settled(decode)?.unwrap_or(Decode::Json),
            reply: settled(reply)?.unwrap_or(Reply::Async),
            body_bytes_max: settled(body_bytes_max)?,
        })
    }

    fn path(&mut self, yaml: &Yaml) -> Option<String> {
        let path = self.text(yaml, "`path`")?;
        // A `/*` at the end takes everything below; `/*` alone takes everything.
        let below = path.strip_suffix("/*");
        let segments = below.unwrap_or(path).strip_prefix('/').map(|rest| rest.split('/'));
        let plain = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.chars().all(|character| character.is_ascii_alphanumeric() || "-._~".contains(character))
        };
        if below == Some("") || segments.is_some_and(|mut segments| segments.all(plain)) {
            return Some(path.to_owned());
        }
        let fix =
            "write `/` and names of letters, digits and `-._~`, such as `/shop/orders`, or `/shop/*` for all below"
                .to_owned();
        self.refuse(yaml.place, format!("`{path}` is no path for a webhook"), Some(fix))
    }

    fn methods(&mut self, yaml: &Yaml) -> Option<Vec<String>> {
        let methods = self.texts(yaml, "`methods`")?;
        let mut sound = true;
        for (method, place) in &methods {
            if !METHODS.contains(&method.as_str()) {
                let fix = suggest(&method.to_ascii_uppercase(), &METHODS);
                self.problems.add(*place, format!("`methods` cannot hold `{method}`"), fix);
                sound = false;
            }
        }
        sound.then(|| methods.into_iter().map(|(method, _)| method).collect())
    }

    fn decode(&mut self, yaml: &Yaml) -> Option<Decode> {
        let text = self.text(yaml, "`decode`")?;
        if matches!(text, "multipart" | "xml" | "csv") {
            let fix = "use `json`, `form` or `bytes`, and a mapper behind `bytes`".to_owned();
            return self.refuse(yaml.place, format!("`decode: {text}` is not there yet"), Some(fix));
        }
        self.word(yaml, "`decode`", &[("json", Decode::Json), ("form", Decode::Form), ("bytes", Decode::Bytes)])
    }

    fn reply(&mut self, yaml: &Yaml) -> Option<Reply> {
        if let YamlKind::Scalar(scalar) = &yaml.kind {
            if scalar.text == "async" {
                return Some(Reply::Async);
            }
            let fix = "write `async` or `{ sync: { within: 10s } }`".to_owned();
            return self.refuse(yaml.place, format!("`reply` cannot be `{}`", scalar.text), Some(fix));
        }
        let mut fields = self.fields(yaml, "`reply`")?;
        let within = self.required(&mut fields, "sync", "write `{ sync: { within: 10s } }`").and_then(|yaml| {
            let mut fields = self.fields(yaml, "`sync`")?;
            let within = self
                .required(&mut fields, "within", "add `within: 10s`")
                .and_then(|yaml| self.duration(yaml, "`within`"));
            self.finish(fields);
            within
        });
        self.finish(fields);
        Some(Reply::Sync { within: within? })
    }

    fn dedupe(&mut self, yaml: &Yaml) -> Option<Option<Dedupe>> {
        match &yaml.kind {
            YamlKind::Scalar(scalar) if scalar.text == "none" => Some(None),
            YamlKind::Scalar(_) => {
                let key = self.bare_expression(yaml, "`dedupe`", Names::default())?;
                Some(Some(Dedupe { key, window: DEDUPE_WINDOW }))
            }
            _ => {
                let mut fields = self.fields(yaml, "`dedupe`")?;
                let key = match fields.get("key") {
                    Some(yaml) => self.bare_expression(yaml, "`key`", Names::default()),
                    None => default_key(),
                };
                let window = fields.get("window").map(|yaml| self.duration(yaml, "`window`"));
                self.finish(fields);
                Some(Some(Dedupe { key: key?, window: settled(window)?.unwrap_or(DEDUPE_WINDOW) }))
            }
        }
    }

    fn verify(&mut self, yaml: &Yaml) -> Option<Verify> {
        let (name, parameters) = match &yaml.kind {
            YamlKind::Scalar(scalar) if scalar.text == "none" => {
                return Some(Verify { scheme: Scheme::None, secrets: Vec::new(), tolerance: TOLERANCE });
            }
            YamlKind::Map(entries) if entries.len() == 1 => (&entries[0].key, &entries[0].value),
            _ => return self.refuse(yaml.place, "`verify` names one scheme".to_owned(), Some(VERIFY_FIX.to_owned())),
        };
        if !SCHEMES.contains(&name.as_str()) {
            return self.refuse(yaml.place, format!("there is no scheme `{name}`"), suggest(name, &SCHEMES));
        }
        let mut fields = self.fields(parameters, "the scheme of `verify`")?;
        let secrets = self
            .required(&mut fields, "secret", "add `secret: NAME`, and set it with `weir secret set NAME`")
            .and_then(|yaml| self.secrets(yaml));
        let scheme = self.scheme(name, &mut fields);
        // The others sign no time.
        let timed = matches!(name.as_str(), "standard-webhooks" | "stripe" | "slack");
        let tolerance = timed.then(|| fields.get("tolerance")).flatten();
        let tolerance = tolerance.map(|yaml| self.duration(yaml, "`tolerance`"));
        self.finish(fields);
        Some(Verify { scheme: scheme?, secrets: secrets?, tolerance: settled(tolerance)?.unwrap_or(TOLERANCE) })
    }

    fn scheme(&mut self, name: &str, fields: &mut Fields<'_>) -> Option<Scheme> {
        Some(match name {
            "standard-webhooks" => Scheme::StandardWebhooks,
            "github" => Scheme::Github,
            "stripe" => Scheme::Stripe,
            "slack" => Scheme::Slack,
            "shopify" => Scheme::Shopify,
            "basic" => Scheme::Basic,
            "bearer" => Scheme::Bearer,
            "api-key" => Scheme::ApiKey { header: self.header(fields)? },
            _ => {
                let header = self.header(fields);
                let algorithm = fields.get("algorithm").map(|yaml| self.algorithm(yaml));
                let encoding = fields.get("encoding").map(|yaml| {
                    self.word(yaml, "`encoding`", &[("hex", HmacEncoding::Hex), ("base64", HmacEncoding::Base64)])
                });
                let prefix = fields.get("prefix").map(|yaml| self.text(yaml, "`prefix`").map(str::to_owned));
                Scheme::Hmac {
                    header: header?,
                    algorithm: settled(algorithm)?.unwrap_or(HmacAlgorithm::Sha256),
                    encoding: settled(encoding)?.unwrap_or(HmacEncoding::Hex),
                    prefix: settled(prefix)?.unwrap_or_default(),
                }
            }
        })
    }

    fn algorithm(&mut self, yaml: &Yaml) -> Option<HmacAlgorithm> {
        let words =
            [("sha256", HmacAlgorithm::Sha256), ("sha512", HmacAlgorithm::Sha512), ("sha1", HmacAlgorithm::Sha1)];
        self.word(yaml, "`algorithm`", &words)
    }

    fn header(&mut self, fields: &mut Fields<'_>) -> Option<String> {
        let yaml = self.required(fields, "header", "add `header: NAME`")?;
        let name = self.text(yaml, "`header`")?;
        // A token of RFC 9110, section 5.6.2.
        let token = |character: char| character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
        if name.chars().all(token) {
            return Some(name.to_ascii_lowercase());
        }
        self.refuse(yaml.place, format!("`{name}` is no name of a header field"), None)
    }

    fn secrets(&mut self, yaml: &Yaml) -> Option<Vec<String>> {
        let secrets = self.texts(yaml, "`secret`")?;
        let wrong: Vec<_> = secrets.iter().filter(|(name, _)| !is_name(name)).collect();
        for (_, place) in &wrong {
            // The text is not shown: it may be the secret itself.
            let fix = "name it, such as `leads`, and set it with `weir secret set leads`".to_owned();
            self.problems.add(*place, "`secret` is the name of a secret, not the secret", fix);
        }
        wrong.is_empty().then(|| secrets.into_iter().map(|(name, _)| name).collect())
    }
}

/// The id that the sender gave, or Weir's own, which never repeats.
fn default_key() -> Option<Expression> {
    let source = "event.id";
    cel::compile(source, Names::default()).ok().map(|node| Expression::new(source, START, false, node))
}
