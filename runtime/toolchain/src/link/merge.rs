//! Several core modules made one: their items behind one another, each reference moved, and imports from one another resolved.

use std::collections::HashMap;
use std::convert::Infallible;

use wasm_encoder::reencode::{Error, Reencode};
use wasm_encoder::{
    CodeSection, DataCountSection, DataSection, ElementSection, ExportKind, ExportSection, FunctionSection,
    GlobalSection, ImportSection, Instruction, MemorySection, Module, TableSection, TypeSection,
};
use wasmparser::{ConstExpr, ExternalKind, Import, Operator, Parser, Payload, TypeRef};

/// Where an import of a member is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Found {
    /// In a member before it, under this name.
    Member(usize, String),
    /// Outside, under these names.
    Outside(String, String),
}

/// A module that is to be linked, with where each of its imports is found, in their order.
pub(super) struct Member<'a> {
    /// The number of its instance in the component.
    pub(super) instance: usize,
    pub(super) module_index: usize,
    pub(super) module: &'a [u8],
    pub(super) found: Vec<Found>,
}

/// What is exported of the whole.
pub(super) struct Exported<'a> {
    /// Of which member.
    pub(super) member: usize,
    /// By which name there.
    pub(super) name: &'a str,
    /// By which name of the whole.
    pub(super) as_name: &'a str,
}

/// Kinds of items, as places in [`Counts`].
const FUNCTION: usize = 0;
const TABLE: usize = 1;
const MEMORY: usize = 2;
const GLOBAL: usize = 3;

/// For each kind, how many there are.
type Counts = [u32; 4];

/// Where the items of one member are in the whole.
#[derive(Default)]
struct Place {
    items: [Vec<u32>; 4],
    exports: HashMap<String, (usize, u32)>,
    type_base: u32,
    data_base: u32,
    element_base: u32,
}

pub(super) fn merge(members: &[Member<'_>], exported: &[Exported<'_>]) -> Result<Vec<u8>, String> {
    let mut whole = Whole::default();
    whole.count_imports(members)?;
    for member in members {
        whole.lay_out(member)?;
    }
    for (number, member) in members.iter().enumerate() {
        whole.write(number, member)?;
    }
    whole.export(exported)?;
    Ok(whole.finish())
}

/// The module that is being made.
#[derive(Default)]
struct Whole {
    places: Vec<Place>,
    /// What is imported from outside, and its index among its kind.
    imported: HashMap<(String, String), u32>,
    counts: Counts,
    types_count: u32,
    data_count: u32,
    elements_count: u32,
    /// The constants that globals hold for ever.
    constants: HashMap<u32, Instruction<'static>>,
    has_data_count: bool,
    imports_written: Counts,
    types: TypeSection,
    imports: ImportSection,
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    exports: ExportSection,
    elements: ElementSection,
    code: CodeSection,
    data: DataSection,
}

impl Whole {
    /// Imports come first in every space of indices, so they are counted first.
    fn count_imports(&mut self, members: &[Member<'_>]) -> Result<(), String> {
        for member in members {
            for (import, found) in imports(member.module)?.iter().zip(&member.found) {
                if let Found::Outside(module, name) = found {
                    let kind = kind(import.ty)?;
                    let key = (module.clone(), name.clone());
                    if !self.imported.contains_key(&key) {
                        self.imported.insert(key, self.counts[kind]);
                        self.counts[kind] += 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// Finds the place of each item of a member.
    fn lay_out(&mut self, member: &Member<'_>) -> Result<(), String> {
        let mut place = Place {
            type_base: self.types_count,
            data_base: self.data_count,
            element_base: self.elements_count,
            ..Place::default()
        };
        for (import, found) in imports(member.module)?.iter().zip(&member.found) {
            let kind = kind(import.ty)?;
            let index = match found {
                Found::Outside(module, name) => self.imported[&(module.clone(), name.clone())],
                Found::Member(other, name) => {
                    let found = self.places.get(*other).and_then(|place| place.exports.get(name));
                    let (of_kind, index) = found.ok_or_else(|| format!("no export `{name}`"))?;
                    if *of_kind != kind {
                        return Err(format!("the export `{name}` is of another kind"));
                    }
                    *index
                }
            };
            place.items[kind].push(index);
        }
        let mut exports = Vec::new();
        for payload in Parser::new(0).parse_all(member.module) {
            let (kind, count) = match payload.map_err(told)? {
                Payload::TypeSection(section) => {
                    for group in section {
                        self.types_count += u32::try_from(group.map_err(told)?.types().len()).map_err(told)?;
                    }
                    continue;
                }
                Payload::FunctionSection(section) => (FUNCTION, section.count()),
                Payload::TableSection(section) => (TABLE, section.count()),
                Payload::MemorySection(section) => (MEMORY, section.count()),
                Payload::GlobalSection(section) => (GLOBAL, section.count()),
                Payload::ElementSection(section) => {
                    self.elements_count += section.count();
                    continue;
                }
                Payload::DataSection(section) => {
                    self.data_count += section.count();
                    continue;
                }
                Payload::DataCountSection { .. } => {
                    self.has_data_count = true;
                    continue;
                }
                Payload::ExportSection(section) => {
                    exports.extend(section.into_iter().collect::<Result<Vec<_>, _>>().map_err(told)?);
                    continue;
                }
                Payload::TagSection(_) | Payload::StartSection { .. } => {
                    return Err("a library has tags or a start of its own".to_owned());
                }
                _ => continue,
            };
            place.items[kind].extend(self.counts[kind]..self.counts[kind] + count);
            self.counts[kind] += count;
        }
        for export in exports {
            let kind = kind_of_export(export.kind)?;
            let index = place.items[kind].get(export.index as usize).ok_or("an export of nothing")?;
            place.exports.insert(export.name.to_owned(), (kind, *index));
        }
        self.places.push(place);
        Ok(())
    }

    fn write(&mut self, number: usize, member: &Member<'_>) -> Result<(), String> {
        let place = std::mem::take(&mut self.places[number]);
        let mut constants = std::mem::take(&mut self.constants);
        let written = self.write_sections(member, &place, &mut constants);
        self.constants = constants;
        self.places[number] = place;
        written
    }

    fn write_sections(
        &mut self,
        member: &Member<'_>,
        place: &Place,
        constants: &mut HashMap<u32, Instruction<'static>>,
    ) -> Result<(), String> {
        let mut mover = Mover { place, constants };
        for payload in Parser::new(0).parse_all(member.module) {
            match payload.map_err(told)? {
                Payload::TypeSection(section) => mover.parse_type_section(&mut self.types, section).map_err(moved)?,
                Payload::ImportSection(section) => {
                    for (import, found) in section.into_imports().zip(&member.found) {
                        self.import(&mut mover, import.map_err(told)?, found)?;
                    }
                }
                Payload::FunctionSection(section) => {
                    mover.parse_function_section(&mut self.functions, section).map_err(moved)?;
                }
                Payload::TableSection(section) => {
                    mover.parse_table_section(&mut self.tables, section).map_err(moved)?
                }
                Payload::MemorySection(section) => {
                    mover.parse_memory_section(&mut self.memories, section).map_err(moved)?;
                }
                Payload::GlobalSection(section) => {
                    let first = place.items[GLOBAL].len() - section.count() as usize;
                    for (global, index) in section.into_iter().zip(&place.items[GLOBAL][first..]) {
                        let global = global.map_err(told)?;
                        let (ty, value) = (global.ty, mover.const_expr(global.init_expr.clone()).map_err(moved)?);
                        if let (false, Some(constant)) = (ty.mutable, mover.constant(&global.init_expr)?) {
                            mover.constants.insert(*index, constant);
                        }
                        self.globals.global(mover.global_type(ty).map_err(moved)?, &value);
                    }
                }
                Payload::ElementSection(section) => {
                    mover.parse_element_section(&mut self.elements, section).map_err(moved)?;
                }
                Payload::CodeSectionEntry(body) => mover.parse_function_body(&mut self.code, body).map_err(moved)?,
                Payload::DataSection(section) => mover.parse_data_section(&mut self.data, section).map_err(moved)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes an import the first time that one comes by.
    fn import(&mut self, mover: &mut Mover<'_>, import: Import<'_>, found: &Found) -> Result<(), String> {
        let Found::Outside(module, name) = found else { return Ok(()) };
        let kind = kind(import.ty)?;
        if self.imported[&(module.clone(), name.clone())] == self.imports_written[kind] {
            self.imports.import(module, name, mover.entity_type(import.ty).map_err(moved)?);
            self.imports_written[kind] += 1;
        }
        Ok(())
    }

    fn export(&mut self, exported: &[Exported<'_>]) -> Result<(), String> {
        for Exported { member, name, as_name } in exported {
            let (kind, index) = self.places[*member].exports.get(*name).ok_or_else(|| format!("no export `{name}`"))?;
            let kind = [ExportKind::Func, ExportKind::Table, ExportKind::Memory, ExportKind::Global][*kind];
            self.exports.export(as_name, kind, *index);
        }
        Ok(())
    }

    fn finish(self) -> Vec<u8> {
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports).section(&self.functions).section(&self.tables);
        module.section(&self.memories).section(&self.globals).section(&self.exports).section(&self.elements);
        if self.has_data_count {
            module.section(&DataCountSection { count: self.data_count });
        }
        module.section(&self.code).section(&self.data);
        module.finish()
    }
}

/// Moves what a member refers to to its place in the whole.
struct Mover<'a> {
    place: &'a Place,
    constants: &'a mut HashMap<u32, Instruction<'static>>,
}

impl Mover<'_> {
    fn item(&self, kind: usize, index: u32) -> Result<u32, Error<Infallible>> {
        let item = self.place.items[kind].get(index as usize);
        item.copied().ok_or(Error::CanonicalizedHeapTypeReference)
    }

    /// The one constant that an expression comes to, if it does. A table whose elements have fixed places is ready before
    /// the first call.
    fn constant(&self, expression: &ConstExpr<'_>) -> Result<Option<Instruction<'static>>, String> {
        let mut stack: Vec<Instruction<'static>> = Vec::new();
        for operator in expression.get_operators_reader() {
            let value = match operator.map_err(told)? {
                Operator::End => break,
                Operator::I32Const { value } => Instruction::I32Const(value),
                Operator::I64Const { value } => Instruction::I64Const(value),
                Operator::GlobalGet { global_index } => {
                    let index = self.item(GLOBAL, global_index).map_err(moved)?;
                    match self.constants.get(&index) {
                        Some(constant) => constant.clone(),
                        None => return Ok(None),
                    }
                }
                Operator::I32Add => match (stack.pop(), stack.pop()) {
                    (Some(Instruction::I32Const(b)), Some(Instruction::I32Const(a))) => {
                        Instruction::I32Const(a.wrapping_add(b))
                    }
                    _ => return Ok(None),
                },
                _ => return Ok(None),
            };
            stack.push(value);
        }
        Ok(stack.pop().filter(|_| stack.is_empty()))
    }
}

impl Reencode for Mover<'_> {
    type Error = Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<Infallible>> {
        self.item(FUNCTION, index)
    }

    fn table_index(&mut self, index: u32) -> Result<u32, Error<Infallible>> {
        self.item(TABLE, index)
    }

    fn memory_index(&mut self, index: u32) -> Result<u32, Error<Infallible>> {
        self.item(MEMORY, index)
    }

    fn global_index(&mut self, index: u32) -> Result<u32, Error<Infallible>> {
        self.item(GLOBAL, index)
    }

    fn type_index(&mut self, index: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.place.type_base + index)
    }

    fn data_index(&mut self, index: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.place.data_base + index)
    }

    fn element_index(&mut self, index: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.place.element_base + index)
    }

    fn const_expr(&mut self, expression: ConstExpr<'_>) -> Result<wasm_encoder::ConstExpr, Error<Infallible>> {
        match self.constant(&expression) {
            Ok(Some(constant)) => Ok(wasm_encoder::ConstExpr::extended([constant])),
            _ => wasm_encoder::reencode::utils::const_expr(self, expression),
        }
    }
}

/// What a module imports, in its order.
pub(super) fn imports(module: &[u8]) -> Result<Vec<Import<'_>>, String> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload.map_err(told)? {
            return section.into_imports().collect::<Result<_, _>>().map_err(told);
        }
    }
    Ok(Vec::new())
}

fn kind(ty: TypeRef) -> Result<usize, String> {
    match ty {
        TypeRef::Func(_) => Ok(FUNCTION),
        TypeRef::Table(_) => Ok(TABLE),
        TypeRef::Memory(_) => Ok(MEMORY),
        TypeRef::Global(_) => Ok(GLOBAL),
        _ => Err("a library imports what cannot be linked".to_owned()),
    }
}

fn kind_of_export(kind: ExternalKind) -> Result<usize, String> {
    match kind {
        ExternalKind::Func => Ok(FUNCTION),
        ExternalKind::Table => Ok(TABLE),
        ExternalKind::Memory => Ok(MEMORY),
        ExternalKind::Global => Ok(GLOBAL),
        _ => Err("a library exports what cannot be linked".to_owned()),
    }
}

fn told(error: impl ToString) -> String {
    error.to_string()
}

fn moved(error: Error<Infallible>) -> String {
    error.to_string()
}
