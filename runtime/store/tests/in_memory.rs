//! The suite on a disk and a projection in memory.

#[macro_use]
mod suite;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use journal::SimulatedDisk;
use store::{Config, LocalStore, MemoryProjection, Opened, Projection};
use suite::Ground;

struct InMemory {
    disk: SimulatedDisk,
    projection: Mutex<MemoryProjection>,
}

impl InMemory {
    fn new() -> Self {
        Self { disk: SimulatedDisk::new(1), projection: Mutex::default() }
    }
}

impl Ground for InMemory {
    fn open(&self, config: Config) -> (LocalStore, Opened) {
        let projection = Box::new(self.projection.lock().unwrap().clone());
        LocalStore::open(Arc::new(self.disk.clone()), projection, config, &mut |_| {}).unwrap()
    }

    fn forget_projection(&self) {
        *self.projection.lock().unwrap() = MemoryProjection::default();
    }

    fn rows(&self) -> Vec<(Bytes, Bytes)> {
        self.projection.lock().unwrap().scan(&[1], &[0xff], false, usize::MAX).unwrap()
    }
}

run_suite!(InMemory::new());
