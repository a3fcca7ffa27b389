use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use egress::{HttpFaultKind, NoAnswer, SentRequest, SentResponse, Transport};
use futures_util::future::BoxFuture;
use kit::Reply;
use serde_json::Value;

/// Stands in for every destination at once: notes what is asked of it, and answers as it was told to.
#[derive(Default)]
pub(crate) struct Destination(Mutex<Script>);

#[derive(Default)]
struct Script {
    replies: Replies,
    seen: Vec<SentRequest>,
}

/// What is answered: one after the other, and the last again and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replies(VecDeque<Reply>);

impl From<Reply> for Replies {
    fn from(reply: Reply) -> Self {
        Self(VecDeque::from([reply]))
    }
}

impl FromIterator<Reply> for Replies {
    fn from_iter<I: IntoIterator<Item = Reply>>(replies: I) -> Self {
        Self(replies.into_iter().collect())
    }
}

impl Replies {
    fn next(&mut self) -> Reply {
        match self.0.len() {
            0 => status(404),
            1 => self.0[0].clone(),
            _ => self.0.pop_front().unwrap_or_else(|| status(404)),
        }
    }
}

impl Destination {
    /// Begins a call.
    pub(crate) fn begin(&self, replies: Replies) {
        *self.script() = Script { replies, seen: Vec::new() };
    }

    /// Ends it, and gives the requests that passed the gate.
    pub(crate) fn end(&self) -> Vec<SentRequest> {
        std::mem::take(&mut *self.script()).seen
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Destination {
    fn answer<'a>(&'a self, request: &'a SentRequest) -> BoxFuture<'a, Result<SentResponse, NoAnswer>> {
        let mut script = self.script();
        script.seen.push(request.clone());
        let answer = match script.replies.next() {
            Reply::Answer(answer) => Ok(answer),
            Reply::Fault(fault) => Err(fault),
        };
        Box::pin(std::future::ready(answer))
    }
}

/// An answer of which nothing is said but its status.
pub(crate) fn status(status: u16) -> Reply {
    answer(status, &[], Bytes::new())
}

pub(crate) fn json(value: &Value) -> Reply {
    answer(200, &[("content-type", "application/json")], value.to_string().into())
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: Bytes) -> Reply {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Reply::Answer(SentResponse { status, headers, body })
}

/// No answer.
pub(crate) fn none(kind: HttpFaultKind, code: &'static str, message: &str, request_sent: bool) -> Reply {
    Reply::Fault(NoAnswer { kind, code, message: message.to_owned(), request_sent })
}
