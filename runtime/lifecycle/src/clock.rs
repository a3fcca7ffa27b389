use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// The only source of time.
pub trait Clock: Send + Sync + 'static {
    /// The wall-clock time.
    fn now(&self) -> SystemTime;

    /// Ends when `duration` has passed.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    // The one place where the machine's clock is read.
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock that stands still until a test moves it. Clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    since_epoch: Arc<Mutex<watch::Sender<Duration>>>,
    watch: watch::Receiver<Duration>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: SystemTime) -> Self {
        let (sender, watch) = watch::channel(start.duration_since(UNIX_EPOCH).unwrap_or_default());
        Self { since_epoch: Arc::new(Mutex::new(sender)), watch }
    }

    /// Moves the clock on and wakes whoever slept until then.
    pub fn advance(&self, duration: Duration) {
        let sender = self.since_epoch.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        sender.send_modify(|time| *time += duration);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + *self.watch.borrow()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut watch = self.watch.clone();
        let end = *watch.borrow() + duration;
        Box::pin(async move {
            // The sender lives as long as `self`, which the future borrows.
            let _ = watch.wait_for(|time| *time >= end).await;
        })
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_the_clock_has_been_moved_far_enough() {
        let clock = ManualClock::at(UNIX_EPOCH);
        let mut sleeper = clock.sleep(Duration::from_secs(10));
        let mut sleeps = async || std::future::poll_fn(|cx| Poll::Ready(sleeper.as_mut().poll(cx).is_pending())).await;
        clock.advance(Duration::from_secs(9));
        assert!(sleeps().await);
        clock.advance(Duration::from_secs(1));
        assert!(!sleeps().await);
        assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(10));
    }
}
