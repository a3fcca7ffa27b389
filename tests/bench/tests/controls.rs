//! The load and the controls, against each other: what the bench compares Weir with must work by itself.

use std::sync::Arc;
use std::time::Duration;

use bench::Delivered;
use bench::control::{self, Control};
use bench::events::{Events, SECRET};
use bench::load::{self, Load, Pace, Sent, Until};
use lifecycle::{Clock as _, SystemClock};
use signature::{Scheme, TOLERANCE, Verifier};
use standin::{Config, Service, Standin};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

const EVENTS: u64 = 2_000;

/// Sends events through a control in this process; gives what came of it at both ends.
async fn through(control: Control, pace: Pace) -> (Sent, Delivered) {
    let delivered = Delivered::at(Service::Sink);
    let config = Config { observer: Some(delivered.observer()), ..Config::default() };
    let sink = Standin::start(config).await.unwrap();
    let (tell, told) = oneshot::channel();
    let mut serving = JoinSet::new();
    serving.spawn(control::serve(control, sink.address(), |address| tell.send(address).unwrap()));
    let load = Load {
        target: told.await.unwrap(),
        path: "/".to_owned(),
        events: Arc::new(Events::new(1024).unwrap()),
        first: 0,
        connections: 32,
        pace,
        until: Until::Events(EVENTS),
        insist: false,
        watcher: Some(delivered.watcher()),
    };
    let sent = load::run(load).await;
    let p99 = sent.latencies.quantile(0.99);
    println!("{control:?}, {pace:?}: {:.0} events/s, 99 % within {p99:?}", sent.rate());
    (sent, delivered)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_accepted_and_counted_once() {
    let (sent, _) = through(Control::Accept, Pace::Closed).await;
    assert_eq!((sent.accepted, sent.latencies.len(), sent.broken), (EVENTS, EVENTS, 0));
    assert!(sent.refused.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_forwarded_event_reaches_the_sink_and_is_followed_there() {
    let (sent, delivered) = through(Control::Forward, Pace::Closed).await;
    delivered.wait_for(EVENTS, |_| {}).await.unwrap();
    assert_eq!((sent.accepted, delivered.take().len()), (EVENTS, EVENTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_load_keeps_its_pace() {
    let (sent, _) = through(Control::Accept, Pace::Open(4_000.0)).await;
    assert_eq!(sent.accepted, EVENTS);
    assert!(sent.took >= Duration::from_millis(499), "the last event is due after half a second: {:?}", sent.took);
}

#[test]
fn events_are_signed_as_their_scheme_wants_it() {
    let event = Events::new(256).unwrap().event(7);
    let verifier = Verifier::new(Scheme::StandardWebhooks, [SECRET], TOLERANCE).unwrap();
    assert!(verifier.verify(event.headers.as_slice(), &event.body, SystemClock.now()).is_ok());
    assert!(verifier.verify(event.headers.as_slice(), b"{}", SystemClock.now()).is_err());
}
