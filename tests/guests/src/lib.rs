//! What the guests share: the bindings of the contract, and the way they are told apart from their canary call. A guest
//! misbehaves only when its input is not the empty object, because a mapper that fails its canary call is not loaded.

pub mod wasi;

/// The bindings of a mapper.
pub mod mapper {
    wit_bindgen::generate!({ path: "../../wit", world: "weir:plugin/mapper-plugin", pub_export_macro: true });
}

/// The bindings of a connector that can verify.
pub mod connector {
    wit_bindgen::generate!({
        inline: r#"
            package weir:guests;
            world connector {
                import weir:plugin/log@0.1.0;
                import weir:plugin/http@0.1.0;
                export weir:plugin/actions@0.1.0;
                export weir:plugin/verification@0.1.0;
            }
        "#,
        path: "../../wit",
        world: "weir:guests/connector",
        generate_all,
        pub_export_macro: true,
    });
}

pub use connector::exports::weir::plugin::actions::{Call, Receipt};
pub use connector::exports::weir::plugin::verification::Settlement;

/// Exports a mapper made of one function from origin, input and options to documents or a fault.
#[macro_export]
macro_rules! mapper {
    ($transform:path) => {
        struct Plugin;

        impl $crate::mapper::exports::weir::plugin::mapper::Guest for Plugin {
            fn transform(
                origin: $crate::mapper::weir::plugin::types::Origin,
                input: $crate::mapper::weir::plugin::types::Document,
                options: String,
            ) -> Result<
                Vec<$crate::mapper::weir::plugin::types::Document>,
                $crate::mapper::weir::plugin::types::Fault,
            > {
                if input.data == b"{}" {
                    return Ok(Vec::new());
                }
                $transform(origin, input, options)
            }
        }

        $crate::mapper::export!(Plugin with_types_in $crate::mapper);
    };
}

/// Exports a connector made of one function for every action. Asked to verify, it says that nothing has happened.
#[macro_export]
macro_rules! connector {
    ($invoke:path) => {
        struct Plugin;

        impl $crate::connector::exports::weir::plugin::actions::Guest for Plugin {
            fn invoke(call: $crate::Call) -> Result<$crate::Receipt, $crate::connector::weir::plugin::types::Fault> {
                $invoke(call)
            }
        }

        impl $crate::connector::exports::weir::plugin::verification::Guest for Plugin {
            fn verify(_: $crate::Call) -> Result<$crate::Settlement, $crate::connector::weir::plugin::types::Fault> {
                Ok($crate::Settlement::Absent)
            }
        }

        $crate::connector::export!(Plugin with_types_in $crate::connector);
    };
}

/// A receipt with this text as its output.
pub fn receipt(text: String) -> Receipt {
    Receipt {
        output: connector::weir::plugin::types::Document {
            content_type: "text/plain".to_owned(),
            data: text.into_bytes(),
            metadata: Vec::new(),
        },
        external_id: None,
        next: None,
        metadata: Vec::new(),
    }
}

/// A fault of the kind `rejected`.
pub fn rejected(code: &str, message: &str) -> connector::weir::plugin::types::Fault {
    connector::weir::plugin::types::Fault {
        kind: connector::weir::plugin::types::FaultKind::Rejected,
        code: code.to_owned(),
        message: message.to_owned(),
        retry_after_ms: None,
        fields: Vec::new(),
        details: Vec::new(),
    }
}
