//! Few segments of data in place of many. Go's linker writes tens of thousands, and every new sandbox counts each of them.

use std::ops::Range;

use wasm_encoder::{ConstExpr, DataSection, Module, RawSection};
use wasmparser::{DataKind, DataSectionReader, Operator, Parser, Payload, Validator};

/// Zeros between two segments that are written rather than the second begun anew: a page of the host's.
const GAP_BYTES_MAX: u32 = 4 << 10;

/// The same module, with segments joined that lie near to each other.
///
/// # Errors
/// It is no module, or has data whose place is found when it runs.
pub(crate) fn join(module: &[u8]) -> Result<Vec<u8>, String> {
    let mut joined = Module::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(told)? {
            // Needed only where an instruction names a segment, and then none could be joined: validation tells.
            Payload::DataCountSection { .. } => {}
            Payload::DataSection(section) => {
                joined.section(&write(&read(section)?));
            }
            payload => {
                if let Some((id, Range { start, end })) = payload.as_section() {
                    joined.section(&RawSection { id, data: &module[start as usize..end as usize] });
                }
            }
        }
    }
    let joined = joined.finish();
    Validator::new().validate_all(&joined).map_err(told)?;
    Ok(joined)
}

/// Bytes and where in the memory they begin.
struct Segment {
    at: u32,
    bytes: Vec<u8>,
}

impl Segment {
    /// The zeros between its end and a place behind it.
    fn gap(&self, next: u32) -> Option<u32> {
        let end = self.at.checked_add(u32::try_from(self.bytes.len()).ok()?)?;
        next.checked_sub(end)
    }
}

/// The segments in their order, joined.
fn read(section: DataSectionReader<'_>) -> Result<Vec<Segment>, String> {
    let mut segments: Vec<Segment> = Vec::new();
    for segment in section {
        let segment = segment.map_err(told)?;
        let at = match segment.kind {
            // What remains of a segment that was copied at the start.
            DataKind::Passive if segment.data.is_empty() => continue,
            DataKind::Active { memory_index: 0, offset_expr } => {
                match offset_expr.get_operators_reader().read().map_err(told)? {
                    Operator::I32Const { value } => value as u32,
                    _ => return Err("a segment of data has no fixed place".to_owned()),
                }
            }
            _ => return Err("a segment of data has no fixed place".to_owned()),
        };
        match segments.last_mut() {
            Some(last) if last.gap(at).is_some_and(|gap| gap <= GAP_BYTES_MAX) => {
                last.bytes.resize((at - last.at) as usize, 0);
                last.bytes.extend_from_slice(segment.data);
            }
            _ => segments.push(Segment { at, bytes: segment.data.to_vec() }),
        }
    }
    Ok(segments)
}

fn write(segments: &[Segment]) -> DataSection {
    let mut section = DataSection::new();
    for Segment { at, bytes } in segments {
        section.active(0, &ConstExpr::i32_const(*at as i32), bytes.iter().copied());
    }
    section
}

fn told(error: wasmparser::BinaryReaderError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(data: &str) -> Result<Vec<(u32, Vec<u8>)>, String> {
        let module = wat::parse_str(format!("(module (memory 2) {data})")).expect("is a module");
        let module = join(&module)?;
        let sections = Parser::new(0).parse_all(&module).filter_map(|payload| match payload.expect("is read") {
            Payload::DataSection(section) => Some(read(section).expect("is read")),
            _ => None,
        });
        Ok(sections.flatten().map(|Segment { at, bytes }| (at, bytes)).collect())
    }

    #[test]
    fn segments_near_to_each_other_become_one_and_keep_their_places() {
        let near = r#"(data (i32.const 8) "ab") (data (i32.const 12) "c") (data (i32.const 13) "d")"#;
        assert_eq!(joined(near), Ok(vec![(8, b"ab\0\0cd".to_vec())]));
        let far = r#"(data (i32.const 8) "a") (data (i32.const 4105) "b") (data (i32.const 8203) "c")"#;
        let first = [b"a".as_slice(), &[0; 4096], b"b"].concat();
        assert_eq!(joined(far), Ok(vec![(8, first), (8203, b"c".to_vec())]));
        // One that is written over another comes behind it.
        let over = r#"(data (i32.const 8) "abc") (data (i32.const 9) "x")"#;
        assert_eq!(joined(over), Ok(vec![(8, b"abc".to_vec()), (9, b"x".to_vec())]));
    }

    #[test]
    fn what_is_copied_when_it_runs_is_refused() {
        assert_eq!(joined(r#"(data "a")"#), Err("a segment of data has no fixed place".to_owned()));
        assert_eq!(joined(r#"(data "") (data (i32.const 1) "a")"#), Ok(vec![(1, b"a".to_vec())]));
        let used = r#"(data "") (func (data.drop 0))"#;
        assert!(joined(used).is_err_and(|error| error.contains("data count")));
    }
}
