//! The bindings in `src/generated` are what the generator makes of `wit/weir.wit`.
//! `UPDATE_EXPECT=1 cargo test --test generated` writes them anew; where a change of the contract keeps the library from
//! compiling, empty its `lib.rs` for that one run.

use expect_test::{ExpectFile, expect_file};
use wit_bindgen_core::wit_parser::Resolve;
use wit_bindgen_core::{Files, WorldGenerator};
use wit_bindgen_rust::{Opts, WithOption};

/// Worlds for the roles, because a component exports exactly what its world says. A plugin's roles are those whose macros
/// it uses; the linker merges their worlds. `verification` takes types of `actions` and so needs a world with both: on its
/// own it would import them, and that world could not be merged with one that exports them.
const WORLDS: &str = "
    package weir:sdk;
    world imports {
        import weir:plugin/types@0.1.0;
        import weir:plugin/log@0.1.0;
        import weir:plugin/http@0.1.0;
    }
    world mapper { export weir:plugin/mapper@0.1.0; }
    world actions { export weir:plugin/actions@0.1.0; }
    world verified-actions { export weir:plugin/actions@0.1.0; export weir:plugin/verification@0.1.0; }
    world connection { export weir:plugin/connection@0.1.0; }
";

fn generate(world: &str, with: &[(&str, &str)]) -> String {
    let module = world.replace('-', "_");
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
        export_macro_name: Some(format!("export_{module}")),
        default_bindings_module: Some(format!("weir_sdk::generated::{module}")),
        with: with.iter().map(|(name, path)| ((*name).to_owned(), WithOption::Path((*path).to_owned()))).collect(),
        ..Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world_id, &mut files).expect("bindings can be generated");
    let (_, source) = files.iter().next().expect("one file");
    String::from_utf8(source.to_vec()).expect("UTF-8")
}

/// Of a world whose code stands in another one's bindings: the macro that exports it, which takes a path to that code.
fn only_macro(bindings: &str) -> String {
    let start = bindings.find("/// Generates `#[unsafe(no_mangle)]`").expect("the macro is documented");
    let last = "as export_actions;\n";
    let end = bindings.find(last).expect("the macro is public") + last.len();
    bindings[start..end].to_owned()
}

#[test]
fn the_bindings_are_fresh() {
    const TYPES: (&str, &str) = ("weir:plugin/types@0.1.0", "crate::generated::imports::weir::plugin::types");
    let check = |world, with: &[_], file: ExpectFile| file.assert_eq(&generate(world, with));
    check("imports", &[], expect_file!["../src/generated/imports.rs"]);
    check("mapper", &[TYPES], expect_file!["../src/generated/mapper.rs"]);
    check("verified-actions", &[TYPES], expect_file!["../src/generated/verified_actions.rs"]);
    check("connection", &[TYPES], expect_file!["../src/generated/connection.rs"]);
    expect_file!["../src/generated/actions.rs"].assert_eq(&only_macro(&generate("actions", &[TYPES])));
}
