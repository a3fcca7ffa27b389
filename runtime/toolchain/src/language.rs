use std::fmt;
use std::path::{Path, PathBuf};

use crate::build::Preinitialise;
use crate::native::Start;
use crate::workshop::Workshop;
use crate::{BuildError, c, go, javascript, python, rust};

/// What a plugin is written in. Each has an adapter: a module with a function that runs its toolchain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Rust.
    Rust,
    /// JavaScript or TypeScript.
    JavaScript,
    /// Python.
    Python,
    /// Go.
    Go,
    /// C, or anything else that `make` builds.
    C,
}

impl Language {
    /// Every language, in the order in which they are looked for: a `Makefile` stands beside other project files more
    /// often than it stands for itself.
    pub const ALL: [Self; 5] = [Self::Rust, Self::JavaScript, Self::Python, Self::Go, Self::C];

    /// The file by which its projects are known.
    pub fn project_file(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "package.json",
            Self::Python => "pyproject.toml",
            Self::Go => "go.mod",
            Self::C => "Makefile",
        }
    }

    /// The language of the project in this folder.
    ///
    /// # Errors
    /// None of the known project files is there.
    pub fn of(folder: &Path) -> Result<Self, BuildError> {
        let found = Self::ALL.into_iter().find(|language| folder.join(language.project_file()).is_file());
        found.ok_or_else(|| BuildError::NoProject { folder: folder.to_owned() })
    }

    /// Runs the toolchain; gives where the component without its manifest lies.
    pub(crate) fn build(self, workshop: &Workshop<'_>, preinitialise: Preinitialise) -> Result<PathBuf, BuildError> {
        match self {
            Self::Rust => rust::build(workshop),
            Self::JavaScript => javascript::build(workshop),
            Self::Python => python::build(workshop),
            Self::Go => go::build(workshop, preinitialise),
            Self::C => c::build(workshop),
        }
    }

    /// Makes ready what runs the plugin natively. None: Rust and C are compiled either way.
    pub(crate) fn native(self, workshop: &Workshop<'_>) -> Result<Option<Start>, BuildError> {
        match self {
            Self::JavaScript => javascript::native(workshop).map(Some),
            Self::Python => python::native(workshop).map(Some),
            Self::Go => go::native(workshop).map(Some),
            Self::Rust | Self::C => Ok(None),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::C => "C",
        })
    }
}
