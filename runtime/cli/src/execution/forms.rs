//! How a character is written in URLs, forms, JSON and XML: what is hidden must not stand there in another dress.

/// Characters that XML and HTML write by name.
const ENTITIES: [(&str, char); 6] =
    [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"'), ("&apos;", '\''), ("&#39;", '\'')];

/// A text that was found within another one.
pub(super) struct Found<'t> {
    /// Bytes that it takes there.
    pub(super) bytes: usize,
    /// Its characters, each as it is written there.
    read: Vec<(char, &'t str)>,
}

impl Found<'_> {
    /// What was found, without the dress.
    pub(super) fn plain(&self) -> String {
        self.read.iter().map(|(char, _)| char).collect()
    }

    /// Another text in the same dress.
    pub(super) fn dress(&self, text: &str) -> String {
        let mut dressed = String::with_capacity(self.bytes);
        for char in text.chars() {
            match self.read.iter().find(|(known, _)| *known == char) {
                Some((_, written)) => dressed.push_str(written),
                None => dressed.push(char),
            }
        }
        dressed
    }
}

/// Whether `text` begins with `hidden`, whatever the case of its letters and however its characters are written.
pub(super) fn begins<'t>(text: &'t str, hidden: &str) -> Option<Found<'t>> {
    let (mut bytes, mut read) = (0, Vec::new());
    for char in hidden.chars() {
        let rest = &text[bytes..];
        let mut forms = [plain(rest), encoded(rest)].into_iter().flatten();
        let (written, taken) = forms.find(|(written, _)| is_same(*written, char))?;
        read.push((written, &rest[..taken]));
        bytes += taken;
    }
    Some(Found { bytes, read })
}

/// The first character as it stands, and its bytes.
pub(super) fn plain(text: &str) -> Option<(char, usize)> {
    text.chars().next().map(|char| (char, char.len_utf8()))
}

/// The character that the text begins with in one of the other forms, and the bytes that it takes.
pub(super) fn encoded(text: &str) -> Option<(char, usize)> {
    match text.as_bytes().first()? {
        b'+' => Some((' ', 1)),
        b'%' => percent(text),
        b'\\' => escaped(text),
        b'&' => ENTITIES.iter().find(|(name, _)| text.starts_with(name)).map(|(name, char)| (*char, name.len())),
        _ => None,
    }
}

pub(super) fn is_same(one: char, other: char) -> bool {
    one == other || one.to_lowercase().eq(other.to_lowercase())
}

/// `%C3%A4` (RFC 3986, section 2.1).
fn percent(text: &str) -> Option<(char, usize)> {
    let mut bytes = Vec::with_capacity(4);
    for part in text.as_bytes().chunks(3).take(4) {
        let [b'%', high, low] = part else { break };
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let (Some(high), Some(low)) = (digit(high), digit(low)) else { break };
        bytes.push(u8::try_from(high * 16 + low).ok()?);
        if let Ok(char) = std::str::from_utf8(&bytes) {
            return Some((char.chars().next()?, bytes.len() * 3));
        }
    }
    None
}

/// `\"` and `\u00e4` (RFC 8259, section 7).
fn escaped(text: &str) -> Option<(char, usize)> {
    let char = match text.as_bytes().get(1)? {
        b'u' => return unicode(text),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
        _ => return None,
    };
    Some((char, 2))
}

/// One escape, or two that are one character in UTF-16.
fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    if let Some(char) = char::from_u32(u32::from(first)) {
        return Some((char, 6));
    }
    let char = char::decode_utf16([first, unit(6)?]).next()?.ok()?;
    Some((char, 12))
}
