//! What `expect` says, held to the official test suite of JSON Schema 2020-12, fetched by `cargo xtask material`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flow::Expect;
use model::Document;
use serde::Deserialize;
use serde_json::Value;

/// Schemas that are judged in another way, by file and description, each with the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("vocabulary.json", "schema that uses custom metaschema with with no validation vocabulary", OWN_METASCHEMA),
    (
        "optional/format-assertion.json",
        "schema that uses custom metaschema with format-assertion: false",
        OWN_METASCHEMA,
    ),
    (
        "optional/format-assertion.json",
        "schema that uses custom metaschema with format-assertion: true",
        OWN_METASCHEMA,
    ),
];
const OWN_METASCHEMA: &str = "a metaschema of somebody's own is never fetched: every schema is read as one of 2020-12";

/// A schema and documents that it judges.
#[derive(Deserialize)]
struct Group {
    description: String,
    schema: Value,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    description: String,
    data: Value,
    valid: bool,
}

#[test]
fn every_schema_judges_as_the_official_suite_says() {
    let suite = suite();
    let mut excepted: BTreeSet<_> =
        EXCEPTIONS.iter().map(|(file, group, _)| ((*file).to_owned(), (*group).to_owned())).collect();
    let (mut judged, mut refused, mut wrong) = (0, 0, Vec::new());
    for file in files(&suite) {
        let name = file.strip_prefix(&suite).expect("it lies there").display().to_string();
        let text = fs::read(&file).expect("a file that can be read");
        for group in serde_json::from_slice::<Vec<Group>>(&text).expect("groups of tests") {
            if excepted.remove(&(name.clone(), group.description.clone())) {
                continue;
            }
            match Expect::new(&group.schema) {
                Ok(expect) => {
                    judged += group.tests.len();
                    wrong.extend(
                        group
                            .tests
                            .iter()
                            .filter_map(|case| fault(&expect, case))
                            .map(|fault| format!("{name}: {}: {fault}", group.description)),
                    );
                }
                // The suite's schemas that others are fetched for: nothing is ever fetched here, and the author hears it.
                Err(fault) if fault.contains("leads out of the schema") => refused += 1,
                Err(fault) => wrong.push(format!("{name}: {}: {fault}", group.description)),
            }
        }
    }
    assert!(wrong.is_empty(), "{} verdicts differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(excepted.is_empty(), "the suite does not have these any more: {excepted:?}");
    assert!(judged > 1_300, "only {judged} documents were judged");
    // Not `println!`, which the harness keeps when the test passes. Whoever closed the output does not want the figures.
    let _ = writeln!(
        std::io::stdout(),
        "JSON Schema 2020-12: {judged} documents judged as the suite says, {refused} schemas refused that lead outside, {} \
         exceptions",
        EXCEPTIONS.len()
    );
}

/// What is wrong with the verdict, if it is.
fn fault(expect: &Expect, case: &Case) -> Option<String> {
    let document = Document::json(serde_json::to_vec(&case.data).expect("JSON"));
    let verdict = expect.check(&document);
    (verdict.is_ok() != case.valid).then(|| format!("{} ({}): {verdict:?}", case.description, case.data))
}

/// Where the suite lies: this program is in `debug/deps` of the target folder.
fn suite() -> PathBuf {
    let program = std::env::current_exe().expect("the program's own file");
    let target = program.ancestors().nth(3).expect("a target folder");
    let suite = target.join("weir-material/json-schema/suite/tests/draft2020-12");
    assert!(suite.is_dir(), "{} is missing; fetch it: cargo xtask material", suite.display());
    suite
}

/// What every implementation has to do, and what it may do; formats are annotations, which judge nothing.
fn files(suite: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = [suite.to_owned(), suite.join("optional")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder of the suite"))
        .map(|entry| entry.expect("an entry of the suite").path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}
