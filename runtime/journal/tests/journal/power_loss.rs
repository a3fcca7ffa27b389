//! Power goes at any operation, again and again, opening included.

use std::io::Write as _;

use journal::simulation::{Fault, Random, SimulatedDisk, simulate_all};
use journal::{Family, Journal, OpenError};

use crate::world::{World, seeds};

const SEEDS: u64 = 2_000;
const CYCLES: u64 = 6;

#[test]
fn nothing_acknowledged_is_ever_lost() {
    let seeds = seeds(SEEDS);
    let worlds = simulate_all(seeds.clone(), lives);
    let sum = |what: fn(&World) -> u64| worlds.iter().map(what).sum::<u64>();
    let acknowledged = sum(|world| world.acknowledged_in_all);
    assert!(acknowledged >= worlds.len() as u64, "{acknowledged} records are too few to prove anything");
    // Not `println!`, which the harness keeps when the test passes. Whoever closed the output does not want the figures.
    let _ = writeln!(
        std::io::stdout(),
        "journal, power loss: seeds {}..{}, {} crashes, {} of them while opening, {acknowledged} records acknowledged, {} \
         unfinished batches cut, 0 lost",
        seeds.start,
        seeds.end,
        worlds.len() as u64 * CYCLES,
        sum(|world| world.refusals),
        sum(|world| world.cuts),
    );
}

/// A journal through some losses of power; at the end everything that it promised is there.
fn lives(seed: u64) -> World {
    let mut random = Random(seed);
    let mut disk = SimulatedDisk::new(random.next());
    let mut world = World::default();
    for _ in 0..CYCLES {
        world.refusals += u64::from(!live(&mut world, &disk, &mut random));
        world.note_acknowledged();
        // A loss of power, or only of the process: then the kernel still has what was written.
        if random.chance(3) {
            disk.mend();
        } else {
            disk = disk.crash(random.next());
        }
    }
    let journal = world.open(&disk).expect("a disk without faults");
    world.check(&journal);
    world.check_gone(&journal);
    drop(journal);
    let cuts_before = world.cuts;
    world.open(&disk).expect("a disk without faults");
    assert_eq!(world.cuts, cuts_before, "what was cut is wiped");
    world
}

/// Works with the journal until its disk fails, or for a while. False: not even opening worked.
fn live(world: &mut World, disk: &SimulatedDisk, random: &mut Random) -> bool {
    let fault = [Fault::PowerCut, Fault::PowerCut, Fault::Error, Fault::Short][random.below(4)];
    // A third of the faults meets the opening, which takes about ten operations.
    let within = if random.chance(3) { 12 } else { 120 };
    disk.fail_at(disk.operations() + 1 + random.below(within) as u64, fault);
    let journal = match world.open(disk) {
        Ok(journal) => journal,
        Err(OpenError::Disk(_)) => return false,
        Err(refusal) => panic!("{refusal}"),
    };
    work(world, &journal, random);
    true
}

fn work(world: &mut World, journal: &Journal, random: &mut Random) {
    for _ in 0..30 {
        let count = 1 + random.below(12);
        world.submit(journal, count);
        while !random.chance(5) && journal.work() {}
        match random.below(12) {
            0 => world.retire(journal, Family::Incoming, random),
            1 => world.retire(journal, Family::Kept, random),
            2 => world.mark(journal, random),
            _ => {}
        }
        if journal.failure().is_some() {
            return;
        }
    }
}
