//! One core module in place of many. Some toolchains put a dozen shared libraries into a component, and whoever runs it links
//! them anew for every sandbox: thousands of functions are looked up for each call. Linked once, they are ready.
//!
//! Libraries are linked behind the module that has their memory. What remains of the component stays as it is. Start at
//! [`link`].

mod graph;
mod late;
mod merge;
mod plan;
mod write;

use std::collections::BTreeMap;

use graph::Graph;
use merge::merge;
use plan::Plan;
use wasmparser::Validator;

/// The same component with its libraries linked, and those of components within it; none if there is nothing to link.
///
/// # Errors
/// It is no component, or it has what this does not know.
pub(crate) fn link(component: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let validate = |component: &[u8]| Validator::new().validate_all(component).map_err(|error| error.to_string());
    validate(component)?;
    let linked = link_all(component)?;
    if let Some(linked) = &linked {
        validate(linked)?;
    }
    Ok(linked)
}

fn link_all(component: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let graph = Graph::read(component)?;
    let mut within = BTreeMap::new();
    for range in &graph.components {
        if let Some(linked) = link_all(&component[range.clone()])? {
            within.insert(range.start, linked);
        }
    }
    let plan = Plan::make(component, &graph)?;
    if plan.members.is_empty() && within.is_empty() {
        return Ok(None);
    }
    let whole = merge(&plan.members, &plan.exported())?;
    write::write(component, &graph, &plan, &within, &whole).map(Some)
}

#[cfg(test)]
mod tests {
    use wasmparser::{ElementKind, Operator, Parser, Payload};

    use super::merge::imports;
    use super::write::EMPTY;
    use super::*;

    const MAIN: &str = r#"(core module $main
        (memory (export "memory") 1) (table (export "table") 4 funcref)
        (global (export "base") i32 (i32.const 2)) (global (export "got") (mut i32) (i32.const 3)))
        (core instance $main (instantiate $main))"#;
    const FIRST: &str = r#"(core module $first
        (import "env" "memory" (memory 1)) (import "env" "table" (table 1 funcref))
        (import "env" "base" (global $base i32)) (import "GOT" "got" (global (mut i32)))
        (func $f (export "f") (result i32) (i32.load (i32.const 8)))
        (elem (i32.add (global.get $base) (i32.const 1)) func $f) (data (i32.const 8) "\07"))
        (core instance $first (instantiate $first
            (with "env" (instance (export "memory" (memory $main "memory")) (export "table" (table $main "table"))
                                  (export "base" (global $main "base"))))
            (with "GOT" (instance (export "got" (global $main "got"))))))"#;
    const SECOND: &str = r#"(core module $second
        (import "env" "f" (func $f (result i32))) (import "env" "table" (table 1 funcref))
        (type $t (func (result i32)))
        (func (export "g") (result i32) (i32.add (call $f) (call_indirect (type $t) (i32.const 3)))))
        (core instance $second (instantiate $second
            (with "env" (instance (export "f" (func $first "f")) (export "table" (table $main "table"))))))
        (func (export "g") (result u32) (canon lift (core func $second "g")))"#;

    fn linked(parts: &[&str]) -> Result<Option<Vec<u8>>, String> {
        link(&wat::parse_str(format!("(component {})", parts.concat())).expect("is a component"))
    }

    #[test]
    fn libraries_become_one_module_whose_table_is_ready() {
        let component = linked(&[MAIN, FIRST, SECOND]).expect("is understood").expect("is linked");
        let graph = Graph::read(&component).expect("is read");
        let sizes: Vec<_> = graph.modules.iter().map(|range| range.len()).collect();
        assert!(sizes[0] > EMPTY.len() && sizes[1..] == [EMPTY.len(), EMPTY.len()], "{sizes:?}");
        let whole = &component[graph.modules[0].clone()];
        assert_eq!(imports(whole), Ok(Vec::new()));
        let elements = Parser::new(0).parse_all(whole).find_map(|payload| match payload.expect("is read") {
            Payload::ElementSection(section) => Some(section),
            _ => None,
        });
        let elements: Vec<_> =
            elements.expect("there are some").into_iter().collect::<Result<_, _>>().expect("is read");
        let ElementKind::Active { offset_expr, .. } = &elements[0].kind else { panic!("no fixed place") };
        let offset = offset_expr.get_operators_reader().read().expect("is read");
        assert!(matches!(offset, Operator::I32Const { value: 3 }), "{offset:?}");
        assert_eq!(link(&component), Ok(None), "there is nothing left to link");
    }

    #[test]
    fn a_library_gets_functions_that_come_behind_it_by_a_table() {
        let late = r#"(core func $lowered (canon lower (func $late)))
            (core module $lib (import "env" "late" (func (param i32) (result i32))) (import "env" "table" (table 1 funcref))
                (func $h (export "h") (result i32) (call 0 (i32.const 5))) (elem (i32.const 0) func $h))
            (core instance $lib (instantiate $lib
                (with "env" (instance (export "late" (func $lowered)) (export "table" (table $main "table"))))))
            (core module $behind (import "lib" "h" (func (result i32))))
            (core instance $behind (instantiate $behind (with "lib" (instance $lib))))
            (func (export "h") (result u32) (canon lift (core func $lib "h")))"#;
        let import = r#"(import "late" (func $late (param "n" u32) (result u32)))"#;
        let component = linked(&[import, MAIN, FIRST, late, SECOND]).expect("is understood").expect("is linked");
        let graph = Graph::read(&component).expect("is read");
        let module = |number: usize| &component[graph.modules[number].clone()];
        // The shim stands before the whole, and what fills its table behind the function.
        let imported: Vec<_> =
            (0..graph.modules.len()).map(|number| imports(module(number)).expect("is read")).collect();
        let fills = imported.iter().position(|imports| imports.len() == 2).expect("is there");
        assert!(imported[fills].iter().any(|import| import.module == "late" && import.name == "table"), "{imported:?}");
        assert!(imported[0].iter().all(|import| import.module == "late" && import.name == "0"), "{:?}", imported[0]);
        let within = link(&wat_around(&component)).expect("is understood");
        assert_eq!(within, None, "there is nothing left to link");
    }

    /// The component within another.
    fn wat_around(component: &[u8]) -> Vec<u8> {
        let mut outer = wasm_encoder::Component::new();
        outer.section(&wasm_encoder::RawSection { id: 4, data: component });
        outer.finish()
    }

    #[test]
    fn a_component_within_another_is_linked_too() {
        let inner = wat::parse_str(format!("(component {MAIN}{FIRST}{SECOND})")).expect("is a component");
        let linked = link(&wat_around(&inner)).expect("is understood").expect("is linked");
        assert_eq!(linked, wat_around(&link(&inner).expect("is understood").expect("is linked")));
    }

    #[test]
    fn what_needs_something_later_stays_as_it_is() {
        let late = r#"(import "late" (func $late)) (core func $lowered (canon lower (func $late)))
            (core module $lib (import "env" "late" (func)) (func (export "h")))
            (core instance $lib (instantiate $lib (with "env" (instance (export "late" (func $lowered))))))
            (func (export "h") (canon lift (core func $lib "h")))"#;
        assert_eq!(linked(&[MAIN, late]), Ok(None));
        // And what does not need it is linked all the same.
        let component = linked(&[MAIN, late, FIRST, SECOND]).expect("is understood").expect("is linked");
        let graph = Graph::read(&component).expect("is read");
        assert!(graph.modules[1].len() > EMPTY.len() && graph.modules[2].len() == EMPTY.len());
        assert_eq!(linked(&[MAIN]), Ok(None));
        assert!(link(b"text").is_err());
    }

    #[test]
    fn a_library_that_is_given_as_a_whole_keeps_its_names() {
        let given = r#"(core module $fixup (import "first" "f" (func (result i32))) (func (export "h") (result i32) (call 0)))
            (core func $never (canon resource.drop $resource))
            (core instance $fixup (instantiate $fixup (with "first" (instance $first)) (with "never" (instance (export "n" (func $never))))))
            (func (export "h") (result u32) (canon lift (core func $fixup "h")))"#;
        let resource = "(type $resource (resource (rep i32)))";
        let component = linked(&[resource, MAIN, FIRST, SECOND, given]).expect("is understood").expect("is linked");
        assert!(
            Graph::read(&component).is_ok_and(|graph| graph.modules[3].len() == EMPTY.len()),
            "it needs nothing late"
        );
    }
}
