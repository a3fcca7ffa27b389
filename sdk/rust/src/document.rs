use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Document, Fault, json};

/// What a plugin can take: a [`Document`] as it is, or whatever can be read from JSON.
pub trait FromDocument: Sized {
    /// # Errors
    /// `invalid-input` if the document is not JSON, or does not fit; the fields at fault are named.
    fn from_document(document: Document) -> Result<Self, Fault>;
}

impl FromDocument for Document {
    fn from_document(document: Document) -> Result<Self, Fault> {
        Ok(document)
    }
}

impl<T: DeserializeOwned> FromDocument for T {
    fn from_document(document: Document) -> Result<Self, Fault> {
        if !document.is_json() {
            let message = format!("the input is `{}`, and JSON is needed", document.content_type);
            return Err(Fault::invalid_input(message).code("content-type"));
        }
        json::read(&document.data)
    }
}

/// What a mapper can give: anything that can be written as JSON is one document, a [`Document`] goes out as it is, and
/// [`Documents`] are none or several.
pub trait IntoDocuments {
    /// # Errors
    /// `internal` if it cannot be written as JSON.
    fn into_documents(self) -> Result<Vec<Document>, Fault>;
}

impl<T: Serialize> IntoDocuments for T {
    fn into_documents(self) -> Result<Vec<Document>, Fault> {
        Ok(vec![Document::json(&self)?])
    }
}

impl IntoDocuments for Document {
    fn into_documents(self) -> Result<Vec<Document>, Fault> {
        Ok(vec![self])
    }
}

/// Several documents, or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Documents(Vec<Document>);

impl Documents {
    /// The event goes no further here.
    pub fn none() -> Self {
        Self::default()
    }

    /// Each goes on by itself, as JSON.
    ///
    /// # Errors
    /// `internal` if one cannot be written as JSON.
    pub fn split<T: Serialize>(items: impl IntoIterator<Item = T>) -> Result<Self, Fault> {
        items.into_iter().map(|item| Document::json(&item)).collect::<Result<_, _>>().map(Self)
    }
}

impl From<Vec<Document>> for Documents {
    fn from(documents: Vec<Document>) -> Self {
        Self(documents)
    }
}

impl IntoDocuments for Documents {
    fn into_documents(self) -> Result<Vec<Document>, Fault> {
        Ok(self.0)
    }
}

impl Document {
    /// A document of `application/json`.
    ///
    /// # Errors
    /// `internal` if the value cannot be written as JSON, as a map whose keys are no text.
    #[track_caller]
    pub fn json(value: &impl Serialize) -> Result<Self, Fault> {
        Ok(Self::new("application/json", serde_json::to_vec(value)?))
    }

    /// A document of any media type.
    pub fn new(content_type: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self { content_type: content_type.into(), data: data.into(), metadata: Vec::new() }
    }

    /// Whether the media type is JSON or built on it (RFC 6839, section 3.1), or not said.
    pub fn is_json(&self) -> bool {
        let essence = self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence.is_empty() || essence == "application/json" || essence.ends_with("+json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_its_media_type() {
        for (content_type, is_json) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/cloudevents+json", true),
            ("", true),
            ("text/plain", false),
            ("application/jsonlines", false),
        ] {
            assert_eq!(Document::new(content_type, "1").is_json(), is_json, "{content_type}");
        }
        let fault = u8::from_document(Document::new("text/csv", "1")).expect_err("not JSON");
        assert_eq!(fault.code, "content-type");
    }
}
