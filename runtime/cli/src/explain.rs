//! `weir explain`: the page of a code or of a check, or the list of all.

use ::explain::Page;
use conformance::Check;
use serde::Serialize;

use crate::screen::{Screen, Tone, plain};
use crate::stop::{Exit, Stop};

/// A code in the list.
#[derive(Serialize)]
struct Row {
    code: &'static str,
    summary: String,
}

/// A code with its page, in Markdown.
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
    let check = conformance::checks().iter().find(|check| check.id.eq_ignore_ascii_case(code));
    let (row, page) = match check {
        Some(check) => (check_row(check), check.page),
        None => ::explain::page(code).map(|page| (row(page), page.text)).ok_or_else(|| unknown(code))?,
    };
    match screen.json {
        true => screen.print(&format!("{}\n", serde_json::to_string(&Explained { row, page })?))?,
        false => screen.print(page)?,
    }
    Ok(Exit::Done)
}

fn list(screen: &Screen) -> anyhow::Result<()> {
    let checks = conformance::checks().iter().map(check_row);
    let rows: Vec<Row> = ::explain::pages().iter().map(row).chain(checks).collect();
    if screen.json {
        return screen.print(&format!("{}\n", serde_json::to_string(&rows)?));
    }
    let cells: Vec<_> = rows.into_iter().map(|row| vec![plain(row.code), (row.summary, Tone::Plain)]).collect();
    screen.print(&screen.table(&["CODE", "WHAT HAPPENED"], &cells))
}

fn row(page: &Page) -> Row {
    Row { code: page.code, summary: page.summary() }
}

fn check_row(check: &Check) -> Row {
    Row { code: check.id, summary: format!("A plugin does not conform unless it {}.", check.title) }
}

fn unknown(code: &str) -> Stop {
    let cure = match ::explain::nearest(code) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`weir explain` lists those of Weir; what a plugin's own codes mean stands in its README".to_owned(),
    };
    Stop::new(Exit::NotFound, format!("there is no page for the code `{code}`; {cure}"))
}
