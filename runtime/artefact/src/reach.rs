use manifest::{Manifest, Role};

use crate::ArtefactError;

/// What a component can reach, from what it imports and what its manifest asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// In words, what matters most first.
    pub lines: Vec<String>,
    /// Whether it can send requests at all.
    pub http: bool,
}

/// What may be imported, and what comes of it in a sandbox. Of interfaces with the same beginning one line is told.
const INERT: &[(&str, &str)] = &[
    ("weir:plugin/log", "it writes log lines"),
    ("wasi:cli/std", "it prints: what it prints becomes log lines, and its input is empty"),
    ("wasi:cli/environment", "it asks for the environment: there is none"),
    ("wasi:filesystem/", "it asks for files: there are none"),
    ("wasi:random/", "it asks for random numbers: "),
    ("wasi:clocks/", "it asks for the time: "),
];

const HTTP: &[&str] = &["weir:plugin/http", "wasi:http/"];

/// Says what a component can reach, or that its manifest asks for less than that.
///
/// # Errors
/// The component imports what sends requests, and its manifest says that it sends none.
pub fn judge_reach(manifest: &Manifest, imports: &[String]) -> Result<Reach, ArtefactError> {
    let is_mapper = manifest.has(Role::Mapper);
    let sends = imports.iter().find(|import| HTTP.iter().any(|http| import.starts_with(http)));
    if let Some(import) = sends.filter(|_| is_mapper || manifest.http.is_empty()) {
        let (asks, cure) = if is_mapper {
            ("says that it is a mapper, which reaches nothing", "build it without HTTP, or make it a connector")
        } else {
            ("asks to reach nothing", "build it without HTTP, or say in `[[http]]` what it reaches")
        };
        return Err(ArtefactError::Asks { import: import.clone(), asks, cure });
    }
    let mut lines = Vec::new();
    match sends {
        None => lines.push("no network, because it imports nothing that sends requests".to_owned()),
        Some(_) => lines.extend(manifest.http.iter().map(|ask| {
            let origin = match ask.origin.as_str() {
                "connection" => "the origins of its connection",
                origin => origin,
            };
            format!(
                "{origin}: {} on {}, if it is granted ({})",
                ask.methods.join(", "),
                ask.paths.join(", "),
                ask.reason
            )
        })),
    }
    if sends.is_none() && !manifest.http.is_empty() {
        lines.push("its manifest asks for HTTP, which it has no way to use".to_owned());
    }
    for (beginning, words) in
        INERT.iter().filter(|(beginning, _)| imports.iter().any(|name| name.starts_with(beginning)))
    {
        let more = match (*beginning, is_mapper) {
            ("wasi:random/", true) => "they follow from the event, and are the same each time",
            ("wasi:random/", false) => "they are random",
            ("wasi:clocks/", true) => "its clocks stand at the time at which the event was received",
            ("wasi:clocks/", false) => "it reads the clock",
            _ => "",
        };
        lines.push(format!("{words}{more}"));
    }
    Ok(Reach { lines, http: sends.is_some() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatibility::tests::{connector, mapper};

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_manifest_that_asks_for_less_than_the_imports_show_is_refused() {
        let mut manifest = connector();
        let imports = names(&["weir:plugin/http@0.1.0", "weir:plugin/log@0.1.0"]);
        let reach = judge_reach(&manifest, &imports).expect("asks for it");
        assert!(reach.http && reach.lines[0].starts_with("https://api.example.com: GET on /v1/*"), "{reach:?}");
        manifest.http.clear();
        assert_eq!(judge_reach(&manifest, &imports).expect_err("asks for nothing").code(), "weir.artefact.asks");
        assert!(!judge_reach(&manifest, &names(&["weir:plugin/log@0.1.0"])).expect("needs nothing").http);
        let error = judge_reach(&mapper(), &names(&["wasi:http/outgoing-handler@0.2.3"])).expect_err("a mapper");
        assert!(error.to_string().contains("`wasi:http/outgoing-handler@0.2.3`"), "{error}");
    }
}
