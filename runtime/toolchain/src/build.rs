use std::path::{Path, PathBuf};

use manifest::Manifest;

use crate::finish::finish;
use crate::workshop::Workshop;
use crate::{BuildError, Language, read_manifest};

/// Runs what a core module does before its first call, and gives a module that has done it, or why it cannot.
pub type Preinitialise = fn(&[u8]) -> Result<Vec<u8>, String>;

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
/// its manifest in. `preinitialise` is what runs modules: this room cannot.
///
/// # Errors
/// Whatever is wrong with the project or missing on the machine, with what to do. Nothing is written then.
pub fn build(folder: &Path, preinitialise: Preinitialise) -> Result<Built, BuildError> {
    let language = Language::of(folder)?;
    // First, because a fault of the manifest is told in an instant and a build takes its time.
    let manifest = read_manifest(folder)?;
    let built = language.build(&Workshop { folder, manifest: &manifest, programs: None }, preinitialise)?;
    let component = folder.join(format!("{}.wasm", manifest.id));
    finish(&manifest, &built, &component)?;
    Ok(Built { language, manifest, component })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const UNUSED: Preinitialise = |_| unreachable!("nothing is built");

    fn told(files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("writes");
        }
        let error = build(folder.path(), UNUSED).expect_err("cannot be built");
        let lines: Vec<_> = std::iter::once(error.to_string()).chain(error.faults()).collect();
        lines
            .join("\n")
            .replace(&format!("{}/", folder.path().display()), "")
            .replace(&*folder.path().to_string_lossy(), "DIR")
    }

    #[test]
    fn what_is_no_project_is_told_with_what_one_is() {
        let expected = "`DIR` is no plugin project: none of Cargo.toml, package.json, pyproject.toml, go.mod, Makefile is there; \
             `weir plugin new` writes one";
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
    fn a_toolchain_that_is_missing_is_named_with_how_to_get_it() {
        let manifest = "id = \"x\"\nversion = \"1.0.0\"\ndescription = \"X.\"\nowner = \"x@example.com\"\n\
                        licence = \"Apache-2.0\"\ncontract = \"0.1\"\nroles = [\"mapper\"]\n";
        let project = tempfile::tempdir().expect("a folder");
        let sdk = project.path().join("weir-sdk/src/weir_sdk/build");
        fs::create_dir_all(&sdk).expect("creates");
        fs::write(project.path().join("weir-plugin.toml"), manifest).expect("writes");
        let manifest = read_manifest(project.path()).expect("is valid");
        let empty = tempfile::tempdir().expect("a folder");
        let programs = [
            (Language::Rust, "`rustc` is missing; install Rust: "),
            (Language::JavaScript, "`node` is missing; install Node.js 20 or later: "),
            (Language::Python, "`python3` is missing; install Python 3.11 or later: "),
            (Language::Go, "`go` is missing; install Go 1.25 or later: "),
            (Language::C, "`make` is missing; install it "),
        ];
        for (language, told) in programs {
            let file = project.path().join(language.project_file());
            fs::write(&file, "").expect("writes");
            let programs = Some(empty.path().as_os_str());
            let workshop = Workshop { folder: project.path(), manifest: &manifest, programs };
            let error = language.build(&workshop, UNUSED).expect_err("nothing is there");
            assert!(error.to_string().starts_with(told), "{error}");
            fs::remove_file(&file).expect("removes");
        }
    }
}
