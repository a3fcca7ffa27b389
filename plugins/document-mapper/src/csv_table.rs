//! CSV (RFC 4180): rows end with CRLF, and what holds a delimiter, a quote or a line end stands in quotes.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};
use weir_sdk::Fault;

use crate::options::{Column, Csv};
use crate::table::{Cell, Row};

pub(crate) fn write(options: &Csv, columns: &[Column], rows: &[Row<'_>]) -> Result<Vec<u8>, Fault> {
    let start = if options.byte_order_mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
    let mut writer =
        WriterBuilder::new().delimiter(options.delimiter.0).terminator(Terminator::CRLF).from_writer(start);
    if options.header {
        writer.write_record(columns.iter().map(|column| &column.heading))?;
    }
    for row in rows {
        writer.write_record(row.iter().map(|cell| shown(cell, options).into_owned()))?;
    }
    Ok(writer.into_inner()?)
}

/// What a spreadsheet would take for a formula gets an apostrophe, which spreadsheets take as the sign for text. Numbers are
/// left alone: `-5` is one.
fn shown<'a>(cell: &'a Cell<'_>, options: &Csv) -> Cow<'a, str> {
    match cell {
        Cell::Text(text) if options.guard_formulas && text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) => {
            format!("'{text}").into()
        }
        cell => cell.text().into(),
    }
}
