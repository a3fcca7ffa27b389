//! W020: listings.

use egress::SentRequest;
use kit::OpenError;

use super::NO_ACTIONS;
use crate::answers;
use crate::bench::{Act, Ask, Bench};
use crate::destination::Replies;
use crate::suite::Found;

/// Pages that are asked for of a destination that gives no further cursor.
const PAGES_MAX: usize = 5;

pub(super) async fn ends(bench: &Bench) -> Result<Found, OpenError> {
    if bench.actions.is_empty() {
        return Ok(Found::skipped(NO_ACTIONS));
    }
    let (mut faults, mut listings) = (Vec::new(), Vec::new());
    for act in &bench.actions {
        let Some(last) = act.answer.clone() else { continue };
        let page = answers::page(&act.name, &act.about);
        let shot = bench.act(act, &Ask::default(), page).await?;
        let first = shot.receipt().and_then(|receipt| receipt.next.clone());
        // One that goes on although no answer gives a cursor lists without end.
        let begun = act.shot.receipt().and_then(|receipt| receipt.next.clone());
        let Some(cursor) = first.or(begun) else { continue };
        listings.push(act.name.as_str());
        faults.extend(follow(bench, act, &shot.requests, cursor, &answers::last_page(&last).into()).await?);
    }
    match listings.as_slice() {
        [] => Ok(Found::skipped("no action gave a cursor with an answer that was made up")),
        listings => Ok(Found::judged(faults, listings.join(", "))),
    }
}

/// Asks for page after page; the destination gives no further cursor.
async fn follow(
    bench: &Bench,
    act: &Act,
    first: &[SentRequest],
    mut cursor: String,
    last: &Replies,
) -> Result<Option<String>, OpenError> {
    for page in 2..=PAGES_MAX {
        let ask = Ask { cursor: Some(cursor.clone()), ..Ask::default() };
        let shot = bench.act(act, &ask, last.clone()).await?;
        if page == 2 && !shot.requests.is_empty() && shot.requests == first {
            return Ok(Some(format!("action `{}` asks for the first page again with the cursor `{cursor}`", act.name)));
        }
        match shot.receipt().and_then(|receipt| receipt.next.clone()) {
            Some(next) => cursor = next,
            None => return Ok(None),
        }
    }
    Ok(Some(format!("action `{}` gives `next` on page after page, although the destination gives no cursor", act.name)))
}
