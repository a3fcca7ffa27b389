//! Between the contract's values and the engine's. What comes from a guest is bounded and cleaned here.

use engine::{ActionCall, Receipt};
use model::{Document, Event, Fault, FaultKind, FieldFault, Pairs};

use super::bindings::exports::weir::plugin::actions;
use super::bindings::weir::plugin::types;
use crate::gate::Gate;
use crate::ledger::clean;

/// Characters of a code; it is a word.
const CODE_CHARS_MAX: usize = 128;
/// Characters of a message, of a detail, of a name.
const TEXT_CHARS_MAX: usize = 4 * 1024;
/// Fields at fault, details, pairs of metadata.
const PAIRS_MAX: usize = 256;

type BorrowedPairs<'a> = Vec<(&'a str, &'a str)>;

fn borrow(pairs: &Pairs) -> BorrowedPairs<'_> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// An event with its pairs as the bindings want them.
pub(super) struct OriginPairs<'a> {
    event: &'a Event,
    extensions: BorrowedPairs<'a>,
    transport: BorrowedPairs<'a>,
}

impl<'a> OriginPairs<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        Self { event, extensions: borrow(&event.attributes.extensions), transport: borrow(&event.transport) }
    }

    pub(super) fn origin(&'a self, received: &'a str) -> types::Origin<'a> {
        let attributes = &self.event.attributes;
        types::Origin {
            id: &attributes.id,
            source: &attributes.source,
            kind: &attributes.kind,
            subject: attributes.subject.as_deref(),
            time: attributes.time.as_deref(),
            received,
            schema: attributes.schema.as_deref(),
            extensions: &self.extensions,
            transport: &self.transport,
        }
    }
}

/// A document with its pairs as the bindings want them.
pub(super) struct DocumentPairs<'a> {
    document: &'a Document,
    metadata: BorrowedPairs<'a>,
}

impl<'a> DocumentPairs<'a> {
    pub(super) fn of(document: &'a Document) -> Self {
        Self { document, metadata: borrow(&document.metadata) }
    }

    pub(super) fn document(&'a self) -> types::DocumentParam<'a> {
        types::DocumentParam {
            content_type: &self.document.content_type,
            data: &self.document.data,
            metadata: &self.metadata,
        }
    }
}

pub(super) fn call<'a>(call: &'a ActionCall, input: &'a DocumentPairs<'a>, gate: &'a Gate) -> actions::Call<'a> {
    let (context, connection) = (&call.context, gate.connection());
    actions::Call {
        action: &call.action,
        input: input.document(),
        cursor: call.cursor.as_deref(),
        context: types::Context {
            execution: &context.execution,
            step: &context.step,
            idempotency_key: &context.idempotency_key,
            attempt: context.attempt,
            remaining_ms: u32::try_from(gate.remaining().as_millis()).unwrap_or(u32::MAX),
            connection: &context.connection,
            account: connection.and_then(|connection| connection.account.as_deref()),
            settings: connection.map_or("{}", |connection| &connection.settings),
            extra: &[],
        },
    }
}

pub(super) fn document(document: types::DocumentResult) -> Document {
    Document {
        content_type: text(&document.content_type, TEXT_CHARS_MAX),
        data: document.data.into(),
        metadata: pairs(document.metadata),
    }
}

pub(super) fn receipt(receipt: actions::Receipt) -> Receipt {
    Receipt {
        output: document(receipt.output),
        external_id: receipt.external_id.map(|id| text(&id, TEXT_CHARS_MAX)),
        // A cursor goes back to the plugin as it came: cleaning would break it.
        next: receipt.next,
        metadata: pairs(receipt.metadata),
    }
}

pub(super) fn fault(fault: types::Fault) -> Fault {
    Fault {
        kind: kind(fault.kind),
        code: text(&fault.code, CODE_CHARS_MAX),
        message: text(&fault.message, TEXT_CHARS_MAX),
        retry_after_ms: fault.retry_after_ms,
        fields: fault
            .fields
            .into_iter()
            .take(PAIRS_MAX)
            .map(|field| FieldFault {
                pointer: text(&field.pointer, TEXT_CHARS_MAX),
                message: text(&field.message, TEXT_CHARS_MAX),
            })
            .collect(),
        details: pairs(fault.details),
    }
}

fn kind(kind: types::FaultKind) -> FaultKind {
    match kind {
        types::FaultKind::InvalidInput => FaultKind::InvalidInput,
        types::FaultKind::Unauthorized => FaultKind::Unauthorized,
        types::FaultKind::Forbidden => FaultKind::Forbidden,
        types::FaultKind::NotFound => FaultKind::NotFound,
        types::FaultKind::Conflict => FaultKind::Conflict,
        types::FaultKind::RateLimited => FaultKind::RateLimited,
        types::FaultKind::Unavailable => FaultKind::Unavailable,
        types::FaultKind::Timeout => FaultKind::Timeout,
        types::FaultKind::Rejected => FaultKind::Rejected,
        types::FaultKind::UnknownOutcome => FaultKind::UnknownOutcome,
        types::FaultKind::Internal => FaultKind::Internal,
    }
}

/// Line ends stay: a detail may be a traceback.
fn pairs(pairs: Pairs) -> Pairs {
    let lines = |value: &str| value.lines().map(clean).collect::<Vec<_>>().join("\n");
    pairs
        .into_iter()
        .take(PAIRS_MAX)
        .map(|(name, value)| (text(&name, CODE_CHARS_MAX), truncate(&lines(&value), TEXT_CHARS_MAX)))
        .collect()
}

fn text(text: &str, chars_max: usize) -> String {
    clean(truncate(text, chars_max).as_str())
}

fn truncate(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}
