//! Every code that is said has a page, and every page is of a code that is said.

use std::collections::BTreeSet;

use super::Failure;
use super::rust;

const PAGES: &str = "runtime/explain/pages/";

/// What begins like a code and is none: names of files, and of what an artefact says of itself.
const NAMES: &[&str] = &[
    "weir.changes",
    "weir.conformance",
    "weir.exchanges",
    "weir.lock",
    "weir.publisher",
    "weir.roles",
    "weir.sock",
    "weir.toml",
    "weir.wit",
];

/// The one page that stands for many codes, `http-404` and so on; where they are made.
const OF_MANY: (&str, &str, &str) = ("http-STATUS", "sdk/rust/src/http.rs", "\"http-{}\"");

/// Where a text in quotes is a code although it does not begin with `weir.`: in the files below a path, behind some words.
const BEHIND: &[(&str, &str)] = &[
    ("runtime/ingress/src/problem.rs", ", "),
    ("runtime/model/src/fault.rs", "=> "),
    ("sdk/go/", "WithCode("),
    ("sdk/js/src/", "withCode("),
    ("sdk/js/src/", "code: "),
    ("sdk/python/src/weir_sdk/", "code="),
    ("sdk/rust/src/", ".code("),
    ("sdk/rust/src/", "code: "),
];

/// Compares the codes in the sources with the pages; all files with their texts are given.
pub(super) fn check(files: &[(String, String)]) -> Vec<Failure> {
    let page = |file: &str| Some(file.strip_prefix(PAGES)?.strip_suffix(".md")?.to_owned());
    let pages: BTreeSet<String> = files.iter().filter_map(|(file, _)| page(file)).collect();
    let mut said = BTreeSet::new();
    let mut failures = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| speaks(file)) {
        for (line, code) in codes(file, text) {
            if !pages.contains(&code) {
                let message = format!("the code `{code}` is not explained; write {PAGES}{code}.md");
                failures.push(Failure { file: file.clone(), line, message });
            }
            said.insert(code);
        }
    }
    for page in pages.difference(&said) {
        let message = format!("nothing says the code `{page}`; remove the page, or write the code as it is said");
        failures.push(Failure { file: format!("{PAGES}{page}.md"), line: 1, message });
    }
    failures
}

/// Whether codes that a user meets may come from a file: neither tests nor what is generated nor a project that is copied.
fn speaks(file: &str) -> bool {
    let parts: Vec<&str> = file.split('/').collect();
    let is_product = match parts.as_slice() {
        ["runtime", room, "src", ..] => !["explain", "xtask"].contains(room),
        ["sdk", ..] => true,
        _ => false,
    };
    let silent = |part: &&str| {
        ["generated", "scaffold", "test", "tests", "tests.rs"].contains(part)
            || part.ends_with("_test.go")
            || part.ends_with("_tests.rs")
            || part.ends_with(".md")
    };
    is_product && !parts.iter().any(silent)
}

/// The codes that a file says, each with its line.
fn codes(file: &str, text: &str) -> Vec<(usize, String)> {
    let end = if file.ends_with(".rs") { rust::tests_begin(&rust::code_only(text)) } else { usize::MAX };
    let behind: Vec<&str> =
        BEHIND.iter().filter(|(below, _)| file.starts_with(below)).map(|(_, words)| *words).collect();
    let mut codes = Vec::new();
    for (index, line) in text.lines().enumerate().take(end.saturating_sub(1)) {
        if is_comment(line) {
            continue;
        }
        for (before, quoted) in quoted(line) {
            let is_code = quoted.starts_with("weir.") && !NAMES.contains(&quoted)
                || behind.iter().any(|words| before.ends_with(words));
            if is_code && is_word(quoted) {
                codes.push((index + 1, quoted.to_owned()));
            }
        }
        if file == OF_MANY.1 && line.contains(OF_MANY.2) {
            codes.push((index + 1, OF_MANY.0.to_owned()));
        }
    }
    codes
}

fn is_comment(line: &str) -> bool {
    ["//", "*", "#", ">>>"].iter().any(|mark| line.trim_start().starts_with(mark))
}

/// The texts in double quotes of a line, each with what stands before it. Codes hold no quotes, so that escapes need no care.
fn quoted(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let quotes: Vec<usize> = line.match_indices('"').map(|(at, _)| at).collect();
    let pairs: Vec<(usize, usize)> = quotes.windows(2).map(|pair| (pair[0], pair[1])).collect();
    pairs.into_iter().map(move |(start, end)| (&line[..start], &line[start + 1..end]))
}

/// Lower-case words between hyphens and dots.
fn is_word(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_texts(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_code_without_a_page_and_a_page_without_a_code_are_named() {
        let found = check_texts(&[
            ("runtime/host/src/a.rs", "x(\"weir.trap\", y);\n// \"weir.comment\"\nf(\"weir.toml\", \"weir.new\");\n"),
            ("runtime/explain/pages/weir.trap.md", ""),
            ("runtime/explain/pages/weir.gone.md", ""),
        ]);
        assert_eq!(
            found,
            [
                "runtime/host/src/a.rs:3: the code `weir.new` is not explained; write runtime/explain/pages/weir.new.md",
                "runtime/explain/pages/weir.gone.md:1: nothing says the code `weir.gone`; remove the page, or write the \
                 code as it is said",
            ]
        );
    }

    #[test]
    fn other_words_are_codes_where_they_are_given_as_one() {
        for (file, line) in [
            ("runtime/ingress/src/problem.rs", "Self::A => (StatusCode::NOT_FOUND, \"unknown-path\"),"),
            ("sdk/go/plugin.go", "\treturn Internal(\"no \\\"x\\\"\").WithCode(\"unknown-path\")"),
            ("sdk/js/src/http.ts", "throw fault.withCode(\"unknown-path\");"),
            ("sdk/python/src/weir_sdk/http.py", "raise make(message, code=\"unknown-path\") from None"),
            ("sdk/rust/src/http.rs", "Fault { code: \"unknown-path\".to_owned(), ..fault }"),
        ] {
            assert_eq!(check_texts(&[(file, line)]).len(), 1, "{file}");
        }
        assert_eq!(check_texts(&[("sdk/js/test/http.test.ts", "fault.withCode(\"unknown-path\")")]), [""; 0]);
        assert_eq!(check_texts(&[("runtime/host/src/a.rs", "code: \"unknown-path\"")]), [""; 0]);
    }
}
