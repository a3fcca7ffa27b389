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
        let (written, mut problems) = written::read_partly(text, MANIFEST, read_schema);
        let Some(written) = written else { return Err(problems) };
        let manifest = match serde_json::from_value::<Self>(written.value.clone()) {
            Ok(manifest) => manifest,
            // What has no place without the rest has been told.
            Err(_) if !problems.is_empty() => return Err(problems),
            Err(error) => {
                let message = format!("not a manifest: {error}");
                return Err(vec![written.problem(&[], message, "compare it with the manifest's JSON Schema")]);
            }
        };
        // Where the shape is wrong, and of roles while the actions are, nothing can be said of the meaning yet.
        let is_sound = |path: &[String]| written.is_sound(path);
        let actions_are_sound = is_sound(&["actions".to_owned()]);
        let told = rules::check(&manifest).into_iter().filter(|breach| {
            is_sound(&breach.path) && (actions_are_sound || breach.path.first().is_none_or(|key| key != "roles"))
        });
        problems.extend(told.map(|breach| {
            let message = format!("`{}`: {}", breach.path.join("."), breach.message);
            written.problem(&breach.path, message, breach.fix)
        }));
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if problems.is_empty() { Ok(manifest) } else { Err(problems) }
    }
}
