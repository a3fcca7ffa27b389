use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_util::future::poll_fn;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Semaphore;

use crate::sandbox::TICK;

const NOT_RUNNING: u64 = u64::MAX;

/// The most that a short poll counts. On a core it ends with the first tick, so that whatever is beyond was somebody else's.
const SHORT_POLL_MAX: Duration = Duration::from_millis(4 * TICK.as_millis() as u64);

/// Measures how long a guest is on a core: the time spent inside `poll` of its call, so that waiting does not count. From a
/// tick on the time of the thread is taken, so that a busy machine is not held against the guest; before, asking the system
/// for it would cost a short call more than the answer is worth.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    origin: Instant,
    /// Nanoseconds of the polls that have ended.
    spent_ns: AtomicU64,
    /// When the poll under way began, in nanoseconds from `origin`.
    began_ns: AtomicU64,
    /// The time of the thread at that moment, in a call that has been on a core for more than a tick.
    thread_began_ns: AtomicU64,
}

impl CpuMeter {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            spent_ns: AtomicU64::new(0),
            began_ns: AtomicU64::new(NOT_RUNNING),
            thread_began_ns: AtomicU64::new(NOT_RUNNING),
        }
    }

    /// Time on a core so far, the poll under way included.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent_ns.load(Ordering::Relaxed)) + self.in_this_poll()
    }

    /// Time on a core since the poll under way began. Asked on the thread of that poll, or when there is none.
    pub(crate) fn in_this_poll(&self) -> Duration {
        let (began, thread_began) =
            (self.began_ns.load(Ordering::Relaxed), self.thread_began_ns.load(Ordering::Relaxed));
        match (began, thread_began) {
            (NOT_RUNNING, _) => Duration::ZERO,
            (began, NOT_RUNNING) => Duration::from_nanos(self.now_ns().saturating_sub(began)).min(SHORT_POLL_MAX),
            (_, thread_began) => Duration::from_nanos(thread_ns().saturating_sub(thread_began)),
        }
    }

    /// Time since the call began, waiting included.
    pub(crate) fn since_begin(&self) -> Duration {
        self.origin.elapsed()
    }

    fn measure<T>(&self, poll: impl FnOnce() -> T) -> T {
        let is_long = self.spent() > TICK;
        self.thread_began_ns.store(if is_long { thread_ns() } else { NOT_RUNNING }, Ordering::Relaxed);
        self.began_ns.store(self.now_ns(), Ordering::Relaxed);
        let polled = poll();
        let spent = self.in_this_poll();
        self.began_ns.store(NOT_RUNNING, Ordering::Relaxed);
        self.spent_ns.fetch_add(spent.as_nanos() as u64, Ordering::Relaxed);
        polled
    }

    fn now_ns(&self) -> u64 {
        // 64 bits of nanoseconds last for 584 years.
        self.origin.elapsed().as_nanos() as u64
    }
}

/// How long this thread has been on a core, ever.
fn thread_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
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
        let until = thread_ns() + duration.as_nanos() as u64;
        while thread_ns() < until {
            std::hint::spin_loop();
        }
    }

    #[tokio::test]
    async fn a_core_that_others_have_does_not_count() {
        let meter = CpuMeter::new();
        // A thread that sleeps inside a poll stands for one that the system has put aside.
        let call = async {
            busy(2 * TICK);
            std::thread::sleep(40 * TICK);
            tokio::task::yield_now().await;
            std::thread::sleep(40 * TICK);
        };
        metered(call, &meter, &Semaphore::new(1)).await;
        assert!((TICK..=2 * SHORT_POLL_MAX).contains(&meter.spent()), "{:?}", meter.spent());
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
