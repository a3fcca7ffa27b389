use std::fmt::Write as _;

use futures_util::FutureExt as _;
use wasmtime::{Caller, Config, Engine, Extern, Instance, Linker, Memory, Module, OptLevel, Store, Val};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

/// What a module of WASI preview 1 exports to be started.
const START: &str = "_initialize";
const WASI: &str = "wasi_snapshot_preview1";
/// A second or two: a start that takes longer is an endless one.
const FUEL: u64 = 4_000_000_000;
/// As much as is told of what a start complained of.
const COMPLAINT_BYTES_MAX: usize = 4 << 10;

/// Error numbers of WASI preview 1.
const OK: i32 = 0;
const BAD_FILE: i32 = 8;

/// Why a module could not be started.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PreinitError(String);

/// Runs what a module does before its first call, and gives a module that has done it. A plugin begins every call in a fresh
/// sandbox, so that this is saved with each.
///
/// Only for what starts in the same way each time: for mappers, which are pure. The module sees no files, no arguments, no
/// environment, a clock that stands still, and the same random numbers each time.
///
/// # Errors
/// It is no module with an export `_initialize`, or its start fails, asks for something else, or does not end.
pub fn preinitialise(module: &[u8]) -> Result<Vec<u8>, PreinitError> {
    let mut config = Config::new();
    // It is run once.
    config.cranelift_opt_level(OptLevel::None).consume_fuel(true);
    let engine = Engine::new(&config).map_err(told)?;
    let mut store = Store::new(&engine, Complaint::default());
    store.set_fuel(FUEL).map_err(told)?;

    let mut wizer = Wizer::new();
    wizer.init_func(START);
    let (context, instrumented) = wizer.instrument(module).map_err(told)?;
    let instrumented = Module::new(&engine, &instrumented).map_err(told)?;
    let mut linker = Linker::new(&engine);
    link_start(&mut linker).map_err(told)?;
    linker.define_unknown_imports_as_traps(&instrumented).map_err(told)?;
    let instance = linker.instantiate(&mut store, &instrumented).map_err(told)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, START).map_err(told)?;
    start.call(&mut store, ()).map_err(|error| store.data().with(error))?;
    let mut started = Started { store, instance };
    let snapshot = wizer.snapshot(&context, &mut started);
    // Nothing in it waits.
    snapshot.now_or_never().ok_or_else(|| PreinitError("its state cannot be read".to_owned()))?.map_err(told)
}

fn told(error: wasmtime::Error) -> PreinitError {
    PreinitError(format!("{error:#}"))
}

/// What the module wrote to its outputs.
#[derive(Debug, Default)]
struct Complaint(Vec<u8>);

impl Complaint {
    fn with(&self, error: wasmtime::Error) -> PreinitError {
        let mut text = format!("{:#}", error.root_cause());
        if !self.0.is_empty() {
            let _ = write!(text, "\n{}", String::from_utf8_lossy(&self.0).trim_end());
        }
        PreinitError(text)
    }
}

/// As much of WASI preview 1 as a start asks for.
fn link_start(linker: &mut Linker<Complaint>) -> wasmtime::Result<()> {
    // Time, of which no start may depend; not 0, which Go takes for a broken clock.
    linker.func_wrap(WASI, "clock_time_get", |mut caller: Caller<'_, _>, _: i32, _: i64, at: i32| {
        write(&mut caller, at, &1_u64.to_le_bytes())
    })?;
    linker.func_wrap(WASI, "random_get", |mut caller: Caller<'_, _>, at: i32, length: i32| {
        let numbers: Vec<u8> = (0..=u8::MAX).cycle().take(length as u32 as usize).collect();
        write(&mut caller, at, &numbers)
    })?;
    for name in ["args_sizes_get", "environ_sizes_get"] {
        linker.func_wrap(WASI, name, |mut caller: Caller<'_, _>, count: i32, bytes: i32| {
            write(&mut caller, count, &[0; 4])?;
            write(&mut caller, bytes, &[0; 4])
        })?;
    }
    for name in ["args_get", "environ_get"] {
        linker.func_wrap(WASI, name, |_: i32, _: i32| OK)?;
    }
    linker.func_wrap(WASI, "sched_yield", || OK)?;
    // There are no folders, and nothing to learn of the outputs.
    for name in ["fd_prestat_get", "fd_fdstat_get"] {
        linker.func_wrap(WASI, name, |_: i32, _: i32| BAD_FILE)?;
    }
    linker.func_wrap(WASI, "fd_write", complain)?;
    Ok(())
}

/// Keeps what is written to standard output and standard error.
fn complain(
    mut caller: Caller<'_, Complaint>,
    _file: i32,
    parts: i32,
    count: i32,
    written: i32,
) -> wasmtime::Result<i32> {
    let mut all = Vec::new();
    for number in 0..count {
        let part = read(&mut caller, parts.wrapping_add(number.wrapping_mul(8)), 8)?;
        let word = |at: usize| i32::from_le_bytes([part[at], part[at + 1], part[at + 2], part[at + 3]]);
        all.extend(read(&mut caller, word(0), word(4))?);
    }
    let bytes = u32::try_from(all.len()).unwrap_or_default();
    let kept = &mut caller.data_mut().0;
    kept.extend(all.iter().take(COMPLAINT_BYTES_MAX.saturating_sub(kept.len())));
    write(&mut caller, written, &bytes.to_le_bytes())
}

fn memory(caller: &mut Caller<'_, Complaint>) -> wasmtime::Result<Memory> {
    let memory = caller.get_export("memory").and_then(Extern::into_memory);
    memory.ok_or_else(|| wasmtime::format_err!("the module exports no memory"))
}

fn read(caller: &mut Caller<'_, Complaint>, at: i32, length: i32) -> wasmtime::Result<Vec<u8>> {
    let memory = memory(caller)?;
    let (at, length) = (at as u32 as usize, length as u32 as usize);
    let bytes = memory.data(&caller).get(at..at.saturating_add(length));
    bytes.map(<[u8]>::to_vec).ok_or_else(|| wasmtime::format_err!("an address beyond the memory"))
}

fn write(caller: &mut Caller<'_, Complaint>, at: i32, bytes: &[u8]) -> wasmtime::Result<i32> {
    let memory = memory(caller)?;
    memory.write(&mut *caller, at as u32 as usize, bytes)?;
    Ok(OK)
}

/// A module that was started.
struct Started {
    store: Store<Complaint>,
    instance: Instance,
}

impl InstanceState for Started {
    async fn global_get(&mut self, name: &str, _type_hint: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut self.store, name).map(|global| global.get(&mut self.store));
        match global {
            Some(Val::I32(value)) => SnapshotVal::I32(value),
            Some(Val::I64(value)) => SnapshotVal::I64(value),
            Some(Val::F32(value)) => SnapshotVal::F32(value),
            Some(Val::F64(value)) => SnapshotVal::F64(value),
            Some(Val::V128(value)) => SnapshotVal::V128(value.as_u128()),
            // The instrumented module exports its mutable globals, and none of them holds a reference.
            other => unreachable!("global `{name}` is {other:?}"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        if let Some(memory) = self.instance.get_memory(&mut self.store, name) {
            contents(memory.data(&self.store));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(start: &str) -> Result<Vec<u8>, String> {
        let module = wat::parse_str(format!(
            r#"(module
                (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
                (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
                (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
                (import "weir:plugin/log@0.1.0" "write" (func $log (param i32 i32)))
                (memory (export "memory") 1)
                (global $count (mut i64) (i64.const 1))
                (data (i32.const 64) "boom\n")
                (func (export "_initialize") {start})
                (func (export "count") (result i64) (global.get $count))
                (func (export "read") (param i32) (result i64) (i64.load (local.get 0))))"#
        ));
        preinitialise(&module.expect("is a module")).map_err(|error| error.to_string())
    }

    /// What a module gives that is never started.
    fn ask(module: &[u8], name: &str, at: Option<i32>) -> i64 {
        let engine = Engine::default();
        let module = Module::new(&engine, module).expect("is valid");
        assert!(module.get_export(START).is_none(), "it would be started again");
        let (mut linker, mut store) = (Linker::new(&engine), Store::new(&engine, ()));
        linker.define_unknown_imports_as_traps(&module).expect("links");
        let instance = linker.instantiate(&mut store, &module).expect("instantiates");
        let function = instance.get_func(&mut store, name).expect("is there");
        let arguments: Vec<_> = at.into_iter().map(Val::I32).collect();
        let mut results = [Val::I64(0)];
        function.call(&mut store, &arguments, &mut results).expect("answers");
        results[0].unwrap_i64()
    }

    #[test]
    fn what_the_start_left_is_there_without_a_start() {
        let start = "(global.set $count (i64.const 7)) (i64.store (i32.const 128) (i64.const 11))
                     (drop (call $random (i32.const 8) (i32.const 8)))
                     (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 16)))";
        let module = started(start).expect("starts");
        assert_eq!((ask(&module, "count", None), ask(&module, "read", Some(128))), (7, 11));
        assert_eq!(ask(&module, "read", Some(8)), i64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7]));
        assert_eq!(ask(&module, "read", Some(16)), 1, "the clock stands still, and not at 0");
        assert_eq!(module, started(start).expect("starts"), "the same bytes each time");
    }

    #[test]
    fn a_start_that_fails_says_why() {
        let panics = "(i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 5))
                      (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8))) (unreachable)";
        let said = started(panics).expect_err("fails");
        assert!(said.contains("unreachable") && said.ends_with("\nboom"), "{said}");
        let endless = started("(loop $again (br $again))").expect_err("fails");
        assert!(endless.contains("fuel"), "{endless}");
        let logs = started("(call $log (i32.const 0) (i32.const 0))").expect_err("fails");
        assert!(logs.contains("weir:plugin/log@0.1.0::write"), "{logs}");
        let beyond = started("(drop (call $random (i32.const 65530) (i32.const 8)))").expect_err("fails");
        assert!(beyond.contains("memory"), "{beyond}");
        assert!(preinitialise(b"text").is_err());
    }
}
