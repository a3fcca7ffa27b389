//! The bindings in `src/generated` are what the generator makes of `wit/weir.wit`.
//! `UPDATE_EXPECT=1 cargo test --test generated` writes them anew.

use expect_test::{ExpectFile, expect_file};
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::{Opts, WithOption};

/// One world for each role, because a component exports exactly what its world says: a plugin's roles are those whose
/// macros it uses, and the linker's tool merges their worlds.
const WORLDS: &str = "
    package weir:sdk;
    world imports {
        import weir:plugin/types@0.1.0;
        import weir:plugin/log@0.1.0;
        import weir:plugin/http@0.1.0;
    }
    world mapper { export weir:plugin/mapper@0.1.0; }
    world actions { export weir:plugin/actions@0.1.0; }
    world verification { export weir:plugin/verification@0.1.0; }
    world connection { export weir:plugin/connection@0.1.0; }
";

fn generate(world: &str, with: &[(&str, &str)]) -> String {
    let mut resolve = Resolve::default();
    resolve.push_path("wit").expect("the contract parses");
    let package = resolve.push_str("worlds.wit", WORLDS).expect("the worlds parse");
    let world_id = resolve.select_world(&[package], Some(world)).expect("the world exists");
    let options = Opts {
        format: true,
        generate_all: true,
        generate_unused_types: true,
        pub_export_macro: true,
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        export_macro_name: Some(format!("export_{world}")),
        default_bindings_module: Some(format!("weir_sdk::generated::{world}")),
        with: with.iter().map(|(name, path)| ((*name).to_owned(), WithOption::Path((*path).to_owned()))).collect(),
        ..Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world_id, &mut files).expect("bindings can be generated");
    let (_, source) = files.iter().next().expect("one file");
    String::from_utf8(source.to_vec()).expect("UTF-8")
}

#[test]
fn the_bindings_are_fresh() {
    const TYPES: (&str, &str) = ("weir:plugin/types@0.1.0", "crate::generated::imports::weir::plugin::types");
    const ACTIONS: (&str, &str) =
        ("weir:plugin/actions@0.1.0", "crate::generated::actions::exports::weir::plugin::actions");
    let check = |world, with: &[_], file: ExpectFile| file.assert_eq(&generate(world, with));
    check("imports", &[], expect_file!["../src/generated/imports.rs"]);
    check("mapper", &[TYPES], expect_file!["../src/generated/mapper.rs"]);
    check("actions", &[TYPES], expect_file!["../src/generated/actions.rs"]);
    check("verification", &[TYPES, ACTIONS], expect_file!["../src/generated/verification.rs"]);
    check("connection", &[TYPES], expect_file!["../src/generated/connection.rs"]);
}
