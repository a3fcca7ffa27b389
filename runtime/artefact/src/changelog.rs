/// What a changelog says of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its text, without the heading.
    pub(crate) text: String,
    /// Whether it says, under a heading that begins with `Migration`, what users have to do.
    pub(crate) has_migration: bool,
}

/// The section of a version in a changelog in Markdown: below a heading that holds it as a word, such as `## 1.2.0` or
/// `## [1.2.0] - 2026-03-01`, up to the next heading of that level.
pub(crate) fn section(changelog: &str, version: &str) -> Option<Section> {
    let mut lines = headed(changelog).skip_while(|(level, line)| *level == 0 || !names(line, version));
    let (level, _) = lines.next()?;
    let lines: Vec<_> = lines.take_while(|(other, _)| *other == 0 || *other > level).collect();
    let text = lines.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n").trim().to_owned();
    let migration = lines.iter().position(|(level, line)| *level > 0 && is_migration(line));
    let has_migration = migration.is_some_and(|at| {
        lines[at + 1..].iter().take_while(|(level, _)| *level == 0).any(|(_, line)| !line.trim().is_empty())
    });
    Some(Section { text, has_migration })
}

/// Each line with the level of the heading that it is; 0 for none. Within a block of code nothing is a heading.
fn headed(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().map(move |line| {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let is_heading = !is_code && (1..=6).contains(&level) && line[level..].starts_with([' ', '\t']);
        (if is_heading { level } else { 0 }, line)
    })
}

fn names(heading: &str, version: &str) -> bool {
    let mut words = heading.split(|char: char| char.is_whitespace() || "[]()#".contains(char));
    words.any(|word| word.strip_prefix('v').unwrap_or(word) == version)
}

fn is_migration(heading: &str) -> bool {
    heading.trim_start_matches('#').trim().to_lowercase().starts_with("migrat")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Change log\n\n## [2.0.0] - 2026-03-01\n\n- New.\n\n```sh\n# not a heading\n```\n\n\
                             ### Migrating from 1\n\nDo this.\n\n## v1.1.0\n\n### Migration\n\n### Other\n\nText.\n\n\
                             ## 1.0.0\n";

    #[test]
    fn a_version_has_its_own_section() {
        let second = section(CHANGELOG, "2.0.0").expect("is there");
        assert!(
            second.has_migration && second.text.starts_with("- New.") && second.text.ends_with("Do this."),
            "{second:?}"
        );
        let first = section(CHANGELOG, "1.1.0").expect("is there");
        assert!(!first.has_migration && first.text.contains("Text."), "an empty note is none: {first:?}");
        assert_eq!(section(CHANGELOG, "1.0.0"), Some(Section { text: String::new(), has_migration: false }));
        assert_eq!(section(CHANGELOG, "1.0"), None);
        assert_eq!(section("1.0.0\n", "1.0.0"), None);
    }
}
