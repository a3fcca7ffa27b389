use tokio::sync::watch;

/// Told to the parts of the server when they are to stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Tells every [`Shutdown`] made with it; dropping it tells them too.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

impl ShutdownTrigger {
    /// A trigger and the signal that it gives.
    pub fn new() -> (Self, Shutdown) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Shutdown(receiver))
    }

    /// Says stop. Saying it again changes nothing.
    pub fn fire(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Ends when it is time to stop.
    pub async fn wait(&mut self) {
        // An error means that the trigger was dropped, which says stop too.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Whether it is time to stop.
    pub fn is_fired(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn firing_and_dropping_both_say_stop() {
        let (trigger, mut shutdown) = ShutdownTrigger::new();
        assert!(!shutdown.is_fired());
        trigger.fire();
        shutdown.wait().await;
        assert!(shutdown.is_fired());

        let (trigger, mut shutdown) = ShutdownTrigger::new();
        drop(trigger);
        shutdown.wait().await;
        assert!(shutdown.is_fired());
    }
}
