//! Looks at the characters of an expression without parsing it: where brackets lie, where strings begin and end.

/// The index of the first character at which brackets lie deeper than `limit`.
pub(crate) fn deeper_than(source: &str, limit: usize) -> Option<usize> {
    let mut depth = 0usize;
    code(source).find_map(|(index, character)| match character {
        '(' | '[' | '{' => {
            depth += 1;
            (depth > limit).then_some(index)
        }
        ')' | ']' | '}' => {
            depth = depth.saturating_sub(1);
            None
        }
        _ => None,
    })
}

/// The index of the `}` that closes what was opened before `source`.
pub(crate) fn closing_brace(source: &str) -> Option<usize> {
    let mut depth = 0usize;
    code(source).find_map(|(index, character)| match character {
        '{' => {
            depth += 1;
            None
        }
        '}' if depth == 0 => Some(index),
        '}' => {
            depth -= 1;
            None
        }
        _ => None,
    })
}

/// The characters outside of strings, with their indices counted in characters.
fn code(source: &str) -> impl Iterator<Item = (usize, char)> {
    let characters: Vec<char> = source.chars().collect();
    let mut index = 0;
    std::iter::from_fn(move || {
        loop {
            let character = *characters.get(index)?;
            if matches!(character, '"' | '\'') {
                index = behind_string(&characters, index);
                continue;
            }
            index += 1;
            return Some((index - 1, character));
        }
    })
}

/// The index behind the string that begins at `start` with a quote. Knows escapes, raw strings and triple quotes.
fn behind_string(characters: &[char], start: usize) -> usize {
    let quote = characters[start];
    let raw = start > 0 && matches!(characters[start - 1], 'r' | 'R');
    let triple = characters[start..].starts_with(&[quote; 3]);
    let end: &[char] = if triple { &[quote; 3] } else { &[quote] };
    let mut index = start + end.len();
    while index < characters.len() {
        if characters[index] == '\\' && !raw {
            index += 2;
        } else if characters[index..].starts_with(end) {
            return index + end.len();
        } else {
            index += 1;
        }
    }
    characters.len()
}
