use std::fs;
use std::path::Path;

use manifest::Manifest;

use crate::BuildError;
use crate::link::link;

/// The manifest of the plugin in this folder, its schemas read.
///
/// # Errors
/// All the faults of the file.
pub fn read_manifest(folder: &Path) -> Result<Manifest, BuildError> {
    Manifest::of_folder(folder).map_err(|problems| BuildError::Manifest { file: folder.join(manifest::FILE), problems })
}

/// Puts the manifest into what the toolchain built, and writes the component.
///
/// # Errors
/// It is no component, or a file cannot be read or written.
pub(crate) fn finish(manifest: &Manifest, built: &Path, output: &Path) -> Result<(), BuildError> {
    let file = |what, file: &Path| {
        let file = file.to_owned();
        move |cause| BuildError::File { what, file, cause }
    };
    let component = fs::read(built).map_err(file("read", built))?;
    // What cannot be linked serves as it is.
    let component = link(&component).ok().flatten().unwrap_or(component);
    let embedded = manifest::embed(&component, manifest);
    let component = embedded.map_err(|cause| BuildError::Embed { component: built.to_owned(), cause })?;
    // Under another name first: whoever watches the folder never sees half a plugin.
    let unfinished = output.with_extension("unfinished");
    fs::write(&unfinished, component).map_err(file("write", &unfinished))?;
    fs::rename(&unfinished, output).map_err(file("write", output))
}
