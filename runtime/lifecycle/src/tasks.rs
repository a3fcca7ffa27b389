use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{AbortHandle, Id, JoinSet};

/// The tasks of one part of the server, by name. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tasks(Arc<Inner>);

#[derive(Default)]
struct Inner {
    set: Mutex<JoinSet<()>>,
    names: Mutex<HashMap<Id, &'static str>>,
    spawned: Notify,
}

/// A task that panicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFailed {
    /// The name it was started with.
    pub name: &'static str,
}

impl std::fmt::Display for TaskFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "task `{}` panicked", self.name)
    }
}

impl std::error::Error for TaskFailed {}

impl Tasks {
    /// Starts a task. It runs until it ends or the set is told to stop.
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let handle = lock(&self.0.set).spawn(task);
        lock(&self.0.names).insert(handle.id(), name);
        self.0.spawned.notify_one();
        handle
    }

    /// How many tasks have not been joined yet.
    pub fn len(&self) -> usize {
        lock(&self.0.set).len()
    }

    /// Whether every task has been joined.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Joins tasks as they end, and itself ends with the first that panicked. Runs for as long as the server does.
    pub async fn watch(&self) -> TaskFailed {
        loop {
            match std::future::poll_fn(|cx| lock(&self.0.set).poll_join_next_with_id(cx)).await {
                Some(Ok((id, ()))) => drop(lock(&self.0.names).remove(&id)),
                Some(Err(error)) => {
                    let name = lock(&self.0.names).remove(&error.id()).unwrap_or("unnamed");
                    if error.is_panic() {
                        return TaskFailed { name };
                    }
                }
                None => self.0.spawned.notified().await,
            }
        }
    }

    /// Waits for every task to end by itself, for at most `grace`; interrupts the rest and gives their names.
    pub async fn stop(&self, grace: Duration) -> Vec<&'static str> {
        let drained =
            async { while std::future::poll_fn(|cx| lock(&self.0.set).poll_join_next_with_id(cx)).await.is_some() {} };
        if tokio::time::timeout(grace, drained).await.is_ok() {
            return Vec::new();
        }
        let mut set = std::mem::take(&mut *lock(&self.0.set));
        set.abort_all();
        let mut interrupted = Vec::new();
        while let Some(ended) = set.join_next_with_id().await {
            let id = ended.as_ref().map_or_else(|error| error.id(), |(id, ())| *id);
            let name = lock(&self.0.names).remove(&id);
            if ended.is_err() {
                interrupted.push(name.unwrap_or("unnamed"));
            }
        }
        interrupted
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_reported_with_the_name_of_its_task() {
        let tasks = Tasks::default();
        tasks.spawn("steady", std::future::pending());
        tasks.spawn("ends", async {});
        tasks.spawn("fragile", async { panic!("on purpose") });
        assert_eq!(tasks.watch().await, TaskFailed { name: "fragile" });
    }

    #[tokio::test]
    async fn what_outlives_the_grace_is_interrupted_and_named() {
        let tasks = Tasks::default();
        tasks.spawn("quick", async {});
        tasks.spawn("stuck", std::future::pending());
        assert_eq!(tasks.stop(Duration::from_millis(10)).await, ["stuck"]);
        assert!(tasks.is_empty());
    }
}
