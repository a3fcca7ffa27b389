use std::time::{Duration, Instant, UNIX_EPOCH};

use wasmtime::component::Resource;
use wasmtime::{Result, bail};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use super::Surroundings;
use crate::state::CallState;

/// Finer clocks help to measure what others on the machine do.
const RESOLUTION: Duration = Duration::from_millis(1);

/// Where the monotonic clock begins: Go's runtime takes a 0 for a clock that does not work and ends the sandbox.
const BEGIN: Duration = Duration::from_secs(1);

/// Random bytes that one call of the host gives.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;

impl wall_clock::Host for CallState {
    fn now(&mut self) -> Result<wall_clock::Datetime> {
        let since_epoch = match &self.surroundings {
            Surroundings::Mapper { received, .. } => Duration::from_millis(received.as_millis()),
            Surroundings::Connector { now, .. } => coarse(now().duration_since(UNIX_EPOCH).unwrap_or_default()),
        };
        Ok(wall_clock::Datetime { seconds: since_epoch.as_secs(), nanoseconds: since_epoch.subsec_nanos() })
    }

    fn resolution(&mut self) -> Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: RESOLUTION.subsec_nanos() })
    }
}

impl monotonic_clock::Host for CallState {
    fn now(&mut self) -> Result<monotonic_clock::Instant> {
        let since_begin = match self.surroundings {
            Surroundings::Mapper { .. } => Duration::ZERO,
            Surroundings::Connector { .. } => coarse(self.meter.since_begin()),
        };
        Ok(u64::try_from((BEGIN + since_begin).as_nanos())?)
    }

    fn resolution(&mut self) -> Result<monotonic_clock::Duration> {
        Ok(u64::from(RESOLUTION.subsec_nanos()))
    }

    fn subscribe_instant(&mut self, when: monotonic_clock::Instant) -> Result<Resource<DynPollable>> {
        let now = monotonic_clock::Host::now(self)?;
        self.subscribe_duration(when.saturating_sub(now))
    }

    fn subscribe_duration(&mut self, duration: monotonic_clock::Duration) -> Result<Resource<DynPollable>> {
        let until = match self.surroundings {
            Surroundings::Mapper { .. } => None,
            Surroundings::Connector { .. } => Instant::now().checked_add(Duration::from_nanos(duration)),
        };
        let alarm = self.table.push(Alarm(until))?;
        subscribe(&mut self.table, alarm)
    }
}

/// Ready at an instant, or at once.
struct Alarm(Option<Instant>);

#[async_trait]
impl Pollable for Alarm {
    async fn ready(&mut self) {
        if let Some(until) = self.0 {
            tokio::time::sleep_until(until.into()).await;
        }
    }
}

impl random::Host for CallState {
    fn get_random_bytes(&mut self, length: u64) -> Result<Vec<u8>> {
        if length > RANDOM_BYTES_MAX {
            bail!("{length} random bytes were asked for at once; {RANDOM_BYTES_MAX} are given at most");
        }
        let mut bytes = vec![0; usize::try_from(length)?];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&random::Host::get_random_u64(self)?.to_le_bytes()[..chunk.len()]);
        }
        Ok(bytes)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        match &mut self.surroundings {
            Surroundings::Mapper { seed, .. } => Ok(split_mix(seed)),
            Surroundings::Connector { .. } => {
                let mut bytes = [0; 8];
                getrandom::fill(&mut bytes).map_err(|cause| wasmtime::format_err!("no random numbers: {cause}"))?;
                Ok(u64::from_le_bytes(bytes))
            }
        }
    }
}

impl insecure::Host for CallState {
    fn get_insecure_random_bytes(&mut self, length: u64) -> Result<Vec<u8>> {
        random::Host::get_random_bytes(self, length)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        random::Host::get_random_u64(self)
    }
}

impl insecure_seed::Host for CallState {
    fn insecure_seed(&mut self) -> Result<(u64, u64)> {
        Ok((random::Host::get_random_u64(self)?, random::Host::get_random_u64(self)?))
    }
}

fn coarse(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// The next number of SplitMix64 (Steele, Lea, Flood 2014): spread well, and never to be mistaken for a secret.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    #[test]
    fn split_mix_follows_the_published_sequence() {
        // The first numbers of seed 1234567, as they are commonly given for checking an implementation.
        let mut state = 1_234_567;
        let numbers: Vec<_> = (0..3).map(|_| super::split_mix(&mut state)).collect();
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }
}
