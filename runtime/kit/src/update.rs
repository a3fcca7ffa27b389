use serde_json::{Map, Value};

/// The text of a case with another expectation. All else stays as it is written, comments too; those within `expect` go.
pub fn with_expectation(text: &str, expectation: &Map<String, Value>) -> String {
    let block = format!("expect:\n{}", to_yaml(&Value::Object(expectation.clone()), 1));
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(begin) = lines.iter().position(|line| line.starts_with("expect:")) else {
        let gap = if text.ends_with('\n') { "" } else { "\n" };
        return format!("{text}{gap}{block}");
    };
    let within = |line: &&&str| line.starts_with([' ', '\t', '-', '#', '\n', '\r', '}', ']']);
    let mut end = begin + 1 + lines[begin + 1..].iter().take_while(within).count();
    // What stands before the next key belongs to that key.
    while end > begin + 1 && end < lines.len() && lines[end - 1].starts_with(['#', '\n', '\r']) {
        end -= 1;
    }
    format!("{}{block}{}", lines[..begin].concat(), lines[end..].concat())
}

/// A value as YAML that reads as that value again, so many steps to the right, with a line end.
pub fn to_yaml(value: &Value, depth: usize) -> String {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().map(|(key, value)| format!("{indent}{}:{}", text(key), behind(value, depth))).collect()
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| format!("{indent}-{}", behind(item, depth))).collect()
        }
        value => format!("{indent}{}\n", scalar(value)),
    }
}

/// What follows a key or a dash.
fn behind(value: &Value, depth: usize) -> String {
    match value {
        Value::Object(fields) if !fields.is_empty() => format!("\n{}", to_yaml(value, depth + 1)),
        Value::Array(items) if !items.is_empty() => format!("\n{}", to_yaml(value, depth + 1)),
        value => format!(" {}\n", scalar(value)),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(value) => text(value),
        value => value.to_string(),
    }
}

/// A text that needs no quotes, else in the double quotes of JSON, which YAML reads in the same way.
fn text(value: &str) -> String {
    let is_word = value.starts_with(|char: char| char.is_ascii_alphabetic())
        && value.chars().all(|char| char.is_ascii_alphanumeric() || "_-./@,!?()'+;= ".contains(char))
        && !value.ends_with(' ')
        && !matches!(value, "null" | "true" | "false");
    if is_word { value.to_owned() } else { Value::from(value).to_string() }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;
    use written::yaml::{Kind, Problems, parse};

    use super::*;

    #[test]
    fn what_is_written_reads_as_the_same_value() {
        let value = json!({
            "plain": "Ada Lovelace", "7": 7, "text": ["7", "", "null", "a: b", "- x", "é\n\t\"\\", " ", "#", "{x}", "~", "0x1"],
            "nested": [[1, []], { "deep": { "er": [{}, null, true, 1.5, 18_446_744_073_709_551_615_u64] } }], "": {},
        });
        let yaml = to_yaml(&value, 0);
        let mut problems = Problems::default();
        let tree = parse(&yaml, Kind { noun: "", begin: "" }, &mut problems);
        assert!(problems.is_empty(), "{problems:?}\n{yaml}");
        assert_eq!(tree.expect("a tree").to_json(), value, "{yaml}");
    }

    #[test]
    fn nothing_but_the_expectation_is_touched() {
        let text = "# Why.\ncall: { action: x }\nexpect:\n  # gone\n  output:\n  - 1\n\n# Stays.\nhttp: []\n";
        let Value::Object(new) = json!({ "output": { "id": "c1" } }) else { unreachable!() };
        expect![[r#"
            # Why.
            call: { action: x }
            expect:
              output:
                id: c1

            # Stays.
            http: []
        "#]]
        .assert_eq(&with_expectation(text, &new));
        let without = with_expectation("call: {}", &new);
        assert_eq!(without, "call: {}\nexpect:\n  output:\n    id: c1\n");
        assert_eq!(with_expectation(&without, &new), without);
        assert_eq!(
            with_expectation("expect: { output: 1 }\nhttp: []\n", &new),
            "expect:\n  output:\n    id: c1\nhttp: []\n"
        );
    }
}
