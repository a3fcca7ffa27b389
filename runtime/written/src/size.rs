//! Numbers of bytes as people write them: a whole number and `B`, `KiB`, `MiB` or `GiB`.

const UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// None if the text is no number of bytes, or zero.
pub fn parse(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*bytes).filter(|bytes| *bytes > 0)
}

/// In the largest unit that says it exactly.
pub fn print(bytes: u64) -> String {
    let (unit, size) = UNITS.iter().rev().find(|(_, size)| bytes.is_multiple_of(*size)).unwrap_or(&UNITS[0]);
    format!("{}{unit}", bytes / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_survive_their_text() {
        for (text, bytes) in [("1B", 1), ("64KiB", 65_536), ("8MiB", 8 << 20), ("10GiB", 10 << 30)] {
            assert_eq!(parse(text), Some(bytes), "{text}");
            assert_eq!(print(bytes), text);
        }
        for wrong in ["", "64", "MiB", "0B", "1.5MiB", "1MB", "1 KiB", "99999999999999999999B"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
