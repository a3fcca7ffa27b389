//! The guides, command by command as they are written, in a folder outside the repository.
//!
//! A block ```` ```sh ```` is typed into one shell after the other, in the folder and with the environment that the one before
//! left. `sh fails` must fail; `sh until` is typed again until it prints what is shown; `sh stays` is typed into a second terminal
//! and goes on running. A block ```` ```text ```` right
//! behind is what is printed, with `…` for what differs from time to time: within a line anything, alone in a line any lines.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::author::Desk;
use crate::world::{PATIENCE, show};

/// A block of shell, and what it is said to print.
struct Step<'a> {
    manner: Manner,
    script: &'a str,
    printed: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Succeeds,
    Fails,
    Until,
    Stays,
}

/// Ended with all that it started, whatever becomes of the test.
struct Terminal(Child);

impl Drop for Terminal {
    fn drop(&mut self) {
        let group = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        group.map(|group| kill_process_group(group, Signal::TERM));
        // Nothing to do about it here.
        let _ = self.0.wait();
    }
}

/// The blocks of a guide that are typed.
fn steps(guide: &str) -> anyhow::Result<Vec<Step<'_>>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut rest = guide;
    let mut is_right_behind = false;
    while let Some((before, block)) = rest.split_once("\n```") {
        is_right_behind &= before.trim().is_empty();
        let (kind, block) = block.split_once('\n').context("a block has no end")?;
        let (text, after) = block.split_once("\n```").context("a block has no end")?;
        let manner = match kind {
            "sh" => Some(Manner::Succeeds),
            "sh fails" => Some(Manner::Fails),
            "sh until" => Some(Manner::Until),
            "sh stays" => Some(Manner::Stays),
            _ => None,
        };
        match (manner, steps.last_mut()) {
            (Some(manner), _) => steps.push(Step { manner, script: text, printed: None }),
            (None, Some(step)) if kind == "text" && is_right_behind => step.printed = Some(text),
            _ => {}
        }
        is_right_behind = manner.is_some();
        rest = after;
    }
    Ok(steps)
}

/// Whether the lines are those that the guide shows.
fn fits(expected: &[&str], found: &[&str]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((&"…", rest)) => (0..=found.len()).any(|from| fits(rest, &found[from..])),
        Some((line, rest)) => {
            found.split_first().is_some_and(|(first, found)| line_fits(line, first) && fits(rest, found))
        }
    }
}

fn line_fits(expected: &str, found: &str) -> bool {
    let mut parts = expected.trim_end().split('…');
    let Some(mut left) = found.trim_end().strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return left.is_empty() };
    for part in between {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

fn check_printed(step: &Step<'_>, printed: &str) -> anyhow::Result<()> {
    let Some(expected) = step.printed else { return Ok(()) };
    let lines = |text| str::lines(text).collect::<Vec<_>>();
    ensure!(
        fits(&lines(expected.trim_end()), &lines(printed.trim_end())),
        "after\n{}\nthe guide shows\n{expected}\nand there came\n{printed}",
        step.script
    );
    Ok(())
}

/// Goes on where the last shell was, and leaves a note where this one ends.
fn script(desk: &Desk, block: &str) -> String {
    let notes = desk.path("notes");
    let notes = notes.display();
    format!(
        "[ ! -f {notes}.sh ] || . {notes}.sh\n[ ! -f {notes}.at ] || cd \"$(cat {notes}.at)\"\n\
         trap 'code=$?; export -p > {notes}.sh; pwd > {notes}.at; exit $code' EXIT\nset -e\n{block}\n"
    )
}

#[track_caller]
fn check(lang: &str) -> anyhow::Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../sdk/{lang}/GUIDE.md"));
    let guide = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let desk = Desk::new()?;
    let started = Instant::now();
    let steps = steps(&guide)?;
    let mut terminals = Vec::new();
    for step in &steps {
        let told = || format!("{lang}: {}", step.script);
        match step.manner {
            Manner::Stays => terminals.push(stay(&desk, step).with_context(told)?),
            Manner::Until => until(|| typed(&desk, step)).with_context(told)?,
            Manner::Succeeds | Manner::Fails => typed(&desk, step).with_context(told)?,
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    show(&format!("guide for {lang}: {} blocks as they are written, in {seconds:.1} s", steps.len()));
    Ok(())
}

/// Types the block, and compares how it ends and what it prints.
fn typed(desk: &Desk, step: &Step<'_>) -> anyhow::Result<()> {
    let ended = desk.shell(".", &format!("exec 2>&1\n{}", script(desk, step.script)))?;
    let is_good = ended.code == Some(0);
    ensure!(is_good == (step.manner != Manner::Fails), "it ended with {:?}:\n{}", ended.code, ended.stdout);
    check_printed(step, &ended.stdout)
}

/// Tries again and again until it succeeds.
fn until(mut attempt: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            ended => return ended,
        }
    }
}

/// Types the block into a terminal of its own, and waits until it has printed what the guide shows.
fn stay(desk: &Desk, step: &Step<'_>) -> anyhow::Result<Terminal> {
    let log = desk.path("terminal.log");
    let output = fs::File::create(&log)?;
    let mut command = desk.command(".", &script(desk, step.script))?;
    let terminal = own_group(command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output)).spawn()?;
    let mut terminal = Terminal(terminal);
    until(|| {
        let printed = fs::read_to_string(&log)?;
        if let Some(status) = terminal.0.try_wait()? {
            bail!("it ended with {status}:\n{printed}");
        }
        check_printed(step, &printed)
    })?;
    Ok(terminal)
}

fn own_group(command: &mut Command) -> &mut Command {
    std::os::unix::process::CommandExt::process_group(command, 0)
}

#[test]
fn the_guide_for_rust_is_true() -> anyhow::Result<()> {
    check("rust")
}

#[test]
fn the_guide_for_javascript_and_typescript_is_true() -> anyhow::Result<()> {
    check("js")
}

#[test]
fn the_guide_for_python_is_true() -> anyhow::Result<()> {
    check("python")
}

#[test]
fn the_guide_for_go_is_true() -> anyhow::Result<()> {
    check("go")
}

#[test]
fn what_a_guide_shows_is_compared_line_by_line() {
    let lines = |text: &'static str| text.split('|').collect::<Vec<_>>();
    for (expected, found) in [("a|b", "a|b"), ("a …s|b", "a 1.3 s|b"), ("…|b", "x|y|b"), ("a|…", "a"), ("…x…z", "axyz")]
    {
        assert!(fits(&lines(expected), &lines(found)), "{expected} {found}");
    }
    for (expected, found) in [("a|b", "a"), ("a", "a|b"), ("a …s", "a 1.3 m"), ("…|b", "x|b|y"), ("a…", "b")] {
        assert!(!fits(&lines(expected), &lines(found)), "{expected} {found}");
    }
}

#[test]
fn a_guide_is_read_block_by_block() -> anyhow::Result<()> {
    let guide = "# x\n\n```sh\na\nb\n```\n\n```text\nout\n```\n\n```sh fails\nc\n```\n\nBut:\n\n```text\nno\n```\n\n```toml\nd\n```\n";
    let found: Vec<_> = steps(guide)?.into_iter().map(|step| (step.manner, step.script, step.printed)).collect();
    assert_eq!(found, [(Manner::Succeeds, "a\nb", Some("out")), (Manner::Fails, "c", None)]);
    Ok(())
}
