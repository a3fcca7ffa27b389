//! Posts messages to Slack: through an incoming webhook, whose path is the secret, or as an app with a token.
//! Start at [`post_message`].

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use weir_sdk::{Call, Fault, FaultKind, Http, Receipt, Request, Response};

/// How long to wait where Slack does not say it; its limit is about a message a second.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);

/// A message, as Slack takes it.
#[derive(Debug, Deserialize, Serialize)]
pub struct Message {
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl Message {
    /// Slack takes a message without content for a mistake, and so it is.
    fn check(&self) -> Result<(), Fault> {
        let text = self.fields.get("text").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
        let blocks = self.fields.get("blocks").and_then(Value::as_array).is_some_and(|blocks| !blocks.is_empty());
        if text || blocks {
            return Ok(());
        }
        Err(Fault::invalid_input("the message says nothing").code("no_text").field("/text", "is missing or empty"))
    }
}

/// What `chat.postMessage` answers, with status 200 for failures too.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
}

/// The action `post-webhook`.
///
/// # Errors
/// What Slack refuses, by the word in its answer.
pub fn post_webhook(call: Call<Message>, http: &Http) -> Result<Receipt, Fault> {
    call.input.check()?;
    // The connection's credential has the path as a slot, and adds nothing else.
    let response = http.send(Request::post("/services/{{webhook}}").json(&call.input)?)?;
    if response.is_success() {
        return Receipt::json(&json!({}));
    }
    let word = String::from_utf8_lossy(&response.body).trim().to_owned();
    Err(refusal(&word, &response))
}

/// The action `post-message`.
///
/// # Errors
/// What Slack refuses, by the word in its answer.
pub fn post_message(call: Call<Message>, http: &Http) -> Result<Receipt, Fault> {
    call.input.check()?;
    let channel = call.input.fields.get("channel").and_then(Value::as_str).unwrap_or_default();
    if channel.is_empty() {
        return Err(Fault::invalid_input("the message has no channel").field("/channel", "is missing or empty"));
    }
    let response = http.send(Request::post("/api/chat.postMessage").json(&call.input)?)?.check()?;
    let answer: Answer = response.json()?;
    if !answer.ok {
        return Err(refusal(&answer.error, &response));
    }
    let Answer { channel, ts, .. } = answer;
    Ok(Receipt::json(&json!({ "channel": channel, "ts": ts }))?.with_external_id(format!("{channel}/{ts}")))
}

/// Slack's words for what it refuses. A word that is not known here is judged by the status.
fn refusal(word: &str, response: &Response) -> Fault {
    let kind = match word {
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired" | "invalid_token" => {
            FaultKind::Unauthorized
        }
        "missing_scope"
        | "no_permission"
        | "not_in_channel"
        | "restricted_action"
        | "action_prohibited"
        | "posting_to_general_channel_denied" => FaultKind::Forbidden,
        "channel_not_found" | "user_not_found" | "no_service" | "no_team" | "thread_not_found" => FaultKind::NotFound,
        "is_archived" | "channel_is_archived" | "duplicate_message" => FaultKind::Conflict,
        "no_text"
        | "msg_too_long"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "invalid_payload"
        | "too_many_attachments" => FaultKind::InvalidInput,
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => FaultKind::RateLimited,
        "internal_error" | "service_unavailable" | "request_timeout" => FaultKind::Unavailable,
        _ if response.is_success() => FaultKind::Rejected,
        _ => return response.to_fault(),
    };
    let mut fault = Fault::new(kind, word, format!("Slack says `{word}`"));
    if kind == FaultKind::RateLimited {
        fault.retry_after = Some(response.retry_after().unwrap_or(RETRY_AFTER_DEFAULT));
    }
    fault
}

weir_sdk::connector! {
    actions: { "post-webhook" => post_webhook, "post-message" => post_message },
}
