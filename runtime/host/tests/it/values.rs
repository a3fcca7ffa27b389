//! Guests that lie about what lies where in their memory.

use std::sync::Arc;
use std::time::Duration;

use engine::{PluginCaller, Settlement, TransformCall};
use host::{Limits, PluginSettings};
use model::{Document, Fault, FaultKind};

use crate::destination::Destination;
use crate::support::{
    Set, action_call, connector_manifest, core_guest, fault, granting, mapper_manifest, set, transform_call,
};

fn limits() -> Limits {
    Limits { cpu: Duration::from_millis(200), ..Limits::default() }
}

async fn lying(name: &str) -> Set {
    let set = set();
    set.install_good().await;
    let settings = PluginSettings { limits: limits(), ..PluginSettings::default() };
    set.install("bad", core_guest(name, &mapper_manifest("1.0.0")), &settings).await;
    set
}

#[track_caller]
fn check(lie: &str, fault: &Fault, code: &str, about: &str) {
    assert_eq!((fault.code.as_str(), fault.kind), (code, FaultKind::Internal), "{lie}: {fault}");
    assert!(fault.message.contains(about), "{lie}: {fault}");
}

/// One lie told to the host, with an innocent plugin beside it.
async fn told(set: &Set, lie: &str, call: TransformCall, code: &str, about: &str) {
    let host = set.host.clone();
    let called = set.beside(lie, 256, async move { host.transform(call).await }).await.expect("is served");
    check(lie, fault(&called), code, about);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_be_read_breaks_the_contract() {
    let set = lying("invalid-values").await;
    for (lie, input, code, about) in [
        ("neither answer nor fault", "a", "weir.contract", "invalid expected discriminant"),
        ("a kind beyond the last", "b", "weir.contract", "unexpected discriminant: 11"),
        ("the last number as a kind", "c", "weir.contract", "unexpected discriminant: 255"),
        ("neither there nor not", "d", "weir.contract", "invalid option discriminant"),
        ("a list outside memory", "e", "weir.contract", "list pointer/length out of bounds of memory"),
        ("a list that overflows", "f", "weir.contract", "list pointer/length out of bounds of memory"),
        ("a list at an odd address", "g", "weir.contract", "list pointer is not aligned"),
        ("a text that overflows", "h", "weir.contract", "string pointer/length out of bounds of memory"),
        ("bytes outside memory", "i", "weir.contract", "list pointer/length out of bounds of memory"),
        ("pairs at an odd address", "j", "weir.contract", "list pointer is not aligned"),
        ("an answer outside memory", "k", "weir.contract", "pointer out of bounds"),
        ("an odd answer", "l", "weir.contract", "not aligned"),
        ("all of memory many times", "m", "weir.limit.output", "raise `output`"),
        ("a trap afterwards", "n", "weir.trap", "unreachable"),
        ("a loop afterwards", "o", "weir.limit.cpu", "raise `cpu`"),
        ("the host called afterwards", "p", "weir.trap", "cannot leave component instance"),
        ("a level beyond the last", "q", "weir.contract", "unexpected discriminant: 4"),
        ("a line outside memory", "r", "weir.contract", "string pointer/length out of bounds of memory"),
        ("a line that is no text", "s", "weir.contract", "invalid utf-8"),
        ("fields that overflow", "t", "weir.contract", "list pointer/length out of bounds of memory"),
    ] {
        told(&set, lie, transform_call("bad", input, 1), code, about).await;
    }
    // Nothing of what it did is left for the next call.
    let called = set.transform("bad", "{}").await;
    assert_eq!(called.answer, Ok(Vec::<Document>::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_allocator_that_lies_gets_no_arguments() {
    let set = lying("lying-allocator").await;
    for (lie, bytes, code, about) in [
        ("memory outside", 5001, "weir.contract", "beyond end of memory"),
        ("memory at the very end", 5002, "weir.contract", "beyond end of memory"),
        ("memory that overflows", 5003, "weir.contract", "beyond end of memory"),
        ("no memory", 5004, "weir.trap", "unreachable"),
        ("memory never", 5005, "weir.limit.cpu", "raise `cpu`"),
    ] {
        told(&set, lie, transform_call("bad", &"x".repeat(bytes), 1), code, about).await;
    }
    let mut call = transform_call("bad", "[]", 1);
    Arc::make_mut(&mut call.event).transport.push(("path".to_owned(), "/s".to_owned()));
    told(&set, "memory at an odd address", call, "weir.contract", "not aligned").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_receipts_that_cannot_be_read_break_the_contract() {
    let (set, destination) = (set(), Destination::start().await);
    set.install_good().await;
    let component = core_guest("lying-connector", &connector_manifest(&[&destination.origin]));
    set.install("bad", component, &granting(&[&destination.origin], limits())).await;
    for (lie, input, code, about) in [
        ("a credential of no kind", "a", "weir.contract", "unexpected discriminant: 3"),
        ("a method outside memory", "b", "weir.contract", "string pointer/length out of bounds of memory"),
        ("an answer outside memory", "c", "weir.contract", "pointer out of bounds"),
        ("an odd answer", "d", "weir.contract", "not aligned"),
        ("requests that overflow", "e", "weir.contract", "list pointer/length out of bounds of memory"),
        ("all of memory in each", "f", "weir.limit.output", "raise `output`"),
        ("neither there nor not", "g", "weir.contract", "invalid option discriminant"),
    ] {
        let (host, call) = (set.host.clone(), action_call("bad", "look", input));
        let called = set.beside(lie, 256, async move { host.invoke(call).await }).await.expect("is served");
        check(lie, fault(&called), code, about);
    }
    for (lie, input) in [("a settlement that is none", "a"), ("a wait neither there nor not", "b")] {
        let (host, call) = (set.host.clone(), action_call("bad", "look", input));
        let called = set.beside(lie, 256, async move { host.verify(call).await }).await.expect("is served");
        let fault = called.answer.map(|settlement: Settlement| panic!("{lie}: {settlement:?}")).expect_err("a fault");
        assert_eq!((fault.code.as_str(), fault.kind), ("weir.contract", FaultKind::Internal), "{lie}: {fault}");
    }
    assert_eq!(destination.requests(), 0);
}
