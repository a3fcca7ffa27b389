use std::fmt::Write;

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
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a fault.
    pub(crate) fn add(&mut self, place: Place, message: impl Into<String>, fix: impl Into<Option<String>>) {
        let Place { line, column } = place;
        self.0.push(Problem { line, column, message: message.into(), fix: fix.into() });
    }

    /// The faults in the order of the file.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.0.sort_by_key(|problem| (problem.line, problem.column));
        self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A place in a file, counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// `did you mean` for a name that is not among `known`, else what is.
pub(crate) fn suggest(name: &str, known: &[impl AsRef<str>]) -> Option<String> {
    // Distances are quadratic, and no name is that long.
    if name.len() > 64 {
        return (!known.is_empty()).then(|| format!("known are {}", list(known)));
    }
    let nearest = known.iter().map(AsRef::as_ref).min_by_key(|candidate| distance(name, candidate))?;
    // Two letters in a short word make another word.
    if distance(name, nearest) <= (name.chars().count() / 3).clamp(1, 3) {
        return Some(format!("did you mean `{nearest}`?"));
    }
    Some(format!("known are {}", list(known)))
}

/// Names in backticks, separated by commas.
pub(crate) fn list(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// How many letters must be changed, left out, added or exchanged with their neighbour (Damerau and Levenshtein,
/// restricted to one edit a place).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
