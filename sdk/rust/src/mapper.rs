use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Document, Fault, FromDocument, IntoDocuments, Origin, json};

/// One call of a mapper: what to map, where it came from, and what the flow says in this step.
#[derive(Clone, Debug)]
pub struct Mapping<I, O = NoOptions> {
    /// What to map.
    pub input: I,
    /// The event that is being carried.
    pub origin: Origin,
    /// The flow's options for this step.
    pub options: O,
}

/// The options of a mapper that has none. A flow that gives some is told so.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoOptions {}

/// The role `mapper`. Implemented by [`mapper!`](crate::mapper!) for `Plugin`.
pub trait Mapper {
    /// Maps a document; `options` is a JSON object.
    ///
    /// # Errors
    /// Whatever the function says, and `invalid-input` if its input or options cannot be read.
    fn transform(origin: Origin, input: Document, options: &str) -> Result<Vec<Document>, Fault>;
}

/// Reads the arguments, calls the function, writes what it gives.
#[doc(hidden)]
pub fn transform<I, O, R>(
    map: impl FnOnce(Mapping<I, O>) -> Result<R, Fault>,
    origin: Origin,
    input: Document,
    options: &str,
) -> Result<Vec<Document>, Fault>
where
    I: FromDocument,
    O: DeserializeOwned,
    R: IntoDocuments,
{
    // A flow without options may give none or an empty object.
    let options = if options.is_empty() { "{}" } else { options };
    let options = json::read(options.as_bytes()).map_err(|fault| {
        let message = format!("the options of this step: {}", fault.message);
        Fault { code: "options".to_owned(), message, fields: Vec::new(), ..fault }
    })?;
    map(Mapping { input: I::from_document(input)?, origin, options })?.into_documents()
}

/// Makes a mapper of a function that takes a [`Mapping`] and gives a `Result<_, Fault>` of anything that
/// [`IntoDocuments`] takes. The crate gets a type `Plugin`, which native tests call through
/// `testing::transform`; compiled to WebAssembly it exports the role.
#[macro_export]
macro_rules! mapper {
    ($map:path) => {
        /// The plugin.
        #[derive(Debug)]
        pub struct Plugin;

        impl $crate::Mapper for Plugin {
            fn transform(
                origin: $crate::Origin,
                input: $crate::Document,
                options: &str,
            ) -> ::std::result::Result<::std::vec::Vec<$crate::Document>, $crate::Fault> {
                $crate::transform($map, origin, input, options)
            }
        }

        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "an exported function has a name that the contract chose")]
        const _: () = {
            use $crate::generated::mapper as bindings;

            impl bindings::exports::weir::plugin::mapper::Guest for Plugin {
                fn transform(
                    origin: $crate::Origin,
                    input: $crate::Document,
                    options: ::std::string::String,
                ) -> ::std::result::Result<
                    ::std::vec::Vec<$crate::Document>,
                    $crate::generated::imports::weir::plugin::types::Fault,
                > {
                    $crate::panic::install_hook();
                    <Plugin as $crate::Mapper>::transform(origin, input, &options).map_err($crate::Fault::into_wire)
                }
            }

    bindings::export_mapper!(Plugin with_types_in $crate::generated::mapper);
        };
    };
}
