use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use standin::{Observer, Service};
use tokio::sync::Notify;

use crate::Latencies;
use crate::events::number_in;
use crate::load::{Moment, Watcher};

/// Follows events from the sender to one of the stand-ins: what arrived, and how long it took. Cheap to clone.
#[derive(Clone)]
pub struct Delivered(Arc<Inner>);

struct Inner {
    service: Service,
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    /// Events on their way, and since when.
    under_way: HashMap<u64, Instant>,
    latencies: Latencies,
}

/// If nothing arrives for so long, what is missing is lost.
const SILENCE_MAX: Duration = Duration::from_secs(30);

impl Delivered {
    /// Follows events to that service.
    pub fn at(service: Service) -> Self {
        Self(Arc::new(Inner { service, state: Mutex::default(), arrived: Notify::new() }))
    }

    /// To be given to the load: notes when an event is first sent.
    pub fn watcher(&self) -> Watcher {
        let this = self.clone();
        Arc::new(move |number, moment| {
            if let Moment::Sent { due } = moment {
                this.lock().under_way.entry(number).or_insert(due);
            }
        })
    }

    /// To be given to the stand-in: notes when an event first has its effect.
    pub fn observer(&self) -> Observer {
        let this = self.clone();
        Arc::new(move |service, body| {
            let Some(number) = number_in(body).filter(|_| service == this.0.service) else { return };
            let mut state = this.lock();
            if let Some(sent) = state.under_way.remove(&number) {
                state.latencies.record(sent.elapsed());
                this.0.arrived.notify_one();
            }
        })
    }

    /// How many have arrived since the last [`take`](Self::take).
    pub fn count(&self) -> u64 {
        self.lock().latencies.len()
    }

    /// From sending to arrival, of all that arrived since this was last called.
    pub fn take(&self) -> Latencies {
        std::mem::take(&mut self.lock().latencies)
    }

    /// Waits until so many have arrived; `each` is told how many have.
    ///
    /// # Errors
    /// Nothing arrived for half a minute.
    pub async fn wait_for(&self, wanted: u64, mut each: impl FnMut(u64)) -> anyhow::Result<()> {
        loop {
            let count = self.count();
            each(count);
            if count >= wanted {
                return Ok(());
            }
            if tokio::time::timeout(SILENCE_MAX, self.0.arrived.notified()).await.is_err() {
                bail!("{count} of {wanted} events were delivered, then nothing for {} s", SILENCE_MAX.as_secs());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
