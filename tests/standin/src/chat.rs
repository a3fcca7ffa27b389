use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use crate::reply::Reply;

/// Messages that were posted: how many; the ledger holds what they said.
#[derive(Default)]
pub(crate) struct Chat {
    posted: u64,
}

impl Chat {
    /// An incoming webhook, as Slack answers it: plain text, and `403` for a path that is not the secret one.
    pub(crate) fn webhook(&mut self, path: &str, secret_path: &str, body: &[u8]) -> Reply {
        if path != secret_path {
            return Reply::text(StatusCode::FORBIDDEN, "invalid_token");
        }
        match serde_json::from_slice::<Value>(body) {
            Err(_) => Reply::text(StatusCode::BAD_REQUEST, "invalid_payload"),
            Ok(message) if !has_content(&message) => Reply::text(StatusCode::BAD_REQUEST, "no_text"),
            Ok(_) => {
                self.posted += 1;
                Reply::text(StatusCode::OK, "ok").with_effect()
            }
        }
    }

    /// `chat.postMessage`, as Slack answers it: `200` even for errors, which are named in the body.
    pub(crate) fn post_message(&mut self, headers: &HeaderMap, token: &str, body: &[u8]) -> Reply {
        let authorised = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|given| given == token);
        if !authorised {
            return error("invalid_auth");
        }
        let Ok(message) = serde_json::from_slice::<Value>(body) else { return error("invalid_json") };
        let Some(channel) = message["channel"].as_str().filter(|channel| !channel.is_empty()) else {
            return error("channel_not_found");
        };
        if !has_content(&message) {
            return error("no_text");
        }
        self.posted += 1;
        let ts = format!("{:010}.{:06}", 1_700_000_000 + self.posted / 1_000_000, self.posted % 1_000_000);
        Reply::json(StatusCode::OK, &json!({ "ok": true, "channel": channel, "ts": ts, "message": message }))
            .with_effect()
    }
}

fn has_content(message: &Value) -> bool {
    message["text"].as_str().is_some_and(|text| !text.is_empty()) || message["blocks"].is_array()
}

fn error(code: &str) -> Reply {
    Reply::json(StatusCode::OK, &json!({ "ok": false, "error": code }))
}
