//! Finds work that waits in the store: what has become due, what was left by an earlier life of the process, and who is
//! next in a lane.

use std::sync::Arc;
use std::time::Duration;

use model::{ExecutionId, Gate, State, StateKind, Timestamp};
use store::{Due, Query, StoreError};

use crate::engine::{Inner, Work, lock};
use crate::lanes::LaneKey;

/// How many executions one look at a gate takes up.
const BATCH: usize = 512;
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
    /// The task that looks for waiting work.
    pub(crate) async fn sweep_for_ever(self: Arc<Self>) {
        let mut progress = Progress::default();
        while !self.is_stopping() {
            if let Err(error) = self.sweep(&mut progress).await {
                tracing::error!(%error, "waiting work could not be looked up");
            }
            self.clock.sleep(self.config.sweep_every).await;
        }
    }

    async fn sweep(&self, progress: &mut Progress) -> Result<(), StoreError> {
        let now = self.now();
        if now.since(progress.begun) >= FROM_THE_START_EVERY {
            *progress = Progress { behind: None, begun: now };
        }
        self.sweep_time(progress, now).await?;
        for gate in self.store.gates().await? {
            let limit = match &gate {
                // One probe is enough to find out whether a destination answers again.
                Gate::Connection(name) if self.connections.open().contains(name) => 1,
                Gate::Connection(_) | Gate::Plugin(_) => BATCH,
                Gate::Flow(name) if self.has_room(name) => BATCH,
                Gate::Time | Gate::Flow(_) | Gate::Lane(..) | Gate::Children => continue,
            };
            for due in self.store.due(gate, now, None, limit).await? {
                self.take_up(due.id).await?;
            }
        }
        let vacant = lock(&self.lanes).vacant();
        for lane in vacant {
            self.promote(lane).await;
        }
        Ok(())
    }

    async fn sweep_time(&self, progress: &mut Progress, now: Timestamp) -> Result<(), StoreError> {
        loop {
            let found = self.store.due(Gate::Time, now, progress.behind.clone(), BATCH).await?;
            let full = found.len() == BATCH;
            for due in found {
                progress.behind = Some(due.clone());
                self.take_up(due.id).await?;
            }
            if !full {
                return Ok(());
            }
        }
    }

    /// Claims an execution and hands it over, unless it is in hand already or its flow has no room.
    async fn take_up(&self, id: ExecutionId) -> Result<(), StoreError> {
        if !self.claim(&id) {
            return Ok(());
        }
        let flow = match self.store.load(id.clone()).await {
            // It may have gone on between the look and the claim.
            Ok(Some(execution)) if !execution.is_settled() => execution.flow.name,
            Ok(_) => {
                self.unclaim(&id).await;
                return Ok(());
            }
            Err(error) => {
                self.unclaim(&id).await;
                return Err(error);
            }
        };
        if self.has_room(&flow) {
            self.hand_over(&Arc::from(flow), Work::Stored(id));
        } else {
            self.unclaim(&id).await;
        }
        Ok(())
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
