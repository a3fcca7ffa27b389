//! XML 1.0: an element for each row, and in it an element or an attribute for each value that is there.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use weir_sdk::Fault;

use crate::options::{Column, Xml};
use crate::table::{Cell, Row};

pub(crate) fn write(options: &Xml, columns: &[Column], rows: &[Row<'_>]) -> Result<Vec<u8>, Fault> {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut root = BytesStart::new(options.root.as_str());
    if let Some(namespace) = &options.namespace {
        root.push_attribute(("xmlns", namespace.as_str()));
    }
    writer.write_event(Event::Start(root))?;
    for row in rows {
        write_row(&mut writer, options, columns, row)?;
    }
    writer.write_event(Event::End(BytesEnd::new(options.root.as_str())))?;
    Ok(writer.into_inner())
}

fn write_row(writer: &mut Writer<Vec<u8>>, options: &Xml, columns: &[Column], row: &Row<'_>) -> Result<(), Fault> {
    let cells = || columns.iter().zip(row).filter(|(_, cell)| **cell != Cell::Empty);
    let mut start = BytesStart::new(options.row.as_str());
    for (column, cell) in cells().filter(|(column, _)| column.attribute) {
        start.push_attribute((column.heading.as_str(), cell.text()));
    }
    writer.write_event(Event::Start(start))?;
    for (column, cell) in cells().filter(|(column, _)| !column.attribute) {
        let name = column.heading.as_str();
        writer.write_event(Event::Start(BytesStart::new(name)))?;
        writer.write_event(Event::Text(BytesText::new(cell.text())))?;
        writer.write_event(Event::End(BytesEnd::new(name)))?;
    }
    Ok(writer.write_event(Event::End(BytesEnd::new(options.row.as_str())))?)
}
