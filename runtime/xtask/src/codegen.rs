use std::path::Path;

use crate::process;
use crate::workspace::Workspace;

/// Copies of one file elsewhere, each beside the file that it must equal: packages that are copied out of this tree
/// need their own.
pub(crate) const COPIES: &[(&str, &str)] = &[
    ("wit/weir.wit", "sdk/rust/wit/weir.wit"),
    ("wit/weir.wit", "sdk/go/wit/weir.wit"),
    ("wit/weir.wit", "sdk/js/wit/weir.wit"),
    ("wit/weir.wit", "sdk/python/src/weir_sdk/wit/weir.wit"),
    ("plugins/lead-mapper/schemas/contact.json", "plugins/lead-mapper-go/schemas/contact.json"),
    ("plugins/lead-mapper/schemas/lead.json", "plugins/lead-mapper-go/schemas/lead.json"),
    ("plugins/lead-mapper/schemas/options.json", "plugins/lead-mapper-go/schemas/options.json"),
    ("plugins/lead-mapper/schemas/contact.json", "plugins/lead-mapper-js/schemas/contact.json"),
    ("plugins/lead-mapper/schemas/lead.json", "plugins/lead-mapper-js/schemas/lead.json"),
    ("plugins/lead-mapper/schemas/options.json", "plugins/lead-mapper-js/schemas/options.json"),
    ("plugins/lead-mapper/schemas/contact.json", "plugins/lead-mapper-python/schemas/contact.json"),
    ("plugins/lead-mapper/schemas/lead.json", "plugins/lead-mapper-python/schemas/lead.json"),
    ("plugins/lead-mapper/schemas/options.json", "plugins/lead-mapper-python/schemas/options.json"),
];

/// The tests that compare a generated file with what would be generated now, and write it when told to.
const WRITERS: &[&[&str]] = &[
    &["-p", "weir-sdk", "--test", "generated"],
    &["-p", "manifest", "--test", "manifests"],
    &["-p", "contract", "--test", "fresh"],
];

/// Writes every generated file anew.
pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    for (original, copy) in COPIES {
        std::fs::copy(workspace.root.join(original), workspace.root.join(copy))?;
    }
    for writer in WRITERS {
        let mut test = process::cargo(&[&["test", "--quiet"], *writer].concat(), &workspace.root);
        process::run(test.env("UPDATE_EXPECT", "1"))?;
    }
    Ok(())
}

/// The copies that differ from their originals. The rest is compared by the tests.
pub(crate) fn stale(workspace: &Workspace) -> Vec<&'static str> {
    let read = |path: &str| std::fs::read(workspace.root.join(Path::new(path))).ok();
    COPIES.iter().filter(|(original, copy)| read(original) != read(copy)).map(|(_, copy)| *copy).collect()
}
