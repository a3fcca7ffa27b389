use std::collections::HashMap;

use model::ExecutionId;

/// The flow and the key of a lane.
pub(crate) type LaneKey = (String, String);

/// Who may go in which lane. The head of a lane goes; the others wait in the store. Pure.
#[derive(Debug, Default)]
pub(crate) struct Lanes(HashMap<LaneKey, Lane>);

#[derive(Debug, Default)]
struct Lane {
    head: Option<ExecutionId>,
    /// How many wait behind the head, in the store or on their way there.
    behind: usize,
}

impl Lanes {
    /// Joins a lane. True: as its head.
    pub(crate) fn enter(&mut self, key: &LaneKey, id: &ExecutionId) -> bool {
        let lane = self.0.entry(key.clone()).or_default();
        if lane.head.is_none() && lane.behind == 0 {
            lane.head = Some(id.clone());
            return true;
        }
        lane.behind += 1;
        false
    }

    /// Notes who was found in the store when Weir started.
    pub(crate) fn recover(&mut self, key: LaneKey, id: ExecutionId, is_head: bool) {
        let lane = self.0.entry(key).or_default();
        if is_head {
            lane.head = Some(id);
        } else {
            lane.behind += 1;
        }
    }

    /// One that waited will never come, because it could not be stored or was ended by a person.
    pub(crate) fn withdraw(&mut self, key: &LaneKey, id: &ExecutionId) {
        if let Some(lane) = self.0.get_mut(key) {
            if lane.head.as_ref() == Some(id) {
                lane.head = None;
            } else {
                lane.behind = lane.behind.saturating_sub(1);
            }
            self.forget_if_empty(key);
        }
    }

    /// Takes the head out, if it is `id`.
    pub(crate) fn leave(&mut self, key: &LaneKey, id: &ExecutionId) {
        if let Some(lane) = self.0.get_mut(key)
            && lane.head.as_ref() == Some(id)
        {
            lane.head = None;
            self.forget_if_empty(key);
        }
    }

    /// Lanes without a head in which somebody waits.
    pub(crate) fn vacant(&self) -> Vec<LaneKey> {
        self.0.iter().filter(|(_, lane)| lane.head.is_none()).map(|(key, _)| key.clone()).collect()
    }

    /// Makes one that waited the head, if there is none. True: it may go.
    pub(crate) fn promote(&mut self, key: &LaneKey, id: &ExecutionId) -> bool {
        match self.0.get_mut(key) {
            Some(lane) if lane.head.is_none() => {
                lane.head = Some(id.clone());
                lane.behind = lane.behind.saturating_sub(1);
                true
            }
            _ => false,
        }
    }

    fn forget_if_empty(&mut self, key: &LaneKey) {
        if self.0.get(key).is_some_and(|lane| lane.head.is_none() && lane.behind == 0) {
            self.0.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{EventId, Timestamp};

    use super::*;

    fn id(number: u64) -> ExecutionId {
        ExecutionId::new(EventId::new(Timestamp::from_millis(number), [0; 10]), 0)
    }

    #[test]
    fn the_next_goes_when_the_head_has_left() {
        let (mut lanes, key) = (Lanes::default(), ("orders".to_owned(), "7".to_owned()));
        assert!(lanes.enter(&key, &id(1)));
        assert!(!lanes.enter(&key, &id(2)));
        assert!(!lanes.promote(&key, &id(2)), "the head is still there");
        lanes.leave(&key, &id(1));
        assert_eq!(lanes.vacant(), std::slice::from_ref(&key));
        assert!(!lanes.enter(&key, &id(3)), "nobody overtakes");
        assert!(lanes.promote(&key, &id(2)));
        lanes.leave(&key, &id(2));
        assert!(lanes.promote(&key, &id(3)));
        lanes.leave(&key, &id(3));
        assert!(lanes.vacant().is_empty());
        assert!(lanes.enter(&key, &id(4)), "an empty lane is forgotten");
    }
}
