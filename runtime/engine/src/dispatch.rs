use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Work in memory, a queue for each flow. Flows take turns, so that a busy one does not hold up the others. Pure: whoever
/// owns it waits.
pub(crate) struct Dispatch<W> {
    flows: HashMap<Arc<str>, Queue<W>>,
    /// Flows whose queue has work and that may start one more.
    turns: VecDeque<Arc<str>>,
    running_max: usize,
    queued_max: usize,
}

struct Queue<W> {
    work: VecDeque<W>,
    running: usize,
    running_max: usize,
    in_turns: bool,
}

impl<W> Dispatch<W> {
    /// At most `running_max` executions of a flow at once where the flow says nothing, and `queued_max` waiting in memory.
    pub(crate) fn new(running_max: usize, queued_max: usize) -> Self {
        Self { flows: HashMap::new(), turns: VecDeque::new(), running_max, queued_max }
    }

    /// Sets how many executions of a flow may run at once; none: as many as of any flow.
    pub(crate) fn limit(&mut self, flow: &Arc<str>, running_max: Option<u32>) {
        let max = running_max.map_or(self.running_max, |max| max as usize);
        self.queue(flow).running_max = max;
        self.take_turn(flow);
    }

    /// Whether another execution of the flow fits into memory.
    pub(crate) fn has_room(&self, flow: &str) -> bool {
        self.flows.get(flow).is_none_or(|queue| queue.work.len() < self.queued_max)
    }

    /// Adds work. It is taken even where [`has_room`](Self::has_room) says no.
    pub(crate) fn push(&mut self, flow: &Arc<str>, work: W) {
        self.queue(flow).work.push_back(work);
        self.take_turn(flow);
    }

    /// Work of the flow whose turn it is. Whoever gets it says [`done`](Self::done) in the end.
    pub(crate) fn pop(&mut self) -> Option<(Arc<str>, W)> {
        let flow = self.turns.pop_front()?;
        let queue = self.queue(&flow);
        queue.in_turns = false;
        let work = queue.work.pop_front()?;
        queue.running += 1;
        self.take_turn(&flow);
        Some((flow, work))
    }

    /// One execution of the flow has let go.
    pub(crate) fn done(&mut self, flow: &Arc<str>) {
        self.queue(flow).running -= 1;
        self.take_turn(flow);
    }

    /// How many wait in memory, and how many run.
    pub(crate) fn load(&self) -> (usize, usize) {
        self.flows
            .values()
            .fold((0, 0), |(queued, running), queue| (queued + queue.work.len(), running + queue.running))
    }

    fn queue(&mut self, flow: &Arc<str>) -> &mut Queue<W> {
        let running_max = self.running_max;
        self.flows.entry(flow.clone()).or_insert_with(|| Queue {
            work: VecDeque::new(),
            running: 0,
            running_max,
            in_turns: false,
        })
    }

    fn take_turn(&mut self, flow: &Arc<str>) {
        let queue = self.queue(flow);
        if !queue.in_turns && !queue.work.is_empty() && queue.running < queue.running_max {
            queue.in_turns = true;
            self.turns.push_back(flow.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dispatch: &mut Dispatch<u32>, count: usize) -> Vec<String> {
        (0..count).map_while(|_| dispatch.pop()).map(|(flow, work)| format!("{flow}{work}")).collect()
    }

    #[test]
    fn flows_take_turns() {
        let mut dispatch = Dispatch::new(100, 100);
        let (busy, quiet) = (Arc::from("busy"), Arc::from("quiet"));
        (0..50).for_each(|work| dispatch.push(&busy, work));
        dispatch.push(&quiet, 0);
        assert_eq!(names(&mut dispatch, 4), ["busy0", "quiet0", "busy1", "busy2"]);
    }

    #[test]
    fn a_flow_at_its_limit_waits_for_one_of_its_own() {
        let mut dispatch = Dispatch::new(100, 2);
        let (narrow, wide) = (Arc::from("narrow"), Arc::from("wide"));
        dispatch.limit(&narrow, Some(1));
        (0..3).for_each(|work| dispatch.push(&narrow, work));
        (0..2).for_each(|work| dispatch.push(&wide, work));
        assert_eq!(names(&mut dispatch, 10), ["narrow0", "wide0", "wide1"]);
        assert!(!dispatch.has_room("narrow"));
        dispatch.done(&narrow);
        assert_eq!(names(&mut dispatch, 10), ["narrow1"]);
        assert_eq!(dispatch.load(), (1, 3));
    }
}
