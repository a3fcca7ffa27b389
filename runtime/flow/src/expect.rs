use std::fmt;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ReferencingError, ValidationError, Validator};
use model::{Document, FieldFault};
use serde_json::Value;

use crate::scope::is_json;

/// The most faults that are listed of one document.
const FAULTS_MAX: usize = 50;
/// Bytes of a compiled pattern; also bounds the time for a character of the text.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What a document must be: JSON Schema 2020-12, compiled.
#[derive(Clone)]
pub struct Expect(Arc<Validator>);

impl Expect {
    /// Compiles a schema. It may refer to places within itself only. The `Err` says what is wrong, and where in the schema.
    pub fn new(schema: &Value) -> Result<Self, String> {
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
            .offline()
            .build(schema)
            .map_err(|fault| what_is_wrong(&fault))?;
        Ok(Self(Arc::new(validator)))
    }

    /// Checks a document. The faults are those of its fields; one that is not JSON is at fault as a whole.
    pub fn check(&self, document: &Document) -> Result<(), Vec<FieldFault>> {
        let whole = |message| vec![FieldFault { pointer: String::new(), message }];
        if !is_json(&document.content_type) {
            return Err(whole(format!("is `{}`, not JSON", document.content_type)));
        }
        let value: Value =
            serde_json::from_slice(&document.data).map_err(|fault| whole(format!("is not valid JSON: {fault}")))?;
        self.check_value(&value)
    }

    pub(crate) fn check_value(&self, value: &Value) -> Result<(), Vec<FieldFault>> {
        let faults: Vec<_> = self
            .0
            .iter_errors(value)
            .take(FAULTS_MAX)
            .map(|fault| FieldFault {
                pointer: fault.instance_path().to_string(),
                message: fault.masked_with("the value").to_string(),
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

impl fmt::Debug for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expect(..)")
    }
}

/// What the author of a schema reads.
fn what_is_wrong(fault: &ValidationError<'_>) -> String {
    match fault.kind() {
        ValidationErrorKind::Referencing(ReferencingError::Unretrievable { uri, .. }) => {
            format!("`$ref: {uri}` leads out of the schema")
        }
        _ if fault.instance_path().as_str().is_empty() => fault.to_string(),
        _ => format!("at {}: {fault}", fault.instance_path()),
    }
}
