//! What is linked, and what of it the rest of the component needs.

use std::collections::{BTreeMap, BTreeSet};

use wasmparser::{FuncType, Import, Parser, Payload, TypeRef};

use super::graph::{Graph, Instantiated, Source};
use super::late::LATE;
use super::merge::{Exported, Found, Member, imports};

/// What is linked, and what of it the rest of the component needs.
#[derive(Default)]
pub(super) struct Plan<'a> {
    pub(super) members: Vec<Member<'a>>,
    /// Instances from outside that libraries import from.
    pub(super) outside: BTreeSet<usize>,
    /// An export of a library that is needed: its instance and name, and its name in the whole.
    pub(super) exports: BTreeMap<(usize, String), String>,
    /// For each kind, some export of the whole: what the component names and does not need stands for it.
    pub(super) stand_ins: BTreeMap<u8, (usize, String)>,
    /// Functions of the component that libraries import and that come behind the first of them, with their types.
    pub(super) late: BTreeMap<usize, FuncType>,
}

impl<'a> Plan<'a> {
    /// Nothing is linked unless there are two libraries.
    pub(super) fn make(component: &'a [u8], graph: &'a Graph) -> Result<Self, String> {
        let mut plan = Self::default();
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
            return Ok(Self::default());
        }
        plan.find_exports(component, graph)?;
        Ok(plan)
    }

    pub(super) fn exported(&self) -> Vec<Exported<'_>> {
        let exported = self.exports.iter().filter_map(|((instance, name), as_name)| {
            Some(Exported { member: self.number(*instance)?, name, as_name })
        });
        exported.collect()
    }

    /// The number of the library that is this instance.
    pub(super) fn number(&self, instance: usize) -> Option<usize> {
        self.members.iter().position(|member| member.instance == instance)
    }

    /// Where each import of a module is found; none if one of them comes too late.
    fn find(
        &mut self,
        graph: &'a Graph,
        module: &'a [u8],
        arguments: &[(String, usize)],
    ) -> Result<Option<Vec<Found>>, String> {
        if has_start(module)? {
            return Ok(None);
        }
        let imports = imports(module)?;
        let origin = |import: &Import<'a>| graph.import(arguments, import.module, import.name);
        // What puts functions into the table of the others is worth a detour to functions that come late.
        let is_of_others = |import: &Import<'a>| {
            origin(import).and_then(|origin| origin.export).is_some_and(|(instance, _)| self.number(instance).is_some())
        };
        let is_library = imports.iter().any(|import| matches!(import.ty, TypeRef::Table(_)) && is_of_others(import));
        let (mut found, mut outside, mut late) = (Vec::new(), Vec::new(), Vec::new());
        for import in &imports {
            let Some(origin) = origin(import) else { return Ok(None) };
            // Of the first library, everything outside is there before it.
            let is_early = |instance| self.members.first().is_none_or(|first| instance < first.instance);
            match (origin.export, import.ty) {
                (Some((instance, name)), _) if let Some(number) = self.number(instance) => {
                    found.push(Found::Member(number, name.to_owned()));
                }
                (Some((instance, name)), _) if is_early(instance) => {
                    outside.push(instance);
                    found.push(Found::Outside(argument_name(instance), name.to_owned()));
                }
                (_, TypeRef::Func(ty))
                    if let Some(function) = origin.function
                        && is_library =>
                {
                    late.push((function, func_type(module, ty)?));
                    found.push(Found::Outside(LATE.to_owned(), function.to_string()));
                }
                _ => return Ok(None),
            }
        }
        self.outside.extend(outside);
        self.late.extend(late);
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
                let origin = graph.import(arguments, import.module, import.name).and_then(|origin| origin.export);
                if let Some((origin, name)) = origin {
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
}

pub(super) fn argument_name(instance: usize) -> String {
    format!("instance-{instance}")
}

/// A type of a function, among the types of the module.
fn func_type(module: &[u8], ty: u32) -> Result<FuncType, String> {
    let told = |error: wasmparser::BinaryReaderError| error.to_string();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::TypeSection(section) = payload.map_err(told)? {
            let mut types = section.into_iter_err_on_gc_types();
            return types.nth(ty as usize).ok_or("a function without a type")?.map_err(told);
        }
    }
    Err("a function without a type".to_owned())
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
