use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::Origin;

use crate::wire::Conn;

/// What a kept connection may be used for: the same plugin, the same connection, the same origin, and nothing else.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) plugin: Arc<str>,
    pub(crate) connection: Option<Arc<str>>,
    pub(crate) origin: Origin,
}

/// Connections that wait for their next request.
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    per_key_max: usize,
    total_max: usize,
    idle_for: Duration,
}

#[derive(Default)]
struct Idle {
    by_key: HashMap<Key, Vec<(Conn, Instant)>>,
    total: usize,
}

impl Pool {
    pub(crate) fn new(per_key_max: usize, total_max: usize, idle_for: Duration) -> Self {
        Self { idle: Mutex::default(), per_key_max, total_max, idle_for }
    }

    /// The connection for `key` that was used last, if one still works and its peer may still be reached.
    pub(crate) async fn take(&self, key: &Key, may_reach: impl Fn(IpAddr) -> bool) -> Option<Conn> {
        loop {
            let (mut conn, since) = self.pop(key)?;
            if since.elapsed() < self.idle_for && may_reach(conn.peer().ip()) && conn.is_usable().await {
                return Some(conn);
            }
        }
    }

    fn pop(&self, key: &Key) -> Option<(Conn, Instant)> {
        let mut idle = self.lock();
        let entry = idle.by_key.get_mut(key)?.pop()?;
        idle.total -= 1;
        Some(entry)
    }

    /// Keeps a connection whose answer has been read to its end, if it can be used again and there is room.
    pub(crate) async fn put(&self, key: Key, mut conn: Conn) {
        if !conn.is_usable().await {
            return;
        }
        let mut idle = self.lock();
        if idle.total >= self.total_max {
            return;
        }
        let kept = idle.by_key.entry(key).or_default();
        if kept.len() < self.per_key_max {
            kept.push((conn, Instant::now()));
            idle.total += 1;
        }
    }

    /// Closes what was idle for too long.
    pub(crate) fn sweep(&self) {
        let mut idle = self.lock();
        idle.by_key.retain(|_, kept| {
            kept.retain(|(_, since)| since.elapsed() < self.idle_for);
            !kept.is_empty()
        });
        idle.total = idle.by_key.values().map(Vec::len).sum();
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
