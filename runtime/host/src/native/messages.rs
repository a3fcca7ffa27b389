//! What is said between the host and a plugin's process. Values are those of the contract, in JSON: records are objects with
//! the contract's names in snake_case, a variant or a result is `{"tag": …, "val": …}`, an enum its word, bytes are base64
//! (RFC 4648, section 4), and an option without a value is null.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use egress::{Auth, Response};
use engine::{ActionCall, Receipt, Settlement, TransformCall};
use model::{Document, Fault, LogLevel, Pairs};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::bounds;
use crate::gate::{Gate, HttpAnswer, HttpAsk};

/// What the host says: a call, or the answers to what a call has sent.
#[derive(Debug, Serialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
pub(crate) enum Ask<'a> {
    Transform(Transform<'a>),
    Invoke(Call<'a>),
    Verify(Call<'a>),
    Answers(Vec<Answer>),
}

impl<'a> Ask<'a> {
    pub(crate) fn transform(call: &'a TransformCall) -> Self {
        let attributes = &call.event.attributes;
        let origin = Origin {
            id: &attributes.id,
            source: &attributes.source,
            kind: &attributes.kind,
            subject: attributes.subject.as_deref(),
            time: attributes.time.as_deref(),
            received: call.event.received.to_string(),
            schema: attributes.schema.as_deref(),
            extensions: &attributes.extensions,
            transport: &call.event.transport,
        };
        Self::Transform(Transform { origin, input: (&call.input).into(), options: &call.options })
    }

    pub(crate) fn invoke(call: &'a ActionCall, gate: &'a Gate) -> Self {
        Self::Invoke(Call::of(call, gate))
    }

    pub(crate) fn verify(call: &'a ActionCall, gate: &'a Gate) -> Self {
        Self::Verify(Call::of(call, gate))
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Transform<'a> {
    origin: Origin<'a>,
    input: DocumentOut<'a>,
    options: &'a str,
}

#[derive(Debug, Serialize)]
struct Origin<'a> {
    id: &'a str,
    source: &'a str,
    kind: &'a str,
    subject: Option<&'a str>,
    time: Option<&'a str>,
    received: String,
    schema: Option<&'a str>,
    extensions: &'a Pairs,
    transport: &'a Pairs,
}

#[derive(Debug, Serialize)]
struct DocumentOut<'a> {
    content_type: &'a str,
    #[serde(serialize_with = "to_base64")]
    data: &'a Bytes,
    metadata: &'a Pairs,
}

impl<'a> From<&'a Document> for DocumentOut<'a> {
    fn from(document: &'a Document) -> Self {
        let Document { content_type, data, metadata } = document;
        Self { content_type, data, metadata }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Call<'a> {
    action: &'a str,
    input: DocumentOut<'a>,
    cursor: Option<&'a str>,
    context: Context<'a>,
}

#[derive(Debug, Serialize)]
struct Context<'a> {
    execution: &'a str,
    step: &'a str,
    idempotency_key: &'a str,
    attempt: u32,
    remaining_ms: u32,
    connection: &'a str,
    account: Option<&'a str>,
    settings: &'a str,
    extra: [(); 0],
}

impl<'a> Call<'a> {
    fn of(call: &'a ActionCall, gate: &'a Gate) -> Self {
        let (context, connection) = (&call.context, gate.connection());
        Self {
            action: &call.action,
            input: (&call.input).into(),
            cursor: call.cursor.as_deref(),
            context: Context {
                execution: &context.execution,
                step: &context.step,
                idempotency_key: &context.idempotency_key,
                attempt: context.attempt,
                remaining_ms: u32::try_from(gate.remaining().as_millis()).unwrap_or(u32::MAX),
                connection: &context.connection,
                account: connection.and_then(|connection| connection.account.as_deref()),
                settings: connection.map_or("{}", |connection| &connection.settings),
                extra: [],
            },
        }
    }
}

/// How a request ended.
#[derive(Debug, Serialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
pub(crate) enum Answer {
    Ok(ResponseOut),
    Err(HttpFaultOut),
}

#[derive(Debug, Serialize)]
pub(crate) struct ResponseOut {
    status: u16,
    url: String,
    headers: Pairs,
    #[serde(serialize_with = "to_base64")]
    body: Bytes,
}

#[derive(Debug, Serialize)]
pub(crate) struct HttpFaultOut {
    kind: &'static str,
    code: String,
    message: String,
    request_sent: bool,
}

impl From<HttpAnswer> for Answer {
    fn from(answer: HttpAnswer) -> Self {
        match answer {
            Ok(Response { status, url, headers, body }) => Self::Ok(ResponseOut { status, url, headers, body }),
            Err(fault) => Self::Err(HttpFaultOut {
                kind: fault.kind.as_str(),
                code: fault.code.to_owned(),
                message: fault.message,
                request_sent: fault.request_sent,
            }),
        }
    }
}

/// What a process says.
#[derive(Debug)]
pub(crate) enum Said {
    /// It has started, and can be called.
    Ready(Ready),
    Log(Log),
    /// The call wants these sent, side by side.
    Send(Vec<HttpAsk>),
    /// The call has ended: `ok` with what it gave, or `err` with a fault.
    Returned(Returned),
}

#[derive(Debug, Deserialize)]
pub(crate) struct Ready {
    /// The version of the contract that its SDK speaks, without the patch level.
    pub(crate) contract: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Log {
    pub(crate) level: LogLevel,
    pub(crate) message: String,
    pub(crate) fields: Pairs,
}

/// Read when it is known what was called.
#[derive(Debug)]
pub(crate) struct Returned(Box<RawValue>);

#[derive(Deserialize)]
struct Tagged {
    tag: String,
    #[serde(default)]
    val: Option<Box<RawValue>>,
}

impl Tagged {
    fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.val.as_ref().map_or("null", |val| val.get()))
    }

    fn unknown(&self) -> serde_json::Error {
        serde_json::Error::custom(format!("`{}` means nothing here", self.tag))
    }
}

impl Said {
    pub(crate) fn read(text: &[u8]) -> serde_json::Result<Self> {
        let tagged: Tagged = serde_json::from_slice(text)?;
        Ok(match tagged.tag.as_str() {
            "ready" => Self::Ready(tagged.read()?),
            "log" => Self::Log(tagged.read()?),
            "send" => Self::Send(tagged.read::<Vec<RequestIn>>()?.into_iter().map(HttpAsk::from).collect()),
            "returned" => Self::Returned(Returned(tagged.read()?)),
            _ => return Err(tagged.unknown()),
        })
    }
}

impl Returned {
    pub(crate) fn documents(&self) -> serde_json::Result<Result<Vec<Document>, Fault>> {
        self.read(|documents: Vec<DocumentIn>| {
            documents.into_iter().map(|each| bounds::document(each.into())).collect()
        })
    }

    pub(crate) fn receipt(&self) -> serde_json::Result<Result<Receipt, Fault>> {
        self.read(|receipt: ReceiptIn| bounds::receipt(receipt.into()))
    }

    pub(crate) fn settlement(&self) -> serde_json::Result<Result<Settlement, Fault>> {
        self.read(|settlement: SettlementIn| match settlement {
            SettlementIn::Happened(receipt) => Settlement::Happened(bounds::receipt(receipt.into())),
            SettlementIn::Absent => Settlement::Absent,
            SettlementIn::Undecided(again_ms) => {
                Settlement::Undecided(again_ms.map(|ms| Duration::from_millis(ms.into())))
            }
        })
    }

    fn read<W: DeserializeOwned, T>(&self, own: impl FnOnce(W) -> T) -> serde_json::Result<Result<T, Fault>> {
        let tagged: Tagged = serde_json::from_str(self.0.get())?;
        match tagged.tag.as_str() {
            "ok" => Ok(Ok(own(tagged.read()?))),
            "err" => Ok(Err(bounds::fault(tagged.read()?))),
            _ => Err(tagged.unknown()),
        }
    }
}

#[derive(Deserialize)]
struct DocumentIn {
    content_type: String,
    #[serde(deserialize_with = "from_base64")]
    data: Bytes,
    metadata: Pairs,
}

impl From<DocumentIn> for Document {
    fn from(document: DocumentIn) -> Self {
        let DocumentIn { content_type, data, metadata } = document;
        Self { content_type, data, metadata }
    }
}

#[derive(Deserialize)]
struct ReceiptIn {
    output: DocumentIn,
    external_id: Option<String>,
    next: Option<String>,
    metadata: Pairs,
}

impl From<ReceiptIn> for Receipt {
    fn from(receipt: ReceiptIn) -> Self {
        let ReceiptIn { output, external_id, next, metadata } = receipt;
        Self { output: output.into(), external_id, next, metadata }
    }
}

#[derive(Deserialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum SettlementIn {
    Happened(ReceiptIn),
    Absent,
    Undecided(Option<u32>),
}

#[derive(Deserialize)]
struct RequestIn {
    method: String,
    url: String,
    headers: Pairs,
    #[serde(deserialize_with = "from_base64")]
    body: Bytes,
    auth: AuthIn,
}

#[derive(Deserialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum AuthIn {
    Default,
    Named(String),
    Anonymous,
}

impl From<RequestIn> for HttpAsk {
    fn from(request: RequestIn) -> Self {
        let RequestIn { method, url, headers, body, auth } = request;
        let auth = match auth {
            AuthIn::Default => Auth::Default,
            AuthIn::Named(name) => Auth::Named(name),
            AuthIn::Anonymous => Auth::Anonymous,
        };
        Self { method, url, headers, body, auth }
    }
}

fn to_base64<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64_STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    BASE64_STANDARD.decode(text).map(Bytes::from).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use model::FaultKind;

    use super::*;

    fn said(text: &str) -> Result<Said, String> {
        Said::read(text.as_bytes()).map_err(|error| error.to_string())
    }

    fn returned(text: &str) -> Returned {
        let message = format!(r#"{{"tag":"returned","val":{text}}}"#);
        match said(&message) {
            Ok(Said::Returned(returned)) => returned,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_call_gave_is_read_as_what_was_called() {
        let document = r#"{"content_type":"text/plain","data":"aGk=","metadata":[["row","1"]]}"#;
        let documents = returned(&format!(r#"{{"tag":"ok","val":[{document}]}}"#)).documents();
        let documents = documents.expect("is read").expect("is no fault");
        assert_eq!((&*documents[0].data, documents[0].metadata.len()), (&b"hi"[..], 1));
        let receipt = format!(r#"{{"output":{document},"external_id":"7","next":null,"metadata":[]}}"#);
        let read = returned(&format!(r#"{{"val":{receipt},"tag":"ok"}}"#)).receipt().expect("is read");
        assert_eq!(read.expect("is no fault").external_id.as_deref(), Some("7"));
        let settled = |val: &str| returned(&format!(r#"{{"tag":"ok","val":{val}}}"#)).settlement();
        assert_eq!(settled(r#"{"tag":"absent"}"#).expect("is read"), Ok(Settlement::Absent));
        let later = Settlement::Undecided(Some(Duration::from_millis(250)));
        assert_eq!(settled(r#"{"tag":"undecided","val":250}"#).expect("is read"), Ok(later));
        assert_eq!(settled(r#"{"tag":"undecided","val":null}"#).expect("is read"), Ok(Settlement::Undecided(None)));
        assert!(settled(&format!(r#"{{"tag":"happened","val":{receipt}}}"#)).expect("is read").is_ok());
        assert!(returned(r#"{"tag":"ok","val":[]}"#).receipt().is_err(), "documents are no receipt");
    }

    #[test]
    fn a_fault_is_cleaned_as_that_of_a_component() {
        let fault = r#"{"kind":"rate-limited","code":"c\u001b[2J","message":"wait\nhere","retry_after_ms":5,
            "fields":[{"pointer":"/a","message":"m"}],"details":[["at","a.py:1\nb.py:2"]]}"#;
        let fault = returned(&format!(r#"{{"tag":"err","val":{fault}}}"#)).documents().expect("is read");
        let fault = fault.expect_err("is a fault");
        assert_eq!((fault.kind, fault.retry_after_ms), (FaultKind::RateLimited, Some(5)));
        assert_eq!((fault.code.as_str(), fault.message.as_str()), ("c[2J", "wait here"));
        assert_eq!(fault.details[0].1, "a.py:1\nb.py:2");
    }

    #[test]
    fn what_means_nothing_is_told() {
        assert!(said(r#"{"tag":"reday","val":{}}"#).expect_err("is unknown").contains("`reday` means nothing here"));
        assert!(said("no JSON").is_err());
        assert!(said(r#"{"tag":"send","val":[{"method":"GET"}]}"#).expect_err("lacks the rest").contains("url"));
    }
}
