use std::thread;
use std::time::Duration;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
    WasmBacktraceDetails, WasmFeatures,
};

/// How often a running guest is looked at. A core is kept from others for at most two ticks.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Elements of one table. A pool slot has room for as many; CPython's largest table has about 12,000.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 32 * 1024;

/// Memories of one component. One built from one toolchain has a single one; a composed one has one per part.
pub(crate) const MEMORIES_MAX: u32 = 4;

/// Tables of one component: the linked libraries of a CPython component bring the most.
pub(crate) const TABLES_MAX: u32 = 16;

/// Core instances of one component, glue included.
const CORE_INSTANCES_MAX: u32 = 64;

/// Memory that a free slot keeps, zeroed, instead of giving it back to the system and faulting it in again.
const KEEP_RESIDENT_BYTES: usize = 1024 * 1024;

/// What shapes the compiled code. The server and the child that compiles for it must agree on all of it.
pub(crate) fn config() -> Config {
    let mut config = Config::new();
    // Cranelift, because Winch knows no epochs and had escapes of its own; speed, because code is compiled once.
    config.strategy(Strategy::Cranelift).cranelift_opt_level(OptLevel::Speed);
    // Every call is synchronous for the guest: without the machinery for asynchronous components a fresh call takes
    // 8 µs instead of 19, and none of that machinery can be attacked.
    config.concurrency_support(false);
    // A loop in a guest ends because the epoch moves on. Fuel would do it too and costs far more.
    config.epoch_interruption(true);
    // The bits of a NaN differ between processors; a mapper must give the same bytes on any machine.
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    // A trap names the source line where the component carries debug information.
    config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
    // Start from an image of the initial memory that is shared until written to.
    config.memory_init_cow(true);
    // One compilation on one core: the child is meant to be slow rather than in the way.
    config.parallel_compilation(false);
    // Proposals that no supported toolchain needs are surface to attack. The cargo features stay on: see Cargo.toml.
    for proposal in [
        WasmFeatures::GC,
        WasmFeatures::FUNCTION_REFERENCES,
        WasmFeatures::EXCEPTIONS,
        WasmFeatures::LEGACY_EXCEPTIONS,
        WasmFeatures::THREADS,
        WasmFeatures::SHARED_EVERYTHING_THREADS,
        WasmFeatures::MEMORY64,
        WasmFeatures::TAIL_CALL,
        WasmFeatures::RELAXED_SIMD,
        WasmFeatures::STACK_SWITCHING,
        WasmFeatures::CUSTOM_PAGE_SIZES,
        WasmFeatures::WIDE_ARITHMETIC,
        WasmFeatures::CM_ASYNC,
        WasmFeatures::CM_THREADING,
        WasmFeatures::CM_ERROR_CONTEXT,
        WasmFeatures::CM_GC,
    ] {
        config.wasm_features(proposal, false);
    }
    config
}

/// The engine that runs guests, with a pool of `slots` sandboxes. Its epoch moves until it is dropped.
pub(crate) fn engine(slots: u32) -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_memories(slots)
        .total_stacks(slots)
        .total_tables(slots * TABLES_MAX)
        .total_core_instances(slots * CORE_INSTANCES_MAX)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        // Whether one module has them all or each has one is the same to the pool; the default is a single one.
        .max_memories_per_module(MEMORIES_MAX)
        .max_tables_per_module(TABLES_MAX)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(128 * 1024)
        // Only the pages that a guest wrote are cleaned; kernels before 6.7 cannot tell and clean them all.
        .pagemap_scan(Enabled::Auto);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config)?;
    tick(&engine);
    Ok(engine)
}

/// An engine that only compiles. A pool would reserve more addresses than the compiling child may have.
pub(crate) fn compiler() -> wasmtime::Result<Engine> {
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&config)
}

/// Moves the epoch on from a thread of its own: a busy runtime must not be able to stop it.
fn tick(engine: &Engine) {
    let engine = engine.weak();
    thread::spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    });
}
