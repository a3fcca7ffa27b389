//! The cells of each row, out of the JSON text itself: nothing of a number is lost, and what no column asks for is not read.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use weir_sdk::Fault;

use crate::options::{Column, Format, Options, Pointer, Start, is_xml_char};

/// As many values as a fault names.
const FAULTS_MAX: usize = 100;

/// The cells of one row, one for each column.
pub(crate) type Row<'a> = Vec<Cell<'a>>;

/// One value. None, and null, is `Empty`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Empty,
    /// A number or a truth value as it is written.
    Plain(&'a str),
    Text(Cow<'a, str>),
}

impl Cell<'_> {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Plain(text) => text,
            Self::Text(text) => text,
        }
    }
}

/// A part of the document, with the pointer to it.
#[derive(Clone)]
struct Place<'a> {
    value: &'a RawValue,
    pointer: String,
}

/// Values at fault: each with its pointer, and what is wrong with it.
#[derive(Default)]
struct Faults(Vec<(String, String)>);

/// The rows, all of them or what is wrong with them.
pub(crate) fn rows<'a>(document: &'a RawValue, options: &Options) -> Result<Vec<Row<'a>>, Fault> {
    let whole = Place { value: document, pointer: String::new() };
    let mut faults = Faults::default();
    let mut rows = Vec::new();
    for place in places_of_rows(&whole, &options.rows)? {
        // The members of a row are looked up once for all columns.
        let members = members(place.value)?;
        let mut row = Vec::with_capacity(options.columns.len());
        for column in &options.columns {
            let found = match column.from {
                Start::Row => find_in(&place, &members, &column.value)?,
                Start::Document => find(&whole, &column.value)?,
            };
            row.push(cell(&found, column, &options.format, &mut faults)?);
        }
        rows.push(row);
    }
    faults.into_result().map(|()| rows)
}

/// The items of the list that the pointer leads to; an object is one row.
fn places_of_rows<'a>(whole: &Place<'a>, pointer: &Pointer) -> Result<Vec<Place<'a>>, Fault> {
    let found = find(whole, pointer)?;
    let is = match found {
        Ok(found) if found.value.get().starts_with('[') => {
            let items = list(found.value)?.into_iter().enumerate();
            return Ok(items
                .map(|(index, value)| Place { value, pointer: format!("{}/{index}", found.pointer) })
                .collect());
        }
        Ok(found) if found.value.get().starts_with('{') => return Ok(vec![found]),
        Ok(_) => "is no list of rows and no object",
        Err(_) => "is missing",
    };
    Err(Fault::invalid_input("the document has no rows").code("rows").field(pointer.to_string(), is))
}

/// The value at the end of a pointer; else the pointer.
type Found<'a> = Result<Place<'a>, String>;

fn find<'a>(start: &Place<'a>, pointer: &Pointer) -> Result<Found<'a>, Fault> {
    let mut value = Some(start.value);
    for part in &pointer.parts {
        value = match value {
            Some(within) => step(within, part)?,
            None => break,
        };
    }
    let pointer = format!("{}{pointer}", start.pointer);
    Ok(value.map(|value| Place { value, pointer: pointer.clone() }).ok_or(pointer))
}

/// The same, with the first step looked up already.
fn find_in<'a>(start: &Place<'a>, members: &Members<'a>, pointer: &Pointer) -> Result<Found<'a>, Fault> {
    let [first, rest @ ..] = pointer.parts.as_slice() else { return Ok(Ok(start.clone())) };
    let mut value = if members.0.is_empty() { step(start.value, first)? } else { members.get(first) };
    for part in rest {
        value = match value {
            Some(within) => step(within, part)?,
            None => break,
        };
    }
    let pointer = format!("{}{pointer}", start.pointer);
    Ok(value.map(|value| Place { value, pointer: pointer.clone() }).ok_or(pointer))
}

fn step<'a>(within: &'a RawValue, part: &str) -> Result<Option<&'a RawValue>, Fault> {
    if within.get().starts_with('[') {
        // An index has no leading zeros (RFC 6901, section 4).
        let index = part.parse::<usize>().ok().filter(|index| index.to_string() == part);
        return Ok(match index {
            Some(index) => list(within)?.get(index).copied(),
            None => None,
        });
    }
    Ok(members(within)?.get(part))
}

fn cell<'a>(found: &Found<'a>, column: &Column, format: &Format, faults: &mut Faults) -> Result<Cell<'a>, Fault> {
    let cell = match found {
        Err(_) => Cell::Empty,
        Ok(place) => match (place.value.get().as_bytes()[0], &column.join) {
            (b'[', Some(join)) => joined(place, join, faults)?,
            _ => scalar(place, faults)?,
        },
    };
    let pointer = || found.as_ref().map_or_else(String::clone, |place| place.pointer.clone());
    if cell == Cell::Empty && column.required {
        faults.add(pointer(), format!("is missing, and column `{}` needs it", column.heading));
    }
    if let (Format::Xml(_), Some(character)) = (format, cell.text().chars().find(|&c| !is_xml_char(c))) {
        faults.add(pointer(), format!("holds U+{:04X}, which XML cannot say", u32::from(character)));
    }
    Ok(cell)
}

fn scalar<'a>(place: &Place<'a>, faults: &mut Faults) -> Result<Cell<'a>, Fault> {
    let written = place.value.get();
    let is = match written.as_bytes()[0] {
        b'n' => return Ok(Cell::Empty),
        b'"' => {
            let Text(text) = serde_json::from_str(written).map_err(malformed)?;
            return Ok(Cell::Text(text));
        }
        b'[' => "is a list, and a cell takes one value; `join` makes one text of a list",
        b'{' => "is an object, and a cell takes one value; name what is in it",
        _ => return Ok(Cell::Plain(written)),
    };
    faults.add(place.pointer.clone(), is.to_owned());
    Ok(Cell::Plain(""))
}

fn joined<'a>(place: &Place<'a>, join: &str, faults: &mut Faults) -> Result<Cell<'a>, Fault> {
    let mut texts = Vec::new();
    for (index, value) in list(place.value)?.into_iter().enumerate() {
        let item = Place { value, pointer: format!("{}/{index}", place.pointer) };
        texts.push(scalar(&item, faults)?.text().to_owned());
    }
    Ok(if texts.is_empty() { Cell::Empty } else { Cell::Text(texts.join(join).into()) })
}

impl Faults {
    fn add(&mut self, pointer: String, message: String) {
        self.0.push((pointer, message));
    }

    fn into_result(self) -> Result<(), Fault> {
        let Some((pointer, message)) = self.0.first() else { return Ok(()) };
        let more = match self.0.len() - 1 {
            0 => String::new(),
            more => format!("; {more} more"),
        };
        let fault =
            Fault::invalid_input(format!("the table cannot be written: `{pointer}` {message}{more}")).code("table");
        Err(self.0.into_iter().take(FAULTS_MAX).fold(fault, |fault, (pointer, message)| fault.field(pointer, message)))
    }
}

/// What the whole has been found not to be, so that only half a surrogate pair can be the cause.
fn malformed(error: serde_json::Error) -> Fault {
    Fault::invalid_input(format!("the input is not JSON: {error}")).code("malformed-json")
}

fn list(value: &RawValue) -> Result<Vec<&RawValue>, Fault> {
    serde_json::from_str(value.get()).map_err(malformed)
}

/// Those of an object; none of anything else.
fn members(value: &RawValue) -> Result<Members<'_>, Fault> {
    if !value.get().starts_with('{') {
        return Ok(Members(Vec::new()));
    }
    serde_json::from_str(value.get()).map_err(malformed)
}

/// The members of an object as they are written.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Of several with one name the last counts.
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| *value)
    }
}

/// Borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members<'de>, A::Error> {
                let mut found = Vec::new();
                while let Some((Text(name), value)) = members.next_entry::<Text<'de>, &'de RawValue>()? {
                    found.push((name, value));
                }
                Ok(Members(found))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}
