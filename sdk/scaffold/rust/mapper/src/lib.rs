//! Makes a greeting of a name. Start at [`greet`].

use serde::{Deserialize, Serialize};
use weir_sdk::{Fault, Mapping};

/// What comes in: `schemas/input.json`.
#[derive(Debug, Deserialize)]
pub struct Person {
    name: String,
}

/// What goes out: `schemas/output.json`.
#[derive(Debug, Serialize)]
pub struct Greeting {
    greeting: String,
}

/// What a flow may choose: `schemas/options.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    #[serde(default = "hello")]
    salutation: String,
}

fn hello() -> String {
    "Hello".to_owned()
}

/// The mapper. Pure: the same input gives the same output, at any time and anywhere.
///
/// # Errors
/// `invalid-input` without a name: Weir parks the event for whoever owns the flow.
pub fn greet(mapping: Mapping<Person, Options>) -> Result<Greeting, Fault> {
    let name = mapping.input.name.trim();
    if name.is_empty() {
        return Err(Fault::invalid_input("there is nobody to greet")
            .code("no-name")
            .field("/name", "is empty"));
    }
    Ok(Greeting {
        greeting: format!("{}, {name}!", mapping.options.salutation),
    })
}

weir_sdk::mapper!(greet);
