use crate::load::LoadError;
use crate::shape::InterfaceName;
use crate::v0_1;

/// The version of WASI that is linked, without the patch level.
const WASI: &str = "0.2";

/// What every plugin may import: of the contract, and of WASI what has been made inert.
const FOR_ALL: &[(&str, &str)] = &[
    ("weir:plugin/types", v0_1::VERSION),
    ("weir:plugin/log", v0_1::VERSION),
    ("wasi:io/error", WASI),
    ("wasi:io/poll", WASI),
    ("wasi:io/streams", WASI),
    ("wasi:clocks/wall-clock", WASI),
    ("wasi:clocks/monotonic-clock", WASI),
    ("wasi:random/random", WASI),
    ("wasi:random/insecure", WASI),
    ("wasi:random/insecure-seed", WASI),
    ("wasi:filesystem/types", WASI),
    ("wasi:filesystem/preopens", WASI),
    ("wasi:cli/environment", WASI),
    ("wasi:cli/exit", WASI),
    ("wasi:cli/stdin", WASI),
    ("wasi:cli/stdout", WASI),
    ("wasi:cli/stderr", WASI),
    ("wasi:cli/terminal-input", WASI),
    ("wasi:cli/terminal-output", WASI),
    ("wasi:cli/terminal-stdin", WASI),
    ("wasi:cli/terminal-stdout", WASI),
    ("wasi:cli/terminal-stderr", WASI),
];

/// What connectors may import beside; all of it ends at the gate.
const FOR_CONNECTORS: &[(&str, &str)] =
    &[("weir:plugin/http", v0_1::VERSION), ("wasi:http/types", WASI), ("wasi:http/outgoing-handler", WASI)];

/// Refuses the first import that a plugin of this kind may not have.
pub(crate) fn check(imports: &[String], is_mapper: bool) -> Result<(), LoadError> {
    for import in imports {
        let name = InterfaceName::parse(import);
        let is_in = |list: &[(&str, &str)]| list.contains(&(name.path, name.line));
        if is_in(FOR_ALL) || !is_mapper && is_in(FOR_CONNECTORS) {
            continue;
        }
        let kind = if is_mapper { "a mapper" } else { "a connector" };
        return Err(LoadError::Import { import: import.clone(), kind, cure: cure(name, is_mapper) });
    }
    Ok(())
}

fn cure(name: InterfaceName<'_>, is_mapper: bool) -> &'static str {
    let package = name.path.split('/').next().unwrap_or_default();
    match package {
        "wasi:http" if is_mapper => {
            "a mapper is pure. JavaScript: build with ComponentizeJS's `disableFeatures: [\"http\", \"fetch-event\"]`; \
             Python: with componentize-py's `--stub-wasi`; to send requests, write a connector"
        }
        "weir:plugin" if is_mapper => "a mapper is pure: leave it out of the world, or write a connector",
        "wasi:sockets" => {
            "nobody gets sockets: send requests through `weir:plugin/http`. JavaScript: build with ComponentizeJS's \
             `disableFeatures`; Python: with componentize-py's `--stub-wasi`; Rust: do not use `std::net`"
        }
        _ if name.path.starts_with("wasi:") && name.line != WASI => "build it for WASI 0.2 (`wasm32-wasip2`)",
        _ => "only the contract and WASI 0.2 without network and files are there: leave it out of the world",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_be_had_is_named_with_its_cure() {
        for (import, is_mapper, cure) in [
            ("wasi:cli/environment@0.2.6", true, None),
            ("wasi:clocks/wall-clock@0.2.0", false, None),
            ("weir:plugin/http@0.1.0", false, None),
            ("wasi:http/outgoing-handler@0.2.3", false, None),
            ("wasi:http/types@0.2.3", true, Some("disableFeatures")),
            ("weir:plugin/http@0.1.0", true, Some("write a connector")),
            ("wasi:sockets/tcp@0.2.3", true, Some("--stub-wasi")),
            ("wasi:sockets/tcp@0.2.3", false, Some("weir:plugin/http")),
            ("wasi:http/incoming-handler@0.2.3", false, Some("leave it out")),
            ("wasi:cli/environment@0.3.0", true, Some("WASI 0.2")),
            ("wasi:keyvalue/store@0.2.0", false, Some("leave it out")),
            ("run", false, Some("leave it out")),
        ] {
            let checked = check(&[import.to_owned()], is_mapper);
            match (checked, cure) {
                (Ok(()), None) => {}
                (Err(error), Some(cure)) => {
                    let message = error.to_string();
                    assert!(message.contains(import) && message.contains(cure), "{message}");
                }
                (checked, cure) => panic!("{import}: {checked:?}, expected {cure:?}"),
            }
        }
    }
}
