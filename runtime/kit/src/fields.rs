use model::Pairs;
use serde_json::Value;
use written::yaml::{Entry, Place, Problems, Yaml, YamlKind, suggest};

/// Reads the parts of a case, and gathers every fault instead of stopping at the first.
pub(crate) struct Reader {
    pub(crate) problems: Problems,
}

/// A map whose keys are known.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'y> {
    pub(crate) place: Place,
    entries: &'y [Entry],
}

impl<'y> Fields<'y> {
    pub(crate) fn get(&self, key: &str) -> Option<&'y Yaml> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Where the key stands, else where the map begins.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.entries.iter().find(|entry| entry.key == key).map_or(self.place, |entry| entry.key_place)
    }

    /// Those of the keys that are there.
    pub(crate) fn present<'k>(&self, keys: &[&'k str]) -> Vec<&'k str> {
        keys.iter().copied().filter(|key| self.get(key).is_some()).collect()
    }
}

impl Reader {
    pub(crate) fn add(&mut self, place: Place, message: impl Into<String>, fix: impl Into<String>) {
        self.problems.add(place, message, fix.into());
    }

    /// A map with no keys but these. `what` names it in messages.
    pub(crate) fn fields<'y>(&mut self, yaml: &'y Yaml, what: &str, known: &[&str]) -> Option<Fields<'y>> {
        let YamlKind::Map(entries) = &yaml.kind else {
            let fix = format!("write a map with some of: {}", known.join(", "));
            self.add(yaml.place, format!("{what} is {} instead of a map", yaml.kind_name()), fix);
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let message = format!("{what} has no key `{}`", entry.key);
            self.problems.add(entry.key_place, message, suggest(&entry.key, known));
        }
        Some(Fields { place: yaml.place, entries })
    }

    /// A text; a number is one too, as it is written.
    pub(crate) fn text(&mut self, yaml: &Yaml, what: &str) -> Option<String> {
        match &yaml.kind {
            YamlKind::Scalar(scalar) if !scalar.is_null() => Some(scalar.text.clone()),
            _ => {
                let message = format!("{what} is {} instead of a text", yaml.kind_name());
                self.add(yaml.place, message, "write a text, or leave the key out");
                None
            }
        }
    }

    /// The text under the key, if the key is there.
    pub(crate) fn text_of(&mut self, fields: Fields<'_>, key: &str) -> Option<String> {
        fields.get(key).and_then(|yaml| self.text(yaml, &format!("`{key}`")))
    }

    /// The text under a key that must be there.
    pub(crate) fn required_text(&mut self, fields: Fields<'_>, key: &str, fix: &str) -> Option<String> {
        if fields.get(key).is_none() {
            self.add(fields.place, format!("`{key}` is missing"), fix);
        }
        self.text_of(fields, key)
    }

    /// One of these words.
    pub(crate) fn word<'k>(&mut self, yaml: &Yaml, what: &str, known: &[&'k str]) -> Option<&'k str> {
        let text = self.text(yaml, what)?;
        let found = known.iter().copied().find(|word| *word == text);
        if found.is_none() {
            self.problems.add(yaml.place, format!("`{text}` is not known for {what}"), suggest(&text, known));
        }
        found
    }

    /// A whole number within the bounds.
    pub(crate) fn number(&mut self, yaml: &Yaml, what: &str, from: u64, to: u64) -> Option<u64> {
        let number = yaml.to_json().as_u64().filter(|number| (from..=to).contains(number));
        if number.is_none() {
            self.add(yaml.place, format!("{what} is no number from {from} to {to}"), "write such a number");
        }
        number
    }

    /// Whether it is so.
    pub(crate) fn truth(&mut self, yaml: &Yaml, what: &str) -> Option<bool> {
        let truth = yaml.to_json().as_bool();
        if truth.is_none() {
            self.add(yaml.place, format!("{what} is neither true nor false"), "write `true` or `false`");
        }
        truth
    }

    /// The items of a list.
    pub(crate) fn list<'y>(&mut self, yaml: &'y Yaml, what: &str) -> &'y [Yaml] {
        match &yaml.kind {
            YamlKind::List(items) => items,
            _ => {
                self.add(
                    yaml.place,
                    format!("{what} is {} instead of a list", yaml.kind_name()),
                    "write `- ` before each",
                );
                &[]
            }
        }
    }

    /// The entries of a map with any keys.
    pub(crate) fn entries<'y>(&mut self, yaml: &'y Yaml, what: &str) -> &'y [Entry] {
        match &yaml.kind {
            YamlKind::Map(entries) => entries,
            _ => {
                self.add(
                    yaml.place,
                    format!("{what} is {} instead of a map", yaml.kind_name()),
                    "write `name: value` lines",
                );
                &[]
            }
        }
    }

    /// Names with a text each, or several texts in a list.
    pub(crate) fn pairs(&mut self, yaml: &Yaml, what: &str) -> Pairs {
        let mut pairs = Pairs::new();
        for entry in self.entries(yaml, what) {
            let values = match &entry.value.kind {
                YamlKind::List(items) => items.as_slice(),
                _ => std::slice::from_ref(&entry.value),
            };
            for value in values {
                let text = self.text(value, &format!("`{}`", entry.key));
                pairs.extend(text.map(|text| (entry.key.clone(), text)));
            }
        }
        pairs
    }

    /// The pairs under the key, if the key is there.
    pub(crate) fn pairs_of(&mut self, fields: Fields<'_>, key: &str) -> Pairs {
        fields.get(key).map(|yaml| self.pairs(yaml, &format!("`{key}`"))).unwrap_or_default()
    }

    /// The JSON object under the key, as its text; an empty one if the key is not there.
    pub(crate) fn object_of(&mut self, fields: Fields<'_>, key: &str) -> String {
        let Some(yaml) = fields.get(key) else { return "{}".to_owned() };
        match yaml.to_json() {
            object @ Value::Object(_) => object.to_string(),
            _ => {
                self.add(
                    yaml.place,
                    format!("`{key}` is {} instead of a map", yaml.kind_name()),
                    "write `name: value` lines",
                );
                "{}".to_owned()
            }
        }
    }
}
