use std::fs;

use anyhow::Context as _;

use super::Failure;
use crate::workspace::{Package, Workspace};

/// Who may use whom; `model` may be used by every room of the product. Arrows point inwards: a line is added here only
/// together with the reason in `runtime/ARCHITECTURE.md`.
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("lifecycle", &[]),
    ("signature", &[]),
    ("journal", &[]),
    ("written", &[]),
    ("manifest", &["written"]),
    ("flow", &["manifest", "written"]),
    ("capability", &[]),
    ("connection", &["signature"]),
    ("egress", &["capability", "connection", "lifecycle"]),
    ("store", &["journal"]),
    ("store-sled", &["store"]),
    ("engine", &["flow", "store", "lifecycle", "manifest"]),
    ("host", &["engine", "egress", "manifest", "capability", "connection"]),
    ("ingress", &["engine", "signature", "lifecycle"]),
    ("api", &["engine", "lifecycle", "store"]),
    (
        "server",
        &[
            "api",
            "capability",
            "connection",
            "egress",
            "engine",
            "flow",
            "host",
            "ingress",
            "journal",
            "lifecycle",
            "manifest",
            "signature",
            "store",
            "store-sled",
            "written",
        ],
    ),
    ("explain", &["written"]),
    ("toolchain", &["manifest"]),
    ("artefact", &["manifest"]),
    ("types", &[]),
    // A plugin's tests run in the real host, behind the real gate: a room of its own, because neither may know of tests.
    ("kit", &["capability", "connection", "egress", "engine", "host", "lifecycle", "manifest", "written"]),
    ("xtask", &["manifest"]),
    // What every plugin must keep to is no business of those who write cases for one.
    ("conformance", &["connection", "egress", "engine", "flow", "host", "kit", "manifest"]),
    (
        "cli",
        &[
            "api",
            "artefact",
            "conformance",
            "connection",
            "explain",
            "flow",
            "host",
            "kit",
            "lifecycle",
            "manifest",
            "server",
            "store",
            "toolchain",
            "types",
        ],
    ),
    ("weir-sdk", &[]),
    ("standin", &[]),
    ("contract", &[]),
    ("odd-modules", &[]),
    ("bench", &["standin", "signature", "lifecycle"]),
    // What a call costs inside is no business of `bench`, which knows Weir from outside: a program of its own measures it.
    ("sandbox", &["bench", "connection", "egress", "engine", "host", "lead-mapper", "lifecycle", "weir-sdk"]),
    ("e2e", &["standin", "bench", "lifecycle", "manifest", "signature"]),
];

/// Crates of others that only one room may name, and what to do instead.
const ALONE: &[(&str, &str, &str)] = &[
    ("wasmtime", "host", "the engine knows plugins only by its traits PluginCaller and PluginAdmin"),
    ("wasmtime-wasi", "host", "the engine knows plugins only by its traits PluginCaller and PluginAdmin"),
    ("wasmtime-wasi-http", "host", "the engine knows plugins only by its traits PluginCaller and PluginAdmin"),
    ("sled", "store-sled", "use the projection trait of `store`"),
];

pub(super) fn check(workspace: &Workspace) -> anyhow::Result<Vec<Failure>> {
    let mut failures = Vec::new();
    for package in &workspace.packages {
        let manifest = fs::read_to_string(&package.manifest_path)
            .with_context(|| format!("cannot read {}", package.manifest_path.display()))?;
        let file = workspace.shown(&package.manifest_path);
        failures.extend(check_package(package, &file, &manifest));
    }
    Ok(failures)
}

fn check_package(package: &Package, file: &str, manifest: &str) -> Vec<Failure> {
    let failure = |name: &str, message| Failure { file: file.to_owned(), line: line_of(manifest, name), message };
    let Some(allowed) = allowed(package, file) else {
        let message = format!(
            "`{}` is not in the table of arrows in runtime/xtask/src/tidy/arrows.rs; add it with the rooms it may use",
            package.name
        );
        return vec![failure(&package.name, message)];
    };
    // What tests alone use makes no arrow; Cargo refuses circles anyhow.
    let built = package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
    let mut failures: Vec<Failure> = built
        .filter(|dependency| dependency.path.is_some() && !allowed.contains(&dependency.name.as_str()))
        .map(|dependency| {
            let message = format!(
                "`{}` may not use `{}`, only: {}; turn the arrow round with a trait, or move the code",
                package.name,
                dependency.name,
                if allowed.is_empty() { "nothing of ours".to_owned() } else { allowed.join(", ") }
            );
            failure(&dependency.name, message)
        })
        .collect();
    for (outside, owner, instead) in ALONE {
        if package.name != *owner && package.dependencies.iter().any(|dependency| dependency.name == *outside) {
            failures.push(failure(outside, format!("only `{owner}` names `{outside}`; {instead}")));
        }
    }
    failures
}

fn allowed(package: &Package, file: &str) -> Option<Vec<&'static str>> {
    if file.starts_with("plugins/") || file.starts_with("tests/guests/") {
        return Some(vec!["weir-sdk"]);
    }
    let (_, allowed) = ARROWS.iter().find(|(name, _)| *name == package.name)?;
    let model = (package.name != "model" && package.name != "weir-sdk").then_some("model");
    Some(model.into_iter().chain(allowed.iter().copied()).collect())
}

/// The line on which the manifest first names a key, or its first line.
fn line_of(manifest: &str, key: &str) -> usize {
    let names = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    manifest.lines().position(names).map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, dependencies: &[(&str, bool)]) -> Package {
        let dependency = |(name, ours): &(&str, bool)| Dependency {
            name: (*name).to_owned(),
            kind: None,
            path: ours.then(|| format!("runtime/{name}").into()),
        };
        Package {
            name: name.to_owned(),
            license: None,
            source: None,
            manifest_path: format!("runtime/{name}/Cargo.toml").into(),
            dependencies: dependencies.iter().map(dependency).collect(),
            targets: Vec::new(),
        }
    }

    fn messages(package: &Package, manifest: &str) -> Vec<String> {
        let failures = check_package(package, "runtime/x/Cargo.toml", manifest);
        failures.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_arrow_that_is_not_in_the_table_is_named_with_its_line() {
        let store = package("store", &[("model", true), ("engine", true), ("serde", false)]);
        let manifest = "[dependencies]\nmodel.workspace = true\nengine = { path = \"../engine\" }\n";
        let expected = "runtime/x/Cargo.toml:3: `store` may not use `engine`, only: model, journal; \
                        turn the arrow round with a trait, or move the code";
        assert_eq!(messages(&store, manifest), [expected]);
    }

    #[test]
    fn a_crate_that_one_room_owns_is_refused_elsewhere() {
        assert_eq!(messages(&package("store-sled", &[("sled", false)]), ""), [""; 0]);
        let found = messages(&package("store", &[("sled", false)]), "sled.workspace = true\n");
        assert_eq!(
            found,
            ["runtime/x/Cargo.toml:1: only `store-sled` names `sled`; use the projection trait of `store`"]
        );
    }

    #[test]
    fn a_new_room_needs_a_line_in_the_table() {
        assert_eq!(messages(&package("attic", &[]), "").len(), 1);
    }
}
