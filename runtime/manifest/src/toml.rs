//! Reads `weir-plugin.toml`.

use written::Problem;

use crate::shape::MANIFEST;
use crate::{Manifest, rules};

impl Manifest {
    /// Reads a `weir-plugin.toml`. `read_schema` gives the text of a file by its path as the manifest writes it, such as
    /// `schemas/contact.json`; the schemas become part of the manifest.
    ///
    /// # Errors
    /// Every fault of the file, in its order.
    pub fn from_toml(text: &str, read_schema: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<Problem>> {
        let written = written::read(text, MANIFEST, read_schema)?;
        let manifest = serde_json::from_value::<Self>(written.value.clone()).map_err(|error| {
            let message = format!("not a manifest: {error}");
            vec![written.problem(&[], message, "compare it with the manifest's JSON Schema")]
        })?;
        let mut problems: Vec<_> = rules::check(&manifest)
            .into_iter()
            .map(|breach| {
                let message = format!("`{}`: {}", breach.path.join("."), breach.message);
                written.problem(&breach.path, message, breach.fix)
            })
            .collect();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if problems.is_empty() { Ok(manifest) } else { Err(problems) }
    }
}
