use std::fmt::Write;

use crate::nearest;

/// A fault of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counts from 1.
    pub line: usize,
    /// Counts characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: Option<String>,
}

impl Problem {
    /// `flows/x.yaml:3:7: message; fix`, as editors and terminals know how to follow it.
    pub fn to_line(&self, file: &str) -> String {
        let fix = self.fix.as_ref().map(|fix| format!("; {fix}")).unwrap_or_default();
        format!("{file}:{}:{}: {}{fix}", self.line, self.column, self.message)
    }

    /// The same in several lines, with the line of `text` that it is about and a caret under the place.
    pub fn to_excerpt(&self, file: &str, text: &str) -> String {
        let mut excerpt = format!("{file}:{}:{}: {}\n", self.line, self.column, self.message);
        if let Some(source) = text.lines().nth(self.line.saturating_sub(1)) {
            let number = self.line.to_string();
            // Tabs stay tabs, so that the caret stands under its place whatever a tab's width.
            let indent: String = source
                .chars()
                .take(self.column.saturating_sub(1))
                .map(|character| if character == '\t' { '\t' } else { ' ' })
                .collect();
            let _ = writeln!(excerpt, " {number} | {source}\n {:1$} | {indent}^", "", number.len());
        }
        if let Some(fix) = &self.fix {
            let _ = writeln!(excerpt, " fix: {fix}");
        }
        excerpt
    }
}

/// Gathers the faults of a file while it is read.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a fault.
    pub fn add(&mut self, place: Place, message: impl Into<String>, fix: impl Into<Option<String>>) {
        let Place { line, column } = place;
        self.0.push(Problem { line, column, message: message.into(), fix: fix.into() });
    }

    /// The faults in the order of the file.
    pub fn into_sorted(mut self) -> Vec<Problem> {
        self.0.sort_by_key(|problem| (problem.line, problem.column));
        self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A place in a file, counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// `did you mean` for a name that is not among `known`, else what is. None if nothing is known.
pub fn suggest(name: &str, known: &[impl AsRef<str>]) -> Option<String> {
    // The search is quadratic, and no name is that long.
    let near = (name.len() <= 64).then(|| nearest(name, known.iter().map(AsRef::as_ref))).flatten();
    match near {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None => (!known.is_empty()).then(|| format!("known: {}", list(known))),
    }
}

/// Names in backticks, separated by commas.
pub fn list(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}
