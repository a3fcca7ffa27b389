//! Records a second with 256 of them always in flight, on a real disk, beside a bare append with one `fdatasync` for as
//! many bytes: `cargo run -p journal --example throughput [DIRECTORY]`.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use journal::{Config, Entry, Family, Journal, RealDisk};
use model::Timestamp;

const RECORD_BYTES: usize = 1024;
const RUN: Duration = Duration::from_secs(3);

fn main() -> anyhow::Result<()> {
    let base = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, Into::into);
    for in_flight in [1, 8, 256] {
        let folder = tempfile::tempdir_in(&base)?;
        let per_sync = through_journal(folder.path(), in_flight)?;
        plain_append(folder.path(), per_sync)?;
    }
    Ok(())
}

/// Returns how many records one sync served.
fn through_journal(folder: &Path, in_flight: usize) -> anyhow::Result<usize> {
    let disk = Arc::new(RealDisk::new(folder.join("journal"))?);
    let (journal, _) = Journal::open(disk, Config::new(|| Timestamp::from_millis(0)))?;
    let body = Bytes::from(vec![7; RECORD_BYTES / 4]);
    let blob = Bytes::from(vec![9; RECORD_BYTES - body.len()]);
    let (durable, finished) = mpsc::channel();
    let submit = || -> anyhow::Result<()> {
        let (durable, submitted) = (durable.clone(), Instant::now());
        let done = Box::new(move |placed: Result<_, _>| {
            let _ = durable.send(placed.map(|_| submitted.elapsed()));
        });
        journal.submit(Entry { family: Family::Incoming, body: body.clone(), blobs: vec![blob.clone()], done })?;
        Ok(())
    };
    let begun = Instant::now();
    (0..in_flight).try_for_each(|_| submit())?;
    let mut waits = Vec::new();
    while begun.elapsed() < RUN {
        waits.push(finished.recv()??);
        submit()?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    waits.sort_unstable();
    let counts = journal.statistics();
    journal.close()?;
    drop(journal);
    let disk = Arc::new(RealDisk::new(folder.join("journal"))?);
    let begun = Instant::now();
    drop(Journal::open(disk, Config::new(|| Timestamp::from_millis(0)))?);
    let opened = begun.elapsed();
    println!(
        "journal  {in_flight:>4} in flight: {:>7.0} records/s, {:>4} records/sync, p50 {:?}, p99 {:?}, opened again in {opened:?}",
        waits.len() as f64 / seconds,
        counts.records / counts.batches,
        waits[waits.len() / 2],
        waits[waits.len() * 99 / 100],
    );
    Ok((counts.records / counts.batches) as usize)
}

fn plain_append(folder: &Path, per_sync: usize) -> anyhow::Result<()> {
    let mut file = std::fs::File::create(folder.join("plain"))?;
    let batch = vec![7; RECORD_BYTES * per_sync];
    let (begun, mut records) = (Instant::now(), 0);
    while begun.elapsed() < RUN {
        file.write_all(&batch)?;
        rustix::fs::fdatasync(&file)?;
        records += per_sync;
    }
    let rate = records as f64 / begun.elapsed().as_secs_f64();
    println!("control  {per_sync:>4} records/sync: {rate:>7.0} records/s (append and fdatasync)");
    Ok(())
}
