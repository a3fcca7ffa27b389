//! Whether a JSON Schema still takes what it took, or still promises what it promised. What cannot be judged counts as
//! broken: a schema is compared key by key, and a combination of schemas only as a whole.

use serde_json::{Map, Value};

/// What the documents of a schema are to who uses the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// They are handed over: whatever was taken has to be taken.
    Taken,
    /// They are received: nothing may come that could not come before.
    Given,
}

/// Says nothing about which documents are valid.
const WORDS: &[&str] = &[
    "title",
    "description",
    "examples",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "$schema",
    "$id",
];

/// Larger is narrower.
const LOWEST: &[&str] = &["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"];
/// Smaller is narrower.
const HIGHEST: &[&str] = &["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"];

/// Deeper schemas are compared as a whole.
const DEPTH_MAX: usize = 64;

/// Why who used the schema before may break with the one after, one reason a line; none if nobody can.
pub(crate) fn differences(before: &Value, after: &Value, how: Use) -> Vec<String> {
    let (wide, narrow) = match how {
        Use::Taken => (after, before),
        Use::Given => (before, after),
    };
    let mut found = Comparison { how, found: Vec::new() };
    found.schema(wide, narrow, "", DEPTH_MAX);
    found.found
}

/// Looks for documents that are valid by the narrow schema and may be invalid by the wide one.
struct Comparison {
    how: Use,
    found: Vec<String>,
}

impl Comparison {
    fn say(&mut self, at: &str, taken: String, given: String) {
        let words = if self.how == Use::Taken { taken } else { given };
        self.found.push(if at.is_empty() { words } else { format!("{at}: {words}") });
    }

    fn schema(&mut self, wide: &Value, narrow: &Value, at: &str, depth: usize) {
        if wide == narrow || *wide == Value::Bool(true) || *narrow == Value::Bool(false) {
            return;
        }
        let nothing = Map::new();
        let (wide, narrow) = match (wide, narrow) {
            (Value::Object(wide), Value::Object(narrow)) if depth > 0 => (wide, narrow),
            (Value::Object(wide), Value::Bool(true)) if depth > 0 => (wide, &nothing),
            _ => return self.say(at, "nothing is taken here now".to_owned(), "something may come here now".to_owned()),
        };
        let told = self.found.len();
        self.types(wide, narrow, at);
        if self.found.len() > told {
            return;
        }
        self.values(wide, narrow, at);
        self.bounds(wide, narrow, at);
        if may_be(narrow, "object") && may_be(wide, "object") {
            self.object(wide, narrow, at, depth);
        }
        self.rest(wide, narrow, at, depth);
    }

    fn types(&mut self, wide: &Map<String, Value>, narrow: &Map<String, Value>, at: &str) {
        let Some(allowed) = types(wide) else { return };
        let is_allowed = |kind: &&str| allowed.contains(kind) || *kind == "integer" && allowed.contains(&"number");
        let listed = allowed.join(" or ");
        // Values that are listed say themselves what they are.
        let told = || values(narrow).map(|values| values.into_iter().map(kind).collect());
        let Some(possible) = types(narrow).or_else(told) else {
            return self.say(
                at,
                format!("it must be {listed} now"),
                format!("it may be anything now, and not only {listed}"),
            );
        };
        let mut more: Vec<_> = possible.iter().filter(|kind| !is_allowed(kind)).copied().collect();
        more.dedup();
        if !more.is_empty() {
            let more = more.join(" or ");
            self.say(
                at,
                format!("it must be {listed} now, and could be {more}"),
                format!("it may be {more} now, and was {listed}"),
            );
        }
    }

    fn values(&mut self, wide: &Map<String, Value>, narrow: &Map<String, Value>, at: &str) {
        let Some(allowed) = values(wide) else { return };
        let possible = values(narrow);
        let more = possible.as_ref().map(|possible| possible.iter().filter(|value| !allowed.contains(value)));
        let more = more.map(|more| more.map(|value| value.to_string()).collect::<Vec<_>>());
        match more {
            Some(more) if more.is_empty() => {}
            Some(more) => {
                let more = more.join(", ");
                self.say(at, format!("{more} is not taken any more"), format!("{more} may come now"));
            }
            None => {
                self.say(at, "only listed values are taken now".to_owned(), "other values may come now".to_owned());
            }
        }
    }

    fn bounds(&mut self, wide: &Map<String, Value>, narrow: &Map<String, Value>, at: &str) {
        let limits = LOWEST.iter().map(|key| (*key, true)).chain(HIGHEST.iter().map(|key| (*key, false)));
        for (key, is_lowest) in limits {
            let Some(allowed) = wide.get(key) else { continue };
            let possible = narrow.get(key).and_then(Value::as_f64);
            let holds = match (possible, allowed.as_f64()) {
                (Some(possible), Some(allowed)) if is_lowest => possible >= allowed,
                (Some(possible), Some(allowed)) => possible <= allowed,
                _ => false,
            };
            if !holds && narrow.get(key) != Some(allowed) {
                let was = narrow.get(key).map_or("none".to_owned(), Value::to_string);
                self.say(
                    at,
                    format!("`{key}` is {allowed} now, and was {was}"),
                    format!("`{key}` is {was} now, and was {allowed}"),
                );
            }
        }
    }

    fn object(&mut self, wide: &Map<String, Value>, narrow: &Map<String, Value>, at: &str, depth: usize) {
        let promised = names(narrow, "required");
        for name in names(wide, "required") {
            if !promised.contains(&name) {
                self.say(at, format!("`{name}` is required now"), format!("`{name}` may be missing now"));
            }
        }
        let nothing = Map::new();
        let properties = |schema: &'_ Map<String, Value>| {
            schema.get("properties").and_then(Value::as_object).unwrap_or(&nothing).clone()
        };
        let (wide_properties, narrow_properties) = (properties(wide), properties(narrow));
        for (name, possible) in &narrow_properties {
            match wide_properties.get(name).or_else(|| wide.get("additionalProperties")) {
                Some(Value::Bool(false)) if *possible != Value::Bool(false) => {
                    self.say(at, format!("`{name}` is not taken any more"), format!("`{name}` may come now"));
                }
                Some(allowed) => self.schema(allowed, possible, &format!("{at}/{name}"), depth - 1),
                None => {}
            }
        }
        // Which names a pattern takes is not looked into: where the other says anything of names, it may refuse some.
        let says_of_names =
            !wide_properties.is_empty() || wide.get("additionalProperties").is_some_and(|more| *more != true);
        if narrow.contains_key("patternProperties") && !wide.contains_key("patternProperties") && says_of_names {
            self.say(at, "`patternProperties` is gone".to_owned(), "`patternProperties` is new".to_owned());
        }
        // A property that only one of the two knows is taken for new, although an open object could hold it before.
        let open = Value::Bool(true);
        let further = |schema: &'_ Map<String, Value>| schema.get("additionalProperties").unwrap_or(&open).clone();
        let (allowed, possible) = (further(wide), further(narrow));
        match allowed {
            Value::Bool(false) if possible != Value::Bool(false) => self.say(
                at,
                "other properties are not taken any more".to_owned(),
                "other properties may come now".to_owned(),
            ),
            Value::Object(_) => self.schema(&allowed, &possible, &format!("{at}/*"), depth - 1),
            _ => {}
        }
    }

    /// What is not looked into has to be the same.
    fn rest(&mut self, wide: &Map<String, Value>, narrow: &Map<String, Value>, at: &str, depth: usize) {
        let known = ["type", "enum", "const", "properties", "required", "additionalProperties"];
        for (key, allowed) in wide {
            let is_known = [WORDS, LOWEST, HIGHEST, &known].iter().any(|keys| keys.contains(&key.as_str()));
            if is_known || narrow.get(key) == Some(allowed) {
                continue;
            }
            match (key.as_str(), narrow.get(key)) {
                ("items", possible) => {
                    let any = Value::Bool(true);
                    self.schema(allowed, possible.unwrap_or(&any), &format!("{at}/items"), depth - 1);
                }
                // Definitions count where they are used.
                ("$defs" | "definitions", _) if !refers(wide) && !refers(narrow) => {}
                (_, Some(_)) => self.say(at, format!("`{key}` is another"), format!("`{key}` is another")),
                (_, None) => self.say(at, format!("`{key}` is new"), format!("`{key}` is gone")),
            }
        }
    }
}

fn refers(schema: &Map<String, Value>) -> bool {
    serde_json::to_string(schema).is_ok_and(|text| text.contains("\"$ref\""))
}

fn types(schema: &Map<String, Value>) -> Option<Vec<&str>> {
    match schema.get("type")? {
        Value::String(one) => Some(vec![one]),
        many => many.as_array().map(|many| many.iter().filter_map(Value::as_str).collect()),
    }
}

/// The type of a value, by the word of a schema.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|number| number.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn may_be(schema: &Map<String, Value>, kind: &str) -> bool {
    types(schema).is_none_or(|types| types.contains(&kind))
}

fn values(schema: &Map<String, Value>) -> Option<Vec<&Value>> {
    let listed = schema.get("enum").and_then(Value::as_array).map(|listed| listed.iter().collect());
    listed.or_else(|| schema.get("const").map(|one| vec![one]))
}

fn names<'a>(schema: &'a Map<String, Value>, key: &str) -> Vec<&'a str> {
    schema.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Each pair with what is told of it where documents are taken, and where they are given.
    #[test]
    fn what_breaks_depends_on_who_makes_the_document() {
        let object = |properties: Value| json!({ "type": "object", "properties": properties });
        for (before, after, taken, given) in [
            (json!({ "title": "a" }), json!({ "title": "b" }), "", ""),
            (object(json!({})), object(json!({ "a": { "type": "string" } })), "", ""),
            (object(json!({ "a": true })), object(json!({})), "", ""),
            (
                json!({ "type": "string" }),
                json!({ "type": ["string", "null"] }),
                "",
                "it may be null now, and was string",
            ),
            (
                json!({ "type": "number" }),
                json!({ "type": "integer" }),
                "it must be integer now, and could be number",
                "",
            ),
            (json!({ "enum": ["a", "b"] }), json!({ "enum": ["b"] }), "\"a\" is not taken any more", ""),
            (json!({ "const": 1 }), json!({ "enum": [1, 2] }), "", "2 may come now"),
            (
                json!({ "enum": ["a", null] }),
                json!({ "type": "string" }),
                "it must be string now, and could be null",
                "other values may come now",
            ),
            (json!({ "enum": [1, 2.0] }), json!({ "type": "integer" }), "", "other values may come now"),
            (
                json!({ "patternProperties": { "^x-": true }, "additionalProperties": false }),
                json!({ "additionalProperties": false }),
                "`patternProperties` is gone",
                "`patternProperties` is gone",
            ),
            (json!({ "maxLength": 5 }), json!({ "maxLength": 3 }), "`maxLength` is 3 now, and was 5", ""),
            (json!({}), json!({ "minimum": 0 }), "`minimum` is 0 now, and was none", ""),
            (json!({ "minItems": 1 }), json!({}), "", "`minItems` is none now, and was 1"),
            (
                json!({ "type": "object" }),
                json!({ "type": "object", "additionalProperties": false }),
                "other properties are not taken any more",
                "",
            ),
            (
                object(json!({ "a": { "items": { "type": "string" } } })),
                object(json!({ "a": { "items": { "type": "number" } } })),
                "/a/items: it must be number now, and could be string",
                "/a/items: it may be number now, and was string",
            ),
            (json!({ "pattern": "a" }), json!({ "pattern": "b" }), "`pattern` is another", "`pattern` is another"),
            (json!({ "anyOf": [true] }), json!({}), "", "`anyOf` is gone"),
            (json!(true), json!(false), "nothing is taken here now", ""),
            (json!({ "$defs": { "a": true } }), json!({ "$defs": { "b": true } }), "", ""),
            (
                json!({ "$ref": "#/$defs/a", "$defs": { "a": true } }),
                json!({ "$ref": "#/$defs/a", "$defs": { "a": false } }),
                "`$defs` is another",
                "`$defs` is another",
            ),
        ] {
            assert_eq!(differences(&before, &after, Use::Taken).join("\n"), taken, "taken: {before} -> {after}");
            assert_eq!(differences(&before, &after, Use::Given).join("\n"), given, "given: {before} -> {after}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_compared_as_a_whole() {
        let nested =
            |depth: usize, innermost: Value| (0..depth).fold(innermost, |schema, _| json!({ "items": schema }));
        for depth in [DEPTH_MAX - 1, DEPTH_MAX, DEPTH_MAX + 1, 2 * DEPTH_MAX] {
            let found = differences(
                &nested(depth, json!(true)),
                &nested(depth, json!({ "items": { "items": {} } })),
                Use::Taken,
            );
            assert!(depth < DEPTH_MAX || found[0].ends_with("nothing is taken here now"), "{depth}: {found:?}");
        }
    }
}
