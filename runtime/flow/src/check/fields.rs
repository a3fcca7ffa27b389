use std::time::Duration;

use written::yaml::{Entry, Place, Scalar, Yaml, YamlKind, suggest};

use super::Checker;

/// The keys of a map, read one by one. What has not been asked for at the end is unknown.
pub(super) struct Fields<'y> {
    /// What the map is, for messages: `a step`.
    what: &'static str,
    pub(super) place: Place,
    entries: &'y [Entry],
    known: Vec<&'static str>,
}

impl<'y> Fields<'y> {
    /// The value of a key, if it is there.
    pub(super) fn get(&mut self, key: &'static str) -> Option<&'y Yaml> {
        self.known.push(key);
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Whether a key is there, without reading it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == key)
    }
}

impl Checker<'_> {
    /// The map's keys; none, with a problem, if it is none.
    pub(super) fn fields<'y>(&mut self, yaml: &'y Yaml, what: &'static str) -> Option<Fields<'y>> {
        match &yaml.kind {
            YamlKind::Map(entries) => Some(Fields { what, place: yaml.place, entries, known: Vec::new() }),
            _ => self.refuse(yaml.place, format!("{what} is a map, not {}", yaml.kind_name()), None),
        }
    }

    /// Refuses the keys that nobody asked for.
    pub(super) fn finish(&mut self, fields: Fields<'_>) {
        for entry in fields.entries {
            if !fields.known.contains(&entry.key.as_str()) {
                let message = format!("{} has no key `{}`", fields.what, entry.key);
                self.problems.add(entry.key_place, message, suggest(&entry.key, &fields.known));
            }
        }
    }

    /// The value of a key that must be there.
    pub(super) fn required<'y>(&mut self, fields: &mut Fields<'y>, key: &'static str, fix: &str) -> Option<&'y Yaml> {
        let value = fields.get(key);
        if value.is_none() {
            self.problems.add(fields.place, format!("{} needs `{key}`", fields.what), fix.to_owned());
        }
        value
    }

    pub(super) fn scalar<'y>(&mut self, yaml: &'y Yaml, what: &str) -> Option<&'y Scalar> {
        match &yaml.kind {
            YamlKind::Scalar(scalar) if !scalar.is_null() => Some(scalar),
            _ => self.refuse(yaml.place, format!("{what} is a text, not {}", yaml.kind_name()), None),
        }
    }

    pub(super) fn text<'y>(&mut self, yaml: &'y Yaml, what: &str) -> Option<&'y str> {
        self.scalar(yaml, what).map(|scalar| scalar.text.as_str())
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, yaml: &Yaml, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(yaml, what)?;
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Some(*meaning),
            None => {
                let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                self.refuse(yaml.place, format!("{what} cannot be `{text}`"), suggest(text, &known))
            }
        }
    }

    /// A whole number of at least 1.
    pub(super) fn count(&mut self, yaml: &Yaml, what: &str) -> Option<u32> {
        let text = self.text(yaml, what)?;
        match text.parse() {
            Ok(count) if count > 0 => Some(count),
            _ => self.refuse(yaml.place, format!("{what} is a whole number from 1, not `{text}`"), None),
        }
    }

    /// A time longer than none.
    pub(super) fn duration(&mut self, yaml: &Yaml, what: &str) -> Option<Duration> {
        let text = self.text(yaml, what)?;
        match written::duration::parse(text) {
            Some(duration) => Some(duration),
            None => {
                let fix = "write a number and `ms`, `s`, `m`, `h` or `d`, such as `30s`".to_owned();
                self.refuse(yaml.place, format!("{what} is a time, not `{text}`"), Some(fix))
            }
        }
    }

    /// A number of bytes, at least one.
    pub(super) fn bytes(&mut self, yaml: &Yaml, what: &str) -> Option<u64> {
        let text = self.text(yaml, what)?;
        match written::size::parse(text) {
            Some(bytes) => Some(bytes),
            None => {
                let fix = "write a number and `B`, `KiB`, `MiB` or `GiB`, such as `512KiB`".to_owned();
                self.refuse(yaml.place, format!("{what} is a size, not `{text}`"), Some(fix))
            }
        }
    }

    /// One text or a list of texts.
    pub(super) fn texts(&mut self, yaml: &Yaml, what: &str) -> Option<Vec<(String, Place)>> {
        match &yaml.kind {
            YamlKind::List(items) if items.is_empty() => {
                self.refuse(yaml.place, format!("{what} is an empty list"), None)
            }
            YamlKind::List(items) => {
                let texts: Vec<_> =
                    items.iter().map(|item| Some((self.text(item, what)?.to_owned(), item.place))).collect();
                texts.into_iter().collect()
            }
            _ => Some(vec![(self.text(yaml, what)?.to_owned(), yaml.place)]),
        }
    }

    pub(super) fn refuse<T>(&mut self, place: Place, message: String, fix: Option<String>) -> Option<T> {
        self.problems.add(place, message, fix);
        None
    }
}
