//! One core module in place of many. Some toolchains put a dozen shared libraries into a component, and whoever runs it links
//! them anew for every sandbox: thousands of functions are looked up for each call. Linked once, they are ready.
//!
//! Libraries are linked behind the module that has their memory, as long as all that they import is there before it or comes
//! from one another. What remains of the component stays as it is. Start at [`link`].

mod graph;
mod merge;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use graph::{Graph, Instantiated, Source};
use merge::{Exported, Found, Member, imports, merge};
use wasm_encoder::reencode::{ReencodeComponent, RoundtripReencoder};
use wasm_encoder::{Alias, Component, ComponentAliasSection, ExportKind, InstanceSection, ModuleArg, RawSection};
use wasmparser::{ComponentAlias, ExternalKind, Parser, Payload};

/// The bytes of a module in which there is nothing.
const EMPTY: &[u8] = b"\0asm\x01\0\0\0";
/// The sections of a component in the binary format.
const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;

/// The same component with its libraries linked; none if there is nothing to link.
///
/// # Errors
/// It is no component, or it has what this does not know.
pub(crate) fn link(component: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let graph = Graph::read(component)?;
    let Some(plan) = Plan::make(component, &graph)? else { return Ok(None) };
    let whole = merge(&plan.members, &plan.exported())?;
    let linked = plan.write(component, &graph, &whole)?;
    wasmparser::Validator::new().validate_all(&linked).map_err(|error| error.to_string())?;
    Ok(Some(linked))
}

/// What is linked, and what of it the rest of the component needs.
struct Plan<'a> {
    members: Vec<Member<'a>>,
    /// Instances from outside that libraries import from.
    outside: BTreeSet<usize>,
    /// An export of a library that is needed: its instance and name, and its name in the whole.
    exports: BTreeMap<(usize, String), String>,
    /// For each kind, some export of the whole: what the component names and does not need stands for it.
    stand_ins: BTreeMap<u8, (usize, String)>,
}

impl<'a> Plan<'a> {
    fn make(component: &'a [u8], graph: &Graph) -> Result<Option<Self>, String> {
        let mut plan = Self {
            members: Vec::new(),
            outside: BTreeSet::new(),
            exports: BTreeMap::new(),
            stand_ins: BTreeMap::new(),
        };
        for (instance, instantiated) in graph.instances.iter().enumerate() {
            let Instantiated::Module { module, arguments } = instantiated else { continue };
            let bytes = &component[graph.modules.get(*module).cloned().ok_or("an instance of no module")?];
            let is_first = plan.members.is_empty();
            if is_first && !defines_memory(bytes)? || !is_alone(graph, *module) {
                continue;
            }
            if let Some(found) = plan.find(graph, bytes, arguments)? {
                plan.members.push(Member { instance, module_index: *module, module: bytes, found });
            }
        }
        if plan.members.len() < 2 {
            return Ok(None);
        }
        plan.find_exports(component, graph)?;
        Ok(Some(plan))
    }

    fn exported(&self) -> Vec<Exported<'_>> {
        let exported = self.exports.iter().filter_map(|((instance, name), as_name)| {
            Some(Exported { member: self.number(*instance)?, name, as_name })
        });
        exported.collect()
    }

    /// The number of the library that is this instance.
    fn number(&self, instance: usize) -> Option<usize> {
        self.members.iter().position(|member| member.instance == instance)
    }

    /// Where each import of a module is found; none if one of them comes too late.
    fn find(
        &mut self,
        graph: &Graph,
        module: &[u8],
        arguments: &[(String, usize)],
    ) -> Result<Option<Vec<Found>>, String> {
        if has_start(module)? {
            return Ok(None);
        }
        let (mut found, mut outside) = (Vec::new(), Vec::new());
        for import in imports(module)? {
            let argument = arguments.iter().find(|(name, _)| name == import.module);
            let Some((instance, name)) = argument.and_then(|(_, instance)| graph.origin(*instance, import.name)) else {
                return Ok(None);
            };
            match self.number(instance) {
                Some(number) => found.push(Found::Member(number, name.to_owned())),
                // Of the first library, everything outside is there before it.
                None if self.members.first().is_none_or(|first| instance < first.instance) => {
                    outside.push(instance);
                    found.push(Found::Outside(argument_name(instance), name.to_owned()));
                }
                None => return Ok(None),
            }
        }
        self.outside.extend(outside);
        Ok(Some(found))
    }

    /// Finds what of the libraries the rest of the component uses.
    fn find_exports(&mut self, component: &[u8], graph: &Graph) -> Result<(), String> {
        let mut needed = Vec::new();
        for (kind, index) in &graph.used {
            if let Some(Source::Export { instance, name }) = graph.item(*kind, *index) {
                needed.push((*instance, name.clone(), None));
            }
        }
        for (instance, instantiated) in graph.instances.iter().enumerate() {
            let Instantiated::Module { module, arguments } = instantiated else { continue };
            if self.number(instance).is_some() {
                continue;
            }
            for import in imports(&component[graph.modules[*module].clone()])? {
                let argument = arguments.iter().find(|(name, _)| name == import.module);
                let Some((_, argument)) = argument else { continue };
                if let Some((origin, name)) = graph.origin(*argument, import.name) {
                    // Given as an instance and not in a bundle, so that its name must stay.
                    let is_whole = matches!(graph.instances[*argument], Instantiated::Module { .. });
                    needed.push((origin, name.to_owned(), is_whole.then(|| name.to_owned())));
                }
            }
        }
        for (kind, source) in graph.sources() {
            if let Source::Export { instance, name } = source
                && self.number(*instance).is_some()
                && !self.stand_ins.contains_key(&kind)
            {
                self.stand_ins.insert(kind, (*instance, name.clone()));
                needed.push((*instance, name.clone(), None));
            }
        }
        // Names that must stay come first.
        needed.sort_by_key(|(.., as_name)| as_name.is_none());
        for (instance, name, as_name) in needed {
            if self.number(instance).is_none() {
                continue;
            }
            let as_name = as_name.unwrap_or_else(|| format!("{instance}:{name}"));
            self.exports.entry((instance, name)).or_insert(as_name);
        }
        let names: BTreeSet<_> = self.exports.values().collect();
        if names.len() < self.exports.len() {
            return Err("two libraries export the same name".to_owned());
        }
        Ok(())
    }

    /// Writes the component again, with the whole in the place of the first library.
    fn write(&self, component: &[u8], graph: &Graph, whole: &[u8]) -> Result<Vec<u8>, String> {
        let told = |error: wasmparser::BinaryReaderError| error.to_string();
        let mut written = Component::new();
        let (mut depth, mut module, mut instance) = (0, 0, 0);
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload.map_err(told)?;
            match &payload {
                Payload::Version { .. } => {
                    depth += 1;
                    continue;
                }
                Payload::End(_) => {
                    depth -= 1;
                    continue;
                }
                _ if depth > 1 => continue,
                Payload::ModuleSection { unchecked_range, .. } => {
                    let data = match self.members.iter().position(|member| member.module_index == module) {
                        None => bytes(component, unchecked_range),
                        Some(0) => whole,
                        Some(_) => EMPTY,
                    };
                    written.section(&RawSection { id: CORE_MODULE, data });
                    module += 1;
                }
                Payload::ComponentSection { unchecked_range, .. } => {
                    written.section(&RawSection { id: COMPONENT, data: bytes(component, unchecked_range) });
                }
                Payload::InstanceSection(section) => {
                    let mut instances = InstanceSection::new();
                    for _ in 0..section.count() {
                        self.write_instance(graph, instance, &mut instances);
                        instance += 1;
                    }
                    written.section(&instances);
                }
                Payload::ComponentAliasSection(section) => {
                    let mut aliases = ComponentAliasSection::new();
                    for alias in section.clone() {
                        self.write_alias(alias.map_err(told)?, &mut aliases)?;
                    }
                    written.section(&aliases);
                }
                other => {
                    if let Some((id, range)) = other.as_section() {
                        written.section(&RawSection { id, data: bytes(component, &range) });
                    }
                }
            }
        }
        Ok(written.finish())
    }

    fn write_instance(&self, graph: &Graph, instance: usize, instances: &mut InstanceSection) {
        let own = |instance: usize| if self.number(instance).is_some() { self.members[0].instance } else { instance };
        match (&graph.instances[instance], self.number(instance)) {
            (Instantiated::Module { module, .. }, Some(0)) => {
                let outside = self.outside.iter().map(|outside| (argument_name(*outside), argument(*outside)));
                instances.instantiate(index(*module), outside.collect::<Vec<_>>());
            }
            // Nobody asks for it any more, and those behind it keep their numbers.
            (_, Some(_)) => {
                instances.export_items(Vec::<(&str, ExportKind, u32)>::new());
            }
            (Instantiated::Module { module, arguments }, None) => {
                let arguments = arguments.iter().map(|(name, instance)| (name.as_str(), argument(own(*instance))));
                instances.instantiate(index(*module), arguments.collect::<Vec<_>>());
            }
            (Instantiated::Bundle(items), None) => {
                let items =
                    items.iter().map(|(name, kind, item)| (name.as_str(), ExportKind::from(*kind), index(*item)));
                instances.export_items(items.collect::<Vec<_>>());
            }
        }
    }

    fn write_alias(&self, alias: ComponentAlias<'_>, aliases: &mut ComponentAliasSection) -> Result<(), String> {
        if let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias
            && self.number(instance_index as usize).is_some()
        {
            let needed = self.exports.get(&(instance_index as usize, name.to_owned()));
            // Those that only libraries used are of no use; any of their kind keeps the numbers of those behind it.
            let stand_in = || self.exports.get(self.stand_ins.get(&kind_number(kind))?);
            let name = needed.or_else(stand_in).ok_or("an alias of nothing")?;
            let instance = index(self.members[0].instance);
            aliases.alias(Alias::CoreInstanceExport { instance, kind: kind.into(), name });
            return Ok(());
        }
        aliases.alias(RoundtripReencoder.component_alias(alias).map_err(|error| error.to_string())?);
        Ok(())
    }
}

fn kind_number(kind: ExternalKind) -> u8 {
    match kind {
        ExternalKind::Func => 0,
        ExternalKind::Table => 1,
        ExternalKind::Memory => 2,
        ExternalKind::Global => 3,
        _ => 4,
    }
}

fn argument_name(instance: usize) -> String {
    format!("instance-{instance}")
}

fn argument(instance: usize) -> ModuleArg {
    ModuleArg::Instance(index(instance))
}

fn index(index: usize) -> u32 {
    // It was read as one.
    index as u32
}

fn bytes<'a>(component: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    &component[range.start as usize..range.end as usize]
}

/// Whether nothing else instantiates the module.
fn is_alone(graph: &Graph, module: usize) -> bool {
    let of_it = |instantiated: &&Instantiated| matches!(instantiated, Instantiated::Module { module: other, .. } if *other == module);
    graph.instances.iter().filter(of_it).count() == 1
}

fn defines_memory(module: &[u8]) -> Result<bool, String> {
    has(module, |payload| matches!(payload, Payload::MemorySection(section) if section.count() > 0))
}

fn has_start(module: &[u8]) -> Result<bool, String> {
    has(module, |payload| matches!(payload, Payload::StartSection { .. }))
}

fn has(module: &[u8], is_it: impl Fn(&Payload<'_>) -> bool) -> Result<bool, String> {
    for payload in Parser::new(0).parse_all(module) {
        if is_it(&payload.map_err(|error| error.to_string())?) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use wasmparser::{ElementKind, Operator};

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
