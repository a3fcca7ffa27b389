//! Bytes that nobody would write, as plugins: modules and components of a generator, and plugins broken at random.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use engine::{AdminError, PluginAdmin};
use host::Host;

use crate::support::{core_guest, embed, guest, mapper_manifest, set_with};

/// Broken plugins in CI; `WEIR_SEEDS` says another number, and `WEIR_SEED` takes one of them alone.
const BROKEN: u64 = 1_200;

/// Of so many broken plugins one is a large one, because those take longer to read.
const LARGE_EACH: u64 = 20;

/// How often each code, or `loaded`, came out.
type Outcomes = BTreeMap<&'static str, u32>;

/// Looks at the bytes and tries to load them. Either works or is refused in words, and nothing else.
async fn try_to_load(host: &Host, what: &str, bytes: Bytes) -> &'static str {
    let inspected = host.inspect(bytes.clone()).await;
    let staged = host.stage("odd", bytes).await;
    let refusal = match (inspected, staged) {
        (Ok(_), Ok(_)) => return "loaded",
        (Ok(_), Err(refusal)) => refusal,
        (Err(inspected), Err(staged)) if inspected == staged => staged,
        (inspected, staged) => panic!("{what}: {inspected:?} when looked at, {staged:?} when staged"),
    };
    let AdminError::Refused { code, message } = refusal else { panic!("{what}: {refusal:?}") };
    assert!(!message.is_empty() && !message.contains("panicked"), "{what}: {message}");
    // Whatever is wrong with it, the compiling process answers.
    assert_ne!(code, "weir.load.compile", "{what}: {message}");
    code
}

/// Puts a module, or a component, in front of a mapper. A module is started whenever the mapper is.
fn in_a_mapper(odd: odd_modules::Odd) -> Vec<u8> {
    let (first, section) = match odd.is_component {
        true => ("(component)", 4),
        false => ("(core module) (core instance (instantiate 0))", 1),
    };
    let text = format!(
        r#"(component {first}
            (core module $code (func (export "transform")))
            (core instance $instance (instantiate $code))
            (func $transform (canon lift (core func $instance "transform")))
            (instance $mapper (export "transform" (func $transform)))
            (export "weir:plugin/mapper@0.1.0" (instance $mapper)))"#
    );
    let mapper = wat::parse_str(text).expect("valid text");
    // Behind the component's head comes the empty one, in a section with a head of two bytes.
    let (head, rest) = mapper.split_at(8);
    assert_eq!(rest[..2], [section, 8], "the empty one comes first");
    [head, &[section], &leb128(odd.bytes.len()), odd.bytes, &rest[10..]].concat()
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// Numbers that follow from a seed alone (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }
}

/// A plugin with a bit turned over, a byte replaced, its end cut off, or a piece cut out, doubled or made noise.
fn broken(plugin: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = plugin.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(64)).min(bytes.len());
        match random.below(6) {
            _ if bytes.is_empty() => {}
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.below(256) as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes[at..end].iter_mut().for_each(|byte| *byte = random.below(256) as u8),
        }
    }
    bytes
}

fn seeds() -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    match number("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WEIR_SEEDS").unwrap_or(BROKEN),
    }
}

async fn load_odd_modules(host: Host) -> Outcomes {
    let mut outcomes = Outcomes::new();
    for odd in odd_modules::all() {
        let what = format!("WEIR_SEED={}", odd.seed);
        let plain = try_to_load(&host, &what, Bytes::from_static(odd.bytes)).await;
        assert_ne!(plain, "loaded", "{what}: it has no manifest");
        let mapper = embed(&in_a_mapper(odd), &mapper_manifest("1.0.0"));
        *outcomes.entry(try_to_load(&host, &what, mapper).await).or_default() += 1;
    }
    outcomes
}

async fn load_broken_plugins(host: Host) -> Outcomes {
    let mut outcomes = Outcomes::new();
    let small = core_guest("invalid-values", &mapper_manifest("1.0.0"));
    let large = guest("echo", &mapper_manifest("1.0.0"));
    for seed in seeds() {
        let plugin = if seed % LARGE_EACH == 0 { &large } else { &small };
        let bytes = broken(plugin, &mut Random(seed));
        *outcomes.entry(try_to_load(&host, &format!("WEIR_SEED={seed}"), bytes.into()).await).or_default() += 1;
    }
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_would_write_is_refused_or_loaded_and_the_host_lives() {
    let folder = tempfile::tempdir().expect("a folder");
    let set = set_with(|config| {
        config.cache_folder = folder.path().to_owned();
        config.compile.cpu = Duration::from_secs(5);
    });
    set.install_good().await;
    let outcomes = set.beside("odd modules", 512, load_odd_modules(set.host.clone())).await;
    println!("odd modules: {outcomes:?}");
    // Those that can start do, so that more than the parser is tried.
    assert!(outcomes.contains_key("weir.load.canary"), "{outcomes:?}");
    let outcomes = set.beside("broken plugins", 512, load_broken_plugins(set.host.clone())).await;
    println!("broken plugins: {outcomes:?}");
    assert_eq!(set.transform("good", "[1]").await.answer.expect("the host lives")[0].data, "[1]");
}
