//! What is made of the contract and committed is what would be made now. `UPDATE_EXPECT=1 cargo test --test fresh` writes
//! it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use expect_test::expect_file;
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All of a folder's text, in one.
fn read_all(folder: &str) -> String {
    fn add(folder: &Path, text: &mut String) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match path.is_dir() {
                true => add(&path, text)?,
                false => text.push_str(&String::from_utf8_lossy(&fs::read(&path)?)),
            }
        }
        Ok(())
    }
    let mut text = String::new();
    add(&root().join(folder), &mut text).unwrap_or_else(|error| panic!("{folder}: {error}"));
    text
}

#[test]
fn the_reference_is_fresh() {
    let reference = contract::reference(&read("wit/weir.wit")).expect("the contract parses");
    expect_file!["../../../wit/REFERENCE.md"].assert_eq(&reference);
}

/// The names are made by rules; each of them must be a word of the bindings.
#[test]
fn every_name_in_the_reference_is_one_of_the_bindings() {
    let bindings = [
        ("Rust", "sdk/rust/src/generated"),
        ("JavaScript", "sdk/js/src/generated"),
        ("Python", "sdk/python/src/weir_sdk/generated/wit_world"),
        ("Go", "sdk/go/internal/generated"),
        ("C", "sdk/c/generated"),
    ];
    let mut texts: BTreeMap<_, _> = bindings.map(|(language, folder)| (language, read_all(folder))).into();
    // What is committed for C holds two worlds, which do not have every role.
    for (_, bytes) in generate(wit_bindgen_c::Opts::default().build(), "host").iter() {
        texts.entry("C").or_default().push_str(&String::from_utf8_lossy(bytes));
    }
    let mut found = 0;
    let mut languages: Vec<Vec<&str>> = Vec::new();
    let languages_known: Vec<&str> = bindings.iter().map(|(language, _)| *language).collect();
    let mut look_up = |language: &str, name: &str| {
        let name = name.trim_matches('`');
        assert!(texts[language].contains(name), "`{name}` is no word of the bindings for {language}");
        found += 1;
    };
    let reference = contract::reference(&read("wit/weir.wit")).expect("the contract parses");
    for line in reference.lines().filter(|line| line.starts_with("Rust `")) {
        for name in line.trim_end_matches('.').split(", ") {
            let (language, name) = name.split_once(' ').expect("a language and a name");
            look_up(language, name);
        }
    }
    for line in reference.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if ["In WIT", "Field", "Case"].contains(&cells[0]) {
            let known =
                cells.iter().map(|cell| cell.split(", ").filter(|part| languages_known.contains(part)).collect());
            languages = known.collect();
            continue;
        }
        for (cell, languages) in cells.iter().zip(&languages) {
            for language in languages {
                look_up(language, cell);
            }
        }
    }
    assert!(found > 300, "the tables were not read: {found} names");
}

/// What a generator makes of a world.
fn generate(mut generator: Box<dyn WorldGenerator>, world: &str) -> Files {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("weir.wit", &read("wit/weir.wit")).expect("the contract parses");
    let world = resolve.select_world(&[package], Some(world)).expect("the world exists");
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files).expect("bindings can be generated");
    files
}

/// Compares bytes with a committed file, or writes them there if told to.
fn check(path: &Path, bytes: &[u8]) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        fs::write(path, bytes).expect("the file can be written");
    }
    let committed = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(committed == bytes, "{} is not what is generated now: cargo xtask codegen", path.display());
}

/// Nothing else is committed there: a file that is no longer generated would go on being used.
fn check_all_are_generated(folder: &Path, generated: &BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => check_all_are_generated(&path, generated),
            false => assert!(generated.contains(&path), "{} is no longer generated: remove it", path.display()),
        }
    }
}

#[test]
fn the_bindings_for_c_are_fresh() {
    let folder = root().join("sdk/c/generated");
    let mut generated = BTreeSet::new();
    for world in ["mapper-plugin", "connector-plugin"] {
        for (name, bytes) in generate(wit_bindgen_c::Opts::default().build(), world).iter() {
            check(&folder.join(name), bytes);
            generated.insert(folder.join(name));
        }
    }
    check_all_are_generated(&folder, &generated);
}

/// What the generator writes is changed in three ways, so that the SDK needs no other module: its small runtime is the copy
/// in `internal/wit`, the exported roles are those of `internal/roles`, and it is compiled for the sandbox only.
#[test]
fn the_bindings_for_go_are_fresh() {
    const MODULE: &str = "github.com/weir-project/weir/sdk/go/internal";
    let options = wit_bindgen_go::Opts {
        pkg_name: Some(format!("{MODULE}/generated")),
        generate_stubs: true,
        quiet: true,
        ..wit_bindgen_go::Opts::default()
    };
    let folder = root().join("sdk/go/internal/generated");
    let mut generated = BTreeSet::new();
    for (name, bytes) in generate(options.build(), "host").iter() {
        if name.starts_with("exports/export_") {
            continue;
        }
        let path = folder.join(name);
        generated.insert(path.clone());
        if !name.ends_with(".go") {
            check(&path, bytes);
            continue;
        }
        let text = String::from_utf8_lossy(bytes)
            .replace("\"go.bytecodealliance.org/pkg/wit/", &format!("\"{MODULE}/wit/"))
            .lines()
            .map(|line| ours(line, MODULE) + "\n")
            .collect::<String>();
        check(&path, &formatted(&format!("//go:build wasip1\n\n{text}")));
    }
    check_all_are_generated(&folder, &generated);
}

/// The import of an exported role, led to the roles that the SDK has.
fn ours(line: &str, module: &str) -> String {
    let role = line.strip_prefix(&format!("\t\"{module}/generated/exports/")).and_then(|role| role.strip_suffix('"'));
    match role.filter(|role| role.starts_with("export_")) {
        Some(role) => format!("\t{role} \"{module}/roles\""),
        None => line.to_owned(),
    }
}

/// As `gofmt` writes it.
fn formatted(text: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bindings.go");
    fs::write(&file, text).expect("the file can be written");
    let output = Command::new("gofmt").arg(&file).output().expect("gofmt comes with Go");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
