use super::Failure;
use crate::workspace::{Package, Workspace};

/// Licences that let us ship under Apache-2.0 without asking anyone.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates come from the registry, under licences that let us ship them.
pub(super) fn check(workspace: &Workspace) -> Vec<Failure> {
    let failure = |message| Failure { file: "Cargo.lock".to_owned(), line: 1, message };
    workspace.packages.iter().filter_map(complaint).map(failure).collect()
}

fn complaint(package: &Package) -> Option<String> {
    let name = &package.name;
    if let Some(source) = package.source.as_ref().filter(|source| !source.starts_with("registry+")) {
        return Some(format!("`{name}` comes from {source}; use a published version"));
    }
    match &package.license {
        None => Some(format!("`{name}` names no licence; use another crate")),
        Some(licence) if !permits(licence) => Some(format!(
            "`{name}` is under `{licence}`, which is not in the list of runtime/xtask/src/tidy/licences.rs"
        )),
        Some(_) => None,
    }
}

/// Whether an SPDX expression can be met with allowed licences alone. `AND` binds closer than `OR`.
fn permits(expression: &str) -> bool {
    // Old manifests write `/` for `OR`.
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let mut rest = words.as_slice();
    any(&mut rest) && rest.is_empty()
}

fn any(rest: &mut &[&str]) -> bool {
    let mut met = all(rest);
    while rest.first() == Some(&"OR") {
        *rest = &rest[1..];
        met |= all(rest);
    }
    met
}

fn all(rest: &mut &[&str]) -> bool {
    let mut met = one(rest);
    while rest.first() == Some(&"AND") {
        *rest = &rest[1..];
        met &= one(rest);
    }
    met
}

fn one(rest: &mut &[&str]) -> bool {
    match **rest {
        ["(", ..] => {
            *rest = &rest[1..];
            let met = any(rest);
            let closed = rest.first() == Some(&")");
            *rest = &rest[usize::from(closed)..];
            met && closed
        }
        [licence, "WITH", exception, ..] => {
            *rest = &rest[3..];
            ALLOWED.contains(&format!("{licence} WITH {exception}").as_str())
        }
        [licence, ..] => {
            *rest = &rest[1..];
            ALLOWED.contains(&licence)
        }
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::permits;

    #[test]
    fn an_expression_is_met_by_allowed_licences_alone() {
        for good in [
            "MIT",
            "GPL-3.0 OR MIT",
            "MIT/Apache-2.0",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(permits(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "", "(MIT", "Apache-2.0 WITH something", "MIT ISC"] {
            assert!(!permits(bad), "{bad}");
        }
    }
}
