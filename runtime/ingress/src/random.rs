use std::cell::RefCell;

use model::{EventId, Timestamp};

/// Random bytes that one call to the system brings: enough for 64 ids.
const POOL_BYTES: usize = 640;

thread_local! {
    static POOL: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A new id. Most take no call to the system.
pub(crate) fn event_id(now: Timestamp) -> EventId {
    POOL.with_borrow_mut(|pool| {
        if pool.is_empty() {
            pool.resize(POOL_BYTES, 0);
            getrandom::fill(pool).expect("the system gives random bytes");
        }
        let mut random = [0; 10];
        let rest = pool.len() - random.len();
        random.copy_from_slice(&pool[rest..]);
        pool.truncate(rest);
        EventId::new(now, random)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_of_one_instant_differ_beyond_one_pool() {
        let ids: HashSet<_> = (0..1000).map(|_| event_id(Timestamp::from_millis(7))).collect();
        assert_eq!(ids.len(), 1000);
    }
}
