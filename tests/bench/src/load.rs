//! Sends events over connections that are kept alive.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Latencies;
use crate::client::Client;
use crate::events::Events;

/// Called with the number of an event when it is sent and when it was accepted.
pub type Watcher = Arc<dyn Fn(u64, Moment) + Send + Sync>;

/// What just happened to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It is on its way. Latency counts from when it was due.
    Sent {
        /// When it was to be sent.
        due: Instant,
    },
    /// The answer was `2xx`.
    Accepted,
}

/// What to send, where, and how fast.
#[derive(Clone)]
pub struct Load {
    /// The server.
    pub target: SocketAddr,
    /// The path of the webhook.
    pub path: String,
    /// Makes the events.
    pub events: Arc<Events>,
    /// The number of the first event; the others follow.
    pub first: u64,
    /// How many connections send at once, each one event at a time.
    pub connections: usize,
    /// How fast.
    pub pace: Pace,
    /// When it ends.
    pub until: Until,
    /// Whether an event that was not accepted is sent again until it is, as careful senders do.
    pub insist: bool,
    /// Sees what happens to each event.
    pub watcher: Option<Watcher>,
}

/// How fast.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// Each connection sends the next event when the last was answered.
    Closed,
    /// So many a second, whatever the answers take. Latency counts from when an event was due, so that a server that
    /// stalls cannot hide the events that it kept from being sent.
    Open(f64),
}

/// When it ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After so many events.
    Events(u64),
    /// After so long; what happened during the warm-up is not counted.
    Time {
        /// Before counting.
        warm_up: Duration,
        /// Counted.
        measured: Duration,
    },
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    /// Events that were accepted.
    pub accepted: u64,
    /// Other answers, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Requests that ended without an answer.
    pub broken: u64,
    /// The counted time.
    pub took: Duration,
    /// From sending, or being due, to acceptance.
    pub latencies: Latencies,
}

impl Sent {
    /// Accepted events a second.
    pub fn rate(&self) -> f64 {
        self.accepted as f64 / self.took.as_secs_f64()
    }

    fn add(&mut self, part: &Self) {
        self.accepted += part.accepted;
        self.broken += part.broken;
        self.latencies.merge(&part.latencies);
        for (status, count) in &part.refused {
            *self.refused.entry(*status).or_default() += count;
        }
    }
}

/// After an event was not accepted, an insisting sender waits this long.
const INSIST_AFTER: Duration = Duration::from_millis(50);

/// Sends the load; ends when all of it has been answered.
pub async fn run(load: Load) -> Sent {
    let next = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..load.connections {
        let sender = Sender { load: load.clone(), next: next.clone(), started, client: None, sent: Sent::default() };
        senders.spawn(sender.run());
    }
    let mut sent = Sent::default();
    while let Some(part) = senders.join_next().await {
        if let Ok(part) = part {
            sent.add(&part);
        }
    }
    sent.took = match load.until {
        Until::Events(_) => started.elapsed(),
        Until::Time { measured, .. } => measured,
    };
    sent
}

/// One connection's part.
struct Sender {
    load: Load,
    next: Arc<AtomicU64>,
    started: Instant,
    client: Option<Client>,
    sent: Sent,
}

impl Sender {
    async fn run(mut self) -> Sent {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let due = match self.load.pace {
                Pace::Closed => Instant::now(),
                Pace::Open(per_second) => self.started + Duration::from_secs_f64(index as f64 / per_second),
            };
            let over = match self.load.until {
                Until::Events(events) => index >= events,
                Until::Time { warm_up, measured } => due >= self.started + warm_up + measured,
            };
            if over {
                return self.sent;
            }
            tokio::time::sleep_until(due.into()).await;
            while !self.deliver(self.load.first + index, due).await && self.load.insist {
                tokio::time::sleep(INSIST_AFTER).await;
            }
        }
    }

    /// Sends one event; gives whether it was accepted.
    async fn deliver(&mut self, number: u64, due: Instant) -> bool {
        self.watch(number, Moment::Sent { due });
        let answer = self.post(number).await;
        let counts = match self.load.until {
            Until::Events(_) => true,
            Until::Time { warm_up, measured } => {
                (self.started + warm_up..self.started + warm_up + measured).contains(&Instant::now())
            }
        };
        match answer {
            Ok(status) if (200..300).contains(&status) => {
                self.watch(number, Moment::Accepted);
                if counts {
                    self.sent.accepted += 1;
                    self.sent.latencies.record(due.elapsed());
                }
                return true;
            }
            Ok(status) if counts => *self.sent.refused.entry(status).or_default() += 1,
            Ok(_) => {}
            Err(_) => {
                self.client = None;
                self.sent.broken += u64::from(counts);
            }
        }
        false
    }

    async fn post(&mut self, number: u64) -> anyhow::Result<u16> {
        let event = self.load.events.event(number);
        let client = match &mut self.client {
            Some(client) => client,
            None => self.client.insert(Client::connect(self.load.target).await?),
        };
        Ok(client.post(&self.load.path, &event.headers, event.body).await?.status().as_u16())
    }

    fn watch(&self, number: u64, moment: Moment) {
        if let Some(watcher) = &self.load.watcher {
            watcher(number, moment);
        }
    }
}
