//! Tests that run natively, without WebAssembly and without a network: the plugin's functions as Weir would call them, and
//! a script of the requests that they may make.
//!
//! ```
//! # use serde_json::{Value, json};
//! # use weir_sdk::{Call, Fault, Http, Request, connector};
//! # fn ping(_: Call<Value>, http: &Http) -> Result<Value, Fault> { http.send(Request::get("/ping"))?.check()?.json() }
//! # connector! { actions: { "ping" => ping } }
//! use weir_sdk::testing::{Reply, Script, call};
//!
//! let script = Script::new().on(Request::get("/ping"), Reply::json(200, &json!({ "ok": true })));
//! let receipt = script.invoke::<Plugin>(call("ping", &json!({}))).expect("an answer");
//! assert_eq!(receipt.output.read::<Value>().expect("JSON"), json!({ "ok": true }));
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use crate::generated::imports::weir::plugin::http::{HttpFault, Response as WireResponse};
use crate::http::{HttpFaultKind, Transport};
use crate::{
    Call, Check, Connector, Context, Document, Fault, FromDocument, Http, Identity, Mapper, Origin, Receipt, Request,
    Settlement, Verify,
};

/// The requests that a test expects, in their order, each with its answer. An unexpected one ends the test, and so does one
/// that was expected and not made.
#[derive(Default)]
pub struct Script {
    exchanges: Rc<Exchanges>,
}

#[derive(Default)]
struct Exchanges(RefCell<VecDeque<(Request, Reply)>>);

/// A scripted answer.
#[derive(Clone, Debug)]
pub struct Reply(Result<WireResponse, HttpFault>);

impl Script {
    /// One that expects no request.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more expected request. Its method, URL, credential and body must be the same, JSON by value; of
    /// the header fields those that are written here must be there.
    #[must_use]
    pub fn on(self, request: Request, reply: Reply) -> Self {
        self.exchanges.0.borrow_mut().push_back((request, reply));
        self
    }

    /// A client that follows the script.
    pub fn http(&self) -> Http {
        Http::new(self.exchanges.clone())
    }

    /// Carries an action out against the script.
    ///
    /// # Errors
    /// As the action's.
    pub fn invoke<P: Connector>(&self, call: Call<Document>) -> Result<Receipt, Fault> {
        P::invoke(call, &self.http())
    }

    /// Settles a call against the script.
    ///
    /// # Errors
    /// As the plugin's.
    pub fn verify<P: Verify>(&self, call: Call<Document>) -> Result<Settlement, Fault> {
        P::verify(call, &self.http())
    }

    /// Tests a connection against the script.
    ///
    /// # Errors
    /// As the plugin's.
    pub fn check<P: Check>(&self) -> Result<Identity, Fault> {
        P::check(&context(), &self.http())
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let left = self.exchanges.0.borrow();
        let missing: Vec<String> =
            left.iter().map(|(request, _)| format!("{} {}", request.method, request.url)).collect();
        assert!(missing.is_empty() || std::thread::panicking(), "expected and not made: {}", missing.join(", "));
    }
}

impl Transport for Exchanges {
    fn send_all(&self, requests: Vec<Request>) -> Vec<Result<WireResponse, HttpFault>> {
        requests.into_iter().map(|request| self.answer(&request)).collect()
    }
}

impl Exchanges {
    fn answer(&self, request: &Request) -> Result<WireResponse, HttpFault> {
        let next = self.0.borrow_mut().pop_front();
        let Some((expected, reply)) = next else { panic!("unexpected request: {request:#?}") };
        assert_eq!((&request.method, &request.url), (&expected.method, &expected.url), "another request");
        assert_eq!(request.auth, expected.auth, "credential of {} {}", request.method, request.url);
        for (name, value) in &expected.headers {
            let found = request.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
            assert_eq!(found.map(|(_, value)| value), Some(value), "header field {name} of {}", request.url);
        }
        match (serde_json::from_slice::<Value>(&request.body), serde_json::from_slice::<Value>(&expected.body)) {
            (Ok(sent), Ok(expected)) => assert_eq!(sent, expected, "body of {} {}", request.method, request.url),
            _ => assert_eq!(
                String::from_utf8_lossy(&request.body),
                String::from_utf8_lossy(&expected.body),
                "body of {} {}",
                request.method,
                request.url
            ),
        }
        reply.0.map(|response| WireResponse { url: request.url.clone(), ..response })
    }
}

impl Reply {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self(Ok(WireResponse { status, url: String::new(), headers: Vec::new(), body: Vec::new() }))
    }

    /// An answer of JSON.
    ///
    /// # Panics
    /// If the value cannot be written as JSON.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("the body can be written as JSON");
        Self::status(status).header("content-type", "application/json").body(body)
    }

    /// No answer.
    pub fn fault(kind: HttpFaultKind, request_sent: bool) -> Self {
        let message = format!("scripted: {kind:?}");
        Self(Err(HttpFault { kind, code: "scripted".to_owned(), message, request_sent }))
    }

    /// The same with one more header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(response) = &mut self.0 {
            response.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        self
    }

    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        if let Ok(response) = &mut self.0 {
            response.body = body.into();
        }
        self
    }
}

impl Document {
    /// Reads it as a plugin would.
    ///
    /// # Errors
    /// It is not JSON, or does not fit.
    pub fn read<T: FromDocument>(&self) -> Result<T, Fault> {
        T::from_document(self.clone())
    }
}

/// Maps a document, as of an event of kind `test`.
///
/// # Errors
/// As the mapper's.
pub fn transform<P: Mapper>(input: Document) -> Result<Vec<Document>, Fault> {
    P::transform(origin("test"), input, "{}")
}

/// Maps a value as JSON, and reads each of the documents.
///
/// # Errors
/// As the mapper's.
pub fn transform_json<P: Mapper>(input: &impl Serialize) -> Result<Vec<Value>, Fault> {
    transform::<P>(Document::json(input)?)?.iter().map(Document::read).collect()
}

/// Where an event of that kind may have come from.
pub fn origin(kind: &str) -> Origin {
    Origin {
        id: "1".to_owned(),
        source: "/test".to_owned(),
        kind: kind.to_owned(),
        subject: None,
        time: None,
        received: "2026-11-23T00:00:00.000Z".to_owned(),
        schema: None,
        extensions: Vec::new(),
        transport: Vec::new(),
    }
}

/// A call of an action, with key `key-1`.
///
/// # Panics
/// If the input cannot be written as JSON.
pub fn call(action: &str, input: &impl Serialize) -> Call<Document> {
    let input = Document::json(input).expect("the input can be written as JSON");
    Call { action: action.to_owned(), input, cursor: None, context: context() }
}

/// The circumstances of a first attempt, with key `key-1`.
pub fn context() -> Context {
    Context {
        execution: "exe_00000000000000000000000000-0".to_owned(),
        step: "step".to_owned(),
        idempotency_key: "key-1".to_owned(),
        attempt: 1,
        remaining_ms: 30_000,
        connection: "test".to_owned(),
        account: None,
        settings: "{}".to_owned(),
        extra: Vec::new(),
    }
}
