//! Inputs that nobody means to send.

use model::Document;
use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// Items of a list: of more, a mapper that makes a document of each would give more documents than the host takes.
const ITEMS_MAX: usize = 9_000;

/// Stands in a value for what no JSON value of ours can hold.
const PLACES: [(&str, &str); 7] = [
    ("\"\u{f8ff}huge\"", "1e400"),
    ("\"\u{f8ff}tiny\"", "-1E-400"),
    ("\"\u{f8ff}long\"", "123456789012345678901234567890123456789012345678901234567890"),
    ("\"\u{f8ff}exact\"", "0.1000000000000000055511151231257827021181583404541015625"),
    ("\"\u{f8ff}half\"", "\"\\ud800\""),
    ("\"\u{f8ff}twice\"", "{\"id\":1,\"id\":2}"),
    ("\"\u{f8ff}zero\"", "-0"),
];

/// Texts that are not what they seem.
const TEXTS: [&str; 14] = [
    "",
    " ",
    "\0",
    "\u{feff}",
    "\u{202e}\u{200b}",
    "ı İ ß ﬁ Ǆ",
    "👩‍👩‍👧‍👦",
    "e\u{301}\u{301}\u{301}",
    "\r\n\r\nX: y",
    "{{token}}",
    "../../../etc/passwd",
    "'; DROP TABLE contacts; --",
    "<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///\">]>",
    "__proto__",
];

const CONTENT_TYPES: [&str; 10] = [
    "",
    "text/plain",
    "text/csv",
    "application/xml",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "application/json; charset=utf-16",
    "application/vnd.conformance+json",
    "multipart/form-data; boundary=x",
    "not a type",
];

/// So many inputs: those that every campaign has, and others made of the sample. One after the other: together they would
/// fill the memory.
pub(crate) fn inputs(sample: &Document, seed: u64, count: u32) -> impl Iterator<Item = Document> + use<> {
    let mut chance = Chance::new(seed);
    let value: Value = serde_json::from_slice(&sample.data).unwrap_or(Value::Null);
    let sample = sample.clone();
    let fixed = fixed(&sample).into_iter();
    fixed.chain(std::iter::repeat_with(move || mutant(&value, &sample, &mut chance))).take(count as usize)
}

/// What is no JSON, or hardly, or not what anybody means.
#[rustfmt::skip]
const INPUTS: [&str; 30] = [
    "", " ", "null", "true", "0", "\"\"", "[]", "{}", "[{}]", "{", "[", "\"", "{\"\":{}}", "nul", "1e400", "-1e400",
    "-", "\"\\ud800\"", "\"\\u0000\"", "{\"id\":1,\"id\":2}", "[1,]", "{}{}", "// x\n{}", "a,b\n1,2\n",
    "a,b\n1\n\"2", "<a><b/></a>", "a=b&c=d&c", "\u{feff}{}", "NaN", "Infinity",
];

/// The corpus.
fn fixed(sample: &Document) -> Vec<Document> {
    let text = String::from_utf8_lossy(&sample.data).into_owned();
    let mut bytes: Vec<Vec<u8>> = INPUTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    bytes.extend([
        b"\xff\xfe\x00".to_vec(),
        b"{\"a\":\"\xc3\x28\"}".to_vec(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        format!("\u{feff}{text}").into_bytes(),
        text.as_bytes()[..text.len() / 2].to_vec(),
        text.as_bytes()[..text.len().saturating_sub(1)].to_vec(),
        format!("{text}\0").into_bytes(),
        format!("{}{}", "[".repeat(100), "]".repeat(100)).into_bytes(),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes(),
        "{\"a\":".repeat(50_000).into_bytes(),
        format!("[{}0]", "0,".repeat(ITEMS_MAX - 1)).into_bytes(),
        format!("\"{}\"", "a".repeat(100_000)).into_bytes(),
        "1".repeat(10_000).into_bytes(),
        format!("{{\"{}\":1}}", "k".repeat(20_000)).into_bytes(),
    ]);
    let mut inputs: Vec<_> = bytes.into_iter().map(Document::json).collect();
    inputs.extend(CONTENT_TYPES.iter().map(|content_type| Document {
        content_type: (*content_type).to_owned(),
        data: sample.data.clone(),
        metadata: Vec::new(),
    }));
    for (content_type, text) in [
        ("text/csv", "a,b\n1,2\n"),
        ("application/xml", "<a b=\"c\">d</a>"),
        ("application/x-www-form-urlencoded", "a=b&c=d"),
        ("text/plain; charset=iso-8859-1", "caf\u{e9}"),
        ("application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n"),
    ] {
        inputs.push(Document { content_type: content_type.to_owned(), ..Document::json(text) });
    }
    inputs.push(Document { metadata: vec![("a".repeat(1000), "\u{202e}".to_owned()); 50], ..sample.clone() });
    inputs
}

/// The sample with something wrong: mostly in its values, sometimes in its bytes or its type.
fn mutant(value: &Value, sample: &Document, chance: &mut Chance) -> Document {
    let mut value = value.clone();
    for _ in 0..=chance.below(3) {
        mutate(&mut value, chance);
    }
    let mut text = value.to_string();
    for (place, written) in PLACES {
        text = text.replace(place, written);
    }
    let mut data = text.into_bytes();
    if chance.below(4) == 0 {
        damage(&mut data, chance);
    }
    let content_type = match chance.below(16) {
        0 => (*chance.of(&CONTENT_TYPES)).to_owned(),
        _ => sample.content_type.clone(),
    };
    Document { content_type, data: data.into(), metadata: Vec::new() }
}

fn mutate(value: &mut Value, chance: &mut Chance) {
    match value {
        // Deeper, mostly: what lies at the top is soon gone.
        Value::Object(fields) if !fields.is_empty() && chance.below(5) > 0 => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let name = chance.of(&names);
            match chance.below(8) {
                0 => drop(fields.shift_remove(name)),
                1 => drop(fields.insert((*chance.of(&TEXTS)).to_owned(), strange(chance))),
                _ => mutate(&mut fields[name.as_str()], chance),
            }
        }
        Value::Array(items) if !items.is_empty() && chance.below(5) > 0 => {
            let at = chance.below(items.len());
            match chance.below(6) {
                0 => drop(items.remove(at)),
                1 => {
                    // Many, but not so many that size alone would be the fault.
                    let most = (100_000 / (items[at].to_string().len() + 1)).min(500);
                    items.extend(std::iter::repeat_n(items[at].clone(), chance.below(most)));
                }
                _ => mutate(&mut items[at], chance),
            }
        }
        other => *other = strange(chance),
    }
}

/// Something of another type, or beyond what its type mostly holds.
fn strange(chance: &mut Chance) -> Value {
    match chance.below(12) {
        0 => Value::Null,
        1 => json!(chance.below(2) == 0),
        2 => json!([]),
        3 => Value::Object(Map::new()),
        4 => json!(*chance.of(&[0_i64, -1, i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1])),
        5 => json!(*chance.of(&[0.1_f64, -0.0, 1e308, 5e-324, 1.5, 1e21])),
        6 => "x".repeat(1 << chance.below(15)).into(),
        7 => nested(1 + chance.below(200)),
        8 | 9 => chance.of(&PLACES).0.trim_matches('"').into(),
        _ => (*chance.of(&TEXTS)).into(),
    }
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Null, |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) })
}

fn damage(data: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(data.len());
    match chance.below(4) {
        0 => data.truncate(at),
        1 if !data.is_empty() => data[at] ^= 1 << chance.below(8),
        2 => data.insert(at, *chance.of(&[0, 0xff, 0xc3, b'"', b'{', b'\\', b'\n'])),
        _ => drop(data.drain(..at)),
    }
}

/// Answers that no destination should give.
pub(crate) fn bodies(good: &[u8], seed: u64, count: u32) -> impl Iterator<Item = Document> + use<> {
    inputs(&Document::json(good.to_vec()), seed ^ 0x5eed, count)
}

/// The sample with so many bytes in it: of a text, or of many items.
pub(crate) fn large(sample: &Document, bytes: usize) -> Document {
    Document::json(enlarged(serde_json::from_slice(&sample.data).unwrap_or_default(), bytes).to_string())
}

fn enlarged(value: Value, bytes: usize) -> Value {
    match value {
        Value::Object(mut fields) => {
            // In place of a text, or beside everything else.
            let name = fields.iter().find(|(_, value)| value.is_string()).map(|(name, _)| name.clone());
            fields.insert(name.unwrap_or_else(|| "conformance".to_owned()), long(bytes));
            Value::Object(fields)
        }
        Value::Array(items) if !items.is_empty() => {
            let one = items[0].to_string().len() + 1;
            let count = (bytes / one).clamp(1, ITEMS_MAX - 1);
            let mut many: Vec<_> = items.iter().cycle().take(count).cloned().collect();
            // So many small ones are not so many bytes.
            many.extend((count * one < bytes / 2).then(|| enlarged(items[0].clone(), bytes - count * one)));
            many.into()
        }
        _ => long(bytes),
    }
}

fn long(bytes: usize) -> Value {
    "Weir ".repeat(bytes / 5).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_list_has_more_items_than_a_mapper_may_give_documents() {
        let documents_max = host::Limits::default().documents as usize;
        for sample in [r#"{"id":1}"#, r#"[{"id":1}]"#, "[1]", "null"] {
            let sample = Document::json(sample);
            let large = large(&sample, 1 << 20);
            assert!(large.data.len() >= 1 << 20, "{} bytes", large.data.len());
            for input in inputs(&sample, 7, 256).chain([large]) {
                let items = match serde_json::from_slice(&input.data) {
                    Ok(Value::Array(items)) => items.len(),
                    _ => 0,
                };
                assert!(items < documents_max, "{items} items");
            }
        }
    }

    #[test]
    fn a_campaign_follows_from_its_seed_and_has_all_kinds_of_inputs() {
        let sample = Document::json(r#"{"email":"ada@example.com","items":[{"n":1}]}"#);
        let inputs = |seed| super::inputs(&sample, seed, 2000).collect::<Vec<_>>();
        assert_eq!(inputs(7), inputs(7));
        assert_ne!(inputs(7), inputs(8));
        let all = inputs(7);
        let has = |is: &dyn Fn(&Document) -> bool| all.iter().any(is);
        assert!(has(&|input| std::str::from_utf8(&input.data).is_err()), "what is no UTF-8");
        assert!(has(&|input| input.data.is_empty()), "nothing");
        assert!(has(&|input| input.content_type == "text/csv"), "another type");
        for part in ["1e400", "\\ud800", "[[[[[", "1234567890123456789012345", "\u{202e}"] {
            assert!(has(&|input| String::from_utf8_lossy(&input.data).contains(part)), "{part}");
        }
        let distinct: std::collections::HashSet<_> = all.iter().map(|input| &input.data).collect();
        assert!(distinct.len() > 1000, "{} of 2000 differ", distinct.len());
    }
}
