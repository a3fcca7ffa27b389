use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::reply::Reply;

/// Contacts of many tenants, as a SaaS keeps them: the key is a part of the path, the search lags behind, lists come in
/// pages, and every answer tells how much of the rate limit is left.
pub(crate) struct Directory {
    api_key: String,
    search_lag_ms: u64,
    /// By `TENANT/WORKSPACE`.
    workspaces: HashMap<String, Workspace>,
}

/// Contacts in the order in which they were created.
#[derive(Default)]
struct Workspace {
    contacts: Vec<Contact>,
    by_key: HashMap<String, usize>,
}

struct Contact {
    fields: Map<String, Value>,
    /// None: it was there from the start.
    created_ms: Option<u64>,
}

/// A request to the directory, taken apart.
pub(crate) struct DirectoryRequest<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: HashMap<String, String>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    /// Milliseconds since the stand-in was started.
    pub(crate) now_ms: u64,
}

/// What every path begins with; the tenant follows.
pub(crate) const PATHS: &str = "/tenants/";

/// The one tenant that there is.
const TENANT: &str = "acme";

/// Requests a minute. What is left of them never runs out: to be refused, ask for the fault.
const LIMIT: &str = "600";

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// Ids count up from here, the first whole number that a double does not hold.
const FIRST_ID: u64 = (1 << 53) + 1;

impl Directory {
    /// With so many contacts in the workspace `main`, which the search knows already.
    pub(crate) fn new(api_key: &str, search_lag: Duration, contacts: usize) -> Self {
        let contact = |number: usize| {
            let fields =
                json!({ "email": format!("contact{number}@example.com"), "name": format!("Contact {number}") });
            Contact { fields: fields.as_object().cloned().unwrap_or_default(), created_ms: None }
        };
        let main = Workspace { contacts: (1..=contacts).map(contact).collect(), by_key: HashMap::new() };
        let workspaces = HashMap::from([(format!("{TENANT}/main"), main)]);
        let mut directory = Self { api_key: api_key.to_owned(), search_lag_ms: 0, workspaces };
        directory.set_lag(search_lag);
        directory
    }

    pub(crate) fn set_lag(&mut self, search_lag: Duration) {
        self.search_lag_ms = u64::try_from(search_lag.as_millis()).unwrap_or(u64::MAX);
    }

    pub(crate) fn answer(&mut self, request: &DirectoryRequest<'_>) -> Reply {
        let reply = self.route(request);
        reply.with_header("x-ratelimit-limit", LIMIT).with_header("x-ratelimit-remaining", "599")
    }

    fn route(&mut self, request: &DirectoryRequest<'_>) -> Reply {
        let path = request.path.strip_prefix(PATHS).unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        let [tenant, "v2", key, ref rest @ ..] = parts[..] else {
            return refusal(StatusCode::NOT_FOUND, "no_route", "the directory has no such route");
        };
        if tenant != TENANT {
            return refusal(StatusCode::NOT_FOUND, "no_tenant", "there is no such tenant");
        }
        if key != self.api_key {
            return refusal(StatusCode::UNAUTHORIZED, "bad_key", "the key in the path is wrong");
        }
        match (request.method.as_str(), rest) {
            ("GET", ["account"]) => Reply::json(StatusCode::OK, &json!({ "tenant": tenant, "name": "Acme Ltd." })),
            ("POST", ["workspaces", workspace, "contacts"]) => self.create(&format!("{tenant}/{workspace}"), request),
            ("GET", ["workspaces", workspace, "contacts"]) => {
                self.list(&format!("{tenant}/{workspace}"), &request.query)
            }
            ("GET", ["workspaces", workspace, "contacts", "search"]) => {
                self.search(&format!("{tenant}/{workspace}"), request)
            }
            _ => refusal(StatusCode::NOT_FOUND, "no_route", "the directory has no such route"),
        }
    }

    fn create(&mut self, workspace: &str, request: &DirectoryRequest<'_>) -> Reply {
        let Ok(Value::Object(fields)) = serde_json::from_slice(request.body) else {
            return refusal(StatusCode::BAD_REQUEST, "malformed", "the body must be a JSON object");
        };
        if !fields.get("email").and_then(Value::as_str).is_some_and(|email| email.contains('@')) {
            let details = json!([{ "field": "email", "problem": "must be an e-mail address" }]);
            let error = json!({ "code": "invalid", "message": "the contact is not valid", "details": details });
            return Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": error }));
        }
        let workspace = self.workspaces.entry(workspace.to_owned()).or_default();
        let key = request.headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
        if let Some(&index) = key.as_ref().and_then(|key| workspace.by_key.get(key)) {
            return Reply::json(StatusCode::OK, &workspace.shown(index));
        }
        let index = workspace.contacts.len();
        workspace.contacts.push(Contact { fields, created_ms: Some(request.now_ms) });
        workspace.by_key.extend(key.map(|key| (key, index)));
        Reply::json(StatusCode::CREATED, &workspace.shown(index)).with_effect()
    }

    /// Finds by any field what is old enough, and says for how long something younger will not be found.
    fn search(&self, workspace: &str, request: &DirectoryRequest<'_>) -> Reply {
        let known_ms = |contact: &Contact| {
            contact.created_ms.map_or(0, |created_ms| created_ms.saturating_add(self.search_lag_ms))
        };
        let workspace = self.workspaces.get(workspace);
        let contacts = workspace.map(|workspace| &workspace.contacts[..]).unwrap_or_default();
        let is_known = |contact: &Contact| known_ms(contact) <= request.now_ms;
        let matches = |contact: &Contact| {
            request.query.iter().all(|(name, value)| contact.fields.get(name).and_then(Value::as_str) == Some(value))
        };
        let found: Vec<Value> = (0..contacts.len())
            .filter(|&index| is_known(&contacts[index]) && matches(&contacts[index]))
            .filter_map(|index| workspace.map(|workspace| workspace.shown(index)))
            .take(PAGE_MAX)
            .collect();
        let lag_ms = contacts.iter().map(|contact| known_ms(contact).saturating_sub(request.now_ms)).max().unwrap_or(0);
        Reply::json(StatusCode::OK, &json!({ "contacts": found, "lag_ms": lag_ms }))
    }

    fn list(&self, workspace: &str, query: &HashMap<String, String>) -> Reply {
        let workspace = self.workspaces.get(workspace);
        let count = workspace.map_or(0, |workspace| workspace.contacts.len());
        let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
        let Ok(start) = query.get("cursor").map_or(Ok(0), |cursor| cursor.trim_start_matches("p_").parse::<usize>())
        else {
            return refusal(StatusCode::BAD_REQUEST, "bad_cursor", "`cursor` is no cursor of this list");
        };
        let end = (start + limit).min(count);
        let page: Vec<Value> =
            (start..end).filter_map(|index| workspace.map(|workspace| workspace.shown(index))).collect();
        let next = (end < count).then(|| format!("p_{end}"));
        Reply::json(StatusCode::OK, &json!({ "contacts": page, "next_cursor": next }))
    }
}

impl Workspace {
    fn shown(&self, index: usize) -> Value {
        let mut shown = Map::from_iter([("id".to_owned(), json!(FIRST_ID + index as u64))]);
        shown.extend(self.contacts[index].fields.clone());
        Value::Object(shown)
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": { "code": code, "message": message } }))
}
