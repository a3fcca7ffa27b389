//! Files that were changed behind the journal's back: exact data, or a loud refusal. Only the very last batch may be
//! taken for one that was never finished, and that is reported.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use journal::simulation::{Random, SimulatedDisk};
use journal::{Disk, Entry, Family, Journal, Mark, OpenError, Replayed, survey};

use crate::world::{World, replay, small};

/// A closed journal of several segments in both families, and what it holds. Its last batch is one record.
fn written() -> (SimulatedDisk, Vec<Replayed>) {
    let disk = SimulatedDisk::new(11);
    let mut world = World::default();
    let journal = world.open(&disk).expect("an empty disk");
    let mut count = 0;
    while Family::ALL.iter().any(|family| journal.segments(*family).len() < 3) {
        count = count % 11 + 1;
        assert!(world.submit(&journal, count));
        while journal.work() {}
    }
    assert!(world.submit(&journal, 1));
    journal.close().expect("a good disk");
    let records = replay(&journal, Mark::START);
    (disk, records)
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Exact,
    LastCut,
    /// Nothing is left of the last batch, so that there is nothing to report.
    LastVanished,
    RefusedToOpen,
    RefusedToReplay,
}

/// What the journal makes of the disk, which a survey must have told beforehand without changing anything.
fn judge(disk: &SimulatedDisk, written: &[Replayed], contents: &BTreeMap<u64, Vec<Bytes>>) -> Verdict {
    let before: Vec<_> = disk.files().into_iter().collect();
    let survey = survey(disk, &mut |_, _| {}).expect("a good disk");
    assert!(disk.files().into_iter().eq(before), "a survey only reads");
    let verdict = judge_opened(disk, written, contents);
    let refuses_start = survey.damage.iter().any(|damage| damage.refuses_start);
    assert_eq!(refuses_start, verdict == Verdict::RefusedToOpen, "{survey:#?}");
    let is_whole = survey.damage.is_empty() && survey.lost.is_empty();
    let should_be = !matches!(verdict, Verdict::RefusedToOpen | Verdict::RefusedToReplay);
    assert_eq!(is_whole, should_be, "{verdict:?}: {survey:#?}");
    let found: u64 = survey.segments.iter().map(|segment| segment.records).sum();
    let lost: u64 = survey.lost.iter().map(|range| range.end - range.start).sum();
    assert!(verdict != Verdict::Exact || (found, lost) == (written.len() as u64, 0), "{survey:#?}");
    verdict
}

/// Panics if the journal passes off anything but what was written.
fn judge_opened(disk: &SimulatedDisk, written: &[Replayed], contents: &BTreeMap<u64, Vec<Bytes>>) -> Verdict {
    let (journal, recovered) = match Journal::open(Arc::new(disk.clone()), small()) {
        Ok(opened) => opened,
        Err(OpenError::Disk(error)) => panic!("{error}"),
        Err(_) => return Verdict::RefusedToOpen,
    };
    for record in written {
        let parts = std::iter::once(&record.body_position).chain(&record.blobs);
        for (position, content) in parts.zip(&contents[&record.sequence]) {
            assert!(journal.read(*position).is_ok_and(|read| read == *content) || journal.read(*position).is_err());
        }
    }
    let replayed = journal.replay(Mark::START).expect("everything").collect::<Result<Vec<_>, _>>();
    match replayed {
        Err(_) => Verdict::RefusedToReplay,
        Ok(replayed) if replayed == written => Verdict::Exact,
        Ok(replayed) => {
            assert_eq!(replayed, written[..written.len() - 1], "only the last batch may be missing");
            if recovered.cuts.is_empty() { Verdict::LastVanished } else { Verdict::LastCut }
        }
    }
}

/// Judges the journal after each change to each file.
fn judge_all(step: usize, change: impl Fn(usize, &mut Vec<u8>, &mut Random)) -> BTreeMap<Verdict, usize> {
    let (disk, records) = written();
    let (journal, _) = Journal::open(Arc::new(disk.clone()), small()).expect("an intact journal");
    let read = |position| journal.read(position).expect("an intact journal");
    let contents: BTreeMap<_, _> = records
        .iter()
        .map(|record| {
            let blobs = record.blobs.iter().map(|blob| read(*blob));
            (record.sequence, std::iter::once(record.body.clone()).chain(blobs).collect())
        })
        .collect();
    let mut verdicts = BTreeMap::new();
    let mut random = Random(5);
    for (name, content) in disk.files() {
        for offset in (0..content.len()).step_by(step) {
            let changed = disk.crash(0);
            changed.tamper(&name, |content| change(offset, content, &mut random));
            *verdicts.entry(judge(&changed, &records, &contents)).or_default() += 1;
        }
    }
    verdicts
}

#[test]
fn a_flipped_bit_is_noticed_or_does_no_harm() {
    let verdicts = judge_all(3, |offset, content, random| content[offset] ^= 1 << random.below(8));
    println!("flipped bits: {verdicts:?}");
    assert!(verdicts.keys().eq(&[Verdict::Exact, Verdict::LastCut, Verdict::RefusedToOpen, Verdict::RefusedToReplay]));
}

#[test]
fn a_file_cut_short_is_refused() {
    let verdicts = judge_all(7, |offset, content, _| content.truncate(offset));
    println!("truncated files: {verdicts:?}");
    assert!(verdicts.keys().eq(&[Verdict::RefusedToOpen]));
}

#[test]
fn a_wiped_sector_is_noticed_or_does_no_harm() {
    let verdicts = judge_all(512, |offset, content, _| content[offset..offset + 512].fill(0));
    println!("wiped sectors: {verdicts:?}");
    assert!(verdicts.contains_key(&Verdict::RefusedToOpen) && verdicts.contains_key(&Verdict::RefusedToReplay));
    // At most the one sector that holds the whole of the last batch.
    assert!(verdicts.get(&Verdict::LastVanished).is_none_or(|times| *times == 1));
}

#[test]
fn a_missing_segment_is_refused_by_name() {
    let (disk, records) = written();
    let last = records[records.len() - 1].body_position.segment;
    for (name, _) in disk.files() {
        let changed = disk.crash(0);
        changed.remove(&name).expect("a file that is there");
        match Journal::open(Arc::new(changed), small()) {
            Err(OpenError::Missing { file }) => assert_eq!(file, name),
            // As if it had been retired, or as if its only batch had never been finished.
            Ok(_) => assert!(name.ends_with("-0000000001.segment") || name.contains(&format!("{last:010}")), "{name}"),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn what_one_family_loses_at_its_end_the_other_one_misses() {
    let write = |journal: &Journal, family| {
        let body = Bytes::from_static(b"body");
        journal.submit(Entry { family, body, blobs: Vec::new(), done: Box::new(|_| {}) }).expect("room");
        journal.work();
    };
    let disk = SimulatedDisk::new(1);
    let (journal, _) = Journal::open(Arc::new(disk.clone()), small()).expect("an empty disk");
    [Family::Kept, Family::Kept, Family::Incoming].into_iter().for_each(|family| write(&journal, family));

    let kept = "kept-0000000001.segment";
    disk.tamper(kept, |content| content[1024..].fill(0));
    let Err(refusal) = Journal::open(Arc::new(disk.clone()), small()) else { panic!("a lost batch goes unnoticed") };
    assert!(matches!(&refusal, OpenError::Damaged { file, offset: 1024 } if file == kept), "{refusal}");
    assert!(refusal.to_string().contains("`weir doctor` tells what can be saved"));

    disk.remove(kept).expect("a file that is there");
    let Err(refusal) = Journal::open(Arc::new(disk), small()) else { panic!("a lost segment goes unnoticed") };
    assert!(matches!(&refusal, OpenError::Missing { file } if file == kept), "{refusal}");
}

#[test]
fn a_survey_says_which_records_are_lost_and_which_are_left() {
    let (disk, records) = written();
    let intact = survey(&disk, &mut |_, _| {}).expect("a good disk");
    assert_eq!((intact.damage.len(), intact.cuts.len(), intact.lost.len()), (0, 0, 0), "{intact:#?}");

    // A batch in the first segment of all, which nobody reads at a start.
    let hurt = &records[0];
    let file = format!("{}-0000000001.segment", if hurt.family == Family::Incoming { "incoming" } else { "kept" });
    let changed = disk.crash(0);
    changed.tamper(&file, |content| content[hurt.body_position.offset as usize + 8] ^= 1);
    let mut seen = Vec::new();
    let survey = survey(&changed, &mut |done, all| seen.push((done, all))).expect("a good disk");
    let [damage] = &survey.damage[..] else { panic!("{survey:#?}") };
    assert_eq!((damage.file.as_str(), damage.refuses_start), (file.as_str(), false));
    assert_eq!(survey.lost.len(), 1, "{survey:#?}");
    assert!(survey.lost[0].contains(&hurt.sequence), "{survey:#?}");
    let left: u64 = survey.segments.iter().map(|segment| segment.records).sum();
    assert_eq!(left + (survey.lost[0].end - survey.lost[0].start), records.len() as u64);
    assert!(seen.last().is_some_and(|(done, all)| done == all && *all > 0), "{seen:?}");
}
