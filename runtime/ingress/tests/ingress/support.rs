use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use engine::{Acceptance, Answer, Incoming, Intake, Refused};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::Method;
use ingress::{Config, Decode, DedupeRule, Ingress, IngressHandle, Limits, Reply, Route, Tls};
use lifecycle::{ManualClock, Shutdown, ShutdownTrigger, Tasks};
use model::EventId;
use signature::{Scheme, TOLERANCE, Verifier};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};

/// The time that the tests take place at.
pub(crate) const NOW_SECONDS: u64 = 1_795_397_672;

/// Longer than anything here takes, so that a fault ends a test instead of hanging it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// An engine that keeps what it is given and answers as told.
#[derive(Default)]
pub(crate) struct FakeIntake {
    pub(crate) seen: Mutex<Vec<Incoming>>,
    pub(crate) refuse: Mutex<Option<Refused>>,
    pub(crate) answer: Mutex<Option<Answer>>,
    /// With it, each event waits for a permit before it is accepted.
    pub(crate) gate: Mutex<Option<Arc<Semaphore>>>,
    pub(crate) arrived: watch::Sender<usize>,
    keys: Mutex<HashMap<(String, String), (EventId, bytes::Bytes)>>,
}

impl Intake for FakeIntake {
    fn accept(&self, incoming: Incoming) -> BoxFuture<'_, Result<Acceptance, Refused>> {
        async move {
            self.arrived.send_modify(|arrived| *arrived += 1);
            let gate = self.gate.lock().unwrap().clone();
            if let Some(gate) = gate {
                gate.acquire().await.unwrap().forget();
            }
            if let Some(refused) = self.refuse.lock().unwrap().clone() {
                return Err(refused);
            }
            if let Some(dedupe) = &incoming.dedupe {
                let key = (dedupe.source.clone(), dedupe.key.clone());
                let new = (incoming.event.id, incoming.event.data.clone());
                let mut keys = self.keys.lock().unwrap();
                let (first, data) = keys.entry(key).or_insert(new);
                if *first != incoming.event.id {
                    let same = *data == incoming.event.data;
                    let repeat = Acceptance { event: *first, repeat: true };
                    return if same { Ok(repeat) } else { Err(Refused::Differs { first: *first }) };
                }
            }
            let event = incoming.event.id;
            self.seen.lock().unwrap().push(incoming);
            Ok(Acceptance { event, repeat: false })
        }
        .boxed()
    }

    fn answer(&self, _: EventId, _: Duration) -> BoxFuture<'_, Option<Answer>> {
        async { self.answer.lock().unwrap().clone() }.boxed()
    }
}

/// A room that runs.
pub(crate) struct Running {
    pub(crate) handle: IngressHandle,
    pub(crate) intake: Arc<FakeIntake>,
    pub(crate) trigger: ShutdownTrigger,
    pub(crate) tasks: Tasks,
    pub(crate) ended: watch::Receiver<bool>,
}

impl Running {
    pub(crate) fn address(&self) -> SocketAddr {
        self.handle.address()
    }

    /// Sends bytes on a connection of their own and gives the answer up to the end of the connection, what changes from
    /// run to run blotted out.
    pub(crate) async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(request.as_ref()).await.unwrap();
        blot(&read_to_end(&mut stream).await)
    }

    /// The events that were accepted since the last time.
    pub(crate) fn take_seen(&self) -> Vec<Incoming> {
        std::mem::take(&mut *self.intake.seen.lock().unwrap())
    }

    pub(crate) fn take_one(&self) -> Incoming {
        let mut seen = self.take_seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }
}

pub(crate) async fn start(routes: Vec<Route>) -> Running {
    start_with(routes, Limits::default(), None).await
}

pub(crate) async fn start_with(routes: Vec<Route>, limits: Limits, tls: Option<Tls>) -> Running {
    let intake = Arc::new(FakeIntake::default());
    let clock = Arc::new(ManualClock::at(UNIX_EPOCH + Duration::from_secs(NOW_SECONDS)));
    let config = Config { address: ([127, 0, 0, 1], 0).into(), tls, limits };
    let (ingress, handle) = Ingress::build(config, intake.clone(), clock).await.unwrap();
    handle.set_routes(routes).unwrap();
    let (trigger, shutdown): (_, Shutdown) = ShutdownTrigger::new();
    let (end, ended) = watch::channel(false);
    let tasks = Tasks::default();
    tasks.spawn("ingress", async move {
        ingress.run(shutdown).await;
        end.send_replace(true);
    });
    Running { handle, intake, trigger, tasks, ended }
}

/// A route for JSON by POST from anybody, of at most 1 KiB.
pub(crate) fn route(path: &str) -> Route {
    Route {
        path: path.to_owned(),
        methods: vec![Method::POST],
        source: path.trim_start_matches('/').to_owned(),
        verifier: None,
        decode: Decode::Json,
        reply: Reply::Async,
        body_bytes_max: 1024,
        dedupe: DedupeRule::None,
        kind_header: None,
    }
}

pub(crate) fn by_sender_id() -> DedupeRule {
    DedupeRule::SenderId { window: Duration::from_secs(3600) }
}

/// The same route, verified with the secret `hush`.
pub(crate) fn verified(scheme: Scheme, route: Route) -> Route {
    Route { verifier: Some(Verifier::new(scheme, [&b"hush"[..]], TOLERANCE).unwrap()), ..route }
}

/// A POST over HTTP/1.1 that ends its connection. `fields` are lines of the header.
pub(crate) fn post(path: &str, fields: &[&str], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut request =
        format!("POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for field in fields {
        request.push_str(field);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let mut request = request.into_bytes();
    request.extend_from_slice(body);
    request
}

pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("the connection ends").expect("it ends in order");
    String::from_utf8(answer).unwrap()
}

/// Takes out the date and the random part of ids, and reads line ends as they are written here.
pub(crate) fn blot(answer: &str) -> String {
    let lines = answer.split("\r\n").filter(|line| !line.starts_with("date: "));
    let mut text = lines.collect::<Vec<_>>().join("\n");
    let mut from = 0;
    while let Some(found) = text[from..].find("evt_") {
        let start = from + found + "evt_".len();
        // The first ten digits are the time, which stands still here.
        text.replace_range(start + 10..start + 26, "…");
        from = start;
    }
    text
}
