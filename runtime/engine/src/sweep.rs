//! Finds work that waits in the store: what has become due, what was left by an earlier life of the process, and who is
//! next in a lane.

use std::sync::Arc;
use std::time::Duration;

use model::{Gate, State, StateKind, Timestamp};
use store::{Due, Query, StoreError};

use crate::engine::{Inner, Work, lock};
use crate::lanes::LaneKey;

/// How many executions one look at a gate finds.
const BATCH: usize = 512;
/// So many that have no room in memory are passed over before a look at a gate ends: behind them there may be work of
/// another flow, but a million of them must not be read every time.
const PASSED_MAX: usize = 8 * BATCH;
/// Between looks that begin anew instead of behind the last one: they find what was let go of without a time to wait for.
const FROM_THE_START_EVERY: Duration = Duration::from_secs(5);

/// How far the last looks came. Ready executions that are being worked on stay in the index of due work; a cursor passes
/// them once instead of at every look.
#[derive(Default)]
struct Progress {
    behind: Option<Due>,
    begun: Timestamp,
}

impl Inner {
    /// The task that looks for waiting work: now and then, and whenever there is room again for what had none.
    pub(crate) async fn sweep_for_ever(self: Arc<Self>) {
        let mut progress = Progress::default();
        while !self.is_stopping() {
            if let Err(error) = self.sweep(&mut progress).await {
                tracing::error!(%error, "waiting work could not be looked up");
            }
            tokio::select! {
                () = self.refill.notified() => progress = Progress::default(),
                () = self.clock.sleep(self.config.sweep_every) => {}
            }
        }
    }

    async fn sweep(&self, progress: &mut Progress) -> Result<(), StoreError> {
        let now = self.now();
        if now.since(progress.begun) >= FROM_THE_START_EVERY {
            *progress = Progress { behind: None, begun: now };
        }
        progress.behind = self.take_from(Gate::Time, now, progress.behind.take()).await?;
        for gate in self.store.gates().await? {
            match &gate {
                // One probe is enough to find out whether a destination answers again.
                Gate::Connection(name) if self.connections.open().contains(name) => {
                    for probe in self.store.due(gate, now, None, 1).await? {
                        self.take_up(&probe).await;
                    }
                }
                Gate::Connection(_) | Gate::Plugin(_) | Gate::Flow(_) => drop(self.take_from(gate, now, None).await?),
                Gate::Time | Gate::Lane(..) | Gate::Children => {}
            }
        }
        let vacant = lock(&self.lanes).vacant();
        for lane in vacant {
            self.promote(lane).await;
        }
        Ok(())
    }

    /// Takes up what is due behind a gate, from behind `behind` on, as far as there is room. Gives how far it came.
    async fn take_from(&self, gate: Gate, now: Timestamp, mut behind: Option<Due>) -> Result<Option<Due>, StoreError> {
        // What waits for room in one flow waits together.
        let passed_max = if matches!(gate, Gate::Flow(_)) { 1 } else { PASSED_MAX };
        let mut passed = 0;
        loop {
            let found = self.store.due(gate.clone(), now, behind.clone(), BATCH).await?;
            let is_last = found.len() < BATCH;
            for due in found {
                passed += usize::from(!self.take_up(&due).await);
                behind = Some(due);
            }
            if is_last || passed >= passed_max {
                return Ok(behind);
            }
        }
    }

    /// Claims an execution and hands it over, unless it is in hand already. False: its flow has no room.
    async fn take_up(&self, due: &Due) -> bool {
        if !self.claim(&due.id) {
            return true;
        }
        let has_room = self.has_room(&due.flow);
        if has_room {
            self.hand_over(&Arc::from(due.flow.as_str()), Work::Stored(due.id.clone()));
        } else {
            self.unclaim(&due.id).await;
        }
        has_room
    }

    /// Lets the next of a lane go, if nobody is at its head.
    pub(crate) async fn promote(&self, key: LaneKey) {
        let gate = Gate::Lane(key.0.clone(), key.1.clone());
        let end_of_time = Timestamp::from_millis(u64::MAX);
        let next = match self.store.due(gate, end_of_time, None, 1).await {
            Ok(next) => next.into_iter().next(),
            Err(error) => {
                tracing::error!(%error, flow = key.0, lane = key.1, "the next of a lane could not be looked up");
                return;
            }
        };
        // If it is not durable yet, the next sweep finds it.
        let Some(Due { id, .. }) = next else { return };
        if lock(&self.lanes).promote(&key, &id) && self.claim(&id) {
            self.hand_over(&Arc::from(key.0), Work::Stored(id));
        }
    }

    /// Finds out once who stands in which lane.
    pub(crate) async fn know_lanes(&self) -> Result<(), StoreError> {
        self.lanes_known.get_or_try_init(|| self.recover_lanes()).await.copied()
    }

    async fn recover_lanes(&self) -> Result<(), StoreError> {
        for gate in self.store.gates().await? {
            let Gate::Lane(flow, lane) = gate.clone() else { continue };
            let end_of_time = Timestamp::from_millis(u64::MAX);
            let mut behind = None;
            loop {
                let page = self.store.due(gate.clone(), end_of_time, behind.clone(), BATCH).await?;
                let Some(last) = page.last().cloned() else { break };
                behind = Some(last);
                let mut lanes = lock(&self.lanes);
                page.into_iter().for_each(|due| lanes.recover((flow.clone(), lane.clone()), due.at));
            }
        }
        let states = vec![StateKind::Ready, StateKind::Waiting, StateKind::Parked];
        let mut query = Query { states, limit: BATCH, ..Query::default() };
        loop {
            let page = self.store.query(query.clone()).await?;
            for execution in page.executions {
                let waits_behind = matches!(&execution.state, State::Waiting { gate: Gate::Lane(..), .. });
                if let (Some(lane), false) = (execution.lane, waits_behind) {
                    lock(&self.lanes).lead(&(execution.flow.name, lane), &execution.id);
                }
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(()),
            }
        }
    }
}
