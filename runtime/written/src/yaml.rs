//! YAML that people write, as a tree of which every node knows its place. Neither anchors nor tags are allowed.

mod problem;

pub use problem::{Place, Problem, Problems, list, suggest};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput};

/// How deep lists and maps may lie in each other.
const DEPTH_MAX: usize = 32;
/// Bytes of a line in which places are looked for: each scalar costs a look at its line.
const LINE_BYTES_MAX: usize = 4096;

/// A node of a YAML text with its place. What was written, not what it means.
#[derive(Debug)]
pub struct Yaml {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub kind: YamlKind,
}

/// What a node is.
#[derive(Debug)]
pub enum YamlKind {
    /// A text, or what reads as a number, a truth or nothing.
    Scalar(Scalar),
    /// A list.
    List(Vec<Yaml>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where it stands.
    pub key_place: Place,
    /// What stands behind it.
    pub value: Yaml,
}

/// What is neither list nor map.
#[derive(Debug)]
pub struct Scalar {
    /// What it says, without quotes.
    pub text: String,
    /// Not quoted and no block.
    pub plain: bool,
    /// Characters before the first one of the text, if the text lies in the file as it is.
    offset: Option<usize>,
}

impl Yaml {
    /// What it is, for messages.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            YamlKind::Scalar(scalar) if scalar.is_null() => "nothing",
            YamlKind::Scalar(_) => "a text",
            YamlKind::List(_) => "a list",
            YamlKind::Map(_) => "a map",
        }
    }

    /// As JSON. A plain scalar that reads as JSON is that; any other is a text, so that `007` keeps its zeros.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            YamlKind::Scalar(scalar) => scalar.to_json(),
            YamlKind::List(items) => items.iter().map(Self::to_json).collect(),
            YamlKind::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect(),
        }
    }
}

impl Scalar {
    /// Whether nothing is written.
    pub fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null")
    }

    /// As JSON: see [`Yaml::to_json`].
    pub fn to_json(&self) -> serde_json::Value {
        if self.is_null() {
            return serde_json::Value::Null;
        }
        let json = self.plain.then(|| serde_json::from_str(&self.text).ok()).flatten();
        json.unwrap_or_else(|| self.text.as_str().into())
    }

    /// Where the character with this index stands, and whether that is exact: in a folded or escaped text only the
    /// beginning is known.
    pub fn place_of(&self, place: Place, index: usize) -> (Place, bool) {
        match self.offset {
            Some(offset) => (Place { column: place.column + offset + index, ..place }, true),
            None => (place, false),
        }
    }
}

/// What a kind of file holds, for messages.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// `one flow`.
    pub noun: &'static str,
    /// What to do about an empty one.
    pub begin: &'static str,
}

/// Reads one YAML document. None if there is no tree, for which a problem has been added.
pub fn parse(text: &str, kind: Kind, problems: &mut Problems) -> Option<Yaml> {
    let mut reader = Reader { parser: Parser::new_from_str(text), lines: text.lines().collect(), problems };
    // The start of the stream and of the document.
    reader.next()?;
    let (event, span) = reader.next()?;
    if event == Event::StreamEnd {
        return reader.refuse(span, "the file is empty", kind.begin);
    }
    let (event, span) = reader.next()?;
    let tree = reader.node(event, span, 0)?;
    reader.next()?;
    match reader.next()? {
        (Event::StreamEnd, _) => Some(tree),
        (_, span) => {
            let message = format!("a file holds {}", kind.noun);
            reader.refuse(span, &message, "put what follows `---` into a file of its own")
        }
    }
}

struct Reader<'t, 'p> {
    parser: Parser<'t, StrInput<'t>>,
    lines: Vec<&'t str>,
    problems: &'p mut Problems,
}

impl<'t> Reader<'t, '_> {
    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        match self.parser.next_event()? {
            Ok(next) => Some(next),
            Err(fault) => {
                let place = Place { line: fault.marker().line(), column: fault.marker().col() + 1 };
                // The parser's word for what mostly is a text such as `{ a: b: c }` or `note: see: there`.
                let quotes = fault.info().contains("mapping");
                let fix = quotes.then(|| "a text with `: ` or `{` in it must stand in quotes".to_owned());
                self.problems.add(place, format!("this is not YAML: {}", fault.info()), fix);
                None
            }
        }
    }

    fn refuse<T>(&mut self, span: Span, message: &str, fix: &str) -> Option<T> {
        self.problems.add(place(span), message, fix.to_owned());
        None
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Option<Yaml> {
        if depth > DEPTH_MAX {
            let message = format!("lists and maps lie more than {DEPTH_MAX} deep");
            return self.refuse(span, &message, "make it flatter");
        }
        let (anchor, tag) = match &event {
            Event::Alias(_) => (true, false),
            Event::Scalar(_, _, anchor, tag) => (*anchor > 0, tag.is_some()),
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => (*anchor > 0, tag.is_some()),
            _ => (false, false),
        };
        if anchor {
            return self.refuse(span, "anchors and aliases are not allowed", "write the value out where it is needed");
        }
        if tag {
            return self.refuse(span, "tags are not allowed", "leave out what begins with `!`");
        }
        let kind = match event {
            Event::Scalar(text, style, ..) => {
                let line = self.lines.get(span.start.line() - 1).copied().unwrap_or_default();
                YamlKind::Scalar(scalar(text.into_owned(), style, span, line))
            }
            Event::SequenceStart(..) => YamlKind::List(self.list(depth)?),
            Event::MappingStart(..) => YamlKind::Map(self.map(depth)?),
            _ => return self.refuse(span, "this is not YAML", "look for a slip of the pen"),
        };
        Some(Yaml { place: place(span), kind })
    }

    fn list(&mut self, depth: usize) -> Option<Vec<Yaml>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Some(items),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Option<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut keys = std::collections::HashSet::new();
        loop {
            let (event, span) = match self.next()? {
                (Event::MappingEnd, _) => return Some(entries),
                next => next,
            };
            let Yaml { place: key_place, kind } = self.node(event, span, depth + 1)?;
            let YamlKind::Scalar(Scalar { text: key, .. }) = kind else {
                return self.refuse(span, "a key must be a text", "write `key: value`");
            };
            if !keys.insert(key.clone()) {
                let fix = "keep one of them".to_owned();
                self.problems.add(key_place, format!("the key `{key}` occurs twice"), fix);
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            entries.push(Entry { key, key_place, value });
        }
    }
}

fn place(span: Span) -> Place {
    Place { line: span.start.line(), column: span.start.col() + 1 }
}

/// `line` is the one that it begins in.
fn scalar(text: String, style: ScalarStyle, span: Span, line: &str) -> Scalar {
    let quotes = match style {
        ScalarStyle::Plain => Some(0),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Some(1),
        ScalarStyle::Literal | ScalarStyle::Folded => None,
    };
    // The same characters in the file as in the text: nothing was escaped or folded.
    let as_it_is = |quotes: &usize| {
        let mut written = line.chars().skip(span.start.col() + quotes);
        line.len() <= LINE_BYTES_MAX && text.chars().all(|character| written.next() == Some(character))
    };
    let offset = quotes.filter(as_it_is);
    Scalar { text, plain: style == ScalarStyle::Plain, offset }
}
