//! `weir explain`: the page of a code, or the list of all.

use ::explain::Page;
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
    let page = ::explain::page(code).ok_or_else(|| unknown(code))?;
    match screen.json {
        true => {
            let explained = Explained { row: row(page), page: page.text };
            screen.print(&format!("{}\n", serde_json::to_string(&explained)?))?;
        }
        false => screen.print(page.text)?,
    }
    Ok(Exit::Done)
}

fn list(screen: &Screen) -> anyhow::Result<()> {
    let rows: Vec<Row> = ::explain::pages().iter().map(row).collect();
    if screen.json {
        return screen.print(&format!("{}\n", serde_json::to_string(&rows)?));
    }
    let cells: Vec<_> = rows.into_iter().map(|row| vec![plain(row.code), (row.summary, Tone::Plain)]).collect();
    screen.print(&screen.table(&["CODE", "WHAT HAPPENED"], &cells))
}

fn row(page: &Page) -> Row {
    Row { code: page.code, summary: page.summary() }
}

fn unknown(code: &str) -> Stop {
    let cure = match ::explain::nearest(code) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`weir explain` lists those of Weir; what a plugin's own codes mean stands in its README".to_owned(),
    };
    Stop::new(Exit::NotFound, format!("there is no page for the code `{code}`; {cure}"))
}
