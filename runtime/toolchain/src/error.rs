use std::io;
use std::path::PathBuf;

use manifest::{Problem, ReadManifestError};

use crate::Language;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The folder is no project of a known language.
    #[error("`{}` is no plugin project: none of {} is there; `weir plugin new` writes one", folder.display(), project_files())]
    NoProject {
        /// Which folder.
        folder: PathBuf,
    },
    /// A tool is not there.
    #[error("{tool} is missing; {cure}")]
    Missing {
        /// What is not there.
        tool: String,
        /// How to get it.
        cure: String,
    },
    /// A tool did not do what it was asked for. What it said stands above, as it came.
    #[error("`{command}` ended with {status}; what it complains of stands above")]
    Failed {
        /// What was run.
        command: String,
        /// How it ended.
        status: String,
    },
    /// A tool could not fetch what the project wants. What it said stands above, as it came.
    #[error("`{command}` ended with {status}; {cure}")]
    Fetch {
        /// What was run.
        command: String,
        /// How it ended.
        status: String,
        /// What to do.
        cure: &'static str,
    },
    /// The toolchain ran well and built nothing that could be a plugin.
    #[error("the build gave no component; {cure}")]
    NoComponent {
        /// What to do.
        cure: String,
    },
    /// What runs before the plugin's first call was run at build time, and failed.
    #[error("the plugin does not start: {reason}; mend what runs before its first call, such as an `init` function")]
    Start {
        /// What the start said.
        reason: String,
    },
    /// The manifest has faults.
    #[error("{} in `{}`", counted(problems.len()), file.display())]
    Manifest {
        /// The file.
        file: PathBuf,
        /// All of them.
        problems: Vec<Problem>,
    },
    /// The manifest does not go into the component.
    #[error("the manifest cannot be put into `{}`", component.display())]
    Embed {
        /// The component.
        component: PathBuf,
        /// Why.
        #[source]
        cause: ReadManifestError,
    },
    /// A file cannot be read or written.
    #[error("cannot {what} `{}`", file.display())]
    File {
        /// `read` or `write`.
        what: &'static str,
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl BuildError {
    /// Every fault of a manifest with its place, one a line; empty for any other error.
    pub fn faults(&self) -> Vec<String> {
        match self {
            Self::Manifest { file, problems } => {
                problems.iter().map(|problem| format!("{}:{problem}", file.display())).collect()
            }
            _ => Vec::new(),
        }
    }
}

fn project_files() -> String {
    Language::ALL.map(Language::project_file).join(", ")
}

fn counted(problems: usize) -> String {
    format!("{problems} fault{}", if problems == 1 { "" } else { "s" })
}
