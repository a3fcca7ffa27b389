use std::collections::HashMap;
use std::time::Duration;

use model::{ExecutionId, Timestamp};

/// The flow and the key of a lane.
pub(crate) type LaneKey = (String, String);

/// Who may go in which lane. The head of a lane goes; the others wait in the store. Pure.
#[derive(Debug, Default)]
pub(crate) struct Lanes(HashMap<LaneKey, Lane>);

#[derive(Debug, Default)]
struct Lane {
    /// Whoever goes: one, or the children of one, or a dead letter too that a person lets go once more.
    heads: Vec<ExecutionId>,
    /// How many wait behind them, in the store or on their way there.
    behind: usize,
    /// The place of the last of them in the order of the lane.
    last: Timestamp,
}

impl Lanes {
    /// Joins a lane. None: as its head; else behind it, at this place in the order. Places are times of arrival, moved
    /// apart where several arrive at one time.
    pub(crate) fn enter(&mut self, key: &LaneKey, id: &ExecutionId, arrived: Timestamp) -> Option<Timestamp> {
        let lane = self.0.entry(key.clone()).or_default();
        if lane.heads.is_empty() && lane.behind == 0 {
            lane.heads.push(id.clone());
            return None;
        }
        lane.behind += 1;
        lane.last = arrived.max(lane.last + Duration::from_millis(1));
        Some(lane.last)
    }

    /// Goes beside the head, whoever that is: those behind wait for both. False: it stood there already.
    pub(crate) fn lead(&mut self, key: &LaneKey, id: &ExecutionId) -> bool {
        let lane = self.0.entry(key.clone()).or_default();
        let is_new = !lane.heads.contains(id);
        if is_new {
            lane.heads.push(id.clone());
        }
        is_new
    }

    /// Notes who was found waiting in the store when Weir started, and at which place.
    pub(crate) fn recover(&mut self, key: LaneKey, place: Timestamp) {
        let lane = self.0.entry(key).or_default();
        lane.behind += 1;
        lane.last = lane.last.max(place);
    }

    /// One that waited will never come, because it could not be stored or was ended by a person.
    pub(crate) fn withdraw(&mut self, key: &LaneKey, id: &ExecutionId) {
        if let Some(lane) = self.0.get_mut(key) {
            match lane.heads.iter().position(|head| head == id) {
                Some(place) => drop(lane.heads.remove(place)),
                None => lane.behind = lane.behind.saturating_sub(1),
            }
            self.forget_if_empty(key);
        }
    }

    /// Takes `id` out, if it is at the head.
    pub(crate) fn leave(&mut self, key: &LaneKey, id: &ExecutionId) {
        if let Some(lane) = self.0.get_mut(key)
            && lane.heads.contains(id)
        {
            lane.heads.retain(|head| head != id);
            self.forget_if_empty(key);
        }
    }

    /// Lanes without a head in which somebody waits.
    pub(crate) fn vacant(&self) -> Vec<LaneKey> {
        self.0.iter().filter(|(_, lane)| lane.heads.is_empty()).map(|(key, _)| key.clone()).collect()
    }

    /// Makes one that waited the head, if there is none. True: it may go.
    pub(crate) fn promote(&mut self, key: &LaneKey, id: &ExecutionId) -> bool {
        match self.0.get_mut(key) {
            Some(lane) if lane.heads.is_empty() => {
                lane.heads.push(id.clone());
                lane.behind = lane.behind.saturating_sub(1);
                true
            }
            _ => false,
        }
    }

    fn forget_if_empty(&mut self, key: &LaneKey) {
        if self.0.get(key).is_some_and(|lane| lane.heads.is_empty() && lane.behind == 0) {
            self.0.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use model::EventId;

    use super::*;

    fn id(number: u64) -> ExecutionId {
        ExecutionId::new(EventId::new(Timestamp::from_millis(number), [0; 10]), 0)
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn the_next_goes_when_the_head_has_left() {
        let (mut lanes, key) = (Lanes::default(), ("orders".to_owned(), "7".to_owned()));
        assert_eq!(lanes.enter(&key, &id(1), at(5)), None);
        assert_eq!(lanes.enter(&key, &id(2), at(5)), Some(at(5)));
        assert!(!lanes.promote(&key, &id(2)), "the head is still there");
        lanes.leave(&key, &id(1));
        assert_eq!(lanes.vacant(), std::slice::from_ref(&key));
        assert_eq!(lanes.enter(&key, &id(3), at(5)), Some(at(6)), "nobody overtakes");
        assert!(lanes.promote(&key, &id(2)));
        lanes.leave(&key, &id(2));
        assert!(lanes.promote(&key, &id(3)));
        lanes.leave(&key, &id(3));
        assert!(lanes.vacant().is_empty());
        assert_eq!(lanes.enter(&key, &id(4), at(7)), None, "an empty lane is forgotten");
    }

    #[test]
    fn those_behind_wait_for_everyone_at_the_head() {
        let (mut lanes, key) = (Lanes::default(), ("orders".to_owned(), "7".to_owned()));
        assert_eq!(lanes.enter(&key, &id(1), at(1)), None);
        assert_eq!(lanes.enter(&key, &id(2), at(2)), Some(at(2)));
        assert_eq!([3, 4, 4].map(|child| lanes.lead(&key, &id(child))), [true, true, false]);
        for head in [1, 3, 4] {
            assert!(!lanes.promote(&key, &id(2)), "{head} is still there");
            lanes.leave(&key, &id(head));
        }
        assert!(lanes.promote(&key, &id(2)));
    }
}
