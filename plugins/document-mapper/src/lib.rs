//! Makes a CSV table or an XML document of JSON, with the columns that the flow names. Start at [`map`].

mod csv_table;
mod options;
mod table;
mod xml_document;

use serde_json::value::RawValue;
use weir_sdk::{Document, Fault, Mapping};

pub use options::Options;

/// The mapper.
///
/// # Errors
/// `invalid-input` with every value at fault: one that is missing and required, that is no text, number or truth value, or
/// that the format cannot say.
pub fn map(mapping: Mapping<Box<RawValue>, Options>) -> Result<Document, Fault> {
    let options = mapping.options;
    let rows = table::rows(&mapping.input, &options)?;
    match &options.format {
        options::Format::Csv(csv) => {
            Ok(Document::new("text/csv; charset=utf-8", csv_table::write(csv, &options.columns, &rows)?))
        }
        options::Format::Xml(xml) => {
            Ok(Document::new("application/xml", xml_document::write(xml, &options.columns, &rows)?))
        }
    }
}

weir_sdk::mapper!(map);
