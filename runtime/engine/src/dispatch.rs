use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;

/// Work in memory, a queue for each flow. Flows take turns, so that a busy one does not hold up the others. Pure: whoever
/// owns it waits.
pub(crate) struct Dispatch<W> {
    flows: HashMap<Arc<str>, Queue<W>>,
    /// Flows whose queue has work and that may start one more.
    turns: VecDeque<Arc<str>>,
    limits: Limits,
}

/// How much of a flow's work is in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Executions at once, where the flow says nothing.
    pub(crate) running_max: usize,
    /// With so many queued, whoever brings more is asked to wait.
    pub(crate) ahead_max: usize,
    /// What is over waits in the store.
    pub(crate) queued_max: usize,
}

struct Queue<W> {
    work: VecDeque<W>,
    running: usize,
    running_max: usize,
    in_turns: bool,
    /// Those who were asked to wait before they bring more.
    held: VecDeque<oneshot::Sender<()>>,
    /// Work of the flow was sent to the store because there was no room.
    spilled: bool,
}

/// Work whose turn it is.
pub(crate) struct Turn<W> {
    pub(crate) flow: Arc<str>,
    pub(crate) work: W,
    /// The queue has room again for what was sent to the store.
    pub(crate) refill: bool,
}

impl<W> Dispatch<W> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { flows: HashMap::new(), turns: VecDeque::new(), limits }
    }

    /// Sets how many executions of a flow may run at once; none: as many as of any flow.
    pub(crate) fn limit(&mut self, flow: &Arc<str>, running_max: Option<u32>) {
        let max = running_max.map_or(self.limits.running_max, |max| max as usize);
        self.queue(flow).running_max = max;
        self.take_turn(flow);
    }

    /// Whether another execution of the flow fits into memory. If not, a later [`Turn`] tells when there is room again.
    pub(crate) fn has_room(&mut self, flow: &str) -> bool {
        let queued_max = self.limits.queued_max;
        self.flows.get_mut(flow).is_none_or(|queue| {
            let has_room = queue.work.len() < queued_max;
            queue.spilled |= !has_room;
            has_room
        })
    }

    /// What to wait for, within reason, before one more execution of the flow is taken in: senders that are slowed down
    /// keep the work in memory, where it is carried fastest. None: nothing, because the queue is short, or so long that
    /// what comes goes to the store anyway.
    pub(crate) fn hold(&mut self, flow: &str) -> Option<oneshot::Receiver<()>> {
        let Limits { ahead_max, queued_max, .. } = self.limits;
        let queue = self.flows.get_mut(flow).filter(|queue| (ahead_max..queued_max).contains(&queue.work.len()))?;
        // Those who have waited for too long stand in front and are gone. Where nothing is taken from the queue nobody else
        // would clear them away, and repeats, which add nothing to it, would pile up without an end.
        while queue.held.pop_front_if(|held| held.is_closed()).is_some() {}
        let (sender, turn) = oneshot::channel();
        queue.held.push_back(sender);
        Some(turn)
    }

    /// Adds work. It is taken even where [`has_room`](Self::has_room) says no.
    pub(crate) fn push(&mut self, flow: &Arc<str>, work: W) {
        self.queue(flow).work.push_back(work);
        self.take_turn(flow);
    }

    /// Work of the flow whose turn it is. Whoever gets it says [`done`](Self::done) in the end.
    pub(crate) fn pop(&mut self) -> Option<Turn<W>> {
        let flow = self.turns.pop_front()?;
        let Limits { ahead_max, queued_max, .. } = self.limits;
        let queue = self.queue(&flow);
        queue.in_turns = false;
        let work = queue.work.pop_front()?;
        queue.running += 1;
        if queue.work.len() < ahead_max {
            // Whoever has given up passes it on.
            while queue.held.pop_front().is_some_and(|held| held.send(()).is_err()) {}
        }
        let refill = queue.spilled && queue.work.len() <= queued_max / 2;
        queue.spilled &= !refill;
        self.take_turn(&flow);
        Some(Turn { flow, work, refill })
    }

    /// One execution of the flow has let go. Gives whether there is work that may begin.
    pub(crate) fn done(&mut self, flow: &Arc<str>) -> bool {
        self.queue(flow).running -= 1;
        self.take_turn(flow);
        !self.turns.is_empty()
    }

    /// How many wait in memory, and how many run.
    pub(crate) fn load(&self) -> (usize, usize) {
        self.flows
            .values()
            .fold((0, 0), |(queued, running), queue| (queued + queue.work.len(), running + queue.running))
    }

    fn queue(&mut self, flow: &Arc<str>) -> &mut Queue<W> {
        let running_max = self.limits.running_max;
        self.flows.entry(flow.clone()).or_insert_with(|| Queue {
            work: VecDeque::new(),
            running: 0,
            running_max,
            in_turns: false,
            held: VecDeque::new(),
            spilled: false,
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

    fn dispatch(queued_max: usize) -> Dispatch<u32> {
        Dispatch::new(Limits { running_max: 100, ahead_max: queued_max / 2, queued_max })
    }

    fn names(dispatch: &mut Dispatch<u32>, count: usize) -> Vec<String> {
        (0..count).map_while(|_| dispatch.pop()).map(|turn| format!("{}{}", turn.flow, turn.work)).collect()
    }

    #[test]
    fn flows_take_turns() {
        let mut dispatch = dispatch(100);
        let (busy, quiet) = (Arc::from("busy"), Arc::from("quiet"));
        (0..50).for_each(|work| dispatch.push(&busy, work));
        dispatch.push(&quiet, 0);
        assert_eq!(names(&mut dispatch, 4), ["busy0", "quiet0", "busy1", "busy2"]);
    }

    #[test]
    fn a_flow_at_its_limit_waits_for_one_of_its_own() {
        let mut dispatch = dispatch(2);
        let (narrow, wide) = (Arc::from("narrow"), Arc::from("wide"));
        dispatch.limit(&narrow, Some(1));
        (0..3).for_each(|work| dispatch.push(&narrow, work));
        (0..2).for_each(|work| dispatch.push(&wide, work));
        assert_eq!(names(&mut dispatch, 10), ["narrow0", "wide0", "wide1"]);
        assert!(!dispatch.has_room("narrow"));
        assert!(dispatch.done(&narrow), "one of its own may begin");
        assert_eq!(names(&mut dispatch, 10), ["narrow1"]);
        assert_eq!(dispatch.load(), (1, 3));
    }

    #[test]
    fn who_brings_more_waits_while_the_queue_is_long_and_one_goes_for_each_that_is_taken() {
        let (mut dispatch, flow) = (dispatch(4), Arc::from("flow"));
        assert!(dispatch.hold(&flow).is_none(), "nothing is queued");
        (0..2).for_each(|work| dispatch.push(&flow, work));
        let mut gave_up = dispatch.hold(&flow).expect("as many are queued as may be ahead");
        gave_up.close();
        let mut held = [(); 2].map(|()| dispatch.hold(&flow).expect("the same"));
        assert!(dispatch.pop().is_some());
        assert_eq!(held.each_mut().map(|held| held.try_recv().is_ok()), [true, false]);
        (0..3).for_each(|work| dispatch.push(&flow, work));
        assert!(dispatch.hold(&flow).is_none(), "what comes now goes to the store");
    }

    #[test]
    fn those_who_give_up_leave_nothing_behind_where_nothing_is_taken() {
        let (mut dispatch, flow) = (dispatch(4), Arc::from("flow"));
        (0..2).for_each(|work| dispatch.push(&flow, work));
        for _ in 0..1000 {
            drop(dispatch.hold(&flow).expect("as many are queued as may be ahead"));
        }
        assert_eq!(dispatch.flows[&*flow].held.len(), 1);
    }

    #[test]
    fn a_queue_that_was_full_asks_for_more_when_it_is_half_empty() {
        let (mut dispatch, flow) = (dispatch(4), Arc::from("flow"));
        (0..4).for_each(|work| dispatch.push(&flow, work));
        assert!(!dispatch.has_room(&flow));
        let refills: Vec<_> = std::iter::from_fn(|| dispatch.pop()).map(|turn| turn.refill).collect();
        assert_eq!(refills, [false, true, false, false]);
    }
}
