use std::fs;
use std::path::Path;

use crate::{Manifest, Problem};

/// The manifest's file in a plugin's folder.
pub const FILE: &str = "weir-plugin.toml";

impl Manifest {
    /// The manifest of the plugin in this folder, its schemas read.
    ///
    /// # Errors
    /// All the faults of the file; that it cannot be read is one, on its first line.
    pub fn of_folder(folder: &Path) -> Result<Self, Vec<Problem>> {
        let text = fs::read_to_string(folder.join(FILE)).map_err(|cause| {
            let fix = "every plugin has one in its folder; `weir plugin new` writes an example".to_owned();
            vec![Problem { line: 1, column: 1, message: format!("{FILE} cannot be read: {cause}"), fix }]
        })?;
        Self::from_toml(&text, &|path| fs::read_to_string(folder.join(path)).ok())
    }
}
