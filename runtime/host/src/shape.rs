use wasmparser::{Encoding, Parser, Payload};

use crate::load::LoadError;

/// The names on the outside of a component. Read without validating or compiling, in time linear to its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
}

impl Shape {
    /// Reads the names, or says what the bytes are if they are no component.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, LoadError> {
        if !bytes.starts_with(b"\0asm") {
            return Err(LoadError::NotWasm);
        }
        let mut shape = Self::default();
        // Components and modules nest; only the names of the outermost count.
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(|fault| broken(&fault, bytes.len()))? {
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => return Err(LoadError::CoreModule),
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(section) if depth == 1 => {
                    for import in section {
                        let import = import.map_err(|fault| broken(&fault, bytes.len()))?;
                        shape.imports.push(import.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    for export in section {
                        let export = export.map_err(|fault| broken(&fault, bytes.len()))?;
                        shape.exports.push(export.name.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(shape)
    }
}

fn broken(fault: &wasmparser::BinaryReaderError, bytes: usize) -> LoadError {
    // The parser says where it stopped; at the end of the bytes something is missing.
    if fault.offset() >= bytes as u64 || fault.message().contains("unexpected end") {
        LoadError::Truncated { bytes }
    } else {
        LoadError::Malformed(fault.to_string())
    }
}

/// A name such as `wasi:io/streams@0.2.6` in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InterfaceName<'a> {
    /// `wasi:io/streams`.
    pub(crate) path: &'a str,
    /// `0.2`: what decides whether two versions fit together while the first number is 0.
    pub(crate) line: &'a str,
}

impl<'a> InterfaceName<'a> {
    pub(crate) fn parse(name: &'a str) -> Self {
        let (path, version) = name.split_once('@').unwrap_or((name, ""));
        let line = version.match_indices('.').nth(1).map_or(version, |(end, _)| &version[..end]);
        Self { path, line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_outermost_component() {
        let bytes = wat::parse_str(
            r#"(component
                (component (import "inner:package/inside" (func)))
                (core module (import "m" "n" (func)))
                (import "weir:plugin/log@0.1.0" (instance $log))
                (export "weir:plugin/other@0.1.0" (instance $log)))"#,
        )
        .expect("valid text");
        let shape = Shape::read(&bytes).expect("a component");
        assert_eq!(shape.imports, ["weir:plugin/log@0.1.0"]);
        assert_eq!(shape.exports, ["weir:plugin/other@0.1.0"]);
        for end in 8..bytes.len() {
            // Cut between two sections it still parses; cut anywhere else, it is known to be cut.
            assert!(matches!(Shape::read(&bytes[..end]), Ok(_) | Err(LoadError::Truncated { .. })), "cut at {end}");
        }
        assert!(matches!(Shape::read(b"\x7fELF"), Err(LoadError::NotWasm)));
        let module = wat::parse_str("(module)").expect("valid text");
        assert!(matches!(Shape::read(&module), Err(LoadError::CoreModule)));
    }

    #[test]
    fn versions_are_compared_without_their_patch_level() {
        let name = InterfaceName::parse("wasi:io/streams@0.2.6");
        assert_eq!((name.path, name.line), ("wasi:io/streams", "0.2"));
        assert_eq!(InterfaceName::parse("a:b/c@0.3.0-rc-2026-01-01").line, "0.3");
        assert_eq!(InterfaceName::parse("plain").line, "");
    }
}
