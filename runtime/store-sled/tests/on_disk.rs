//! The suite on a real disk with sled, and what sled needs to be trusted.

#[macro_use]
#[path = "../../store/tests/suite/mod.rs"]
mod suite;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use journal::RealDisk;
use model::Blob;
use store::{Accept, Commit, Config, LocalStore, Projection, ProjectionError, Store, VALUE_BYTES_MAX, Write};
use store_sled::{OpenError, Opened, Options, SledProjection};
use suite::{Clock, FINISHED, Ground, accept, change, config, dedupe, event, executions, load, settle};
use tempfile::TempDir;

struct OnDisk {
    directory: TempDir,
}

impl OnDisk {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    fn projection(&self) -> (SledProjection, Opened) {
        SledProjection::open(&self.state(), Options::default()).unwrap()
    }
}

impl Ground for OnDisk {
    fn open(&self, config: Config) -> (LocalStore, store::Opened) {
        let disk = RealDisk::new(self.directory.path().join("journal")).unwrap();
        let (projection, _) = self.projection();
        LocalStore::open(Arc::new(disk), Box::new(projection), config, &mut |_| {}).unwrap()
    }

    fn forget_projection(&self) {
        fs::remove_dir_all(self.state()).unwrap();
    }

    fn rows(&self) -> Vec<(Bytes, Bytes)> {
        self.projection().0.scan(&[1], &[0xff], false, usize::MAX).unwrap()
    }
}

run_suite!(OnDisk::new());

/// A ground with one execution in sled, its store gone without a word.
async fn used() -> (OnDisk, Clock, model::ExecutionId) {
    let (ground, clock) = (OnDisk::new(), Clock::new());
    let (store, _) = ground.open(config(&clock));
    let id = accept(&store, &event(&clock, 1, "x"), &["crm"]).await.remove(0);
    settle(&store);
    drop(store);
    (ground, clock, id)
}

/// What the projection says when it is opened, and that nothing is lost whatever it says.
async fn reopened(ground: &OnDisk, clock: &Clock, id: &model::ExecutionId) -> Opened {
    let (projection, opened) = ground.projection();
    drop(projection);
    let (store, _) = ground.open(config(clock));
    assert_eq!(load(&store, id).await.revision, 1);
    opened
}

#[tokio::test]
async fn within_one_boot_it_is_kept() {
    let (ground, clock, id) = used().await;
    assert_eq!(reopened(&ground, &clock, &id).await, Opened::Kept);
}

#[tokio::test]
async fn after_another_boot_it_is_made_anew() {
    let (ground, clock, id) = used().await;
    fs::write(ground.state().join("session"), "running 00000000-0000-0000-0000-000000000000\n").unwrap();
    assert!(matches!(reopened(&ground, &clock, &id).await, Opened::Discarded(_)));
}

#[tokio::test]
async fn after_a_clean_end_it_is_kept_over_a_boot() {
    let (ground, clock, id) = used().await;
    let (store, _) = ground.open(config(&clock));
    store.close().unwrap();
    drop(store);
    assert_eq!(fs::read_to_string(ground.state().join("session")).unwrap(), "clean\n");
    assert_eq!(reopened(&ground, &clock, &id).await, Opened::Kept);
}

#[tokio::test]
async fn an_unfinished_snapshot_does_not_keep_it_from_opening() {
    let (ground, clock, id) = used().await;
    fs::write(ground.state().join("sled/snap.7FFFFFFFFFFFFFFF.generating"), "").unwrap();
    assert_eq!(reopened(&ground, &clock, &id).await, Opened::Kept);
}

#[tokio::test]
async fn what_sled_cannot_open_is_made_anew() {
    let (ground, clock, id) = used().await;
    for entry in fs::read_dir(ground.state().join("sled")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::write(path, [0x5a; 10_000]).unwrap();
        }
    }
    assert!(matches!(reopened(&ground, &clock, &id).await, Opened::Discarded(_)));
}

#[test]
fn a_second_process_is_refused() {
    let ground = OnDisk::new();
    let (projection, _) = ground.projection();
    let refused = SledProjection::open(&ground.state(), Options::default()).err().unwrap();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    drop(projection);
    assert_eq!(ground.projection().1, Opened::Kept);
}

#[test]
fn a_value_above_the_limit_is_refused() {
    let ground = OnDisk::new();
    let (projection, opened) = ground.projection();
    assert_eq!(opened, Opened::New);
    let write = |bytes| Write { key: vec![0x10], value: Some(vec![0; bytes].into()) };
    projection.apply(&[write(VALUE_BYTES_MAX)]).unwrap();
    let refused = projection.apply(&[write(VALUE_BYTES_MAX + 1)]).unwrap_err();
    assert!(matches!(refused, ProjectionError::ValueTooLarge { bytes } if bytes == VALUE_BYTES_MAX + 1));
    assert_eq!(projection.operations(), 1);
}

/// Prints what a store on this machine does; nothing depends on it.
#[tokio::test]
async fn figures() {
    let (ground, clock) = (OnDisk::new(), Clock::new());
    let mut config = config(&clock);
    config.journal.segment_bytes = 64 << 20;
    config.apply_interval = Duration::from_secs(1);
    let (store, _) = ground.open(config.clone());
    let events: u64 = 20_000;
    let begun = Instant::now();
    for batch in 0..events / 200 {
        let mut pending = Vec::new();
        let mut ids = Vec::new();
        for number in 0..200 {
            let event = event(&clock, batch * 200 + number, vec![7; 1024]);
            let executions = executions(&event, &["crm"]);
            ids.push(executions[0].clone());
            let dedupe = Some(dedupe(batch * 200 + number));
            pending.push(store.accept(Accept { event, dedupe, executions }));
        }
        for accepted in pending {
            accepted.await.unwrap();
        }
        for (revision, state) in [(1, ids[0].state.clone()), (2, FINISHED)] {
            let commits: Vec<_> = ids
                .iter()
                .map(|execution| {
                    let mut execution = execution.clone();
                    execution.revision = revision;
                    execution.state = state.clone();
                    if revision == 2 {
                        execution.add_blob(Arc::new(Blob::new(vec![8; 512].into())));
                    }
                    store.commit(Commit { executions: vec![execution], rows: Vec::new() })
                })
                .collect();
            for committed in commits {
                committed.await.unwrap();
            }
        }
    }
    let rate = events as f64 / begun.elapsed().as_secs_f64();
    settle(&store);
    let stats = store.stats();
    println!(
        "{events} events of 1 KiB, accepted and committed twice: {rate:.0} events/s, {:.2} operations of sled an event, \
         {:.0} records a sync",
        stats.projection_operations as f64 / events as f64,
        stats.journal.records as f64 / stats.journal.syncs as f64,
    );
    store.close().unwrap();
    drop(store);
    let begun = Instant::now();
    let (store, _) = ground.open(config.clone());
    println!("opened again after a clean end in {:?}", begun.elapsed());
    drop(store);
    ground.forget_projection();
    let begun = Instant::now();
    let (store, opened) = ground.open(config);
    settle(&store);
    println!("sled made anew from {} records in {:?}", opened.replayed, begun.elapsed());
    let id = accept(&store, &event(&clock, events, "x"), &["crm"]).await.remove(0);
    change(&store, &id, |execution| execution.state = FINISHED).await;
}
