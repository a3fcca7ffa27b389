//! The rules that hold the tree together, held by a program: a rule that nothing checks rots.

mod arrows;
mod codes;
mod licences;
mod rust;
mod sources;
mod words;

use std::fmt;
use std::path::PathBuf;

use crate::process;
use crate::workspace::Workspace;

/// One broken rule: where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    /// From the workspace's root.
    pub(crate) file: String,
    /// Counts from 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Checks every rule; gives what is broken, in the order of the files.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Vec<Failure>> {
    let mut failures = arrows::check(workspace)?;
    failures.extend(licences::check(&workspace.load_with_dependencies()?));
    let texts = texts(workspace)?;
    failures.extend(codes::check(&texts));
    for (file, text) in texts {
        failures.extend(words::check(&file, &text, &words::forbidden(workspace)));
        if file.ends_with(".rs") {
            failures.extend(sources::check(workspace, &file, &text));
        }
    }
    failures.sort();
    Ok(failures)
}

/// The files that Git knows or would add, as text, with their paths from the root; what is no text is left out.
fn texts(workspace: &Workspace) -> anyhow::Result<Vec<(String, String)>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = process::output(&mut process::command("git", &arguments, &workspace.root))?;
    let files = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    let files = files.map(|path| String::from_utf8_lossy(path).into_owned());
    Ok(files
        .filter_map(|file| {
            let text = std::fs::read_to_string(PathBuf::from_iter([&workspace.root, &PathBuf::from(&file)])).ok()?;
            Some((file, text))
        })
        .collect())
}
