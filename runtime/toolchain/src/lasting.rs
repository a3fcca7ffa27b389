//! Makes immortal what a component of CPython holds from its build on (PEP 683). References to such an object are not counted,
//! so that a call does not write to whatever it looks at; a fresh sandbox copies each page that is written to. The SDK notes
//! which objects these are: `sdk/python/src/weir_sdk/lasting.py` says how its table is made.

use std::ops::Range;

use wasmparser::{DataKind, DataSectionReader, Operator, Parser, Payload};

/// Where the table begins.
const MARK: &[u8; 24] = b"weir: objects which last";
/// The mark, the length of what follows, the address of None.
const HEADER_BYTES: u32 = 32;
/// One bit of the table stands for so many bytes of memory.
const BYTES_PER_BIT: u32 = 8;

/// Bytes of memory behind the last object that a table may speak of: it grows by steps.
const BEYOND_MAX: u64 = 1 << 20;

/// The count of an object that is part of the interpreter, where addresses have 32 bits: `_Py_STATIC_IMMORTAL_INITIAL_REFCNT`
/// of CPython 3.14, `Include/refcount.h`. That None has it proves that the count is where it is looked for.
const STATIC_IMMORTAL: u32 = 7 << 28;
/// The count of any other that is immortal: `_Py_IMMORTAL_INITIAL_REFCNT`.
const IMMORTAL: u32 = 5 << 28;
/// More than any object is referred to. What has more is immortal, or no count.
const COUNT_MAX: u32 = 1 << 20;

/// Makes the objects immortal that the component's table names, and empties the table; gives how many there are. Without a
/// table, or with a CPython that keeps its counts in another way, nothing is changed.
///
/// # Errors
/// It is no component.
pub(crate) fn make_immortal(component: &mut [u8]) -> Result<usize, String> {
    let mut memories = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::DataSection(section) = payload.map_err(|error| error.to_string())? {
            memories.extend(Memory::of(section, component)?);
        }
    }
    Ok(memories.iter().map(|memory| memory.make_immortal(component)).sum())
}

/// What a module's memory begins with, and where that lies in the component.
struct Memory(Vec<Segment>);

struct Segment {
    address: u32,
    bytes: Range<usize>,
}

impl Memory {
    /// None: the place of some data is found when it runs.
    fn of(section: DataSectionReader<'_>, component: &[u8]) -> Result<Option<Self>, String> {
        let mut segments = Vec::new();
        for segment in section {
            let segment = segment.map_err(|error| error.to_string())?;
            let DataKind::Active { memory_index: 0, offset_expr } = segment.kind else { return Ok(None) };
            let place = offset_expr.get_operators_reader().read().map_err(|error| error.to_string())?;
            let Operator::I32Const { value } = place else { return Ok(None) };
            let begin = segment.data.as_ptr().addr() - component.as_ptr().addr();
            segments.push(Segment { address: value as u32, bytes: begin..begin + segment.data.len() });
        }
        segments.sort_by_key(|segment| segment.address);
        Ok(Some(Self(segments)))
    }

    fn make_immortal(&self, component: &mut [u8]) -> usize {
        let Some(table) = self.find(component, MARK) else { return 0 };
        let word = |address| self.word(component, address);
        let (length, none) = (word(table + 24), word(table + 28));
        let end = self.0.last().map_or(0, |last| u64::from(last.address) + last.bytes.len() as u64);
        let is_table = u64::from(length) * u64::from(u8::BITS * BYTES_PER_BIT) < end + BEYOND_MAX;
        if word(none) != STATIC_IMMORTAL || !is_table {
            return 0;
        }
        let mut made = 0;
        for place in 0..length {
            let bits = self.byte(component, table + HEADER_BYTES + place);
            for bit in (0..u8::BITS).filter(|bit| bits & (1 << bit) != 0) {
                made += usize::from(self.make_one_immortal(component, (place * u8::BITS + bit) * BYTES_PER_BIT));
            }
        }
        for address in table..table + HEADER_BYTES + length {
            if let Some(place) = self.place(address, 1) {
                component[place.start] = 0;
            }
        }
        made
    }

    fn make_one_immortal(&self, component: &mut [u8], address: u32) -> bool {
        let Some(place) = self.place(address, 4) else { return false };
        if !(1..COUNT_MAX).contains(&read_word(&component[place.clone()])) {
            return false;
        }
        component[place].copy_from_slice(&IMMORTAL.to_le_bytes());
        true
    }

    /// The address of these bytes, if they stand there once.
    fn find(&self, component: &[u8], sought: &[u8]) -> Option<u32> {
        let found = |segment: &Segment| {
            let bytes = &component[segment.bytes.clone()];
            let places = bytes.windows(sought.len()).enumerate().filter(|(_, window)| *window == sought);
            places.map(|(place, _)| segment.address + place as u32).collect::<Vec<_>>()
        };
        match self.0.iter().flat_map(found).collect::<Vec<_>>()[..] {
            [address] => Some(address),
            _ => None,
        }
    }

    fn word(&self, component: &[u8], address: u32) -> u32 {
        read_word(&[0, 1, 2, 3].map(|byte| self.byte(component, address + byte)))
    }

    /// What stands in no segment is zero: zeros are left out between segments.
    fn byte(&self, component: &[u8], address: u32) -> u8 {
        self.place(address, 1).map_or(0, |place| component[place.start])
    }

    /// Where so many bytes lie in the component, if they lie there in one piece.
    fn place(&self, address: u32, bytes: u32) -> Option<Range<usize>> {
        let behind = self.0.partition_point(|segment| segment.address <= address);
        let segment = &self.0[behind.checked_sub(1)?];
        let begin = segment.bytes.start + (address - segment.address) as usize;
        let place = begin..begin + bytes as usize;
        (place.end <= segment.bytes.end).then_some(place)
    }
}

fn read_word(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component whose memory holds None at 64, objects at 72, 80, 88 and 96, and a table that names all but the one at 80.
    fn component(none: u32, mark: &str) -> Vec<u8> {
        let words = |words: &[u32]| -> String {
            words.iter().flat_map(|word| word.to_le_bytes()).map(|byte| format!("\\{byte:02x}")).collect()
        };
        let objects = words(&[none, 0, 3, 0, 4, 0, 0x0110_0000, 0, 1, 0]);
        let header = words(&[3, 64]).trim_end_matches("\\00").to_owned();
        let text = format!(
            r#"(component (core module (memory 1)
                (data (i32.const 64) "{objects}")
                (data (i32.const 1024) "{mark}{header}") (data (i32.const 1057) "\3a\10")))"#
        );
        wat::parse_str(text).expect("is a component")
    }

    /// The counts of the objects, and whether the mark is still there.
    fn read(component: &[u8]) -> (Vec<u32>, bool) {
        let objects = component.windows(8).position(|bytes| bytes[4..] == [0; 4] && bytes[3] >= 0x40).expect("None");
        let counts = component[objects..objects + 40].chunks(8).map(|object| read_word(&object[..4])).collect();
        (counts, component.windows(MARK.len()).any(|bytes| bytes == MARK))
    }

    #[test]
    fn what_the_table_names_becomes_immortal_and_the_table_is_emptied() {
        let mut component = component(STATIC_IMMORTAL, "weir: objects which last");
        let length = component.len();
        // Bits of the second byte, from 64 on: 72, 88, 96 and 104, where there is nothing. That at 88 holds no count.
        assert_eq!(make_immortal(&mut component), Ok(2));
        let counts = vec![STATIC_IMMORTAL, IMMORTAL, 4, 0x0110_0000, IMMORTAL];
        assert_eq!((read(&component), component.len()), ((counts, false), length));
        assert_eq!(make_immortal(&mut component), Ok(0), "there is no table any more");
    }

    #[test]
    fn without_a_table_or_with_another_kind_of_count_nothing_is_changed() {
        for (none, mark) in [(STATIC_IMMORTAL, "weir: objects which end!"), (0x6000_0000, "weir: objects which last")] {
            let before = component(none, mark);
            let mut after = before.clone();
            assert_eq!(make_immortal(&mut after), Ok(0));
            assert_eq!(after, before);
        }
        assert!(make_immortal(&mut b"text".to_vec()).is_err());
    }
}
