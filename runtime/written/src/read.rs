//! Reads TOML against a shape and keeps the place of everything that was written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::nearest::nearest;
use crate::shape::{Key, Shape};
use crate::{duration, size};

/// What is read of a file and of each file it names at most.
const FILE_BYTES_MAX: usize = 256 * 1024;

/// One fault of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}; {fix}")]
pub struct Problem {
    /// Counts from 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// What a file says, as far as it has the right shape.
#[derive(Clone, Debug)]
pub struct Written {
    /// What it says; durations and sizes as their texts. What has the wrong shape is left out.
    pub value: Value,
    text: String,
    places: BTreeMap<Vec<String>, usize>,
    /// The keys and list items in which something has the wrong shape, and everything around them.
    faulty: BTreeSet<Vec<String>>,
}

/// Reads a file. `read_file` gives the text of a file that it names, by the path that is written there.
///
/// # Errors
/// Every fault of its shape, in its order.
pub fn read(text: &str, keys: &[Key], read_file: &dyn Fn(&str) -> Option<String>) -> Result<Written, Vec<Problem>> {
    match read_partly(text, keys, read_file) {
        (Some(written), problems) if problems.is_empty() => Ok(written),
        (_, problems) => Err(problems),
    }
}

/// Reads a file as far as that is possible, for whoever goes on to judge what the rest means, so that its author hears of
/// everything at once. Also gives every fault of its shape, in its order. None: it is no TOML.
pub fn read_partly(
    text: &str,
    keys: &[Key],
    read_file: &dyn Fn(&str) -> Option<String>,
) -> (Option<Written>, Vec<Problem>) {
    let mut reader =
        Reader { text, read_schema: read_file, places: BTreeMap::new(), faulty: BTreeSet::new(), problems: Vec::new() };
    let value = reader.read(keys);
    let Reader { places, faulty, mut problems, .. } = reader;
    problems.sort_by_key(|problem| (problem.line, problem.column));
    (value.map(|value| Written { value, text: text.to_owned(), places, faulty }), problems)
}

impl Written {
    /// Whether all that stands at `path` has the right shape, so that what is missing there was left out on purpose.
    pub fn is_sound(&self, path: &[String]) -> bool {
        !self.faulty.contains(path)
    }

    /// A fault of what stands at `path`, or of the nearest thing around it that was written.
    pub fn problem(&self, path: &[String], message: impl Into<String>, fix: impl Into<String>) -> Problem {
        let offset = (0..=path.len()).rev().find_map(|length| self.places.get(&path[..length])).copied().unwrap_or(0);
        problem_at(&self.text, offset, message, fix)
    }
}

fn problem_at(text: &str, offset: usize, message: impl Into<String>, fix: impl Into<String>) -> Problem {
    let before = text.get(..offset).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Problem {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        message: message.into(),
        fix: fix.into(),
    }
}

struct Reader<'a> {
    text: &'a str,
    read_schema: &'a dyn Fn(&str) -> Option<String>,
    /// The offset of every key and list item by its path.
    places: BTreeMap<Vec<String>, usize>,
    faulty: BTreeSet<Vec<String>>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn read(&mut self, keys: &[Key]) -> Option<Value> {
        if self.text.len() > FILE_BYTES_MAX {
            self.problem(0, "the file is too large", format!("keep it within {FILE_BYTES_MAX} bytes"));
            return None;
        }
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let offset = error.span().map_or(0, |span| span.start);
            self.problem(offset, format!("not TOML: {}", error.message()), "mend the line");
        }
        if !errors.is_empty() {
            return None;
        }
        Some(self.table(table.get_ref(), keys, &mut Vec::new(), 0))
    }

    /// Reads what stands at `path`, and notes whether that brought faults to light.
    fn at<T>(
        &mut self,
        path: &mut Vec<String>,
        offset: usize,
        read: impl FnOnce(&mut Self, &mut Vec<String>) -> T,
    ) -> T {
        self.places.insert(path.clone(), offset);
        let known = self.problems.len();
        let read = read(self, path);
        if self.problems.len() > known {
            self.faulty.insert(path.clone());
        }
        read
    }

    fn problem(&mut self, offset: usize, message: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(problem_at(self.text, offset, message, fix));
    }

    fn table(&mut self, table: &DeTable<'_>, keys: &[Key], path: &mut Vec<String>, offset: usize) -> Value {
        let mut out = Map::new();
        let mut meant = Vec::new();
        for (name, value) in table.iter() {
            let (name, at) = (name.get_ref().as_ref(), name.span().start);
            path.push(name.to_owned());
            let key = keys.iter().find(|key| key.name == name).or_else(|| {
                // What stands under a misspelt key is read as what was meant, unless that is there too.
                let near = self.unknown_key(name, keys, at)?;
                meant.push(near.name);
                *path.last_mut()? = near.name.to_owned();
                (!table.contains_key(near.name)).then_some(near)
            });
            if let Some(key) = key {
                let value = self.at(path, at, |reader, path| reader.value(value, key, path));
                out.extend(value.map(|value| (key.name.to_owned(), value)));
            }
            path.pop();
        }
        // A misspelt key has been told already, and is not missing as well.
        let told = |key: &Key| table.contains_key(key.name) || meant.contains(&key.name);
        for key in keys.iter().filter(|key| key.required && !told(key)) {
            let within = if path.is_empty() { String::new() } else { format!(" in `{}`", path.join(".")) };
            self.problem(offset, format!("`{}` is missing{within}", key.name), format!("add it: {}", lower(key.about)));
        }
        Value::Object(out)
    }

    /// Gives the key that was meant, if one is near enough.
    fn unknown_key<'k>(&mut self, name: &str, keys: &'k [Key], offset: usize) -> Option<&'k Key> {
        let known = keys.iter().map(|key| key.name);
        let meant = nearest(name, known.clone());
        let fix = match meant {
            Some(near) => format!("did you mean `{near}`?"),
            None if keys.is_empty() => "remove it: nothing more is written here".to_owned(),
            None => format!("known here: {}", known.collect::<Vec<_>>().join(", ")),
        };
        self.problem(offset, format!("unknown key `{name}`"), fix);
        keys.iter().find(|key| Some(key.name) == meant)
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, key: &Key, path: &mut Vec<String>) -> Option<Value> {
        let at = value.span().start;
        let (read, expected) = match (&key.shape, value.get_ref()) {
            (Shape::Text(_), DeValue::String(text)) => (Some(json!(text)), ""),
            (Shape::Text(_), _) => (None, "text in quotes"),
            (Shape::Word(words), DeValue::String(word)) => (self.word(word, words, key, at), ""),
            (Shape::Word(_), _) => (None, "a word in quotes"),
            (Shape::Words(words), DeValue::Array(items)) => {
                let read = |item: &Spanned<DeValue<'_>>| {
                    self.word(item.get_ref().as_str().unwrap_or(""), words, key, item.span().start)
                };
                (Some(items.iter().filter_map(read).collect()), "")
            }
            (Shape::Texts(_), DeValue::Array(items)) if items.iter().all(|item| item.get_ref().is_str()) => {
                (Some(items.iter().filter_map(|item| item.get_ref().as_str()).collect()), "")
            }
            (Shape::Words(_) | Shape::Texts(_), _) => (None, "a list of texts, such as `[\"a\", \"b\"]`"),
            (Shape::Count, DeValue::Integer(number)) => {
                (u32::from_str_radix(number.as_str(), number.radix()).ok().map(Value::from), "a whole number from 1")
            }
            (Shape::Count, _) => (None, "a whole number from 1"),
            (Shape::Duration, DeValue::String(text)) => {
                (duration::parse(text).map(|_| json!(text)), "a length of time, such as `90s` or `24h`")
            }
            (Shape::Duration, _) => (None, "a length of time, such as `90s` or `24h`"),
            (Shape::SchemaFile, DeValue::String(file)) => return self.schema(file, key, at),
            (Shape::SchemaFile, _) => (None, "the path of a file under `schemas/`"),
            (Shape::Truth, DeValue::Boolean(truth)) => (Some(json!(truth)), ""),
            (Shape::Truth, _) => (None, "`true` or `false`"),
            (Shape::Size, DeValue::String(text)) => {
                (size::parse(text).map(|_| json!(text)), "a number of bytes, such as `64KiB` or `8MiB`")
            }
            (Shape::Size, _) => (None, "a number of bytes, such as `64KiB` or `8MiB`"),
            (Shape::ByWord(word, cases), DeValue::Table(table)) => {
                return self.table_by_word(table, word, cases, path, at);
            }
            (Shape::OneKey(keys), DeValue::Table(table)) => return self.one_key(table, keys, path, at),
            (Shape::Any, any) => (Some(plain(any)), ""),
            (Shape::Table(keys), DeValue::Table(table)) => (Some(self.table(table, keys, path, at)), ""),
            (Shape::Tables(keys), DeValue::Array(items)) => return self.tables(items.iter(), keys, key, path),
            (Shape::Tables(_), _) => (None, "a list of tables"),
            (Shape::Named(_) | Shape::NamedByWord(..), DeValue::Table(table)) => {
                return Some(self.named(table, key, path));
            }
            (Shape::Table(_) | Shape::OneKey(_) | Shape::ByWord(..) | Shape::Named(_) | Shape::NamedByWord(..), _) => {
                (None, "a table")
            }
        };
        if read.is_none() && !expected.is_empty() {
            self.problem(at, format!("`{}` is not {expected}", path.join(".")), format!("write {}", lower(key.about)));
        }
        read
    }

    fn word(&mut self, word: &str, words: &[&str], key: &Key, at: usize) -> Option<Value> {
        if words.contains(&word) {
            return Some(json!(word));
        }
        let fix = match nearest(word, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are: {}", words.join(", ")),
        };
        self.problem(at, format!("`{word}` is not known for `{}`", key.name), fix);
        None
    }

    fn schema(&mut self, file: &str, key: &Key, at: usize) -> Option<Value> {
        let inside = file.starts_with("schemas/") && !file.split(['/', '\\']).any(|part| part == "..");
        let (message, fix) = match (self.read_schema)(file).filter(|_| inside) {
            _ if !inside => (
                format!("`{file}` does not lie under `schemas/`"),
                "write its path from here, such as `schemas/input.json`".to_owned(),
            ),
            None => (format!("`{file}` cannot be read"), format!("create it: {}", lower(key.about))),
            Some(text) if text.len() > FILE_BYTES_MAX => {
                (format!("`{file}` is too large"), format!("keep it within {FILE_BYTES_MAX} bytes"))
            }
            Some(text) => match serde_json::from_str::<Value>(&text) {
                Ok(schema) if schema.is_object() || schema.is_boolean() => return Some(schema),
                Ok(_) => (format!("`{file}` is not a JSON Schema"), "let it hold a JSON object".to_owned()),
                Err(error) => (format!("`{file}` is not JSON: {error}"), "mend that file".to_owned()),
            },
        };
        self.problem(at, message, fix);
        None
    }

    fn one_key(&mut self, table: &DeTable<'_>, keys: &[Key], path: &mut Vec<String>, at: usize) -> Option<Value> {
        if table.len() == 1 {
            return Some(self.table(table, keys, path, at));
        }
        let known: Vec<&str> = keys.iter().map(|key| key.name).collect();
        let message = format!("`{}` has {} keys instead of one", path.join("."), table.len());
        self.problem(at, message, format!("write exactly one of: {}", known.join(", ")));
        None
    }

    fn tables<'v, 'i: 'v>(
        &mut self,
        items: impl Iterator<Item = &'v Spanned<DeValue<'i>>>,
        keys: &[Key],
        key: &Key,
        path: &mut Vec<String>,
    ) -> Option<Value> {
        let mut out = Vec::new();
        for (index, item) in items.enumerate() {
            let at = item.span().start;
            path.push(index.to_string());
            self.at(path, at, |reader, path| match item.get_ref() {
                DeValue::Table(table) => out.push(reader.table(table, keys, path, at)),
                _ => reader.no_table(path, key, at),
            });
            path.pop();
        }
        Some(Value::Array(out))
    }

    fn no_table(&mut self, path: &[String], key: &Key, at: usize) {
        self.problem(at, format!("`{}` is not a table", path.join(".")), format!("write {}", lower(key.about)));
    }

    fn named(&mut self, table: &DeTable<'_>, key: &Key, path: &mut Vec<String>) -> Value {
        let mut out = Map::new();
        for (name, value) in table.iter() {
            let at = name.span().start;
            path.push(name.get_ref().to_string());
            let read = self.at(path, at, |reader, path| match (&key.shape, value.get_ref()) {
                (Shape::Named(keys), DeValue::Table(table)) => Some(reader.table(table, keys, path, at)),
                (Shape::NamedByWord(word, cases), DeValue::Table(table)) => {
                    reader.table_by_word(table, word, cases, path, at)
                }
                _ => {
                    reader.no_table(path, key, at);
                    None
                }
            });
            out.extend(read.map(|value| (name.get_ref().to_string(), value)));
            path.pop();
        }
        Value::Object(out)
    }

    fn table_by_word(
        &mut self,
        table: &DeTable<'_>,
        word: &str,
        cases: &[(&str, &[Key])],
        path: &mut Vec<String>,
        at: usize,
    ) -> Option<Value> {
        let words: Vec<&str> = cases.iter().map(|(name, _)| *name).collect();
        let Some(chosen) = table.get(word) else {
            self.problem(
                at,
                format!("`{word}` is missing in `{}`", path.join(".")),
                format!("add one of: {}", words.join(", ")),
            );
            return None;
        };
        let name = chosen.get_ref().as_str().unwrap_or("");
        let Some((_, keys)) = cases.iter().find(|(case, _)| *case == name) else {
            let fix = nearest(name, words.iter().copied())
                .map_or_else(|| format!("known are: {}", words.join(", ")), |near| format!("did you mean `{near}`?"));
            self.problem(chosen.span().start, format!("`{name}` is not known for `{word}`"), fix);
            return None;
        };
        let mut rest = table.clone();
        rest.remove(word);
        let mut value = self.table(&rest, keys, path, at);
        value[word] = json!(name);
        Some(value)
    }
}

/// A TOML value as JSON; a date becomes its text.
fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Null, Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(truth) => json!(truth),
        DeValue::Datetime(time) => json!(time.to_string()),
        DeValue::Array(items) => items.iter().map(|item| plain(item.get_ref())).collect(),
        DeValue::Table(table) => Value::Object(
            table.iter().map(|(key, value)| (key.get_ref().to_string(), plain(value.get_ref()))).collect(),
        ),
    }
}

/// For a text that goes on after a colon; an abbreviation stays as it is.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}
