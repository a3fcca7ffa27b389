//! Between the contract's values and the engine's. What comes from a guest is bounded and cleaned by [`bounds`].

use engine::{ActionCall, Receipt};
use model::{Document, Event, Fault, FaultKind, FieldFault, Pairs};

use super::bindings::exports::weir::plugin::actions;
use super::bindings::weir::plugin::types;
use crate::bounds;
use crate::gate::Gate;

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
    bounds::document(raw_document(document))
}

fn raw_document(document: types::DocumentResult) -> Document {
    let types::DocumentResult { content_type, data, metadata } = document;
    Document { content_type, data: data.into(), metadata }
}

pub(super) fn receipt(receipt: actions::Receipt) -> Receipt {
    let actions::Receipt { output, external_id, next, metadata } = receipt;
    bounds::receipt(Receipt { output: raw_document(output), external_id, next, metadata })
}

pub(super) fn fault(fault: types::Fault) -> Fault {
    let types::Fault { kind: word, code, message, retry_after_ms, fields, details } = fault;
    let field = |types::FieldFault { pointer, message }| FieldFault { pointer, message };
    let fields = fields.into_iter().map(field).collect();
    bounds::fault(Fault { kind: kind(word), code, message, retry_after_ms, fields, details })
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
