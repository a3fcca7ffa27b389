//! What comes from a plugin is bounded and cleaned before the engine sees it.

use engine::Receipt;
use model::{Document, Fault, FieldFault, Pairs};

use crate::ledger::clean;

/// Characters of a code; it is a word.
const CODE_CHARS_MAX: usize = 128;
/// Characters of a message, of a detail, of a name.
const TEXT_CHARS_MAX: usize = 4 * 1024;
/// Fields at fault, details, pairs of metadata.
const PAIRS_MAX: usize = 256;

pub(crate) fn document(document: Document) -> Document {
    let Document { content_type, data, metadata } = document;
    Document { content_type: text(&content_type), data, metadata: pairs(metadata) }
}

pub(crate) fn receipt(receipt: Receipt) -> Receipt {
    Receipt {
        output: document(receipt.output),
        external_id: receipt.external_id.map(|id| text(&id)),
        // A cursor goes back to the plugin as it came: cleaning would break it.
        next: receipt.next,
        metadata: pairs(receipt.metadata),
    }
}

pub(crate) fn fault(fault: Fault) -> Fault {
    let fields = fault.fields.into_iter().take(PAIRS_MAX);
    Fault {
        kind: fault.kind,
        code: code(&fault.code),
        message: text(&fault.message),
        retry_after_ms: fault.retry_after_ms,
        fields: fields
            .map(|field| FieldFault { pointer: text(&field.pointer), message: text(&field.message) })
            .collect(),
        details: pairs(fault.details),
    }
}

/// Line ends stay: a detail may be a traceback.
fn pairs(pairs: Pairs) -> Pairs {
    let lines = |value: &str| value.lines().map(clean).collect::<Vec<_>>().join("\n");
    pairs
        .into_iter()
        .take(PAIRS_MAX)
        .map(|(name, value)| (code(&name), truncate(&lines(&value), TEXT_CHARS_MAX)))
        .collect()
}

fn code(text: &str) -> String {
    clean(&truncate(text, CODE_CHARS_MAX))
}

fn text(text: &str) -> String {
    clean(&truncate(text, TEXT_CHARS_MAX))
}

fn truncate(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}
