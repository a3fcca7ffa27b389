//! The bytes on the disk, as version 1 writes them. If this test fails, the format has changed: give it a new version.

use std::sync::Arc;

use bytes::Bytes;
use journal::simulation::SimulatedDisk;
use journal::{Disk, Entry, Family, Journal, Mark, OpenError};

use crate::world::{replay, small};

fn files() -> Vec<(String, Vec<u8>)> {
    let disk = SimulatedDisk::new(0);
    let (journal, _) = Journal::open(Arc::new(disk.clone()), small()).expect("an empty disk");
    for (family, body, blobs) in [(Family::Incoming, "body", vec!["blob", ""]), (Family::Kept, "kept", vec![])] {
        let blobs = blobs.into_iter().map(|blob| Bytes::from_static(blob.as_bytes())).collect();
        let done = Box::new(|placed: Result<_, _>| assert!(placed.is_ok()));
        journal.submit(Entry { family, body: Bytes::from_static(body.as_bytes()), blobs, done }).expect("room");
    }
    journal.close().expect("a good disk");
    assert_eq!(hex::encode(journal.mark_after(1).to_bytes()), GOLDEN_MARK);
    disk.files()
}

/// Head of the segment, header of the batch, payload.
#[rustfmt::skip]
const GOLDEN: [(&str, [&str; 3]); 2] = [
    ("incoming-0000000001.segment", [
        "776569722d6a6e6c010000000100000000200000afcd1d7b39a820e2010000000000000001000000000000000000000000000000000000000068e5cf8b0100003344032e",
        "afcd1d7b39a820e20100000000000000010000000000000001000000240000000000000000000000d71ff20c71a44775",
        "020000000400000041ee748c626f647904000000fe7164cc626c6f6200000000043f0870",
    ]),
    ("kept-0000000001.segment", [
        "776569722d6a6e6c010100000100000000200000f465b9a16a9e786e020000000000000002000000000000000000000001000000000400000068e5cf8b0100003522d618",
        "f465b9a16a9e786e020000000000000002000000000000000100000010000000010000000004000020a893c10e73600a",
        "000000000400000067360a016b657074",
    ]),
];
const GOLDEN_MARK: &str = "01020000000000000001000000000200000100000000020000";

#[test]
fn the_format_stays_as_it_is() {
    let seen: Vec<_> = files()
        .into_iter()
        .map(|(name, content)| {
            let payload = content[560..].iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            let parts = [0..68, 512..560, 560..560 + payload].map(|range| hex::encode(&content[range]));
            (name, parts)
        })
        .collect();
    let golden = GOLDEN.map(|(name, parts)| (name.to_owned(), parts.map(str::to_owned)));
    assert_eq!(seen, golden);
}

#[test]
fn the_golden_bytes_are_read() {
    let disk = SimulatedDisk::new(9);
    for (name, [head, header, payload]) in GOLDEN {
        let file = disk.create(name, 8 << 10).expect("an empty disk");
        for (offset, part) in [(0, head), (512, header), (560, payload)] {
            file.write_at(offset, &hex::decode(part).expect("hexadecimal digits")).expect("a good disk");
        }
    }
    let (journal, recovered) = Journal::open(Arc::new(disk.clone()), small()).expect("version 1");
    assert!(recovered.cuts.is_empty());
    let bodies: Vec<_> = replay(&journal, Mark::START).into_iter().map(|record| record.body).collect();
    assert_eq!(bodies, ["body", "kept"]);

    disk.tamper(GOLDEN[0].0, |content| content[8] = 2);
    let refused = Journal::open(Arc::new(disk), small());
    assert!(matches!(refused, Err(OpenError::UnknownVersion { found: 2, known: 1, .. })));
    assert!(refused.is_err_and(|error| error.to_string().contains("start the version of Weir that wrote it")));
}
