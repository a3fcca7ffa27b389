use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use lifecycle::Clock;

/// Keeps the total time of one request, and the time of each phase of it.
pub(crate) struct Timer<'a> {
    clock: &'a dyn Clock,
    total: Sleep<'a>,
}

type Sleep<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Which time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expired {
    Phase,
    Total,
}

impl<'a> Timer<'a> {
    pub(crate) fn new(clock: &'a dyn Clock, total: Duration) -> Self {
        Self { clock, total: clock.sleep(total) }
    }

    /// Waits for `work`, for at most the time of the phase and what is left of the total.
    pub(crate) async fn limit<T>(&mut self, phase: Duration, work: impl Future<Output = T>) -> Result<T, Expired> {
        let mut work = pin!(work);
        let mut sleep: Option<Sleep<'a>> = None;
        poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            if self.total.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Err(Expired::Total));
            }
            // Most work that is waited for is there already, and then no timer is made.
            let sleep = sleep.get_or_insert_with(|| self.clock.sleep(phase));
            sleep.as_mut().poll(cx).map(|()| Err(Expired::Phase))
        })
        .await
    }
}

/// Waits for `work` for at most `time`.
pub(crate) async fn within<T>(clock: &dyn Clock, time: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut sleep = clock.sleep(time);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
    })
    .await
}
