//! A disk in memory that fails as disks do, for tests of whatever stands on a [`Disk`]: it keeps what is durable apart
//! from what was merely written, and repeats exactly from a seed. Start at [`SimulatedDisk`].

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::{Disk, DiskFile, FileEntry};

const SECTOR: usize = 512;

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With an error and without effect. A failed sync of a file leaves some of the unsynced writes durable and the rest
    /// visible, but never durable unless they are written again: this is what Linux does. (Names go through the file
    /// system's own journal, whose failure ends the file system.)
    Error,
    /// The same, and the error says that the disk is full.
    Full,
    /// A write stops half-way; other operations fail as with [`Fault::Error`].
    Short,
    /// This operation and all later ones fail; the power is gone. [`SimulatedDisk::crash`] shows what is left.
    PowerCut,
}

struct State {
    files: BTreeMap<FileId, Content>,
    /// Names as they are seen, and as they would be after a loss of power.
    names: BTreeMap<String, FileId>,
    durable_names: BTreeMap<String, FileId>,
    unsynced_names: Vec<NameChange>,
    next_file: FileId,
    operations: u64,
    fault: Option<(u64, Fault)>,
    limit_bytes: u64,
    random: Random,
}

type FileId = u64;

/// A step in the directory: names are taken away and given in one go.
struct NameChange {
    taken: Option<String>,
    given: Option<(String, FileId)>,
}

#[derive(Default)]
struct Content {
    visible: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

enum Change {
    Length(usize),
    Bytes { offset: usize, bytes: Vec<u8> },
}

impl SimulatedDisk {
    /// An empty disk. The seed decides what is random about it.
    pub fn new(seed: u64) -> Self {
        Self::with(State {
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            next_file: 0,
            operations: 0,
            fault: None,
            limit_bytes: 1 << 40,
            random: Random(seed),
        })
    }

    /// The disk after a loss of power, as a new one. Of the writes that were not synced any may have survived, whole, to
    /// some byte, or in scattered sectors; of the changes to names that were not synced any may have.
    pub fn crash(&self, seed: u64) -> Self {
        let state = self.lock();
        let mut random = Random(seed);
        let mut names = state.durable_names.clone();
        for change in state.unsynced_names.iter().filter(|_| random.chance(2)) {
            change.apply(&mut names);
        }
        let content = |file: &FileId| state.files.get(file).map(|content| (*file, content));
        let files: BTreeMap<_, _> = names
            .values()
            .filter_map(content)
            .map(|(file, content)| {
                let durable = content.after_crash(&mut random);
                (file, Content { visible: durable.clone(), durable, unsynced: Vec::new() })
            })
            .collect();
        Self::with(State {
            files,
            durable_names: names.clone(),
            names,
            unsynced_names: Vec::new(),
            next_file: state.next_file,
            operations: 0,
            fault: None,
            limit_bytes: state.limit_bytes,
            random,
        })
    }

    /// How many operations there have been. Asking for free space is none.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Lets the operation with this number fail; the first is 1.
    pub fn fail_at(&self, operation: u64, fault: Fault) {
        self.lock().fault = Some((operation, fault));
    }

    /// Lets every operation work again.
    pub fn mend(&self) {
        self.lock().fault = None;
    }

    /// The size of the disk.
    pub fn set_limit(&self, bytes: u64) {
        self.lock().limit_bytes = bytes;
    }

    /// Names and contents of the files as they are seen.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let state = self.lock();
        state.names.iter().map(|(name, file)| (name.clone(), state.files[file].visible.clone())).collect()
    }

    /// Changes a file behind everyone's back, durably: bits that rot, a file cut short.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock();
        let content = state.file(name).and_then(|file| state.content(file)).expect("a file that is there");
        change(&mut content.visible);
        content.durable.clone_from(&content.visible);
    }

    fn with(state: State) -> Self {
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts an operation, and says how much effect it is to have before it returns what.
    fn begin(&mut self) -> (Effect, io::Result<()>) {
        self.operations += 1;
        let Some((at, fault)) = self.fault else { return (Effect::Whole, Ok(())) };
        let effect = match fault {
            Fault::PowerCut if self.operations > at => Effect::None,
            _ if self.operations != at => return (Effect::Whole, Ok(())),
            Fault::Error | Fault::Full => Effect::None,
            Fault::Short => Effect::Half,
            Fault::PowerCut => Effect::Whole,
        };
        (effect, Err(fault.error()))
    }

    fn file(&self, name: &str) -> io::Result<FileId> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn content(&mut self, file: FileId) -> io::Result<&mut Content> {
        self.files.get_mut(&file).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn used_bytes(&self) -> u64 {
        self.names.values().map(|file| self.files[file].visible.len() as u64).sum()
    }

    /// An operation on names, which has its effect as a whole or not at all.
    fn change_names(&mut self, change: NameChange, effect: Effect) {
        if effect == Effect::Whole {
            change.apply(&mut self.names);
            self.unsynced_names.push(change);
        }
    }
}

/// How much of an operation is done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    Whole,
    Half,
    None,
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, FileId>) {
        if let Some(taken) = &self.taken {
            names.remove(taken);
        }
        if let Some((name, file)) = &self.given {
            names.insert(name.clone(), *file);
        }
    }
}

impl Fault {
    fn error(self) -> io::Error {
        match self {
            Self::Full => io::ErrorKind::StorageFull.into(),
            Self::Error | Self::Short => io::Error::other("simulated fault"),
            Self::PowerCut => io::Error::other("simulated loss of power"),
        }
    }
}

impl Content {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.visible);
        self.unsynced.push(change);
    }

    fn after_crash(&self, random: &mut Random) -> Vec<u8> {
        let mut durable = self.durable.clone();
        let mut changes: Vec<_> = self.unsynced.iter().collect();
        // Writes reach the disk in any order.
        for left in (1..changes.len()).rev() {
            changes.swap(left, random.below(left + 1));
        }
        for change in changes {
            match change {
                Change::Length(_) if random.chance(2) => change.apply(&mut durable),
                Change::Length(_) => {}
                Change::Bytes { offset, bytes } => tear(*offset, bytes, random, &mut durable),
            }
        }
        durable
    }
}

/// Writes what survives of one unsynced write.
fn tear(offset: usize, bytes: &[u8], random: &mut Random, durable: &mut Vec<u8>) {
    let mut survive = |from: usize, to: usize| {
        let bytes = bytes[from..to].to_vec();
        Change::Bytes { offset: offset + from, bytes }.apply(durable);
    };
    match random.below(4) {
        0 => {}
        1 => survive(0, bytes.len()),
        2 => survive(0, random.below(bytes.len() + 1)),
        _ => {
            // Sectors are where the disk has them, not where the write begins.
            let mut from = 0;
            while from < bytes.len() {
                let to = ((offset + from) / SECTOR * SECTOR + SECTOR - offset).min(bytes.len());
                if random.chance(2) {
                    survive(from, to);
                }
                from = to;
            }
        }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Length(length) => content.resize(content.len().max(*length), 0),
            Self::Bytes { offset, bytes } => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(bytes);
            }
        }
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, name: &str, bytes: u64) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.lock();
        let (effect, done) = state.begin();
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if state.used_bytes() + bytes > state.limit_bytes {
            return Err(Fault::Full.error());
        }
        let file = state.next_file;
        state.next_file += 1;
        let mut content = Content::default();
        content.change(Change::Length(bytes as usize));
        state.files.insert(file, content);
        state.change_names(NameChange { taken: None, given: Some((name.to_owned(), file)) }, effect);
        done?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.lock();
        state.begin().1?;
        let file = state.file(name)?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn list(&self) -> io::Result<Vec<FileEntry>> {
        let mut state = self.lock();
        state.begin().1?;
        let length = |file: &FileId| state.files[file].visible.len() as u64;
        Ok(state.names.iter().map(|(name, file)| FileEntry { name: name.clone(), bytes: length(file) }).collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        let (effect, done) = state.begin();
        let file = state.file(from)?;
        state.change_names(NameChange { taken: Some(from.to_owned()), given: Some((to.to_owned(), file)) }, effect);
        done
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        let (effect, done) = state.begin();
        state.file(name)?;
        state.change_names(NameChange { taken: Some(name.to_owned()), given: None }, effect);
        done
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut state = self.lock();
        state.begin().1?;
        let State { unsynced_names, durable_names, .. } = &mut *state;
        unsynced_names.drain(..).for_each(|change| change.apply(durable_names));
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = self.lock();
        Ok(state.limit_bytes.saturating_sub(state.used_bytes()))
    }

    fn random(&self) -> io::Result<u64> {
        Ok(self.lock().random.next())
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    file: FileId,
}

impl DiskFile for SimulatedFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        let (effect, done) = state.begin();
        let bytes = match effect {
            Effect::Whole => bytes,
            Effect::Half => &bytes[..bytes.len() / 2],
            Effect::None => return done,
        };
        let change = Change::Bytes { offset: offset as usize, bytes: bytes.to_vec() };
        state.content(self.file)?.change(change);
        done
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.begin().1?;
        let offset = offset as usize;
        let there = state.content(self.file)?.visible.get(offset..offset + bytes.len());
        bytes.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.lock();
        let (effect, done) = state.begin();
        let State { files, random, .. } = &mut *state;
        let Content { unsynced, durable, .. } = files.get_mut(&self.file).ok_or(io::ErrorKind::NotFound)?;
        match (effect, &done) {
            (_, Ok(())) => unsynced.drain(..).for_each(|change| change.apply(durable)),
            // The power went during the sync: what is left of it, the crash decides.
            (Effect::Whole, Err(_)) => {}
            (_, Err(_)) => {
                unsynced.drain(..).filter(|_| random.chance(2)).for_each(|change| change.apply(durable));
            }
        }
        done
    }
}

/// SplitMix64: small, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(
    /// The seed, and then the state.
    pub u64,
);

impl Random {
    /// The next 64 bits.
    #[allow(clippy::should_implement_trait, reason = "this never ends, so that an iterator would only be in the way")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which must not be 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// True once in `times`.
    pub fn chance(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

/// Simulates every seed, on all cores, and gives what each came to, in no order. The first panic names its seed and ends
/// the others.
pub fn simulate_all<T: Send>(seeds: Range<u64>, simulate: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut results = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return results;
            }
            let _named = UnderWay { seed, next: &next, end: seeds.end };
            results.push(simulate(seed));
        }
    };
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// The seed that a thread is at.
struct UnderWay<'a> {
    seed: u64,
    next: &'a AtomicU64,
    end: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("failed with WEIR_SEED={}", self.seed);
            self.next.store(self.end, Ordering::Relaxed);
        }
    }
}
