//! What the tests are written in: moves, one a line, and what follows from each.
//!
//! | Move | Does |
//! | --- | --- |
//! | `send a,b /in DATA` | events arrive at the same time; they and their executions are called `a`, `b` |
//! | `answer NAME: WORD, …` | what will be answered: see [`Plugins`](crate::plugins::Plugins) |
//! | `release NAME: WORD` | a held call ends |
//! | `late NAME: WORD` | the same, and its execution is cancelled while what follows is being written |
//! | `wait SECONDS`, `settle` | time goes by; until nothing happens any more |
//! | `retry`, `cancel`, `discard ID` | orders |
//! | `slow retry ID` | the same, and the engine has taken it up by itself before the order goes on |
//! | `replay ID [from=STEP] [current]` | the same, and names the effects that it will have again |
//! | `install N` | the flow with this number takes the place of the one with its name |
//! | `pause`, `resume` | of the engine |
//! | `kill`, `power`, `stopping`, `stop`, `start` | of the process |
//! | `open`, `run` | the two halves of a start: events are taken in from the first on |
//! | `stats` | what is counted |

use std::time::Duration;

use engine::{Config, OrderError, Replay};
use expect_test::Expect;
use model::{Execution, ExecutionId, Gate, State, StepState, WaitReason};

use crate::world::World;

/// Plays the moves, and compares what was asked of plugins and became of executions with what is expected.
pub(crate) fn check(flows: &[&str], moves: &str, expected: Expect) {
    check_with(Config::default(), flows, moves, expected);
}

/// The same with settings.
pub(crate) fn check_with(config: Config, flows: &[&str], moves: &str, expected: Expect) {
    // A carrier is a task; what the tests need is more than any of them uses.
    let config = Config { executions_max: config.executions_max.min(16), ..config };
    let mut play =
        Play { world: World::new(1, config, &first_versions(flows)), flows, shown: Vec::new(), told: String::new() };
    for line in moves.lines().map(str::trim).filter(|line| !line.is_empty()) {
        play.tell(&format!("> {line}"));
        play.act(line);
        play.tell_what_happened();
    }
    let left_over = play.world.plugins.left_over();
    assert!(left_over.is_empty(), "answers left over: {left_over:?}\n{}", play.told);
    expected.assert_eq(&play.told);
}

struct Play<'f> {
    world: World,
    flows: &'f [&'f str],
    /// The executions as they were last told of.
    shown: Vec<String>,
    told: String,
}

impl Play<'_> {
    fn tell(&mut self, line: &str) {
        self.told.push_str(line);
        self.told.push('\n');
    }

    fn act(&mut self, line: &str) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "send" => self.send(rest),
            "answer" => {
                let (name, words) = rest.split_once(": ").expect("answer NAME: WORDS");
                self.world.plugins.will_answer(name, words.split(", ").map(str::to_owned));
            }
            "release" => {
                let (name, word) = rest.rsplit_once(": ").expect("release NAME: WORD");
                self.world.plugins.release(name, word);
                self.world.go();
            }
            "late" => {
                let (name, word) = rest.split_once(": ").expect("late NAME: WORD");
                self.world.plugins.release(name, word);
                // What follows from the answer is on its way to the disk, and not there.
                self.world.turn();
                self.order("cancel", name.split_once('.').expect("the step of an execution").0);
            }
            "wait" => self.world.wait(Duration::from_secs_f64(rest.parse().expect("seconds"))),
            "settle" => self.world.settle(),
            "retry" | "cancel" | "discard" => self.order(verb, rest),
            "slow" => {
                let id = self.id(rest.strip_prefix("retry ").expect("slow retry ID"));
                let engine = self.world.engine().clone();
                let done = self.world.finish_late(engine.retry(&id));
                self.refused(done);
                self.world.go();
            }
            "replay" => self.replay(rest),
            "install" => {
                let text = self.flows[rest.parse::<usize>().expect("a number")];
                self.world.install_text(text);
            }
            "pause" => self.world.engine().pause(true),
            "resume" => {
                self.world.engine().pause(false);
                self.world.go();
            }
            "kill" => self.world.die(None),
            "power" => self.world.die(Some(7)),
            "stopping" => self.world.fire_stop(),
            "stop" => self.world.stop(),
            "start" => {
                self.world.boot();
                self.world.run();
            }
            "open" => self.world.boot(),
            "run" => self.world.run(),
            "stats" => self.stats(),
            _ => panic!("`{line}` is no move"),
        }
    }

    fn send(&mut self, rest: &str) {
        let mut words = rest.splitn(3, ' ');
        let (labels, source) = (words.next().expect("labels"), words.next().expect("a source"));
        let data = words.next().unwrap_or("{}");
        let accepted: Vec<_> = labels
            .split(',')
            .map(|label| {
                let event = self.world.event(data);
                self.world.plugins.label(event.id, label);
                self.world.send(source, event)
            })
            .collect();
        self.world.go();
        for accepted in accepted {
            let accepted = accepted.lock().unwrap().take().expect("accepted by now");
            if let Err(refused) = accepted {
                self.tell(&format!("refused: {refused}"));
            }
        }
    }

    fn id(&self, name: &str) -> ExecutionId {
        let found =
            self.world.executions().into_iter().find(|each| self.world.plugins.named(&each.id.to_string()) == name);
        found.unwrap_or_else(|| panic!("no execution is called `{name}`")).id
    }

    fn order(&mut self, verb: &str, name: &str) {
        let (id, engine) = (self.id(name), self.world.engine().clone());
        let done = match verb {
            "retry" => self.world.finish(engine.retry(&id)),
            "cancel" => self.world.finish(engine.cancel(&id)),
            _ => self.world.finish(engine.discard(&id)),
        };
        self.refused(done);
        self.world.go();
    }

    fn refused<T>(&mut self, done: Result<T, OrderError>) -> Option<T> {
        done.map_err(|error| self.tell(&self.world.plugins.named(&format!("refused: {error}")))).ok()
    }

    fn replay(&mut self, rest: &str) {
        let mut words = rest.split(' ');
        let id = self.id(words.next().expect("an id"));
        let mut replay = Replay::default();
        for word in words {
            match word.strip_prefix("from=") {
                Some(step) => replay.from = Some(step.to_owned()),
                None => replay.current_version = word == "current",
            }
        }
        let engine = self.world.engine().clone();
        let effects = self.world.finish(engine.effects(&id, &replay));
        for effect in effects.into_iter().flatten() {
            let at = effect.connection.unwrap_or_default();
            self.tell(&format!("again: {} {} at {at}, {:?}", effect.step, effect.action, effect.external_id));
        }
        let done = self.world.finish(engine.replay(&id, &replay));
        self.refused(done);
        self.world.go();
    }

    fn stats(&mut self) {
        let stats = self.world.engine().stats();
        let (queued, running, open) = (stats.queued, stats.running, stats.breakers_open);
        self.tell(&format!("queued {queued}, running {running}, breakers open {open:?}"));
        let most = self.world.plugins.most_at_once();
        self.tell(&format!("calls at once: {most:?}"));
    }

    /// The calls, and the executions that are not as they were.
    fn tell_what_happened(&mut self) {
        for line in self.world.plugins.take_told() {
            self.tell(&line);
        }
        if !self.world.runs() {
            return;
        }
        let executions: Vec<_> = self.world.executions().iter().map(|execution| self.describe(execution)).collect();
        for line in executions.iter().filter(|line| !self.shown.contains(line)) {
            self.told.push_str(&format!("  {line}\n"));
        }
        self.shown = executions;
    }

    fn describe(&self, execution: &Execution) -> String {
        let steps: String = execution
            .steps
            .iter()
            .map(|step| match step.state {
                StepState::Pending => " -".to_owned(),
                StepState::Skipped => " skipped".to_owned(),
                StepState::Open => format!(" open#{}", step.attempts_made()),
                StepState::Done => format!(" done#{}", step.attempts_made()),
                StepState::Split { children } => format!(" split:{children}"),
            })
            .collect();
        let id = self.world.plugins.named(&execution.id.to_string());
        let again = execution.replay_of.as_ref().map(|of| self.world.plugins.named(&format!(" (again {of})")));
        format!("{id}{} {} [{}]", again.unwrap_or_default(), describe(&execution.state), steps.trim_start())
    }
}

fn describe(state: &State) -> String {
    let word = |value: &dyn std::fmt::Debug| format!("{value:?}");
    match state {
        State::Ready => "ready".to_owned(),
        State::Waiting { gate, reason, .. } => {
            let reason = match reason {
                WaitReason::Retry { fault } => format!("retry after {}", fault.kind),
                reason => word(reason),
            };
            match gate {
                Gate::Time => format!("waits: {reason}"),
                gate => format!("waits for {gate:?}: {reason}"),
            }
        }
        State::Parked { reason, .. } => format!("parked: {reason:?}"),
        State::Dead { fault } => format!("dead: {}", fault.kind),
        State::Finished { filtered: true } => "filtered".to_owned(),
        State::Finished { filtered: false } => "finished".to_owned(),
        State::Cancelled => "cancelled".to_owned(),
        State::Discarded => "discarded".to_owned(),
    }
}

/// The first text of each flow; the others are versions that `install` brings.
fn first_versions<'f>(flows: &[&'f str]) -> Vec<&'f str> {
    let name = |text: &str| text.lines().next().map(str::to_owned);
    let is_first = |(place, text): &(usize, &&str)| !flows[..*place].iter().any(|other| name(other) == name(text));
    flows.iter().enumerate().filter(is_first).map(|(_, text)| *text).collect()
}
