//! Creates notes at a destination that honours `Idempotency-Key`. Start at [`create_note`] and [`verify_create`], which
//! settle together what happens when an answer is lost.

use serde::{Deserialize, Serialize};
use weir_sdk::{Call, Context, Fault, Http, Identity, Receipt, Request, Settlement};

/// A note to be: `schemas/note.json`.
#[derive(Debug, Deserialize, Serialize)]
pub struct Note {
    title: String,
    text: String,
}

/// A note at the destination: `schemas/stored.json`.
#[derive(Debug, Deserialize, Serialize)]
pub struct Stored {
    id: String,
}

/// Whose account it is.
#[derive(Debug, Deserialize)]
struct Me {
    name: String,
}

/// The action `create-note`. It does not retry: `check` makes the fault of a status, and Weir repeats the step by its kind.
///
/// # Errors
/// Those of the destination.
pub fn create_note(call: Call<Note>, http: &Http) -> Result<Receipt, Fault> {
    let request = Request::post("/notes")
        .json(&call.input)?
        .idempotency_key(&call.context);
    receipt_of(http.send(request)?.check()?.json()?)
}

/// Settles a `create-note` whose answer was lost.
///
/// # Errors
/// Those of the destination.
pub fn verify_create(call: Call<Note>, http: &Http) -> Result<Settlement, Fault> {
    let request = Request::get("/notes").query("title", &call.input.title);
    let found: Vec<Stored> = http.send(request)?.check()?.json()?;
    match found.into_iter().next() {
        Some(note) => Ok(Settlement::Happened(receipt_of(note)?)),
        None => Ok(Settlement::Absent),
    }
}

/// Tests a connection and says whose it is.
///
/// # Errors
/// Those of the destination, `unauthorized` among them.
pub fn check_connection(_: &Context, http: &Http) -> Result<Identity, Fault> {
    let me: Me = http.send(Request::get("/me"))?.check()?.json()?;
    Ok(Identity {
        label: me.name,
        account: None,
        base_url: None,
        settings: "{}".to_owned(),
    })
}

fn receipt_of(note: Stored) -> Result<Receipt, Fault> {
    Ok(Receipt::json(&note)?.with_external_id(note.id))
}

weir_sdk::connector! {
    actions: { "create-note" => create_note },
    verify: { "create-note" => verify_create },
    check: check_connection,
}
