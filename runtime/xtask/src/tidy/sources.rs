use std::path::Path;

use super::Failure;
use super::rust::{self, Function};
use crate::workspace::{Package, Workspace};

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;

/// Functions that may be longer, each with the reason: a table-like `match` reads better in one piece.
const LONG_FUNCTIONS: &[(&str, &str, &str)] =
    &[("runtime/flow/src/cel/evaluate.rs", "node", "one arm for each kind of node of an expression")];

/// What only some rooms of the product may say outside their tests, and what to do instead.
struct Reserved {
    words: &'static str,
    rooms: &'static [&'static str],
    cure: &'static str,
}

const OUTGOING: &str = "only `egress` opens outgoing connections, so that no address escapes the gate; send through it";

const RESERVED: &[Reserved] = &[
    Reserved {
        words: "std::env",
        rooms: &["server", "cli"],
        cure: "take it as an argument: only `server` and `cli` read the environment",
    },
    // The command line sends events to the Weir that it belongs to, and `artefact` talks for it to registries; neither is
    // part of a Weir that runs.
    Reserved { words: "hyper::client", rooms: &["artefact", "cli", "egress"], cure: OUTGOING },
    Reserved { words: "TcpStream::connect", rooms: &["artefact", "cli", "egress"], cure: OUTGOING },
    Reserved { words: "TcpSocket::", rooms: &["egress"], cure: OUTGOING },
    Reserved { words: "UdpSocket::", rooms: &["egress"], cure: OUTGOING },
    Reserved { words: "UnixStream::connect", rooms: &["cli"], cure: "only `cli` speaks to the admin socket" },
];

/// Files that may say it all the same, each with the reason.
const EXCUSED: &[(&str, &str, &str)] = &[(
    "runtime/host/src/bin/weir-compile-plugin.rs",
    "std::env",
    "a program of its own, told by its arguments what to do",
)];

/// Checks one file of Rust. `file` is its path from the root.
pub(super) fn check(workspace: &Workspace, file: &str, source: &str) -> Vec<Failure> {
    if file.split('/').any(|part| part == "generated") {
        return Vec::new();
    }
    let path = workspace.root.join(file);
    let package = workspace.packages.iter().find(|package| path.starts_with(package.folder()));
    let mut failures = Vec::new();
    let is_root = package.is_some_and(|package| is_crate_root(package, &path));
    if is_root && !source.starts_with("//!") {
        let message = "begin with `//!`: what it is for, what it must never know, the type to read first".to_owned();
        failures.push(Failure { file: file.to_owned(), line: 1, message });
    }
    let inside = package.and_then(|package| path.strip_prefix(package.folder()).ok()).unwrap_or(Path::new(file));
    if is_test(inside) {
        return failures;
    }
    let code = rust::code_only(source);
    let tests = rust::tests_begin(&code);
    failures.extend(lengths(file, &code, tests));
    let room = package.filter(|package| file.starts_with("runtime/") && package.name != "xtask");
    failures.extend(room.into_iter().flat_map(|room| reserved(file, &code, tests, &room.name)));
    failures
}

fn is_crate_root(package: &Package, path: &Path) -> bool {
    let product = |kinds: &[String]| kinds.iter().any(|kind| ["lib", "bin", "cdylib"].contains(&kind.as_str()));
    package.targets.iter().any(|target| target.src_path == path && product(&target.kind))
}

/// Whether a file of a package is a test, or a program that only shows or measures, judged by its path.
fn is_test(inside: &Path) -> bool {
    inside.iter().any(|part| ["tests", "tests.rs", "examples", "benches"].iter().any(|test| part == *test))
}

fn lengths(file: &str, code: &str, tests: usize) -> Vec<Failure> {
    let failure = |line, message| Failure { file: file.to_owned(), line, message };
    let mut failures = Vec::new();
    if tests - 1 > FILE_LINES_MAX {
        let message = format!(
            "the file has {} lines before its tests, at most {FILE_LINES_MAX}; split it by what it does",
            tests - 1
        );
        failures.push(failure(1, message));
    }
    for Function { name, line, lines } in rust::functions(code) {
        let excused = LONG_FUNCTIONS.iter().any(|(path, function, _)| *path == file && *function == name);
        if line < tests && lines > FUNCTION_LINES_MAX && !excused {
            let message = format!(
                "`{name}` has {lines} lines, at most {FUNCTION_LINES_MAX}; split it, or excuse a table-like `match` in \
                 runtime/xtask/src/tidy/sources.rs"
            );
            failures.push(failure(line, message));
        }
    }
    failures
}

fn reserved(file: &str, code: &str, tests: usize, room: &str) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (index, line) in code.lines().enumerate().take(tests - 1) {
        for Reserved { words, rooms, cure } in RESERVED {
            let excused = EXCUSED.iter().any(|(path, excused, _)| *path == file && excused == words);
            if line.contains(words) && !rooms.contains(&room) && !excused {
                let message = format!("`{words}` has no place in `{room}`: {cure}");
                failures.push(Failure { file: file.to_owned(), line: index + 1, message });
            }
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_may_fill_its_measure_and_no_more() {
        let found = |inner: usize| {
            let code = format!("fn f() {{\n{}}}\n", "    a();\n".repeat(inner));
            lengths("a.rs", &code, rust::tests_begin(&code))
        };
        assert_eq!(found(FUNCTION_LINES_MAX - 2), []);
        let failure = found(FUNCTION_LINES_MAX - 1)[0].to_string();
        assert!(failure.starts_with("a.rs:1: `f` has 71 lines, at most 70"), "{failure}");
    }

    #[test]
    fn what_is_reserved_is_refused_outside_its_rooms_and_allowed_in_tests() {
        let code = "use std::env;\n#[cfg(test)]\nmod tests {\n    use std::env;\n}\n";
        let found = reserved("a.rs", code, rust::tests_begin(code), "engine");
        assert_eq!(found.iter().map(|failure| failure.line).collect::<Vec<_>>(), [1]);
        assert_eq!(reserved("a.rs", code, rust::tests_begin(code), "server"), []);
    }

    #[test]
    fn tests_are_told_by_their_path() {
        assert!(is_test(Path::new("tests/all.rs")) && is_test(Path::new("src/gate/tests.rs")));
        assert!(!is_test(Path::new("src/test_kit.rs")));
    }
}
