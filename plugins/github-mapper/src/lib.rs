//! Makes a flat notification of any GitHub webhook event. There are some sixty kinds of them and GitHub adds more, so
//! nothing here is bound to one shape: what is looked for and not found, or is of another type, stays empty.
//! Start at [`map`].

use serde::Serialize;
use serde_json::Value;
use weir_sdk::{Fault, Mapping, Origin};

/// As much as a chat shows of a message.
const TEXT_CHARS_MAX: usize = 2_000;

/// What people want to hear of an event.
#[derive(Debug, Serialize)]
pub struct Notification {
    kind: String,
    action: String,
    repository: String,
    sender: String,
    title: String,
    url: String,
    text: String,
}

/// What an event can be about, where the kind does not say it; the most telling first.
const SUBJECTS: &[&str] = &[
    "issue",
    "pull_request",
    "discussion",
    "release",
    "alert",
    "workflow_run",
    "workflow_job",
    "check_run",
    "check_suite",
    "deployment",
    "package",
    "registry_package",
    "project_card",
    "project_column",
    "project",
    "milestone",
    "rule",
    "key",
    "forkee",
    "build",
    "hook",
    "team",
    "member",
    "membership",
    "blocked_user",
    "label",
    "merge_group",
    "repository",
    "organization",
];

/// What is said about the subject.
const REMARKS: &[&str] = &["comment", "review", "answer"];

const TITLES: &[&str] =
    &["title", "display_title", "name", "tag_name", "full_name", "summary", "login", "environment", "status", "type"];
const URLS: &[&str] = &["html_url", "target_url", "url"];
const TEXTS: &[&str] = &["body", "description", "note", "message"];

/// The mapper.
///
/// # Errors
/// None for anything that is JSON.
pub fn map(mapping: Mapping<Value>) -> Result<Notification, Fault> {
    let event = &mapping.input;
    let kind = kind_of(&mapping.origin);
    let subject = subject_of(event, &kind);
    let remark = REMARKS.iter().map(|key| &event[*key]).find(|value| value.is_object()).unwrap_or(&Value::Null);
    let action = text(&event["action"]).to_owned();
    let told = tell(event, &kind);
    let title = [told.title, first(subject, TITLES).to_owned()].into_iter().find(|title| !title.trim().is_empty());
    Ok(Notification {
        title: title.unwrap_or_else(|| format!("{kind} {action}").trim().to_owned()),
        url: pick(&[told.url, first(remark, URLS), first(subject, URLS), text(&event["repository"]["html_url"])]),
        text: shorten(&pick(&[told.text, first(remark, TEXTS), first(subject, TEXTS)])),
        repository: pick(&[text(&event["repository"]["full_name"]), text(&event["organization"]["login"])]),
        sender: pick(&[text(&event["sender"]["login"]), text(&event["pusher"]["name"])]),
        kind,
        action,
    })
}

/// The header field says it; an event that came in another way has its own kind.
fn kind_of(origin: &Origin) -> String {
    let header = origin.transport.iter().find(|(name, _)| name == "header.x-github-event");
    header.map_or(&origin.kind, |(_, kind)| kind).clone()
}

/// What the event is about: what lies under its kind, or whatever there is.
fn subject_of<'e>(event: &'e Value, kind: &str) -> &'e Value {
    let keys = std::iter::once(kind).chain(SUBJECTS.iter().copied());
    keys.map(|key| &event[key]).find(|value| value.is_object()).unwrap_or(&Value::Null)
}

/// What is told in another way than by a subject.
#[derive(Default)]
struct Told<'e> {
    title: String,
    url: &'e str,
    text: &'e str,
}

fn tell<'e>(event: &'e Value, kind: &str) -> Told<'e> {
    match kind {
        "push" => {
            let commits = event["commits"].as_array().map_or(0, Vec::len);
            let noun = if commits == 1 { "commit" } else { "commits" };
            let title = format!("{commits} {noun} to {}", short_ref(text(&event["ref"])));
            Told { title, url: text(&event["compare"]), text: text(&event["head_commit"]["message"]) }
        }
        "create" | "delete" => {
            let title = format!("{} {}", text(&event["ref_type"]), short_ref(text(&event["ref"])));
            Told { title, text: text(&event["description"]), ..Told::default() }
        }
        "status" => Told {
            title: format!("{} {}", text(&event["context"]), text(&event["state"])),
            url: text(&event["target_url"]),
            text: text(&event["description"]),
        },
        "gollum" => {
            let page = &event["pages"][0];
            Told { title: text(&page["title"]).to_owned(), url: text(&page["html_url"]), text: text(&page["summary"]) }
        }
        "ping" => Told { title: "ping".to_owned(), text: text(&event["zen"]), ..Told::default() },
        "dependabot_alert" => {
            let advisory = &event["alert"]["security_advisory"];
            Told {
                title: text(&advisory["summary"]).to_owned(),
                text: text(&advisory["description"]),
                ..Told::default()
            }
        }
        "code_scanning_alert" => {
            let rule = &event["alert"]["rule"];
            Told { title: text(&rule["description"]).to_owned(), ..Told::default() }
        }
        _ => Told::default(),
    }
}

/// `refs/heads/main` as people say it.
fn short_ref(name: &str) -> &str {
    name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("refs/tags/")).unwrap_or(name)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The first of these fields that says something.
fn first<'e>(value: &'e Value, keys: &[&str]) -> &'e str {
    keys.iter().map(|key| text(&value[*key])).find(|text| !text.trim().is_empty()).unwrap_or_default()
}

fn pick(candidates: &[&str]) -> String {
    candidates.iter().find(|text| !text.trim().is_empty()).map_or_else(String::new, |text| text.trim().to_owned())
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX - 1) {
        Some((end, last)) if end + last.len_utf8() < text.len() => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

weir_sdk::mapper!(map);
