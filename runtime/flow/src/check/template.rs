use written::yaml::{Place, Scalar, Yaml, YamlKind};

use super::Checker;
use crate::cel::{Names, scan};
use crate::template::{Part, Template};

impl Checker<'_> {
    /// YAML in whose strings `${…}` is CEL. All of it is read, whatever is at fault.
    pub(super) fn template(&mut self, yaml: &Yaml, names: Names<'_>) -> Option<Template> {
        match &yaml.kind {
            YamlKind::Scalar(scalar) if scalar.text.contains("${") => self.text_template(yaml.place, scalar, names),
            YamlKind::Scalar(scalar) => Some(Template::Literal(scalar.to_json())),
            YamlKind::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.template(item, names)).collect();
                Some(Template::List(items.into_iter().collect::<Option<_>>()?))
            }
            YamlKind::Map(entries) => {
                let fields: Vec<_> =
                    entries.iter().map(|entry| (entry.key.clone(), self.template(&entry.value, names))).collect();
                let fields = fields.into_iter().map(|(name, field)| Some((name, field?)));
                Some(Template::Map(fields.collect::<Option<_>>()?))
            }
        }
    }

    fn text_template(&mut self, place: Place, scalar: &Scalar, names: Names<'_>) -> Option<Template> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = scalar.text.as_str();
        let mut sound = true;
        while let Some(dollar) = rest.find("${") {
            let (before, behind) = (&rest[..dollar], &rest[dollar + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                literal.push_str(before);
                literal.push_str("${");
                rest = behind;
                continue;
            }
            literal.push_str(before);
            let start = scalar.text[..scalar.text.len() - behind.len()].chars().count();
            let Some(length) = scan::closing_brace(behind) else {
                let (place, _) = scalar.place_of(place, start - 2);
                let fix = "add `}`, or write `$${` if you mean the text `${`".to_owned();
                return self.refuse(place, "`${` is not closed".to_owned(), Some(fix));
            };
            let source: String = behind.chars().take(length).collect();
            rest = &behind[source.len() + 1..];
            match self.expression(place, scalar, start, &source, names) {
                Some(expression) => {
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Value(expression));
                }
                None => sound = false,
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        sound.then(|| match parts.as_slice() {
            [Part::Value(expression)] => Template::Value(expression.clone()),
            _ => Template::Text(parts),
        })
    }
}
