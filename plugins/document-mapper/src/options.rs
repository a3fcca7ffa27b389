//! What the flow may choose, checked before anything is mapped.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

/// What the flow may choose.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Options {
    pub(crate) format: Format,
    pub(crate) rows: Pointer,
    pub(crate) columns: Vec<Column>,
}

/// The format, with what may be chosen of it.
#[derive(Debug)]
pub(crate) enum Format {
    Csv(Csv),
    Xml(Xml),
}

/// One column.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Column {
    /// In CSV the text of the first row, in XML the name of the element.
    pub(crate) heading: String,
    /// Where its value stands.
    pub(crate) value: Pointer,
    /// What the pointer begins at.
    #[serde(default)]
    pub(crate) from: Start,
    /// Whether a row without a value is at fault.
    #[serde(default)]
    pub(crate) required: bool,
    /// What stands between the items of a list; without it, a list is at fault.
    pub(crate) join: Option<String>,
    /// In XML: whether it is an attribute of the row.
    #[serde(default)]
    pub(crate) attribute: bool,
}

/// What a column's pointer begins at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Start {
    #[default]
    Row,
    Document,
}

/// What may be chosen of CSV.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Csv {
    pub(crate) delimiter: Delimiter,
    /// Whether the headings are the first row.
    pub(crate) header: bool,
    /// Whether text that a spreadsheet would run as a formula is written so that it does not.
    pub(crate) guard_formulas: bool,
    /// Whether the text begins with U+FEFF, by which Excel knows UTF-8.
    pub(crate) byte_order_mark: bool,
}

impl Default for Csv {
    fn default() -> Self {
        Self { delimiter: Delimiter(b','), header: true, guard_formulas: false, byte_order_mark: false }
    }
}

/// What may be chosen of XML.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Xml {
    pub(crate) root: String,
    pub(crate) row: String,
    /// That of all elements.
    pub(crate) namespace: Option<String>,
}

impl Default for Xml {
    fn default() -> Self {
        Self { root: "rows".to_owned(), row: "row".to_owned(), namespace: None }
    }
}

/// The options as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: Name,
    #[serde(default)]
    rows: Pointer,
    columns: Vec<Column>,
    csv: Option<Csv>,
    xml: Option<Xml>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    Csv,
    Xml,
}

impl TryFrom<Written> for Options {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { format, rows, columns, csv, xml } = written;
        if columns.is_empty() {
            return Err("`columns` is empty; name one at least".to_owned());
        }
        let format = match (format, csv, xml) {
            (Name::Csv, csv, None) => Format::Csv(csv.unwrap_or_default()),
            (Name::Xml, None, xml) => Format::Xml(xml.unwrap_or_default()),
            (Name::Csv, _, Some(_)) => return Err("`xml` says nothing of format `csv`; leave it out".to_owned()),
            (Name::Xml, Some(_), _) => return Err("`csv` says nothing of format `xml`; leave it out".to_owned()),
        };
        match &format {
            Format::Csv(_) => check_csv(&columns)?,
            Format::Xml(xml) => check_xml(xml, &columns)?,
        }
        Ok(Self { format, rows, columns })
    }
}

fn check_csv(columns: &[Column]) -> Result<(), String> {
    match columns.iter().find(|column| column.attribute) {
        Some(column) => Err(format!("column `{}` is an attribute, which CSV has not", column.heading)),
        None => Ok(()),
    }
}

fn check_xml(xml: &Xml, columns: &[Column]) -> Result<(), String> {
    let names = [&xml.root, &xml.row].into_iter().chain(columns.iter().map(|column| &column.heading));
    for name in names {
        if !is_xml_name(name) {
            return Err(format!(
                "`{name}` is no name of XML; begin with a letter, and use letters, digits, `-`, `_`, `.`"
            ));
        }
    }
    if xml.namespace.as_ref().is_some_and(|namespace| !namespace.chars().all(is_xml_char)) {
        return Err("`namespace` has a character that XML cannot say".to_owned());
    }
    let mut attributes = BTreeSet::new();
    match columns.iter().find(|column| column.attribute && !attributes.insert(&column.heading)) {
        Some(column) => Err(format!("attribute `{}` is there twice", column.heading)),
        None => Ok(()),
    }
}

/// Whether it is a name without a colon (Namespaces in XML 1.0, `NCName`). Names that begin with `xml` are kept for XML.
fn is_xml_name(name: &str) -> bool {
    let is_start = |c: char| {
        matches!(c, 'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
            | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
            | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
            | '\u{10000}'..='\u{EFFFF}')
    };
    let is_later = |c: char| {
        is_start(c) || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
    };
    let is_reserved = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"));
    name.starts_with(is_start) && name.chars().all(is_later) && !is_reserved
}

/// Whether XML 1.0 can say it (`Char`).
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// The character between two cells.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "char")]
pub(crate) struct Delimiter(pub(crate) u8);

impl TryFrom<char> for Delimiter {
    type Error = String;

    fn try_from(delimiter: char) -> Result<Self, String> {
        match u8::try_from(delimiter) {
            Ok(byte) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n') => Ok(Self(byte)),
            _ => Err(format!("{delimiter:?} cannot stand between cells; use `,`, `;`, `|` or a tab")),
        }
    }
}

/// A JSON Pointer (RFC 6901).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pointer {
    text: String,
    /// Its parts, with what is escaped in them as it is meant.
    pub(crate) parts: Vec<String>,
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = match text.strip_prefix('/') {
            Some(parts) => parts.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect(),
            None if text.is_empty() => Vec::new(),
            None => return Err(format!("`{text}` is no JSON Pointer; did you mean `/{text}`?")),
        };
        Ok(Self { text, parts })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
