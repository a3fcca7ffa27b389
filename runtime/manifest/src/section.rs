use std::ops::Range;

use wasmparser::{Chunk, Encoding, Parser, Payload};

use crate::{InvalidManifest, Manifest};

/// The name of the custom section.
const SECTION: &str = "weir:manifest";

/// Far above what any manifest with its schemas needs; below what would be a burden to read before consent.
const SECTION_BYTES_MAX: usize = 1 << 20;

/// Why no manifest could be read from a component, or put into it.
#[derive(Debug, thiserror::Error)]
pub enum ReadManifestError {
    /// The bytes are no component.
    #[error("not a WebAssembly component")]
    NotAComponent,
    /// The bytes are a module without the component's layer around it.
    #[error("a core WebAssembly module, not a component; build it for `wasm32-wasip2`, or with `weir plugin build`")]
    CoreModule,
    /// They begin like a component and do not go on like one.
    #[error("a damaged WebAssembly component")]
    Damaged(#[source] wasmparser::BinaryReaderError),
    /// It ends before its last section does.
    #[error("the component is cut short: it has {has} bytes, and a section ends at byte {needs}")]
    CutShort {
        /// How many bytes there are.
        has: usize,
        /// How many there must be at least.
        needs: u64,
    },
    /// There is no manifest in it.
    #[error("the component carries no manifest; build it with `weir plugin build`")]
    Missing,
    /// There is more than one, and nothing says which counts.
    #[error("the component carries more than one manifest; build it anew with `weir plugin build`")]
    Repeated,
    /// It is larger than a manifest may be.
    #[error(
        "the manifest takes {bytes} bytes with its schemas, and {SECTION_BYTES_MAX} are allowed; shorten the schemas"
    )]
    TooLarge {
        /// What it takes.
        bytes: usize,
    },
    /// It cannot be read.
    #[error("the manifest in the component cannot be read; it may have been written for another version of Weir")]
    Malformed(#[source] serde_json::Error),
    /// It says what cannot be.
    #[error("the manifest in the component is not valid")]
    Invalid(#[source] InvalidManifest),
}

/// Reads the manifest from a component without running anything of it.
///
/// The component's size is for the caller to bound; nothing is decoded but the headers of its outermost sections.
pub fn extract(component: &[u8]) -> Result<Manifest, ReadManifestError> {
    let sections = find_sections(component)?;
    let section = match sections.as_slice() {
        [] => return Err(ReadManifestError::Missing),
        [one] => one,
        _ => return Err(ReadManifestError::Repeated),
    };
    let json = &component[section.data.clone()];
    if json.len() > SECTION_BYTES_MAX {
        return Err(ReadManifestError::TooLarge { bytes: json.len() });
    }
    let manifest: Manifest = serde_json::from_slice(json).map_err(ReadManifestError::Malformed)?;
    manifest.validate().map_err(ReadManifestError::Invalid)?;
    Ok(manifest)
}

/// The component with the manifest in it; one that it carried before is replaced. The same manifest gives the same bytes.
pub fn embed(component: &[u8], manifest: &Manifest) -> Result<Vec<u8>, ReadManifestError> {
    manifest.validate().map_err(ReadManifestError::Invalid)?;
    let json = serde_json::to_vec(manifest).map_err(ReadManifestError::Malformed)?;
    if json.len() > SECTION_BYTES_MAX {
        return Err(ReadManifestError::TooLarge { bytes: json.len() });
    }
    let mut out = Vec::with_capacity(component.len() + json.len() + 32);
    let mut copied = 0;
    for section in find_sections(component)? {
        out.extend(&component[copied..section.whole.start]);
        copied = section.whole.end;
    }
    out.extend(&component[copied..]);
    // A custom section: id 0, then its length, then its name with its length, then its data.
    let mut named = Vec::with_capacity(json.len() + SECTION.len() + 1);
    push_length(&mut named, SECTION.len());
    named.extend(SECTION.as_bytes());
    named.extend(json);
    out.push(0);
    push_length(&mut out, named.len());
    out.extend(named);
    Ok(out)
}

/// Where a manifest lies in a component.
struct Section {
    /// With its header.
    whole: Range<usize>,
    /// Its JSON.
    data: Range<usize>,
}

/// Walks over the outermost sections, to the last byte. What is nested is skipped by its length: a module or component
/// within has no say in what the whole is.
fn find_sections(component: &[u8]) -> Result<Vec<Section>, ReadManifestError> {
    if !component.starts_with(b"\0asm") {
        return Err(ReadManifestError::NotAComponent);
    }
    let mut parser = Parser::new(0);
    let mut found = Vec::new();
    let mut position = 0;
    loop {
        let chunk = parser.parse(&component[position..], true).map_err(ReadManifestError::Damaged)?;
        let Chunk::Parsed { consumed, payload } = chunk else {
            unreachable!("the parser was told that there is no more to come")
        };
        let start = position;
        position += consumed;
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => return Err(ReadManifestError::CoreModule),
            Payload::ModuleSection { unchecked_range, .. } | Payload::ComponentSection { unchecked_range, .. } => {
                let end = usize::try_from(unchecked_range.end).ok().filter(|&end| end <= component.len());
                position =
                    end.ok_or(ReadManifestError::CutShort { has: component.len(), needs: unchecked_range.end })?;
            }
            Payload::CustomSection(section) if section.name() == SECTION => {
                let data_start = position - section.data().len();
                found.push(Section { whole: start..position, data: data_start..position });
            }
            Payload::End(_) => return Ok(found),
            _ => {}
        }
    }
}

/// Appends an unsigned LEB128, as lengths are written in WebAssembly.
fn push_length(out: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}
