//! Lets `wasm-smith` write a module or a component for each seed, into one file.

use std::fmt::Display;
use std::path::PathBuf;
use std::{env, fs, io};

use arbitrary::{Arbitrary as _, Unstructured};
use wasm_smith::{Component, Config, Module};

/// As many as CI loads in a few seconds; `WEIR_SEEDS` asks for more.
const SEEDS: u64 = 256;

/// Random bytes that one of them is made of: enough for some dozens of functions.
const BYTES: usize = 2048;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut file = Vec::new();
    for seed in seeds() {
        let noise = noise(seed);
        let (kind, bytes) = generate(seed, &noise).map_err(|fault| named(seed, &fault))?;
        file.extend(seed.to_le_bytes());
        file.push(kind);
        file.extend((bytes.len() as u64).to_le_bytes());
        file.extend(bytes);
    }
    let folder = env::var_os("OUT_DIR").map(PathBuf::from).ok_or(io::ErrorKind::NotFound)?;
    fs::write(folder.join("odd-modules"), file)
}

fn named(seed: u64, fault: &dyn Display) -> io::Error {
    io::Error::other(format!("seed {seed}: {fault}"))
}

/// `WEIR_SEED` alone, or as many as `WEIR_SEEDS` says.
fn seeds() -> std::ops::Range<u64> {
    let number = |name| {
        println!("cargo::rerun-if-env-changed={name}");
        env::var(name).ok().and_then(|text| text.parse().ok())
    };
    match (number("WEIR_SEED"), number("WEIR_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, many) => 0..many.unwrap_or(SEEDS),
    }
}

/// Bytes that follow from a seed alone (splitmix64).
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    (0..BYTES / 8).flat_map(|_| next().to_le_bytes()).collect()
}

/// In turn: a module that a sandbox can start, one of any kind, one whose functions need not be valid, and a component.
fn generate(seed: u64, noise: &[u8]) -> arbitrary::Result<(u8, Vec<u8>)> {
    let mut noise = Unstructured::new(noise);
    let module = |config, noise: &mut Unstructured| Module::new(config, noise).map(|module| (0, module.to_bytes()));
    match seed % 4 {
        0 => module(startable(), &mut noise),
        1 => {
            let config = Config::arbitrary(&mut noise)?;
            module(Config { gc_enabled: true, exceptions_enabled: true, ..config }, &mut noise)
        }
        2 => module(Config { allow_invalid_funcs: true, ..startable() }, &mut noise),
        _ => Component::new(Config::default(), &mut noise).map(|component| (1, component.to_bytes())),
    }
}

/// What the host's engine takes, without imports, so that it starts and its start function runs.
fn startable() -> Config {
    Config {
        allow_start_export: true,
        max_imports: 0,
        min_funcs: 1,
        max_memories: 2,
        max_memory32_bytes: 32 << 20,
        max_table_elements: 16 * 1024,
        max_tables: 4,
        max_tags: 0,
        gc_enabled: false,
        exceptions_enabled: false,
        threads_enabled: false,
        memory64_enabled: false,
        tail_call_enabled: false,
        relaxed_simd_enabled: false,
        custom_page_sizes_enabled: false,
        wide_arithmetic_enabled: false,
        shared_everything_threads_enabled: false,
        ..Config::default()
    }
}
