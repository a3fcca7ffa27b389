//! `weir check`.

use std::fs;
use std::path::Path;

use serde_json::json;
use server::{FileProblem, Project};

use crate::screen::{Screen, Tone};
use crate::stop::Exit;

/// Reads the project and prints every fault in it.
pub(crate) fn run(dir: &Path, screen: &Screen) -> anyhow::Result<Exit> {
    let read = Project::read(dir);
    if screen.json {
        let faults = read.as_ref().err().into_iter().flatten().map(|problem| {
            let FileProblem { file, line, column, message, fix } = problem;
            json!({ "file": file, "line": line, "column": column, "message": message, "fix": fix })
        });
        screen.print(&format!("{}\n", json!({ "faults": faults.collect::<Vec<_>>() })))?;
        return Ok(if read.is_ok() { Exit::Done } else { Exit::Faults });
    }
    match read {
        Ok(project) => {
            let Project { flows, plugins, connections, .. } = &project;
            let counts = [(flows.len(), "flow"), (plugins.len(), "plugin"), (connections.len(), "connection")];
            let counts: Vec<_> = counts.map(|(count, noun)| counted(count, noun)).into();
            screen.print(&format!("no faults: {}\n", counts.join(", ")))?;
            Ok(Exit::Done)
        }
        Err(problems) => {
            let shown: String = problems.iter().map(|problem| show(dir, problem, screen)).collect();
            screen.print(&shown)?;
            eprintln!("weir: {} in the project", counted(problems.len(), "fault"));
            Ok(Exit::Faults)
        }
    }
}

/// `1 flow`, `2 flows`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// One line for a file; on a terminal also the line that has the fault, and the fix below.
fn show(dir: &Path, problem: &FileProblem, screen: &Screen) -> String {
    if screen.width.is_none() {
        return format!("{problem}\n");
    }
    let FileProblem { file, line, column, message, fix } = problem;
    let place = format!("{}:{line}:{column}", file.display());
    let mut shown = format!("{place}: {}\n", screen.paint(message, Tone::Bad));
    let text = fs::read_to_string(dir.join(file)).unwrap_or_default();
    if let Some(source) = text.lines().nth(line.saturating_sub(1)) {
        let number = line.to_string();
        let caret = format!("{:>column$}", "^");
        shown.push_str(&format!("  {number} | {}\n", source.replace('\t', " ")));
        shown.push_str(&format!("  {:indent$} | {}\n", "", screen.paint(&caret, Tone::Bad), indent = number.len()));
    }
    if let Some(fix) = fix {
        shown.push_str(&format!("  {fix}\n"));
    }
    shown
}
