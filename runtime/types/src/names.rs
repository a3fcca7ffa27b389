//! Names of records, and words that a language can take as names.

use std::collections::BTreeSet;

use crate::model::{Field, Model, Record, Type};

/// A record, and what it would be called by the key that it stands under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unnamed {
    pub(crate) hint: String,
    pub(crate) about: Option<String>,
    pub(crate) fields: Vec<Field>,
}

/// Names of types that one of the languages or SDKs has itself.
const TAKEN: &[&str] = &[
    "Any",
    "Array",
    "BTreeMap",
    "Box",
    "Date",
    "Decimal",
    "Deserialize",
    "Document",
    "Err",
    "Error",
    "False",
    "Fault",
    "Field",
    "Infer",
    "Infinity",
    "Json",
    "Literal",
    "Map",
    "NaN",
    "None",
    "Null",
    "Num",
    "Number",
    "Object",
    "Ok",
    "Option",
    "Promise",
    "RegExp",
    "Result",
    "Self",
    "Serialize",
    "Set",
    "Shape",
    "Some",
    "String",
    "Symbol",
    "True",
    "Value",
    "Vec",
];

/// Gives every record a name of its own, the outermost first.
pub(crate) fn assign(name: &str, root: Type, unnamed: Vec<Unnamed>) -> Model {
    let name = free(&pascal(name), None, &BTreeSet::new());
    let mut taken = BTreeSet::new();
    let mut names: Vec<Option<String>> = vec![None; unnamed.len()];
    // The root's own name belongs to the document, whether it is an object or a list of them.
    taken.insert(name.clone());
    let mut waiting = Vec::new();
    match root {
        Type::Record(record) => {
            names[record] = Some(name.clone());
            waiting.push(record);
        }
        _ => root.each_record(&mut |record| waiting.push(record)),
    }
    let mut at = 0;
    while let Some(&record) = waiting.get(at) {
        at += 1;
        if names[record].is_none() {
            names[record] = Some(take(&unnamed[record].hint, None, &mut taken));
        }
        let outer = names[record].clone();
        for field in &unnamed[record].fields {
            field.kind.each_record(&mut |inner| {
                if names[inner].is_none() {
                    names[inner] = Some(take(&unnamed[inner].hint, outer.as_deref(), &mut taken));
                    waiting.push(inner);
                }
            });
        }
    }
    let records = unnamed.into_iter().zip(names).map(|(Unnamed { hint, about, fields }, name)| {
        // Nothing leads to a record that was merged into another: it keeps its hint, and is not written.
        Record { name: name.unwrap_or(hint), about, fields }
    });
    Model { name, root, records: records.collect() }
}

fn take(hint: &str, outer: Option<&str>, taken: &mut BTreeSet<String>) -> String {
    let name = free(&pascal(hint), outer, taken);
    taken.insert(name.clone());
    name
}

/// The name, or that of the outer record before it, or with a number behind it.
fn free(name: &str, outer: Option<&str>, taken: &BTreeSet<String>) -> String {
    let name = if TAKEN.contains(&name) { format!("{name}Item") } else { name.to_owned() };
    if !taken.contains(&name) {
        return name;
    }
    let longer = format!("{}{name}", outer.unwrap_or_default());
    let numbered = (2..).map(|number: u32| format!("{longer}{number}"));
    std::iter::once(longer.clone()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or(longer)
}

/// The words of a text: `first-name`, `firstName` and `first_name` are the same two.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for char in text.chars() {
        // What is no letter of ASCII parts words: not every language takes others.
        if char.is_ascii_alphanumeric() {
            let is_new = !before.is_ascii_alphanumeric() || (char.is_ascii_uppercase() && before.is_ascii_lowercase());
            match words.last_mut() {
                Some(word) if !is_new => word.push(char.to_ascii_lowercase()),
                _ => words.push(char.to_ascii_lowercase().to_string()),
            }
        }
        before = char;
    }
    words
}

/// `PullRequest`, for types.
pub(crate) fn pascal(text: &str) -> String {
    not_a_digit("N", words(text).iter().map(|word| capital(word)).collect())
}

/// `HTMLURL`, for fields in Go.
pub(crate) fn exported(text: &str) -> String {
    let word =
        |word: &String| if INITIALS.contains(&word.as_str()) { word.to_ascii_uppercase() } else { capital(word) };
    not_a_digit("N", words(text).iter().map(word).collect())
}

fn capital(word: &str) -> String {
    word[..1].to_ascii_uppercase() + &word[1..]
}

/// No name begins with a digit or is empty.
fn not_a_digit(letter: &str, name: String) -> String {
    match name.chars().next() {
        None => format!("{letter}othing"),
        Some(first) if first.is_ascii_digit() => letter.to_owned() + &name,
        Some(_) => name,
    }
}

/// Words that Go writes in capitals.
const INITIALS: &[&str] =
    &["api", "css", "html", "http", "https", "id", "ip", "json", "sha", "sql", "ssh", "uri", "url", "uuid", "xml"];

/// `pull_request`, for fields in Rust and Python.
pub(crate) fn snake(text: &str) -> String {
    not_a_digit("n", words(text).join("_"))
}

/// What one of several is called: `labels` holds a `label`.
pub(crate) fn singular(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if let Some(stem) = lower.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{}y", &text[..stem.len()]);
    }
    let is_plural = lower.ends_with('s') && !["ss", "us", "is"].iter().any(|end| lower.ends_with(end));
    if is_plural && text.len() > 2 { text[..text.len() - 1].to_owned() } else { format!("{text} item") }
}

/// Names for the fields of a record, made by `name` and all different, none of them reserved.
pub(crate) fn of_fields(record: &Record, name: fn(&str) -> String, reserved: &[&str]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for field in &record.fields {
        let mut candidate = name(&field.key);
        if reserved.contains(&candidate.as_str()) {
            candidate.push('_');
        }
        let numbered = (2..).map(|number: u32| format!("{candidate}{number}"));
        let free = std::iter::once(candidate.clone()).chain(numbered).find(|name| !taken.contains(name));
        let free = free.unwrap_or(candidate);
        taken.insert(free.clone());
        names.push(free);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_becomes_a_name() {
        let names = ["first-name", "firstName", "HTTPStatus", "_links", "+1", "2fa", "größe", "", "日本"];
        let found: Vec<_> = names.iter().map(|name| (snake(name), pascal(name))).collect();
        let expected = [
            ("first_name", "FirstName"),
            ("first_name", "FirstName"),
            ("httpstatus", "Httpstatus"),
            ("links", "Links"),
            ("n1", "N1"),
            ("n2fa", "N2fa"),
            ("gr_e", "GrE"),
            ("nothing", "Nothing"),
            ("nothing", "Nothing"),
        ];
        assert_eq!(found, expected.map(|(snake, pascal)| (snake.to_owned(), pascal.to_owned())));
    }

    #[test]
    fn one_of_several_has_a_name() {
        let found = ["labels", "repositories", "address", "status", "s", "data"].map(singular);
        assert_eq!(found, ["label", "repository", "address item", "status item", "s item", "data item"]);
    }
}
