//! As much of Rust's grammar as the rules need: what is code, where functions begin and end, where the tests begin.

/// A function and the lines that it takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// Counts from 1.
    pub(super) line: usize,
    pub(super) lines: usize,
}

/// The source with comments, strings and character literals turned into blanks; lines stay where they are.
pub(super) fn code_only(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let length = opaque_length(&source[at..], code.last().copied());
        match length {
            0 => {
                code.push(if bytes[at].is_ascii() { bytes[at] } else { b'_' });
                at += 1;
                while !source.is_char_boundary(at) {
                    at += 1;
                }
            }
            _ => {
                let end = (at + length).min(bytes.len());
                code.extend(bytes[at..end].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
                at = end;
            }
        }
    }
    String::from_utf8(code).unwrap_or_default()
}

/// How many bytes from the start of `rest` are no code: a comment, a string, a character; 0 if it begins with code.
fn opaque_length(rest: &str, before: Option<u8>) -> usize {
    let in_word = before.is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_length(rest);
    }
    if rest.starts_with('"') {
        return quoted_length(rest);
    }
    if !in_word && rest.starts_with(['r', 'b', 'c']) {
        let prefix = rest.len() - rest.trim_start_matches(['r', 'b', 'c']).len();
        let hashes = rest[prefix..].len() - rest[prefix..].trim_start_matches('#').len();
        if rest[prefix + hashes..].starts_with('"') && rest[..prefix].contains('r') {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = prefix + hashes + 1;
            return rest[start..].find(&end).map_or(rest.len(), |found| start + found + end.len());
        }
    }
    if rest.starts_with('\'') { character_length(rest) } else { 0 }
}

fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let two = &rest.as_bytes()[at..(at + 2).min(rest.len())];
        match two {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of a character literal; 0 for a lifetime.
fn character_length(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(0, |found| 3 + found + 1),
        Some(_) => characters.next().filter(|(_, next)| *next == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

/// The functions with a body. Takes what [`code_only`] gave.
pub(super) fn functions(code: &str) -> Vec<Function> {
    let mut functions = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let in_word = code[..at].ends_with(|c: char| c == '_' || c.is_alphanumeric());
        let name: String = code[at + 3..].chars().take_while(|c| *c == '_' || c.is_alphanumeric()).collect();
        if in_word || name.is_empty() {
            continue;
        }
        if let Some(end) = body_end(&code[at..]) {
            let line = 1 + code[..at].matches('\n').count();
            let lines = 1 + code[at..at + end].matches('\n').count();
            functions.push(Function { name, line, lines });
        }
    }
    functions
}

/// Where the body that follows a signature ends; none if there is no body.
fn body_end(code: &str) -> Option<usize> {
    let mut brackets = 0_i32;
    let mut braces = 0_i32;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' => brackets += 1,
            b')' | b']' => brackets -= 1,
            b'{' if brackets == 0 => braces += 1,
            b'}' if brackets == 0 => {
                braces -= 1;
                if braces == 0 {
                    return Some(at + 1);
                }
            }
            b';' if brackets == 0 && braces == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The line, counted from 1, on which the file's own tests begin; one past its end if it has none.
pub(super) fn tests_begin(code: &str) -> usize {
    let lines: Vec<&str> = code.lines().collect();
    let begins = |index: usize| {
        lines[index] == "#[cfg(test)]"
            && lines[index + 1..]
                .iter()
                .find(|line| !line.starts_with("#["))
                .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    };
    1 + (0..lines.len()).find(|index| begins(*index)).unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_no_code() {
        let source = "let a = \"fn x() {\"; // fn y() {\nlet b = r#\"{ \" \"#; /* { /* { */ { */ let c = '{'; let d: &'a str = b\"}\"; let e = '\\'';";
        let code = code_only(source);
        assert!(!code.contains(['{', '}', '"']), "{code}");
        assert!(code.contains("&'a str"), "{code}");
        assert_eq!(code.matches('\n').count(), 1);
    }

    #[test]
    fn functions_are_measured_from_their_first_line_to_their_last() {
        let source = "trait T { fn none(&self); }\nimpl T for X {\n    fn some(&self, f: fn (u8) -> [u8; 2])\n    where X: Y\n    {\n        if a { b }\n    }\n}\n";
        let expected = [Function { name: "some".to_owned(), line: 3, lines: 5 }];
        assert_eq!(functions(&code_only(source)), expected);
    }

    #[test]
    fn tests_begin_at_the_attribute_of_their_module() {
        assert_eq!(tests_begin("fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n"), 3);
        assert_eq!(tests_begin("#[cfg(test)]\nmod tests;\nfn a() {}\n"), 4, "they lie in a file of their own");
    }
}
