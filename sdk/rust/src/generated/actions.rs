/// Generates `#[unsafe(no_mangle)]` functions to export the specified type as
/// the root implementation of all generated traits.
///
/// For more information see the documentation of `wit_bindgen::generate!`.
///
/// ```rust
/// # macro_rules! export_actions{ ($($t:tt)*) => (); }
/// # trait Guest {}
/// struct MyType;
///
/// impl Guest for MyType {
///     // ...
/// }
///
/// export_actions!(MyType);
/// ```
#[allow(unused_macros)]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_actions_impl {
    ($ty:ident) => {
        weir_sdk::generated::actions::export_actions!($ty with_types_in
        weir_sdk::generated::actions);
    };
    ($ty:ident with_types_in $($path_to_types_root:tt)*) => {
        $($path_to_types_root)*::
        exports::weir::plugin::actions::__export_weir_plugin_actions_0_1_0_cabi!($ty
        with_types_in $($path_to_types_root)*:: exports::weir::plugin::actions); const _
        : () = { #[rustfmt::skip] #[cfg(target_arch = "wasm32")] #[unsafe (link_section =
        "component-type:wit-bindgen:0.61.1:weir:sdk:actions:imports and exports")]
        #[doc(hidden)] #[allow(clippy::octal_escapes)] pub static
        __WIT_BINDGEN_COMPONENT_TYPE : [u8; 957] = *
        b"\
\0asm\x0d\0\x01\0\0\x19\x16wit-component-encoding\x04\0\x07\xbf\x06\x01A\x02\x01\
A\x07\x01B\x12\x01p}\x01o\x02ss\x01p\x01\x01r\x03\x0ccontent-types\x04data\0\x08\
metadata\x02\x04\0\x08document\x03\0\x03\x01ks\x01r\x09\x02ids\x06sources\x04kin\
ds\x07subject\x05\x04time\x05\x08receiveds\x06schema\x05\x0aextensions\x02\x09tr\
ansport\x02\x04\0\x06origin\x03\0\x06\x01m\x0b\x0dinvalid-input\x0cunauthorized\x09\
forbidden\x09not-found\x08conflict\x0crate-limited\x0bunavailable\x07timeout\x08\
rejected\x0funknown-outcome\x08internal\x04\0\x0afault-kind\x03\0\x08\x01r\x02\x07\
pointers\x07messages\x04\0\x0bfield-fault\x03\0\x0a\x01ky\x01p\x0b\x01r\x06\x04k\
ind\x09\x04codes\x07messages\x0eretry-after-ms\x0c\x06fields\x0d\x07details\x02\x04\
\0\x05fault\x03\0\x0e\x01r\x09\x09executions\x04steps\x0fidempotency-keys\x07att\
empty\x0cremaining-msy\x0aconnections\x07account\x05\x08settingss\x05extra\x02\x04\
\0\x07context\x03\0\x10\x03\0\x17weir:plugin/types@0.1.0\x05\0\x02\x03\0\0\x08do\
cument\x02\x03\0\0\x05fault\x02\x03\0\0\x07context\x01B\x10\x02\x03\x02\x01\x01\x04\
\0\x08document\x03\0\0\x02\x03\x02\x01\x02\x04\0\x05fault\x03\0\x02\x02\x03\x02\x01\
\x03\x04\0\x07context\x03\0\x04\x01ks\x01r\x04\x06actions\x05input\x01\x06cursor\
\x06\x07context\x05\x04\0\x04call\x03\0\x07\x01o\x02ss\x01p\x09\x01r\x04\x06outp\
ut\x01\x0bexternal-id\x06\x04next\x06\x08metadata\x0a\x04\0\x07receipt\x03\0\x0b\
\x01j\x01\x0c\x01\x03\x01@\x01\x04call\x08\0\x0d\x04\0\x06invoke\x01\x0e\x04\0\x19\
weir:plugin/actions@0.1.0\x05\x04\x04\0\x10weir:sdk/actions\x04\0\x0b\x0d\x01\0\x07\
actions\x03\0\0\0G\x09producers\x01\x0cprocessed-by\x02\x0dwit-component\x070.25\
8.3\x10wit-bindgen-rust\x060.61.1";
        };
    };
}
#[doc(inline)]
pub use __export_actions_impl as export_actions;
