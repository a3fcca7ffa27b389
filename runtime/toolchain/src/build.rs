use std::path::{Path, PathBuf};

use manifest::Manifest;

use crate::{BuildError, Language, finish, read_manifest};

/// A component that was built.
#[derive(Debug)]
pub struct Built {
    /// What its project is written in.
    pub language: Language,
    /// What is in it.
    pub manifest: Manifest,
    /// Where it lies: `ID.wasm` in the project's folder.
    pub component: PathBuf,
}

/// Builds the plugin in this folder with its language's ordinary toolchain, whose own words go to standard error, and puts
/// its manifest in.
///
/// # Errors
/// Whatever is wrong with the project or missing on the machine, with what to do. Nothing is written then.
pub fn build(folder: &Path) -> Result<Built, BuildError> {
    let language = Language::of(folder)?;
    // First, because a fault of the manifest is told in an instant and a build takes its time.
    let manifest = read_manifest(folder)?;
    let built = language.build(folder)?;
    let component = folder.join(format!("{}.wasm", manifest.id));
    finish(&manifest, &built, &component)?;
    Ok(Built { language, manifest, component })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn told(files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("writes");
        }
        let error = build(folder.path()).expect_err("cannot be built");
        let lines: Vec<_> = std::iter::once(error.to_string()).chain(error.faults()).collect();
        lines
            .join("\n")
            .replace(&format!("{}/", folder.path().display()), "")
            .replace(&*folder.path().to_string_lossy(), "DIR")
    }

    #[test]
    fn what_is_no_project_is_told_with_what_one_is() {
        let expected =
            "`DIR` is no plugin project: none of Cargo.toml, package.json, pyproject.toml, go.mod, Makefile is there";
        assert_eq!(told(&[]), expected);
    }

    #[test]
    fn a_manifest_is_judged_before_the_toolchain_is_started() {
        let missing = told(&[("Cargo.toml", "")]);
        assert!(missing.starts_with("1 fault in `weir-plugin.toml`\nweir-plugin.toml:1:1: "), "{missing}");
        let faulty = told(&[("go.mod", ""), ("weir-plugin.toml", "id = 3\nverson = \"1.0.0\"\n")]);
        assert!(faulty.contains("weir-plugin.toml:1:6: ") && faulty.contains("weir-plugin.toml:2:1: "), "{faulty}");
    }

    #[test]
    fn a_language_that_is_not_served_yet_is_named() {
        let manifest = "id = \"x\"\nversion = \"1.0.0\"\ndescription = \"X.\"\nowner = \"x@example.com\"\n\
                        licence = \"Apache-2.0\"\ncontract = \"0.1\"\nroles = [\"mapper\"]\n";
        let told = told(&[("go.mod", ""), ("weir-plugin.toml", manifest)]);
        assert!(told.starts_with("plugins in Go (go.mod) cannot be built by this command yet"), "{told}");
    }
}
