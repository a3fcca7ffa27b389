//! Every operation on the disk fails once, in every way.

use std::sync::atomic::Ordering;

use journal::simulation::{Fault, Random, SimulatedDisk};
use journal::{Family, OpenError, SubmitError};

use crate::world::World;

#[test]
fn every_operation_may_fail() {
    let mut runs = 0;
    for fault in [Fault::Error, Fault::Full, Fault::Short, Fault::PowerCut] {
        for operation in 1.. {
            let _named = Failing(operation, fault);
            if !survives(operation, fault, false) || !survives(operation, fault, true) {
                break;
            }
            runs += 2;
        }
    }
    println!("faults by count: {runs} runs, each with one failing operation, 0 records lost");
}

/// Says which operation failed if the test does while it is at work.
struct Failing(u64, Fault);

impl Drop for Failing {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("with {:?} at operation {}", self.1, self.0);
        }
    }
}

/// Lives through two openings with the fault in one of them, restarts, and looks. False: the fault never came.
fn survives(operation: u64, fault: Fault, power_loss: bool) -> bool {
    let mut random = Random(operation);
    let mut disk = SimulatedDisk::new(operation);
    let mut world = World::default();
    disk.fail_at(operation, fault);
    let failed = (0..2).any(|_| !scenario(&mut world, &disk, &mut random));
    world.note_acknowledged();
    disk.mend();
    if power_loss {
        disk = disk.crash(operation);
    }
    let journal = world.open(&disk).expect("a disk that works again");
    world.check(&journal);
    assert!(world.submit(&journal, 5));
    journal.close().expect("a disk that works again");
    world.note_acknowledged();
    world.check(&journal);
    failed
}

/// False: the disk failed.
fn scenario(world: &mut World, disk: &SimulatedDisk, random: &mut Random) -> bool {
    let journal = match world.open(disk) {
        Ok(journal) => journal,
        Err(OpenError::Disk(_)) => return false,
        Err(refusal) => panic!("{refusal}"),
    };
    for _ in 0..12 {
        world.submit(&journal, 4);
        while journal.work() {}
    }
    world.retire(&journal, Family::Incoming, random);
    world.retire(&journal, Family::Kept, random);
    let closed = journal.close();
    let failures = world.failures.swap(0, Ordering::Relaxed);
    assert_eq!(failures, usize::from(closed.is_err()), "told once that the journal has failed");
    if let Err(failure) = &closed {
        let refused = journal.submit(journal::Entry {
            family: Family::Incoming,
            body: bytes::Bytes::new(),
            blobs: Vec::new(),
            done: Box::new(|_| panic!("a refused entry is not heard of again")),
        });
        let Err(SubmitError::Failed(said)) = refused else { panic!("{refused:?}") };
        assert_eq!(said.to_string(), failure.to_string());
    }
    closed.is_ok()
}
