use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::generated::verified_actions::exports::weir::plugin::actions::Receipt;
use crate::{Context, Document, Fault, FromDocument, Http, Identity, json};

/// One call of an action, with its input read.
#[derive(Clone, Debug)]
pub struct Call<I> {
    /// Which action, by the name in the manifest.
    pub action: String,
    /// What to send.
    pub input: I,
    /// For a listing action: where the page begins. None: with the first.
    pub cursor: Option<String>,
    /// The circumstances, with the idempotency key.
    pub context: Context,
}

/// What became of an attempt whose answer was lost.
#[derive(Clone, Debug, PartialEq)]
pub enum Settlement {
    /// It had its effect. The receipt is what the action would have given.
    Happened(Receipt),
    /// It had none, and may be repeated.
    Absent,
    /// It cannot be said yet. Ask again, after this time if one is given.
    Undecided(Option<Duration>),
}

/// What an action can give: anything that can be written as JSON is the output; a [`Receipt`] can say more.
pub trait IntoReceipt {
    /// # Errors
    /// `internal` if it cannot be written as JSON.
    fn into_receipt(self) -> Result<Receipt, Fault>;
}

impl<T: Serialize> IntoReceipt for T {
    fn into_receipt(self) -> Result<Receipt, Fault> {
        Receipt::json(&self)
    }
}

impl IntoReceipt for Receipt {
    fn into_receipt(self) -> Result<Receipt, Fault> {
        Ok(self)
    }
}

impl Receipt {
    /// A receipt with this output.
    ///
    /// # Errors
    /// `internal` if the value cannot be written as JSON.
    #[track_caller]
    pub fn json(output: &impl Serialize) -> Result<Self, Fault> {
        Ok(Self { output: Document::json(output)?, external_id: None, next: None, metadata: Vec::new() })
    }

    /// The same with the id that the destination gave.
    #[must_use]
    pub fn with_external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// The same with the cursor of the following page, if there is one.
    #[must_use]
    pub fn with_next(mut self, cursor: Option<String>) -> Self {
        self.next = cursor;
        self
    }
}

impl Context {
    /// The connection's settings, such as tenant and region.
    ///
    /// # Errors
    /// `invalid-input` if they do not fit.
    pub fn read_settings<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let settings = if self.settings.is_empty() { "{}" } else { &self.settings };
        json::read(settings.as_bytes()).map_err(|fault| {
            let message = format!("the settings of connection `{}`: {}", self.connection, fault.message);
            Fault { code: "settings".to_owned(), message, fields: Vec::new(), ..fault }
        })
    }
}

/// The role `actions`. Implemented by [`connector!`](crate::connector!) for `Plugin`.
pub trait Connector {
    /// Carries an action out.
    ///
    /// # Errors
    /// Whatever the action says, and `invalid-input` if its input cannot be read.
    fn invoke(call: Call<Document>, http: &Http) -> Result<Receipt, Fault>;
}

/// The role `verification`. Implemented by [`connector!`](crate::connector!) with `verify`.
pub trait Verify {
    /// Finds out what became of a call whose answer was lost.
    ///
    /// # Errors
    /// Whatever the function says.
    fn verify(call: Call<Document>, http: &Http) -> Result<Settlement, Fault>;
}

/// The role `connection`. Implemented by [`connector!`](crate::connector!) with `check`.
pub trait Check {
    /// Tests a connection and says whose it is.
    ///
    /// # Errors
    /// Whatever the function says.
    fn check(context: &Context, http: &Http) -> Result<Identity, Fault>;
}

/// Reads the input, carries the action out, writes the receipt.
#[doc(hidden)]
pub fn act<I: FromDocument, R: IntoReceipt>(
    action: impl FnOnce(Call<I>, &Http) -> Result<R, Fault>,
    call: Call<Document>,
    http: &Http,
) -> Result<Receipt, Fault> {
    action(read_input(call)?, http)?.into_receipt()
}

/// Reads the input and settles the call.
#[doc(hidden)]
pub fn settle<I: FromDocument>(
    verify: impl FnOnce(Call<I>, &Http) -> Result<Settlement, Fault>,
    call: Call<Document>,
    http: &Http,
) -> Result<Settlement, Fault> {
    verify(read_input(call)?, http)
}

fn read_input<I: FromDocument>(call: Call<Document>) -> Result<Call<I>, Fault> {
    let Call { action, input, cursor, context } = call;
    Ok(Call { action, input: I::from_document(input)?, cursor, context })
}

#[doc(hidden)]
pub fn unknown_action(action: &str) -> Fault {
    Fault::internal(format!("the plugin has no code for action `{action}`")).code("unknown-action")
}

#[doc(hidden)]
pub fn unverifiable_action(action: &str) -> Fault {
    Fault::unknown_outcome(format!("the plugin cannot verify action `{action}`")).code("cannot-verify")
}

/// Makes a connector of functions. An action takes a [`Call`] of what it needs and the [`Http`] client, and gives a
/// `Result<_, Fault>` of anything that [`IntoReceipt`] takes; the names are those of the manifest.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use weir_sdk::{Call, Context, Fault, Http, Identity, Receipt, Request, Settlement};
///
/// #[derive(Deserialize, Serialize)]
/// struct Contact { email: String }
///
/// #[derive(Deserialize, Serialize)]
/// struct Created { id: String }
///
/// fn create(call: Call<Contact>, http: &Http) -> Result<Receipt, Fault> {
///     let request = Request::post("/contacts").json(&call.input)?.idempotency_key(&call.context);
///     let created: Created = http.send(request)?.check()?.json()?;
///     Ok(Receipt::json(&created)?.with_external_id(created.id))
/// }
///
/// fn verify_create(call: Call<Contact>, http: &Http) -> Result<Settlement, Fault> {
///     let answer = http.send(Request::get("/contacts").query("email", &call.input.email))?.check()?;
///     let found: Vec<Created> = answer.json()?;
///     Ok(match found.into_iter().next() {
///         Some(created) => Settlement::Happened(Receipt::json(&created)?.with_external_id(created.id)),
///         None => Settlement::Absent,
///     })
/// }
///
/// fn check(_: &Context, http: &Http) -> Result<Identity, Fault> {
///     http.send(Request::get("/me"))?.check()?;
///     Ok(Identity { label: "CRM".into(), account: None, base_url: None, settings: "{}".into() })
/// }
///
/// weir_sdk::connector! {
///     actions: { "create-contact" => create },
///     verify: { "create-contact" => verify_create },
///     check: check,
/// }
/// ```
///
/// `verify` and `check` may be left out; a plugin has the roles that are written. The crate gets a type `Plugin`, which
/// native tests call through `testing`; compiled to WebAssembly it exports the roles.
#[macro_export]
macro_rules! connector {
    (
        actions: { $($action:literal => $act:path),+ $(,)? }
        $(, verify: { $($verified:literal => $verify:path),+ $(,)? })?
        $(, check: $check:path)?
        $(,)?
    ) => {
        /// The plugin.
        #[derive(Debug)]
        pub struct Plugin;

        impl $crate::Connector for Plugin {
            fn invoke(
                call: $crate::Call<$crate::Document>,
                http: &$crate::Http,
            ) -> ::std::result::Result<$crate::Receipt, $crate::Fault> {
                match call.action.as_str() {
                    $($action => $crate::act($act, call, http),)+
                    unknown => Err($crate::unknown_action(unknown)),
                }
            }
        }

        #[cfg(target_family = "wasm")]
        impl $crate::generated::verified_actions::exports::weir::plugin::actions::Guest for Plugin {
            fn invoke(
                call: $crate::generated::verified_actions::exports::weir::plugin::actions::Call,
            ) -> ::std::result::Result<$crate::Receipt, $crate::generated::imports::weir::plugin::types::Fault> {
                $crate::panic::install_hook();
                <Plugin as $crate::Connector>::invoke(call.into(), &$crate::Http::of_the_host())
                    .map_err($crate::Fault::into_wire)
            }
        }

        $crate::__export_actions! { $($($verified => $verify),+)? }
        $($crate::__export_connection! { $check })?
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_actions {
    () => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "an exported function has a name that the contract chose")]
        const _: () = {
            $crate::generated::actions::export_actions!(Plugin with_types_in $crate::generated::verified_actions);
        };
    };
    ($($verified:literal => $verify:path),+) => {
        impl $crate::Verify for Plugin {
            fn verify(
                call: $crate::Call<$crate::Document>,
                http: &$crate::Http,
            ) -> ::std::result::Result<$crate::Settlement, $crate::Fault> {
                match call.action.as_str() {
                    $($verified => $crate::settle($verify, call, http),)+
                    unknown => Err($crate::unverifiable_action(unknown)),
                }
            }
        }

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "an exported function has a name that the contract chose")]
        const _: () = {
            use $crate::generated::verified_actions as bindings;
            use bindings::exports::weir::plugin::verification as wire;

            impl wire::Guest for Plugin {
                fn verify(call: wire::Call) -> ::std::result::Result<wire::Settlement, wire::Fault> {
                    $crate::panic::install_hook();
                    <Plugin as $crate::Verify>::verify(call.into(), &$crate::Http::of_the_host())
                        .map($crate::Settlement::into_wire)
                        .map_err($crate::Fault::into_wire)
                }
            }

            bindings::export_verified_actions!(Plugin with_types_in $crate::generated::verified_actions);
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_connection {
    ($check:path) => {
        impl $crate::Check for Plugin {
            fn check(
                context: &$crate::Context,
                http: &$crate::Http,
            ) -> ::std::result::Result<$crate::Identity, $crate::Fault> {
                $check(context, http)
            }
        }

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "an exported function has a name that the contract chose")]
        const _: () = {
            use bindings::exports::weir::plugin::connection as wire;
            use $crate::generated::connection as bindings;

            impl wire::Guest for Plugin {
                fn check(context: $crate::Context) -> ::std::result::Result<$crate::Identity, wire::Fault> {
                    $crate::panic::install_hook();
                    <Plugin as $crate::Check>::check(&context, &$crate::Http::of_the_host())
                        .map_err($crate::Fault::into_wire)
                }
            }

    bindings::export_connection!(Plugin with_types_in $crate::generated::connection);
        };
    };
}

#[doc(hidden)]
impl From<crate::generated::verified_actions::exports::weir::plugin::actions::Call> for Call<Document> {
    fn from(call: crate::generated::verified_actions::exports::weir::plugin::actions::Call) -> Self {
        Self { action: call.action, input: call.input, cursor: call.cursor, context: call.context }
    }
}

#[doc(hidden)]
impl Settlement {
    /// What crosses the boundary.
    pub fn into_wire(self) -> crate::generated::verified_actions::exports::weir::plugin::verification::Settlement {
        use crate::generated::verified_actions::exports::weir::plugin::verification::Settlement as Wire;
        match self {
            Self::Happened(receipt) => Wire::Happened(receipt),
            Self::Absent => Wire::Absent,
            Self::Undecided(after) => Wire::Undecided(after.map(crate::fault::to_millis)),
        }
    }
}
