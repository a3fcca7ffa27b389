use std::path::{Component, Path};

use super::Failure;
use crate::workspace::Workspace;

/// Folders that every Linux machine has, so that naming them betrays nothing.
const COMMON: &[&str] = &["bin", "dev", "etc", "lib", "opt", "proc", "run", "sbin", "srv", "sys", "tmp", "usr", "var"];

/// What no file may say, and what to do instead.
pub(super) struct Forbidden {
    word: String,
    cure: &'static str,
}

/// Paths of the machine that this runs on, and marks of unfinished work.
pub(super) fn forbidden(workspace: &Workspace) -> Vec<Forbidden> {
    let path = "names a folder of the machine it was written on; write it relative to the project";
    let mark = "marks unfinished work; finish it or open an issue";
    let home = std::env::var("HOME").ok().filter(|home| home != "/");
    let mut forbidden: Vec<Forbidden> = home
        .into_iter()
        .chain(top_folder(&workspace.root))
        .map(|word| Forbidden { word: word + "/", cure: path })
        .collect();
    // Written in two halves, so that this file does not say them.
    for word in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("<<<<", "<<< "), concat!(">>>>", ">>> ")] {
        forbidden.push(Forbidden { word: word.to_owned(), cure: mark });
    }
    forbidden
}

/// The first folder of a path, if it is one that only this machine has.
fn top_folder(path: &Path) -> Option<String> {
    let first = path.components().find_map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    })?;
    (!COMMON.contains(&first) && first != "home").then(|| format!("/{first}"))
}

pub(super) fn check(file: &str, text: &str, forbidden: &[Forbidden]) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for Forbidden { word, cure } in forbidden {
            // A path begins where no other path goes on.
            let begins = |at: usize| {
                !word.starts_with('/') || !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}/".contains(c))
            };
            if line.match_indices(word.as_str()).any(|(at, _)| begins(at)) {
                failures.push(Failure { file: file.to_owned(), line: index + 1, message: format!("`{word}` {cure}") });
            }
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_the_end_of_another() {
        let forbidden = [Forbidden { word: "/attic/".to_owned(), cure: "must go" }];
        let found = check("a.md", "see tests/attic/x\nand \"/attic/y\"\n", &forbidden);
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a.md:2: `/attic/` must go"]);
    }

    #[test]
    fn only_a_folder_that_other_machines_lack_is_forbidden() {
        assert_eq!(top_folder(Path::new("/attic/weir")), Some("/attic".to_owned()));
        assert_eq!(top_folder(Path::new("/tmp/weir")), None);
    }
}
