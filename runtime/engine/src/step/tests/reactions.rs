//! The tables of `wit/FAULTS.md`, held against what the engine does.

use super::*;

const PAGE: &str = include_str!("../../../../../wit/FAULTS.md");

const CREATE: &str = "action: crm@1.create, connection: crm";
const RETRY: &str = "retry: { attempts: 3, within: 1h, first: 1s, max: 1m }";

/// The rows of the table below a heading, without the table's own head.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(heading)).expect("the heading");
    let table = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = table.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect());
    cells.collect()
}

/// What of a cell counts: its first word in backticks, or all of it if there is none.
fn word(cell: &str) -> &str {
    cell.split('`').nth(1).unwrap_or(cell)
}

/// What happens to a step whose every call ends in `kind`, but for the first where that is given, and whose every `verify`
/// says `verified`: the call, what follows at once, and so on to the end.
fn reactions(step_text: &str, first: Option<&str>, kind: &str, verified: &str) -> Vec<String> {
    let mut carried = carried(&format!("steps:\n  - {{ id: s, {step_text}, {RETRY} }}\n"));
    let (mut now, mut input, mut first) = (Timestamp::from_millis(0), Input::TakenUp, first);
    let mut reactions = Vec::new();
    loop {
        let mut circumstances = Circumstances { now, random: u64::MAX, admit: &mut |_| Ok(()) };
        let action = step(&mut carried, input, &mut circumstances);
        reactions.push(reaction(&carried, &action));
        input = match action {
            Action::Rest(_) => match &carried.execution.state {
                State::Waiting { until, .. } => {
                    now = *until;
                    Input::TakenUp
                }
                _ => return reactions,
            },
            Action::Transform(index, _) => mapper_answer(index, kind),
            Action::Invoke(index, _) => action_answer(index, first.take().unwrap_or(kind)),
            Action::Verify(index, _) => verify_answer(index, verified),
        };
    }
}

fn reaction(carried: &Carried, action: &Action) -> String {
    match (action, &carried.execution.state) {
        (Action::Verify(..), _) => "verify",
        (Action::Invoke(..) | Action::Transform(..), _) => "call",
        (Action::Rest(_), State::Waiting { reason: WaitReason::Retry { .. }, .. }) => "retry",
        (Action::Rest(_), State::Waiting { reason: WaitReason::Verifying, .. }) => "verify",
        (Action::Rest(_), State::Parked { reason, .. }) => reason.code(),
        (Action::Rest(_), state) => state.kind().as_str(),
    }
    .to_owned()
}

#[test]
fn every_kind_of_fault_leads_where_the_page_says() {
    let mut seen = Vec::new();
    for row in rows("From a kind to what Weir does") {
        let (kind, expected) = (word(&row[0]), [word(&row[1]), word(&row[2])]);
        let is_for_both = kind != "unknown-outcome";
        let is_mappers = row[0].ends_with("of a mapper");
        if is_mappers || is_for_both {
            assert_eq!(at_once_and_in_the_end(&reactions("mapper: m@1", None, kind, "")), expected, "{}", row[0]);
        }
        if !is_mappers {
            seen.push(kind.to_owned());
            assert_eq!(at_once_and_in_the_end(&reactions(CREATE, None, kind, "cannot")), expected, "{}", row[0]);
        }
    }
    let mut kinds = FaultKind::ALL.map(|kind| kind.as_str().to_owned());
    kinds.sort();
    seen.sort();
    assert_eq!(seen, kinds, "a row for each kind");
}

/// The reaction to the first answer, and the last one.
fn at_once_and_in_the_end(reactions: &[String]) -> [&str; 2] {
    [&reactions[1], &reactions[reactions.len() - 1]]
}

#[test]
fn every_unknown_outcome_leads_where_the_page_says() {
    let rows = rows("From an unknown outcome to what Weir does");
    assert_eq!(rows.len(), 7);
    for row in rows {
        // The key of `keyed` lives for a minute: the wait that the destination asks for outlasts it.
        let is_over = row[1].ends_with("is over");
        let first = is_over.then_some("rate-limited after 90000");
        let actions: &[&str] = match word(&row[1]) {
            "any" => &["create", "keyed", "unsafe"],
            "read" => &["create"],
            "keyed" => &["keyed"],
            "unsafe" => &["unsafe"],
            other => panic!("`{other}` is no effect"),
        };
        for action in actions {
            let step_text = format!("action: crm@1.{action}, connection: crm");
            let reactions = reactions(&step_text, first, "unknown-outcome", word(&row[0]));
            let asked = reactions.iter().position(|reaction| reaction == "verify").expect("`verify` is asked first");
            let expected = [word(&row[2]), word(&row[3])];
            assert_eq!(at_once_and_in_the_end(&reactions[asked..]), expected, "{row:?}, `{action}`");
        }
    }
}
