//! The contacts of a CRM. Its contacts are known by their e-mail address, and it honours `Idempotency-Key` for a day.
//! Start at [`create_contact`] and [`verify_create`], which settle together what happens when an answer is lost.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use weir_sdk::http::encode;
use weir_sdk::{Call, Context, Fault, Http, Identity, Receipt, Request, Response, Settlement};

const CONTACTS: &str = "/crm/v3/contacts";

/// Whom to look for.
#[derive(Debug, Deserialize)]
pub struct Search {
    email: String,
}

/// A contact to be: the address, and fields as they come.
#[derive(Debug, Deserialize, Serialize)]
pub struct Contact {
    email: String,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

/// What to change.
#[derive(Debug, Deserialize)]
pub struct Change {
    id: String,
    changes: Map<String, Value>,
}

/// How to list.
#[derive(Debug, Deserialize)]
pub struct Listing {
    #[serde(default = "page_size")]
    limit: u16,
}

fn page_size() -> u16 {
    100
}

/// A contact in the CRM.
#[derive(Debug, Deserialize, Serialize)]
struct Stored {
    id: String,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

#[derive(Deserialize)]
struct Page {
    results: Vec<Stored>,
    #[serde(default)]
    next: Option<String>,
}

/// The action `find-contact`: a contact that is not there is an answer, not a fault.
///
/// # Errors
/// Those of the CRM.
pub fn find_contact(call: Call<Search>, http: &Http) -> Result<Receipt, Fault> {
    let found = look_up(&call.input.email, http)?;
    let id = found.as_ref().map(|contact| contact.id.clone());
    let receipt = Receipt::json(&json!({ "found": found.is_some(), "contact": found }))?;
    Ok(Receipt { external_id: id, ..receipt })
}

/// The action `create-contact`.
///
/// # Errors
/// `conflict` if another contact has the address; those of the CRM.
pub fn create_contact(call: Call<Contact>, http: &Http) -> Result<Receipt, Fault> {
    let request = Request::post(CONTACTS).json(&call.input)?.idempotency_key(&call.context);
    receipt_of(checked(http.send(request)?)?.json()?)
}

/// Settles a `create-contact` whose answer was lost. A contact under the address that differs from what was sent is somebody
/// else's: then nothing of ours was created, and trying again says that there is a conflict.
///
/// # Errors
/// Those of the CRM.
pub fn verify_create(call: Call<Contact>, http: &Http) -> Result<Settlement, Fault> {
    let found = look_up(&call.input.email, http)?;
    match found {
        Some(contact) if call.input.fields.iter().all(|(name, value)| contact.fields.get(name) == Some(value)) => {
            Ok(Settlement::Happened(receipt_of(contact)?))
        }
        _ => Ok(Settlement::Absent),
    }
}

/// The action `update-contact`.
///
/// # Errors
/// `not-found` if there is no such contact; those of the CRM.
pub fn update_contact(call: Call<Change>, http: &Http) -> Result<Receipt, Fault> {
    let url = format!("{CONTACTS}/{}", encode(&call.input.id));
    receipt_of(checked(http.send(Request::patch(url).json(&call.input.changes)?)?)?.json()?)
}

/// Settles an `update-contact` whose answer was lost.
///
/// # Errors
/// Those of the CRM.
pub fn verify_update(call: Call<Change>, http: &Http) -> Result<Settlement, Fault> {
    let contact: Stored =
        checked(http.send(Request::get(format!("{CONTACTS}/{}", encode(&call.input.id))))?)?.json()?;
    let done = call.input.changes.iter().all(|(name, value)| contact.fields.get(name) == Some(value));
    if done { Ok(Settlement::Happened(receipt_of(contact)?)) } else { Ok(Settlement::Absent) }
}

/// The action `list-contacts`: one page, and the cursor of the next.
///
/// # Errors
/// Those of the CRM.
pub fn list_contacts(call: Call<Listing>, http: &Http) -> Result<Receipt, Fault> {
    let mut request = Request::get(CONTACTS).query("limit", &call.input.limit.to_string());
    if let Some(cursor) = &call.cursor {
        request = request.query("after", cursor);
    }
    let page: Page = checked(http.send(request)?)?.json()?;
    Ok(Receipt::json(&page.results)?.with_next(page.next))
}

/// Tests a connection by the smallest page there is.
///
/// # Errors
/// Those of the CRM, `unauthorized` among them.
pub fn check_connection(context: &Context, http: &Http) -> Result<Identity, Fault> {
    checked(http.send(Request::get(CONTACTS).query("limit", "1"))?)?;
    Ok(Identity { label: context.connection.clone(), account: None, base_url: None, settings: "{}".to_owned() })
}

fn look_up(email: &str, http: &Http) -> Result<Option<Stored>, Fault> {
    let page: Page = checked(http.send(Request::get(CONTACTS).query("email", email))?)?.json()?;
    Ok(page.results.into_iter().next())
}

fn receipt_of(contact: Stored) -> Result<Receipt, Fault> {
    Ok(Receipt::json(&contact)?.with_external_id(contact.id))
}

/// As [`Response::check`], with what this CRM says more in its body: a code, a message, and the fields at fault.
fn checked(response: Response) -> Result<Response, Fault> {
    #[derive(Deserialize)]
    struct Refusal {
        code: String,
        message: String,
        #[serde(default)]
        fields: Vec<Field>,
    }

    #[derive(Deserialize)]
    struct Field {
        pointer: String,
        message: String,
    }

    if response.is_success() {
        return Ok(response);
    }
    let mut fault = response.to_fault();
    if let Ok(refusal) = response.json::<Refusal>() {
        fault.code = refusal.code;
        fault.message = format!("the CRM says: {}", refusal.message);
        fault = refusal.fields.into_iter().fold(fault, |fault, field| fault.field(field.pointer, field.message));
    }
    Err(fault)
}

weir_sdk::connector! {
    actions: {
        "find-contact" => find_contact,
        "create-contact" => create_contact,
        "update-contact" => update_contact,
        "list-contacts" => list_contacts,
    },
    verify: {
        "create-contact" => verify_create,
        "update-contact" => verify_update,
    },
    check: check_connection,
}
