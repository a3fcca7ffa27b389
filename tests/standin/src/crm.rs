use std::collections::HashMap;

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::reply::Reply;

/// Contacts, in the order in which they were created. Ids count from `c1`.
#[derive(Default)]
pub(crate) struct Crm {
    contacts: Vec<Map<String, Value>>,
    by_email: HashMap<String, usize>,
    by_key: HashMap<String, Created>,
}

/// What a key was used for: the same key with another body is refused.
struct Created {
    contact: usize,
    body: Value,
}

/// A request to the CRM, taken apart.
pub(crate) struct CrmRequest<'a> {
    pub(crate) method: &'a Method,
    /// What follows `/crm/v3/contacts`: empty, or `/ID`.
    pub(crate) rest: &'a str,
    pub(crate) query: HashMap<String, String>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

impl Crm {
    pub(crate) fn answer(&mut self, request: &CrmRequest<'_>, api_key: &str) -> Reply {
        if request.headers.get("x-api-key").is_none_or(|given| given.as_bytes() != api_key.as_bytes()) {
            return refusal(StatusCode::UNAUTHORIZED, "unauthorized", "the API key is missing or wrong");
        }
        let id = request.rest.strip_prefix('/');
        match (request.method.as_str(), id) {
            ("POST", None) => self.create(request),
            ("GET", None) if request.query.contains_key("email") => self.find(&request.query["email"]),
            ("GET", None) => self.list(&request.query),
            ("GET", Some(id)) => match self.index_of(id) {
                Some(index) => self.shown(StatusCode::OK, index),
                None => refusal(StatusCode::NOT_FOUND, "not_found", "there is no such contact"),
            },
            ("PATCH", Some(id)) => self.update(id, request.body),
            _ => refusal(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "contacts know GET, POST and PATCH"),
        }
    }

    fn create(&mut self, request: &CrmRequest<'_>) -> Reply {
        let contact = match read_contact(request.body) {
            Ok(contact) => contact,
            Err(refusal) => return *refusal,
        };
        let Some(email) = contact.get("email").and_then(Value::as_str).filter(|email| email.contains('@')) else {
            let fields = json!([{ "pointer": "/email", "message": "must be an e-mail address" }]);
            let body = json!({ "code": "invalid", "message": "the contact is not valid", "fields": fields });
            return Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &body);
        };
        let key = request.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
        let body = Value::Object(contact.clone());
        if let Some(created) = key.and_then(|key| self.by_key.get(key)) {
            if created.body != body {
                let message = "the idempotency key was used with another body";
                return refusal(StatusCode::UNPROCESSABLE_ENTITY, "key_reused", message);
            }
            return self.shown(StatusCode::OK, created.contact).with_header("idempotent-replayed", "true");
        }
        if let Some(existing) = self.by_email.get(email) {
            let body =
                json!({ "code": "conflict", "message": "a contact has this e-mail address", "id": id_of(*existing) });
            return Reply::json(StatusCode::CONFLICT, &body);
        }
        let index = self.contacts.len();
        self.by_email.insert(email.to_owned(), index);
        if let Some(key) = key {
            self.by_key.insert(key.to_owned(), Created { contact: index, body });
        }
        self.contacts.push(contact);
        self.shown(StatusCode::CREATED, index).with_effect()
    }

    fn update(&mut self, id: &str, body: &[u8]) -> Reply {
        let Some(index) = self.index_of(id) else {
            return refusal(StatusCode::NOT_FOUND, "not_found", "there is no such contact");
        };
        match read_contact(body) {
            Ok(changes) => {
                self.contacts[index].extend(changes);
                self.shown(StatusCode::OK, index).with_effect()
            }
            Err(refusal) => *refusal,
        }
    }

    fn find(&self, email: &str) -> Reply {
        let found: Vec<Value> = self.by_email.get(email).map(|index| self.contact(*index)).into_iter().collect();
        Reply::json(StatusCode::OK, &json!({ "results": found }))
    }

    fn list(&self, query: &HashMap<String, String>) -> Reply {
        let limit = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
        let start = match query.get("after").map(|after| self.index_of(after)) {
            None => 0,
            Some(Some(after)) => after + 1,
            Some(None) => return refusal(StatusCode::BAD_REQUEST, "bad_cursor", "`after` is no cursor of this list"),
        };
        let end = (start + limit).min(self.contacts.len());
        let page: Vec<Value> = (start..end).map(|index| self.contact(index)).collect();
        let next = (end < self.contacts.len()).then(|| id_of(end - 1));
        Reply::json(StatusCode::OK, &json!({ "results": page, "next": next }))
    }

    fn shown(&self, status: StatusCode, index: usize) -> Reply {
        Reply::json(status, &self.contact(index))
    }

    fn contact(&self, index: usize) -> Value {
        let mut shown = Map::from_iter([("id".to_owned(), Value::String(id_of(index)))]);
        shown.extend(self.contacts[index].clone());
        Value::Object(shown)
    }

    fn index_of(&self, id: &str) -> Option<usize> {
        let number: usize = id.strip_prefix('c')?.parse().ok()?;
        number.checked_sub(1).filter(|index| *index < self.contacts.len())
    }
}

fn id_of(index: usize) -> String {
    format!("c{}", index + 1)
}

/// The object in the body without its id, which the CRM gives.
fn read_contact(body: &[u8]) -> Result<Map<String, Value>, Box<Reply>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(mut contact)) => {
            contact.shift_remove("id");
            Ok(contact)
        }
        _ => Err(Box::new(refusal(StatusCode::BAD_REQUEST, "malformed", "the body must be a JSON object"))),
    }
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "code": code, "message": message }))
}
