//! Writes a component again, with the whole in the place of the first library.

use std::collections::BTreeMap;
use std::ops::Range;

use wasm_encoder::reencode::{ReencodeComponent, RoundtripReencoder};
use wasm_encoder::{Alias, Component, ComponentAliasSection, ExportKind, InstanceSection, ModuleArg, RawSection};
use wasmparser::{ComponentAlias, ExternalKind, Parser, Payload};

use super::graph::{Graph, Instantiated};
use super::late::{self, LATE};
use super::plan::{Plan, argument_name};

/// The bytes of a module in which there is nothing.
pub(super) const EMPTY: &[u8] = b"\0asm\x01\0\0\0";
/// The sections of a component in the binary format.
const CORE_MODULE: u8 = 1;
const COMPONENT: u8 = 4;

/// `within` are components within this one that were linked, by where they began.
pub(super) fn write(
    component: &[u8],
    graph: &Graph,
    plan: &Plan<'_>,
    within: &BTreeMap<usize, Vec<u8>>,
    whole: &[u8],
) -> Result<Vec<u8>, String> {
    let told = |error: wasmparser::BinaryReaderError| error.to_string();
    let mut writer = Writer::new(graph, plan);
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(told)?;
        match &payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ if depth > 1 => {}
            Payload::ModuleSection { unchecked_range, .. } => writer.module(bytes(component, unchecked_range), whole),
            Payload::ComponentSection { unchecked_range, .. } => {
                let linked = within.get(&(unchecked_range.start as usize)).map(Vec::as_slice);
                let data = linked.unwrap_or_else(|| bytes(component, unchecked_range));
                writer.written.section(&RawSection { id: COMPONENT, data });
            }
            Payload::InstanceSection(section) => {
                for _ in 0..section.count() {
                    writer.instance()?;
                }
            }
            Payload::ComponentAliasSection(section) => {
                let mut aliases = ComponentAliasSection::new();
                for alias in section.clone() {
                    writer.alias(alias.map_err(told)?, &mut aliases)?;
                }
                writer.written.section(&aliases);
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    writer.written.section(&RawSection { id, data: bytes(component, &range) });
                }
                if let Payload::ComponentCanonicalSection(section) = other {
                    let makes = |function| !matches!(function, Ok(wasmparser::CanonicalFunction::Lift { .. }));
                    writer.functions += section.clone().into_iter().filter(|function| makes(function.clone())).count();
                }
            }
        }
        writer.settle()?;
    }
    Ok(writer.written.finish())
}

/// A component that is being written.
struct Writer<'a> {
    graph: &'a Graph,
    plan: &'a Plan<'a>,
    written: Component,
    /// How many modules, instances and functions of the old one have come by.
    modules: usize,
    instances: usize,
    functions: usize,
    /// How many there were when one of ours was put between them.
    modules_put: Vec<usize>,
    instances_put: Vec<usize>,
    /// Our shim's instance, once it is there.
    shim: Option<u32>,
    is_settled: bool,
}

impl<'a> Writer<'a> {
    fn new(graph: &'a Graph, plan: &'a Plan<'a>) -> Self {
        Self {
            graph,
            plan,
            written: Component::new(),
            modules: 0,
            instances: 0,
            functions: 0,
            modules_put: Vec::new(),
            instances_put: Vec::new(),
            shim: None,
            is_settled: plan.late.is_empty(),
        }
    }

    /// A module of the old component.
    fn module(&mut self, old: &[u8], whole: &[u8]) {
        let data = match self.plan.members.iter().position(|member| member.module_index == self.modules) {
            None => old,
            Some(0) => whole,
            Some(_) => EMPTY,
        };
        self.written.section(&RawSection { id: CORE_MODULE, data });
        self.modules += 1;
    }

    /// Puts a module of ours there, and gives its number.
    fn put_module(&mut self, data: &[u8]) -> u32 {
        self.written.section(&RawSection { id: CORE_MODULE, data });
        self.modules_put.push(self.modules);
        index(self.modules + self.modules_put.len() - 1)
    }

    /// Puts an instance of ours there, and gives its number.
    fn put_instance(&mut self, instances: &InstanceSection) -> u32 {
        self.written.section(instances);
        self.instances_put.push(self.instances);
        index(self.instances + self.instances_put.len() - 1)
    }

    fn module_number(&self, old: usize) -> u32 {
        index(old + self.modules_put.iter().filter(|put| **put <= old).count())
    }

    /// The number of an instance; of any library it is that of the whole.
    fn instance_number(&self, old: usize) -> u32 {
        let old = if self.plan.number(old).is_some() { self.plan.members[0].instance } else { old };
        index(old + self.instances_put.iter().filter(|put| **put <= old).count())
    }

    /// The next instance of the old component.
    fn instance(&mut self) -> Result<(), String> {
        let (graph, plan) = (self.graph, self.plan);
        let number = plan.number(self.instances);
        if number == Some(0) && !plan.late.is_empty() {
            let module = self.put_module(&late::shim(&plan.late)?);
            let mut instances = InstanceSection::new();
            instances.instantiate(module, Vec::<(&str, ModuleArg)>::new());
            self.shim = Some(self.put_instance(&instances));
        }
        let mut instances = InstanceSection::new();
        match (&graph.instances[self.instances], number) {
            (Instantiated::Module { module, .. }, Some(0)) => {
                let outside =
                    plan.outside.iter().map(|outside| (argument_name(*outside), self.instance_number(*outside)));
                let shim = self.shim.map(|shim| (LATE.to_owned(), shim));
                let arguments = outside.chain(shim).map(|(name, instance)| (name, ModuleArg::Instance(instance)));
                instances.instantiate(self.module_number(*module), arguments.collect::<Vec<_>>());
            }
            // Nobody asks for it any more, and those behind it keep their numbers.
            (_, Some(_)) => {
                instances.export_items(Vec::<(&str, ExportKind, u32)>::new());
            }
            (Instantiated::Module { module, arguments }, None) => {
                let arguments =
                    arguments.iter().map(|(name, instance)| (name.as_str(), self.instance_number(*instance)));
                let arguments = arguments.map(|(name, instance)| (name, ModuleArg::Instance(instance)));
                instances.instantiate(self.module_number(*module), arguments.collect::<Vec<_>>());
            }
            (Instantiated::Bundle(items), None) => {
                let items =
                    items.iter().map(|(name, kind, item)| (name.as_str(), ExportKind::from(*kind), index(*item)));
                instances.export_items(items.collect::<Vec<_>>());
            }
        }
        self.written.section(&instances);
        self.instances += 1;
        Ok(())
    }

    fn alias(&mut self, alias: ComponentAlias<'_>, aliases: &mut ComponentAliasSection) -> Result<(), String> {
        let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias else {
            aliases.alias(RoundtripReencoder.component_alias(alias).map_err(|error| error.to_string())?);
            return Ok(());
        };
        self.functions += usize::from(kind == ExternalKind::Func);
        let old = instance_index as usize;
        let mut name = name.to_owned();
        if self.plan.number(old).is_some() {
            let exports = &self.plan.exports;
            let needed = exports.get(&(old, name));
            // Those that only libraries used are of no use; any of their kind keeps the numbers of those behind it.
            let stand_in = || exports.get(self.plan.stand_ins.get(&kind_number(kind))?);
            name = needed.or_else(stand_in).ok_or("an alias of nothing")?.clone();
        }
        let instance = self.instance_number(old);
        aliases.alias(Alias::CoreInstanceExport { instance, kind: kind.into(), name: &name });
        Ok(())
    }

    /// Fills our shim as soon as all that it stands for is there.
    fn settle(&mut self) -> Result<(), String> {
        let late = &self.plan.late;
        let (Some(shim), Some(last)) = (self.shim, late.keys().next_back()) else { return Ok(()) };
        if self.is_settled || *last >= self.functions {
            return Ok(());
        }
        self.is_settled = true;
        const FUNCTIONS: &str = "functions";
        let module = self.put_module(&late::fixup(late, FUNCTIONS)?);
        let mut instances = InstanceSection::new();
        let functions = late.keys().map(|function| (function.to_string(), ExportKind::Func, index(*function)));
        instances.export_items(functions.collect::<Vec<_>>());
        let bundle = self.put_instance(&instances);
        let mut instances = InstanceSection::new();
        instances.instantiate(module, [(LATE, ModuleArg::Instance(shim)), (FUNCTIONS, ModuleArg::Instance(bundle))]);
        self.put_instance(&instances);
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

fn index(index: usize) -> u32 {
    // It was read as one.
    index as u32
}

fn bytes<'a>(component: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    &component[range.start as usize..range.end as usize]
}
