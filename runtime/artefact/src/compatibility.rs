//! What changed between two versions of a plugin, for who uses it: told from what both say of themselves, in words.

use std::collections::BTreeMap;

use manifest::{Action, Effect, HttpRequest, Manifest, MapperSchemas, Role};
use serde::Serialize;
use serde_json::Value;

use crate::schema::{Use, differences};

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Whether who uses the version before may break.
    pub is_breaking: bool,
    /// What, for people.
    pub words: String,
}

fn breaking(words: impl Into<String>) -> Change {
    Change { is_breaking: true, words: words.into() }
}

fn harmless(words: impl Into<String>) -> Change {
    Change { is_breaking: false, words: words.into() }
}

/// What changed from one version to a later one.
pub fn changes(before: &Manifest, after: &Manifest) -> Vec<Change> {
    let mut all = Vec::new();
    if before.contract != after.contract {
        all.push(breaking(format!("it speaks contract {} instead of {}", after.contract, before.contract)));
    }
    for role in [Role::Mapper, Role::Actions, Role::Verification, Role::Connection] {
        match (before.has(role), after.has(role)) {
            (true, false) => all.push(breaking(format!("the role `{}` is gone", word(&role)))),
            (false, true) => all.push(harmless(format!("the role `{}` is new", word(&role)))),
            _ => {}
        }
    }
    if before.has(Role::Mapper) && after.has(Role::Mapper) {
        // A mapper without schemas takes and gives anything.
        let [before, after] = [before, after].map(|manifest| manifest.mapper.clone().unwrap_or_default());
        mapper(&before, &after, &mut all);
    }
    named(&before.actions, &after.actions, "action", &mut all, action);
    named(&before.auth, &after.auth, "authentication scheme", &mut all, |name, before, after, all| {
        if before != after {
            all.push(breaking(format!("authentication scheme `{name}` is another")));
        }
    });
    for ask in &after.http {
        wider(&before.http, ask, &mut all);
    }
    all
}

fn named<T>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    what: &str,
    all: &mut Vec<Change>,
    compare: fn(&str, &T, &T, &mut Vec<Change>),
) {
    for (name, before) in before {
        match after.get(name) {
            None => all.push(breaking(format!("{what} `{name}` is gone"))),
            Some(after) => compare(name, before, after, all),
        }
    }
    let new = after.keys().filter(|name| !before.contains_key(*name));
    all.extend(new.map(|name| harmless(format!("{what} `{name}` is new"))));
}

fn mapper(before: &MapperSchemas, after: &MapperSchemas, all: &mut Vec<Change>) {
    schema("the mapper's input", &before.input, &after.input, Use::Taken, all);
    schema("the mapper's options", &before.options, &after.options, Use::Taken, all);
    schema("the mapper's output", &before.output, &after.output, Use::Given, all);
}

fn action(name: &str, before: &Action, after: &Action, all: &mut Vec<Change>) {
    schema(&format!("the input of action `{name}`"), &before.input, &after.input, Use::Taken, all);
    schema(&format!("the output of action `{name}`"), &before.output, &after.output, Use::Given, all);
    let promise = |effect: Effect| match effect {
        Effect::Unsafe => 0,
        Effect::Keyed => 1,
        Effect::Idempotent => 2,
        Effect::Read => 3,
    };
    let (was, is) = (before.effect, after.effect);
    if was != is {
        let words = format!("the effect of action `{name}` is `{}` instead of `{}`", word(&is), word(&was));
        all.push(Change { is_breaking: promise(is) < promise(was), words });
    }
    if let (Some(was), Some(is)) = (before.key_lifetime, after.key_lifetime)
        && was != is
    {
        let words = format!("keys of action `{name}` are honoured for {is:?} instead of {was:?}");
        all.push(Change { is_breaking: is < was, words });
    }
}

/// No schema takes and promises anything.
fn schema(what: &str, before: &Option<Value>, after: &Option<Value>, how: Use, all: &mut Vec<Change>) {
    let any = Value::Bool(true);
    let found = differences(before.as_ref().unwrap_or(&any), after.as_ref().unwrap_or(&any), how);
    all.extend(found.into_iter().map(|words| breaking(format!("{what}: {words}"))));
}

/// Whoever granted what was asked for before would have to grant more.
fn wider(before: &[HttpRequest], ask: &HttpRequest, all: &mut Vec<Change>) {
    for method in &ask.methods {
        let is_new = |path: &&String| {
            !before.iter().any(|known| {
                covers_origin(&known.origin, &ask.origin)
                    && known.methods.contains(method)
                    && known.paths.iter().any(|known| covers_path(known, path))
            })
        };
        let paths: Vec<_> = ask.paths.iter().filter(is_new).map(String::as_str).collect();
        if !paths.is_empty() {
            let origin = if ask.origin == "connection" { "the origins of its connection" } else { &ask.origin };
            all.push(breaking(format!("it asks for more: {method} on {} of {origin}", paths.join(", "))));
        }
    }
}

fn covers_origin(known: &str, asked: &str) -> bool {
    let split = |origin: &str| origin.split_once("://").map(|(scheme, rest)| (scheme.to_owned(), rest.to_owned()));
    if known == asked {
        return true;
    }
    let (Some((scheme, known)), Some((asked_scheme, asked))) = (split(known), split(asked)) else { return false };
    let under = known.strip_prefix('*').is_some_and(|suffix| asked.len() > suffix.len() && asked.ends_with(suffix));
    scheme == asked_scheme && under
}

fn covers_path(known: &str, asked: &str) -> bool {
    match known.strip_suffix('*') {
        Some(beginning) => asked.starts_with(beginning),
        None => known == asked,
    }
}

/// The word that a file uses for it.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    pub(crate) fn mapper() -> Manifest {
        read(json!({ "roles": ["mapper"], "mapper": { "input": object(&["name"]), "output": object(&["title"]) } }))
    }

    pub(crate) fn connector() -> Manifest {
        read(json!({
            "roles": ["actions", "verification"],
            "actions": {
                "create": { "title": "Create", "effect": "keyed", "key_lifetime": "24h", "input": object(&["name"]) },
                "find": { "title": "Find", "effect": "read", "output": object(&["id"]) },
            },
            "http": [{ "origin": "https://api.example.com", "methods": ["GET"], "paths": ["/v1/*"], "reason": "to find" }],
            "auth": { "token": { "scheme": "bearer" } },
        }))
    }

    fn object(required: &[&str]) -> Value {
        let text = json!({ "type": "string" });
        let properties: serde_json::Map<_, _> =
            required.iter().map(|name| ((*name).to_owned(), text.clone())).collect();
        json!({ "type": "object", "properties": properties, "required": required })
    }

    fn read(mut value: Value) -> Manifest {
        for (key, text) in [
            ("id", "crm"),
            ("version", "1.0.0"),
            ("description", "A plugin."),
            ("owner", "crm@example.com"),
            ("licence", "Apache-2.0"),
            ("contract", "0.1"),
        ] {
            value[key] = json!(text);
        }
        serde_json::from_value(value).expect("a manifest")
    }

    fn check(before: Manifest, change: fn(&mut Manifest), expected: Expect) {
        let mut after = before.clone();
        change(&mut after);
        let line =
            |change: &Change| format!("{} {}\n", if change.is_breaking { "BREAKS" } else { "keeps " }, change.words);
        expected.assert_eq(&changes(&before, &after).iter().map(line).collect::<String>());
    }

    #[test]
    fn what_stays_is_no_change() {
        check(mapper(), |_| {}, expect![""]);
        check(connector(), |_| {}, expect![""]);
        check(connector(), |after| after.http[0].paths = vec!["/v1/contacts".to_owned()], expect![""]);
    }

    #[test]
    fn a_connector_breaks_by_what_it_no_longer_does_and_by_what_it_asks_for() {
        check(
            connector(),
            |after| {
                after.roles.pop();
                let find = after.actions.remove("find").expect("is there");
                after.actions.insert("search".to_owned(), find);
                let create = after.actions.get_mut("create").expect("is there");
                create.effect = Effect::Unsafe;
                create.input = Some(object(&["name", "email"]));
                after.auth.clear();
                after.http[0].methods.push("POST".to_owned());
                after.http.push(HttpRequest { origin: "https://*.example.com".to_owned(), ..after.http[0].clone() });
            },
            expect![[r#"
                BREAKS the role `verification` is gone
                BREAKS the input of action `create`: `email` is required now
                BREAKS the effect of action `create` is `unsafe` instead of `keyed`
                BREAKS action `find` is gone
                keeps  action `search` is new
                BREAKS authentication scheme `token` is gone
                BREAKS it asks for more: POST on /v1/* of https://api.example.com
                BREAKS it asks for more: GET on /v1/* of https://*.example.com
                BREAKS it asks for more: POST on /v1/* of https://*.example.com
            "#]],
        );
    }

    #[test]
    fn a_mapper_breaks_by_what_it_takes_no_longer_and_by_what_it_gives_beyond() {
        check(
            mapper(),
            |after| {
                let schemas = after.mapper.as_mut().expect("has schemas");
                schemas.input = Some(object(&["name", "email"]));
                schemas.output = None;
                schemas.options = Some(json!({ "type": "object", "additionalProperties": false }));
            },
            expect![[r#"
                BREAKS the mapper's input: `email` is required now
                BREAKS the mapper's options: it must be object now
                BREAKS the mapper's output: it may be anything now, and not only object
            "#]],
        );
    }

    #[test]
    fn a_mapper_that_had_no_schemas_took_anything() {
        let bare = Manifest { mapper: None, ..mapper() };
        let breaks = |before: &Manifest, after: &Manifest| {
            changes(before, after).into_iter().map(|change| change.words).collect::<Vec<_>>()
        };
        assert_eq!(breaks(&bare, &mapper()), ["the mapper's input: it must be object now"]);
        assert_eq!(breaks(&mapper(), &bare), ["the mapper's output: it may be anything now, and not only object"]);
    }

    #[test]
    fn stronger_promises_and_less_asked_for_break_nobody() {
        check(
            connector(),
            |after| {
                let create = after.actions.get_mut("create").expect("is there");
                (create.effect, create.key_lifetime) = (Effect::Idempotent, None);
                create.input = Some(object(&[]));
                after.actions.get_mut("find").expect("is there").output = Some(object(&["id", "name"]));
                after.http.clear();
            },
            expect![[r#"
                keeps  the effect of action `create` is `idempotent` instead of `keyed`
            "#]],
        );
    }
}
