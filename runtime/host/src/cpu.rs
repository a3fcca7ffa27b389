use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::future::poll_fn;
use tokio::sync::Semaphore;

use crate::sandbox::TICK;

const NOT_RUNNING: u64 = u64::MAX;

/// Measures how long a guest is on a core: the time spent inside `poll` of its call, so that waiting does not count.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    origin: Instant,
    /// Nanoseconds of the polls that have ended.
    spent_ns: AtomicU64,
    /// When the poll under way began, in nanoseconds from `origin`.
    began_ns: AtomicU64,
}

impl CpuMeter {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), spent_ns: AtomicU64::new(0), began_ns: AtomicU64::new(NOT_RUNNING) }
    }

    /// Time on a core so far, the poll under way included.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent_ns.load(Ordering::Relaxed)) + self.in_this_poll()
    }

    /// Time since the poll under way began.
    pub(crate) fn in_this_poll(&self) -> Duration {
        match self.began_ns.load(Ordering::Relaxed) {
            NOT_RUNNING => Duration::ZERO,
            began => Duration::from_nanos(self.now_ns().saturating_sub(began)),
        }
    }

    /// Time since the call began, waiting included.
    pub(crate) fn since_begin(&self) -> Duration {
        self.origin.elapsed()
    }

    fn measure<T>(&self, poll: impl FnOnce() -> T) -> T {
        let began = self.now_ns();
        self.began_ns.store(began, Ordering::Relaxed);
        let polled = poll();
        self.began_ns.store(NOT_RUNNING, Ordering::Relaxed);
        self.spent_ns.fetch_add(self.now_ns() - began, Ordering::Relaxed);
        polled
    }

    fn now_ns(&self) -> u64 {
        // 64 bits of nanoseconds last for 584 years.
        self.origin.elapsed().as_nanos() as u64
    }
}

/// Runs a call and measures it. Once it has been on a core for more than a tick it is a long runner, and every further
/// poll of it needs one of the permits: there is one fewer than cores, so that one always stays free for short calls.
pub(crate) async fn metered<F: Future>(call: F, meter: &CpuMeter, long_runners: &Semaphore) -> F::Output {
    let mut call = pin!(call);
    loop {
        let permit = if meter.spent() > TICK { long_runners.acquire().await.ok() } else { None };
        if let Poll::Ready(output) = poll_once(call.as_mut(), meter).await {
            return output;
        }
        drop(permit);
        woken().await;
    }
}

/// Polls the call once, with the waker of the task, and gives what came of it.
async fn poll_once<F: Future>(mut call: Pin<&mut F>, meter: &CpuMeter) -> Poll<F::Output> {
    poll_fn(|task| Poll::Ready(meter.measure(|| call.as_mut().poll(task)))).await
}

/// Ends when the task is polled again: the poll before has registered its waker.
async fn woken() {
    let mut asleep = true;
    poll_fn(|_| if std::mem::take(&mut asleep) { Poll::Pending } else { Poll::Ready(()) }).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(duration: Duration) {
        let began = Instant::now();
        while began.elapsed() < duration {
            std::hint::spin_loop();
        }
    }

    #[tokio::test]
    async fn waiting_does_not_count_and_work_does() {
        let meter = CpuMeter::new();
        let call = async {
            busy(2 * TICK);
            tokio::time::sleep(20 * TICK).await;
            busy(TICK);
        };
        metered(call, &meter, &Semaphore::new(1)).await;
        assert!(meter.spent() >= 3 * TICK, "{:?}", meter.spent());
        assert!(meter.spent() < 15 * TICK, "{:?}", meter.spent());
    }

    #[tokio::test]
    async fn a_long_runner_goes_on_only_with_a_permit_and_a_short_call_needs_none() {
        let (long_runners, meter) = (Semaphore::new(0), CpuMeter::new());
        metered(tokio::task::yield_now(), &meter, &long_runners).await;
        let call = async {
            busy(2 * TICK);
            tokio::task::yield_now().await;
        };
        let mut call = pin!(metered(call, &meter, &long_runners));
        assert!(poll_fn(|task| Poll::Ready(call.as_mut().poll(task).is_pending())).await);
        assert!(poll_fn(|task| Poll::Ready(call.as_mut().poll(task).is_pending())).await);
        long_runners.add_permits(1);
        call.await;
        assert_eq!(long_runners.available_permits(), 1);
    }
}
