//! `weir explain`: the page of a code or of a check, or the list of all.

use serde::Serialize;

use crate::screen::{Screen, Tone, plain};
use crate::stop::{Exit, Stop};

/// A code or the id of a check, in the list.
#[derive(Serialize)]
struct Row {
    code: &'static str,
    summary: String,
}

/// The same with its page, in Markdown.
#[derive(Serialize)]
struct Explained {
    #[serde(flatten)]
    row: Row,
    page: &'static str,
}

/// Explains a code; without one, lists all of them with a line each.
pub(crate) fn run(code: Option<&str>, screen: &Screen) -> anyhow::Result<Exit> {
    let Some(code) = code else {
        list(screen)?;
        return Ok(Exit::Done);
    };
    let explained = find(code).ok_or_else(|| unknown(code))?;
    match screen.json {
        true => screen.print(&format!("{}\n", serde_json::to_string(&explained)?))?,
        false => screen.print(explained.page)?,
    }
    Ok(Exit::Done)
}

fn list(screen: &Screen) -> anyhow::Result<()> {
    let rows: Vec<Row> = of_codes().chain(of_checks()).map(|explained| explained.row).collect();
    if screen.json {
        return screen.print(&format!("{}\n", serde_json::to_string(&rows)?));
    }
    let cells: Vec<_> = rows.into_iter().map(|row| vec![plain(row.code), (row.summary, Tone::Plain)]).collect();
    screen.print(&screen.table(&["CODE", "WHAT HAPPENED"], &cells))
}

fn find(code: &str) -> Option<Explained> {
    let of_code = ::explain::page(code).map(explained);
    of_code.or_else(|| of_checks().find(|explained| explained.row.code.eq_ignore_ascii_case(code)))
}

fn of_codes() -> impl Iterator<Item = Explained> {
    ::explain::pages().iter().map(explained)
}

fn explained(page: &'static ::explain::Page) -> Explained {
    Explained { row: Row { code: page.code, summary: page.summary() }, page: page.text }
}

/// What every plugin must keep to has pages too, beside the checks.
fn of_checks() -> impl Iterator<Item = Explained> {
    conformance::checks().iter().map(|check| {
        let summary = format!("Does not hold: {}.", check.title);
        Explained { row: Row { code: check.id, summary }, page: check.page }
    })
}

fn unknown(code: &str) -> Stop {
    let cure = match ::explain::nearest(code) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`weir explain` lists those of Weir; what a plugin's own codes mean stands in its README".to_owned(),
    };
    Stop::new(Exit::NotFound, format!("there is no page for the code `{code}`; {cure}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    /// The commands that a page names: lines of its example, and what stands in backticks.
    fn commands(page: &str) -> Vec<String> {
        let lines = page.lines().filter(|line| line.starts_with("weir ")).map(str::to_owned);
        // A page's lines are broken anywhere, so a command in its text may be too.
        let text = page.split("```").next().unwrap_or_default().replace('\n', " ");
        let inline = text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("weir ")).map(str::to_owned);
        lines.chain(inline).collect()
    }

    /// The words of a command as a shell would give them, up to a comment, a redirection or a pipe.
    fn words(command: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut is_quoted = false;
        for char in command.chars() {
            match char {
                '"' | '\'' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(String::new()),
                '#' | '<' | '|' if !is_quoted => break,
                char => words.last_mut().expect("one at least").push(char),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_command_on_a_page_is_one_that_can_be_typed() {
        let named: Vec<_> = ::explain::pages()
            .iter()
            .flat_map(|page| commands(page.text).into_iter().map(|command| (page.code, command)))
            .collect();
        assert!(named.len() > 100, "the pages were not read: {} commands", named.len());
        for (code, command) in named {
            let Err(refused) = crate::Arguments::command().try_get_matches_from(words(&command)) else { continue };
            // In the middle of a sentence a command is named without what belongs to it.
            let is_cut = matches!(
                refused.kind(),
                ErrorKind::MissingRequiredArgument
                    | ErrorKind::MissingSubcommand
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                    | ErrorKind::DisplayVersion
            );
            assert!(is_cut, "{code}: `{command}`: {refused}");
        }
    }
}
