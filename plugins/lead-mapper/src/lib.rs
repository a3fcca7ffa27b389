//! Makes a CRM contact of a lead from a web form. Start at [`map`].

use serde::{Deserialize, Serialize};
use weir_sdk::{Fault, Mapping, Number};

/// The fields of the form. People leave fields empty, so an empty one counts as missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Lead {
    email: String,
    name: String,
    first_name: String,
    last_name: String,
    company: String,
    phone: String,
    budget: Option<Number>,
    message: String,
}

/// What the CRM takes.
#[derive(Debug, Serialize)]
pub struct Contact {
    email: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// As it was written: a double would forget some of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    source: String,
}

/// What the flow may choose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    #[serde(default = "web_form")]
    source: String,
}

fn web_form() -> String {
    "web form".to_owned()
}

/// The mapper.
///
/// # Errors
/// `invalid-input` without an address that could receive mail.
pub fn map(mapping: Mapping<Lead, Options>) -> Result<Contact, Fault> {
    let lead = mapping.input;
    let email = read_email(&lead.email)?;
    let parts = [words(&lead.first_name), words(&lead.last_name)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Ok(Contact {
        // A contact needs some name; who gives none is known by the address.
        name: words(&lead.name).or_else(|| words(&parts)).unwrap_or_else(|| email.clone()),
        email,
        company: words(&lead.company),
        phone: read_phone(&lead.phone),
        budget: lead.budget,
        note: Some(lead.message.trim().to_owned()).filter(|note| !note.is_empty()),
        source: mapping.options.source,
    })
}

/// The address in lower case: people write their own in many ways, and the CRM knows a contact by it. Letters beyond ASCII
/// stay as they are: what is the same address to a mail server is known of ASCII alone.
fn read_email(text: &str) -> Result<String, Fault> {
    let email = text.trim().to_ascii_lowercase();
    let message = match email.split_once('@') {
        _ if email.is_empty() => "is missing",
        Some((name, host))
            if !name.is_empty()
                && host.split('.').count() > 1
                && host.split('.').all(|label| !label.is_empty())
                && !host.contains('@')
                && !email.contains(char::is_whitespace) =>
        {
            return Ok(email);
        }
        _ => "is not an e-mail address",
    };
    Err(Fault::invalid_input("the lead has no address to write to").code("email").field("/email", message))
}

/// The digits, with the plus of an international number; none if too few are left to be a number.
fn read_phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let plus = if text.trim_start().starts_with('+') { "+" } else { "" };
    (digits.len() >= 5).then(|| format!("{plus}{digits}"))
}

/// The words with single spaces between them; none if there are none.
fn words(text: &str) -> Option<String> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

weir_sdk::mapper!(map);
