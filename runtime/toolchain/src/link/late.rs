//! Functions that a library imports and that come behind it in the component. It gets others in their place, which call through
//! a table; the table is filled when they are there, before anything of the library runs.

use std::collections::BTreeMap;

use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, Instruction, Module, RefType, TableSection, TableType, TypeSection,
};
use wasmparser::FuncType;

/// Under which name the whole imports them.
pub(super) const LATE: &str = "late";
/// The export that is the table.
const TABLE: &str = "table";

/// The module whose functions, named by their numbers, call through its table.
pub(super) fn shim(late: &BTreeMap<usize, FuncType>) -> Result<Vec<u8>, String> {
    let (mut functions, mut exports, mut code) = (FunctionSection::new(), ExportSection::new(), CodeSection::new());
    let mut tables = TableSection::new();
    tables.table(table(late));
    exports.export(TABLE, ExportKind::Table, 0);
    for (number, (function, ty)) in (0..).zip(late) {
        functions.function(number);
        exports.export(&function.to_string(), ExportKind::Func, number);
        let mut body = Function::new([]);
        for (parameter, _) in (0..).zip(ty.params()) {
            body.instruction(&Instruction::LocalGet(parameter));
        }
        body.instruction(&Instruction::I32Const(number as i32));
        body.instruction(&Instruction::CallIndirect { type_index: number, table_index: 0 });
        body.instruction(&Instruction::End);
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types(late)?).section(&functions).section(&tables).section(&exports).section(&code);
    Ok(module.finish())
}

/// The module that fills the table: it imports the shim, and the functions from `functions`.
pub(super) fn fixup(late: &BTreeMap<usize, FuncType>, functions: &str) -> Result<Vec<u8>, String> {
    let mut imports = ImportSection::new();
    imports.import(LATE, TABLE, EntityType::Table(table(late)));
    for (number, function) in (0..).zip(late.keys()) {
        imports.import(functions, &function.to_string(), EntityType::Function(number));
    }
    let mut elements = ElementSection::new();
    let all: Vec<u32> = (0..).zip(late).map(|(number, _)| number).collect();
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(all.into()));
    let mut module = Module::new();
    module.section(&types(late)?).section(&imports).section(&elements);
    Ok(module.finish())
}

fn table(late: &BTreeMap<usize, FuncType>) -> TableType {
    let size = late.len() as u64;
    TableType { element_type: RefType::FUNCREF, table64: false, minimum: size, maximum: Some(size), shared: false }
}

fn types(late: &BTreeMap<usize, FuncType>) -> Result<TypeSection, String> {
    let mut types = TypeSection::new();
    for ty in late.values() {
        let ty = RoundtripReencoder.func_type(ty.clone()).map_err(|error| error.to_string())?;
        types.ty().func_type(&ty);
    }
    Ok(types)
}
