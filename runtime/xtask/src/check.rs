//! `cargo xtask test`: every check, one after the other, and one summary at the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::workspace::Workspace;
use crate::{codegen, guests, languages, material, process, tidy};

/// What the tests printed, as far as the summary needs it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tests {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
}

/// One check that was made.
struct Made {
    name: &'static str,
    took: Duration,
    failure: Option<anyhow::Error>,
}

/// Makes every check; a failure keeps none of the others from being made.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let mut tests = Tests::default();
    let mut made = Vec::new();
    let mut make = |name, check: &mut dyn FnMut() -> anyhow::Result<()>| {
        println!("── {name}");
        let started = Instant::now();
        let failure = check().err();
        made.push(Made { name, took: started.elapsed(), failure });
    };
    let cargo = |arguments: &[&str]| process::run(&mut process::cargo(arguments, &workspace.root));
    make("format", &mut || cargo(&["fmt", "--all", "--check"]));
    make("tidy", &mut || tidy_up(workspace));
    make("copies fresh", &mut || copies_fresh(workspace));
    make("clippy", &mut || cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]));
    make("documentation", &mut || {
        let arguments = ["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"];
        process::run(process::cargo(&arguments, &workspace.root).env("RUSTDOCFLAGS", "--deny warnings"))
    });
    make("material", &mut || material::fetch(workspace));
    make("guests", &mut || guests::build(workspace).map(drop));
    make("programs", &mut || cargo(&["build", "--quiet", "--workspace", "--bins"]));
    let weir = workspace.target.join("debug/weir");
    make("plugins in other languages", &mut || guests::build_others(workspace, &weir));
    make("other languages", &mut || languages::test(workspace, &weir).map(drop));
    make("tests", &mut || run_tests(workspace, &mut tests));
    Ok(summarise(&made, &tests))
}

fn tidy_up(workspace: &Workspace) -> anyhow::Result<()> {
    let failures = tidy::run(workspace)?;
    failures.iter().for_each(|failure| println!("{failure}"));
    match failures.len() {
        0 => Ok(()),
        many => bail!("{many} rules broken"),
    }
}

fn copies_fresh(workspace: &Workspace) -> anyhow::Result<()> {
    match codegen::stale(workspace).as_slice() {
        [] => Ok(()),
        stale => bail!("{} must be written anew: `cargo xtask codegen`", stale.join(", ")),
    }
}

fn run_tests(workspace: &Workspace, tests: &mut Tests) -> anyhow::Result<()> {
    let mut cargo = process::cargo(&["test", "--workspace", "--no-fail-fast"], &workspace.root);
    let succeeded = process::lines(&mut cargo, |line| {
        if tests.read(line) {
            println!("{line}");
        }
    })?;
    if !succeeded {
        bail!("{} tests failed", tests.failed);
    }
    Ok(())
}

impl Tests {
    /// Takes note of a line; gives whether it is worth showing.
    fn read(&mut self, line: &str) -> bool {
        if let Some(counts) = line.strip_prefix("test result: ") {
            let count = |what: &str| {
                let before = counts.split(what).next().unwrap_or_default();
                before.rsplit(' ').find(|word| !word.is_empty()).and_then(|word| word.parse().ok()).unwrap_or(0_u64)
            };
            self.passed += count(" passed");
            self.failed += count(" failed");
            return count(" passed") + count(" failed") > 0;
        }
        if let Some(name) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED")) {
            self.failures.push(name.to_owned());
            return true;
        }
        let routine = line.is_empty() || line.starts_with("running ") || line.ends_with(" ... ok");
        !routine
    }
}

fn summarise(made: &[Made], tests: &Tests) -> ExitCode {
    println!("\n── summary");
    for Made { name, took, failure } in made {
        let took = took.as_secs_f64();
        match failure {
            None => println!("ok      {name} ({took:.0} s)"),
            Some(error) => println!("FAILED  {name} ({took:.0} s): {error:#}"),
        }
    }
    tests.failures.iter().for_each(|name| println!("        {name}"));
    println!("{} passed, {} failed", tests.passed, tests.failed);
    let good = made.iter().all(|check| check.failure.is_none());
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_names_are_read_from_what_the_tests_print() {
        let mut tests = Tests::default();
        let lines = [
            "running 3 tests",
            "test a::b ... ok",
            "test a::c ... FAILED",
            "200 kills, 0 lost",
            "test result: FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: ok. 30 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ];
        let shown: Vec<&str> = lines.into_iter().filter(|line| tests.read(line)).collect();
        assert_eq!(tests, Tests { passed: 42, failed: 1, failures: vec!["a::c".to_owned()] });
        assert_eq!(shown, [lines[2], lines[3], lines[4], lines[5]]);
    }
}
