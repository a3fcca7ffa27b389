//! What goes to standard output: JSON, or tables and words that fit the terminal.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::Context;
use lifecycle::{Clock, SystemClock};
use model::Timestamp;
use serde::de::DeserializeOwned;

/// Where output goes, and how it looks there.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    /// JSON instead of words.
    pub(crate) json: bool,
    /// Columns of the terminal; none: it is not one, nothing is shortened and times are whole.
    pub(crate) width: Option<usize>,
    colours: bool,
    now: Timestamp,
}

/// What a colour says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Goes on by itself.
    Waiting,
    /// Needs somebody.
    Bad,
    /// Matters less.
    Faint,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let columns = || rustix::termios::tcgetwinsize(&stdout).ok().map(|size| usize::from(size.ws_col));
        let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let width = terminal.then(|| columns().filter(|columns| *columns > 0).unwrap_or(80));
        Self { json, width, colours, now: Timestamp::from(SystemClock.now()) }
    }

    /// The time at which the program was started.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Prints text as it is.
    pub(crate) fn print(&self, text: &str) -> anyhow::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        Ok(stdout.flush()?)
    }

    /// Prints what the API answered: exactly that as JSON, else in words.
    pub(crate) fn answer<T: DeserializeOwned>(
        &self,
        body: &[u8],
        words: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        if self.json {
            return self.print(&format!("{}\n", String::from_utf8_lossy(body)));
        }
        self.print(&words(&parse(body)?))
    }

    pub(crate) fn paint(&self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Good => 32,
            Tone::Waiting => 33,
            Tone::Bad => 31,
            Tone::Faint => 2,
        };
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A time that the API gave: how long ago on a terminal, else as it came.
    pub(crate) fn time(&self, rfc3339: &str) -> String {
        let time = humantime::parse_rfc3339(rfc3339).map(Timestamp::from);
        match (self.width, time) {
            (Some(_), Ok(time)) => relative(self.now, time),
            _ => rfc3339.to_owned(),
        }
    }

    /// Rows under a head, aligned, each cut to the width of the terminal.
    pub(crate) fn table(&self, head: &[&str], rows: &[Vec<(String, Tone)>]) -> String {
        let cleaned: Vec<Vec<_>> =
            rows.iter().map(|row| row.iter().map(|(text, tone)| (clean(text), *tone)).collect()).collect();
        let width = |column: usize| {
            let cells = cleaned.iter().filter_map(|row| row.get(column)).map(|(text, _)| text.chars().count());
            cells.chain([head[column].len()]).max().unwrap_or(0)
        };
        let widths: Vec<_> = (0..head.len()).map(width).collect();
        let head = head.iter().map(|text| ((*text).to_owned(), Tone::Faint)).collect();
        let mut table = String::new();
        for row in [head].iter().chain(&cleaned) {
            self.table_row(&mut table, row, &widths);
        }
        table
    }

    fn table_row(&self, table: &mut String, row: &[(String, Tone)], widths: &[usize]) {
        let mut left = self.width.unwrap_or(usize::MAX);
        let last = row.iter().rposition(|(text, _)| !text.is_empty()).unwrap_or(0);
        for (index, ((text, tone), width)) in row.iter().zip(widths).enumerate().take(last + 1) {
            let cut = cut(text, left.min(*width));
            left = left.saturating_sub(width + 2);
            table.push_str(&self.paint(&cut, *tone));
            if index == last || left == 0 {
                break;
            }
            table.extend(std::iter::repeat_n(' ', width - cut.chars().count() + 2));
        }
        table.push('\n');
    }
}

/// A cell without a colour.
pub(crate) fn plain(text: impl ToString) -> (String, Tone) {
    (text.to_string(), Tone::Plain)
}

/// Reads what the API answered.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> anyhow::Result<T> {
    serde_json::from_slice(body).context("Weir's answer cannot be read: is it of the same version as this program?")
}

/// Text from outside in one line: what would move the cursor or change colours is written out.
pub(crate) fn clean(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut line, char| {
        match char {
            '\n' | '\t' => line.push(' '),
            char if char.is_control() => drop(write!(line, "{}", char.escape_default())),
            char => line.push(char),
        }
        line
    })
}

/// At most so many characters; what is left out leaves an ellipsis.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some(_) if chars_max == 0 => String::new(),
        Some(_) => text.chars().take(chars_max - 1).chain(['…']).collect(),
    }
}

/// `3 s ago`, `in 2 h`.
pub(crate) fn relative(now: Timestamp, time: Timestamp) -> String {
    match now.as_millis().cmp(&time.as_millis()) {
        std::cmp::Ordering::Less => format!("in {}", rough(time.since(now))),
        _ => format!("{} ago", rough(now.since(time))),
    }
}

/// A length of time in its largest unit.
fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_and_cut_to_the_terminal() {
        let now = Timestamp::from_millis(100_000);
        let rows = [
            vec![plain("one"), ("dead".to_owned(), Tone::Bad), plain("a long\x1b[2J reason that goes on")],
            vec![plain("number two"), plain("x"), plain("")],
        ];
        let head = ["ID", "STATE", "REASON"];
        let narrow = Screen { json: false, width: Some(30), colours: false, now };
        assert_eq!(
            narrow.table(&head, &rows),
            "ID          STATE  REASON\none         dead   a long\\u{1…\nnumber two  x\n"
        );
        let wide = Screen { width: None, ..narrow.clone() };
        assert!(wide.table(&head, &rows).contains("a long\\u{1b}[2J reason that goes on\n"));
        let colourful = Screen { colours: true, ..narrow };
        assert!(colourful.table(&head, &rows).contains("\x1b[31mdead\x1b[0m   a long"));
    }

    #[test]
    fn times_are_told_from_now() {
        let now = Timestamp::from_millis(10 * 86_400_000);
        for (seconds, expected) in
            [(0, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (7300, "2 h ago"), (200_000, "2 d ago")]
        {
            assert_eq!(relative(now, Timestamp::from_millis(now.as_millis() - seconds * 1000)), expected);
        }
        assert_eq!(relative(now, now + Duration::from_secs(90)), "in 1 min");
    }
}
