use egress::SentResponse;
use kit::Reply;
use manifest::Action;
use serde_json::{Map, Value, json};

use crate::destination::{json as reply, status};
use crate::samples;

/// Names under which APIs give what was found or listed.
const LISTS: [&str; 10] =
    ["results", "items", "values", "records", "entries", "elements", "rows", "list", "hits", "objects"];

/// Names under which APIs say where the next page begins.
const CURSORS: [&str; 9] = [
    "next",
    "cursor",
    "next_cursor",
    "nextCursor",
    "next_page_token",
    "nextPageToken",
    "after",
    "after_cursor",
    "offset",
];

/// The name under which APIs say that there is a next page.
const HAS_MORE: &str = "has_more";

/// The cursor that a page of [`page`] gives.
pub(crate) const CURSOR: &str = "conformance-page-2";

/// What a destination might answer to the action when all is well, the likeliest first. What it really answers is known to
/// the plugin alone, so that one of them may do and none need.
pub(crate) fn plausible(name: &str, action: &Action) -> Vec<Reply> {
    let output = action.output.as_ref().and_then(samples::sample).unwrap_or(Value::Null);
    let nouns = nouns(name);
    let thing = thing(&output, &nouns, action.sample.as_ref());
    let whole = everything(&output, &thing, &nouns);
    let with_data = |data: Value| {
        let mut whole = whole.clone();
        whole.insert("data".to_owned(), data);
        reply(&whole.into())
    };
    vec![
        with_data(json!([thing])),
        with_data(thing.clone()),
        reply(&output),
        reply(&json!([thing])),
        reply(&json!({})),
        status(204),
    ]
}

/// A page of a listing, if there is one: with a cursor under the names by which APIs give it.
pub(crate) fn page(name: &str, action: &Action) -> Reply {
    let output = action.output.as_ref().and_then(samples::sample).unwrap_or(Value::Null);
    let nouns = nouns(name);
    let thing = thing(&output, &nouns, action.sample.as_ref());
    let mut whole = everything(&output, &thing, &nouns);
    let mut more = Map::new();
    for name in CURSORS {
        whole.insert(name.to_owned(), CURSOR.into());
        more.insert(name.to_owned(), CURSOR.into());
    }
    more.insert(HAS_MORE.to_owned(), true.into());
    for name in ["meta", "response_metadata", "pagination", "page_info", "pageInfo"] {
        whole.insert(name.to_owned(), more.clone().into());
    }
    whole.insert("paging".to_owned(), json!({ "next": { "after": CURSOR } }));
    whole.insert(HAS_MORE.to_owned(), true.into());
    reply(&whole.into())
}

/// The same answer as the last page of a listing: what is made of the schema of an output may hold a cursor.
pub(crate) fn last_page(answer: &Reply) -> Reply {
    let Reply::Answer(sent) = answer else { return answer.clone() };
    let Ok(mut value) = serde_json::from_slice::<Value>(&sent.body) else { return answer.clone() };
    without_cursor(&mut value);
    Reply::Answer(SentResponse { body: value.to_string().into(), ..sent.clone() })
}

fn without_cursor(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !CURSORS.contains(&name.as_str()) && name != HAS_MORE);
            fields.values_mut().for_each(without_cursor);
        }
        Value::Array(items) => items.iter_mut().for_each(without_cursor),
        _ => {}
    }
}

/// What the action's name is about: `ticket` and `tickets` of `list-tickets`.
fn nouns(action: &str) -> Vec<String> {
    let words: Vec<&str> = action.split('-').skip(1).filter(|word| !word.is_empty()).collect();
    let mut nouns = Vec::new();
    for from in 0..words.len() {
        let camel = words[from..].iter().enumerate().map(|(index, word)| match index {
            0 => (*word).to_owned(),
            _ => word[..1].to_uppercase() + &word[1..],
        });
        for noun in [words[from..].join("_"), camel.collect()] {
            let single = noun.strip_suffix('s').unwrap_or(&noun).to_owned();
            if !single.is_empty() && !nouns.contains(&single) {
                nouns.push(single);
            }
        }
    }
    nouns
}

/// What is found, created or listed: with the values of the sample's input where it has such fields.
fn thing(output: &Value, nouns: &[String], input: Option<&Value>) -> Value {
    let found = match output {
        Value::Array(items) => items.first().cloned(),
        Value::Object(fields) => nouns.iter().find_map(|noun| fields.get(noun)).filter(|v| v.is_object()).cloned(),
        _ => None,
    };
    let mut thing = match found.or_else(|| Some(output.clone())) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    for (name, value) in input.and_then(Value::as_object).into_iter().flatten() {
        let is_alike = |known: &Value| std::mem::discriminant(known) == std::mem::discriminant(value);
        if thing.get(name).is_none_or(is_alike) {
            thing.insert(name.clone(), value.clone());
        }
    }
    thing.entry("id").or_insert_with(|| "1".into());
    thing.into()
}

/// Everything under every name at once.
fn everything(output: &Value, thing: &Value, nouns: &[String]) -> Map<String, Value> {
    let mut whole = Map::from_iter([("ok".to_owned(), true.into()), ("success".to_owned(), true.into())]);
    for fields in [thing, output].into_iter().filter_map(Value::as_object) {
        whole.extend(fields.clone());
    }
    for name in LISTS {
        whole.insert(name.to_owned(), json!([thing]));
    }
    for noun in nouns {
        whole.entry(noun.clone()).or_insert_with(|| thing.clone());
        whole.insert(format!("{noun}s"), json!([thing]));
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_about_its_nouns() {
        assert_eq!(nouns("list-tickets"), ["ticket"]);
        assert_eq!(nouns("create-sales-order"), ["sales_order", "salesOrder", "order"]);
        assert_eq!(nouns("send"), [""; 0]);
        assert_eq!(nouns("list-tickets-"), ["ticket"]);
        assert_eq!(nouns("list--tickets"), ["ticket"]);
    }

    #[test]
    fn the_last_page_gives_no_cursor_at_any_level() {
        let full =
            json!({ "items": [{ "id": "1", "next": "/2" }], "next_cursor": "2", "meta": { "has_more": true, "n": 1 } });
        let Reply::Answer(last) = last_page(&reply(&full)) else { panic!("no answer") };
        let last: Value = serde_json::from_slice(&last.body).expect("JSON");
        assert_eq!(last, json!({ "items": [{ "id": "1" }], "meta": { "n": 1 } }));
    }
}
