//! The files that `weir init` writes: every key is in them, with its default.

use std::fs;

use serde_json::Value;
use written::{Key, Shape};

use crate::project::Project;
use crate::settings::{Settings, Table, limits};
use crate::shape;

const WEIR: &str = include_str!("../../cli/src/init/weir.toml");
const PLUGINS: &str = include_str!("../../cli/src/init/plugins.toml");
const CONNECTIONS: &str = include_str!("../../cli/src/init/connections.toml");

/// The text with its settings in force: each stands behind a `#` without a space.
fn in_force(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn read(text: &str, keys: &[Key]) -> Value {
    written::read(&in_force(text), keys, &|_| None).expect("the example has no faults").value
}

/// The keys that the shape knows and the value lacks, by their path.
fn missing(value: &Value, keys: &[Key], path: &str) -> Vec<String> {
    let mut lacking = Vec::new();
    for key in keys {
        let path = format!("{path}.{}", key.name);
        match (value.get(key.name), &key.shape) {
            (None, _) => lacking.push(path),
            (Some(value), Shape::Table(keys)) => lacking.extend(missing(value, keys, &path)),
            (Some(value), Shape::Named(keys)) => {
                let first = value.as_object().and_then(|named| named.values().next());
                lacking.extend(first.into_iter().flat_map(|value| missing(value, keys, &path)));
            }
            _ => {}
        }
    }
    lacking
}

#[test]
fn the_examples_have_every_key() {
    assert_eq!(missing(&read(WEIR, shape::WEIR), shape::WEIR, "weir"), [""; 0]);
    assert_eq!(missing(&read(PLUGINS, shape::PLUGINS), shape::PLUGINS, "plugins"), [""; 0]);
    // A secret lies in one place.
    let lacking = missing(&read(CONNECTIONS, shape::CONNECTIONS), shape::CONNECTIONS, "connections");
    assert_eq!(lacking, ["connections.secret.file", "connections.secret.store"]);
}

#[test]
fn the_examples_say_the_defaults() {
    let folder = std::env::temp_dir().join(format!("weir-example-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let default = Settings { data: folder.join("data"), ..Settings::default() };
    fs::write(folder.join("weir.toml"), WEIR).unwrap();
    assert_eq!(Project::read_settings(&folder).expect("no faults"), default);
    fs::write(folder.join("weir.toml"), in_force(WEIR)).unwrap();
    let settings = Project::read_settings(&folder).expect("no faults");
    fs::remove_dir_all(&folder).unwrap();
    assert!(settings.tls.is_some() && settings.master_key.is_some());
    assert_eq!(Settings { tls: None, master_key: None, ..settings }, default);

    let plugins = read(PLUGINS, shape::PLUGINS);
    let crm = plugins["plugin"]["crm"].as_object().expect("a table");
    let said = limits(&Table(crm).table("limits"));
    assert_eq!(host::Limits { concurrency: None, ..said }, host::Limits::default());
}
