//! Real servers on loopback addresses, a resolver that a test controls, and a gate between them.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use capability::{Grant, GrantText, HttpRuleText};
use connection::{Connection, Credential, Secret};
use egress::{Auth, Config, Egress, HttpFault, Limits, Request, Resolver, Response};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lifecycle::{SystemClock, Tasks};
use model::RequestRecord;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// A secret in every test, so that every record and fault can be searched for it.
pub(crate) const SECRET: &str = "s3cret-Key/42+x";

/// What a server saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Which connection, counted from 0.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a text"))
    }
}

pub(crate) type Answer = http::Response<Full<Bytes>>;

/// A server that notes everything it is sent.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    accepted: Arc<AtomicUsize>,
    _tasks: Tasks,
}

impl Server {
    /// A well-behaved server.
    pub(crate) async fn answering(ip: &str, answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let (seen, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let noted = seen.clone();
        let server = Self::raw(ip, move |stream, connection| {
            serve_http(TokioIo::new(stream), connection, noted.clone(), answer.clone())
        });
        Self { seen, ..server.await }
    }

    /// A server that does what it likes with each connection.
    pub(crate) async fn raw<F>(ip: &str, serve: impl Fn(TcpStream, usize) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::raw_at(ip, 0, serve).await
    }

    /// The same at a port of the test's choice.
    pub(crate) async fn raw_at<F>(ip: &str, port: u16, serve: impl Fn(TcpStream, usize) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((ip, port)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (tasks, accepted) = (Tasks::default(), Arc::new(AtomicUsize::new(0)));
        let (spawner, counter) = (tasks.clone(), accepted.clone());
        tasks.spawn("accept", async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let connection = counter.fetch_add(1, Ordering::SeqCst);
                spawner.spawn("serve", serve(stream, connection));
            }
        });
        Self { address, seen: Arc::default(), accepted, _tasks: tasks }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// How many connections have been made to it.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// `http://HOST:PORT/PATH` with the server's port.
    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.address.port())
    }
}

/// Serves HTTP/1.1 on a stream.
pub(crate) async fn serve_http<S, A>(io: TokioIo<S>, connection: usize, seen: Arc<Mutex<Vec<Seen>>>, answer: Arc<A>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: Fn(&Seen) -> Answer + Send + Sync + 'static,
{
    let service = service_fn(|request: http::Request<Incoming>| {
        let (seen, answer) = (seen.clone(), answer.clone());
        async move {
            let (head, body) = request.into_parts();
            let noted = Seen {
                connection,
                method: head.method.to_string(),
                target: head.uri.to_string(),
                headers: head.headers,
                body: body.collect().await?.to_bytes(),
            };
            let response = answer(&noted);
            seen.lock().expect("no panic").push(noted);
            Ok::<_, hyper::Error>(response)
        }
    });
    // A client may leave at any time.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
}

pub(crate) fn ok(body: impl Into<Bytes>) -> Answer {
    http::Response::new(Full::new(body.into()))
}

pub(crate) fn status(status: u16, headers: &[(&str, &str)]) -> Answer {
    let mut answer = ok("");
    *answer.status_mut() = status.try_into().expect("a status");
    for (name, value) in headers {
        let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
        answer.headers_mut().append(name, value.parse().expect("a value"));
    }
    answer
}

/// Reads a request without a body from a raw connection; none if the other end has left.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(text).expect("a text"))
}

/// Gives the answers of a script: the n-th query for a name gets the n-th list, the last one for ever.
#[derive(Default)]
pub(crate) struct Names {
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    queries: AtomicUsize,
}

impl Names {
    pub(crate) fn set(&self, host: &str, answers: &[&[&str]]) {
        let parsed = answers.iter().map(|list| list.iter().map(|ip| ip.parse().expect("an address")).collect());
        self.answers.lock().expect("no panic").insert(host.to_owned(), parsed.collect());
    }

    /// From now on no query for this name is answered.
    pub(crate) fn hang(&self, host: &str) {
        self.set(host, &[]);
    }

    pub(crate) fn queries(&self) -> usize {
        self.queries.load(Ordering::SeqCst)
    }
}

impl Resolver for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().expect("no panic");
        let Some(script) = answers.get_mut(host) else {
            return Box::pin(async { Err(io::ErrorKind::NotFound.into()) });
        };
        if script.is_empty() {
            return Box::pin(std::future::pending());
        }
        let answer = if script.len() > 1 { script.remove(0) } else { script[0].clone() };
        Box::pin(async { Ok(answer) })
    }
}

/// A gate whose names are `a.test`, `b.test` and `c.test`, all of them 127.0.0.1.
pub(crate) struct Bench {
    pub(crate) egress: Egress,
    pub(crate) names: Arc<Names>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let names = Arc::new(Names::default());
        for host in ["a.test", "b.test", "c.test"] {
            names.set(host, &[&["127.0.0.1"]]);
        }
        let config = Config { system_roots: false, resolver: names.clone(), ..config };
        let egress = Egress::build(config, Arc::new(SystemClock)).expect("a gate");
        Self { egress, names }
    }

    /// Sends, and makes sure that nothing that comes out of it holds the secret.
    pub(crate) async fn send(&self, request: Request) -> (Result<Response, HttpFault>, RequestRecord) {
        let sent = self.egress.send(request).await;
        assert_hidden(&format!("{sent:?}"));
        if let Ok(response) = &sent.0 {
            assert_hidden(&String::from_utf8_lossy(&response.body));
        }
        sent
    }

    pub(crate) async fn fault(&self, request: Request) -> HttpFault {
        let url = request.url.clone();
        self.send(request).await.0.expect_err(&url)
    }

    pub(crate) async fn response(&self, request: Request) -> Response {
        let url = request.url.clone();
        let (answer, record) = self.send(request).await;
        answer.unwrap_or_else(|fault| panic!("{url}: {fault:?}, {record:?}"))
    }
}

/// The secret occurs in no form that this program makes of it by hand.
pub(crate) fn assert_hidden(text: &str) {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(SECRET);
    for form in [SECRET.to_owned(), base64, hex::encode(SECRET), "s3cret-Key%2F42%2Bx".to_owned()] {
        assert!(!text.contains(&form), "a secret shows: {text}");
    }
}

/// A grant for everything at these origins, and for 127.0.0.1 only.
pub(crate) fn grant(plugin: &str, origins: &[&str]) -> Arc<Grant> {
    let methods = ["GET", "HEAD", "POST", "PUT", "DELETE"].map(str::to_owned).to_vec();
    let rule = |origin: &&str| HttpRuleText {
        origin: (*origin).to_owned(),
        methods: methods.clone(),
        paths: vec!["/*".to_owned()],
    };
    let text = GrantText { http: origins.iter().map(rule).collect(), private_networks: vec!["127.0.0.1".to_owned()] };
    Arc::new(Grant::parse(plugin, &text).expect("a grant"))
}

/// A connection with these origins, for every plugin of the tests.
pub(crate) fn connection(name: &str, origins: &[&str], credential: Credential) -> Arc<Connection> {
    let mut connection = Connection::new(name);
    connection.base_url = origins.first().map(|origin| (*origin).to_owned());
    connection.origins = origins.iter().map(|origin| origin.parse().expect("an origin")).collect();
    connection.credential = credential;
    connection.plugins = vec!["crm".to_owned(), "chat".to_owned()];
    Arc::new(connection)
}

pub(crate) fn bearer() -> Credential {
    Credential::Bearer { secret: Secret::new(SECRET) }
}

/// A request by plugin `crm` that is granted everything at the URL's origin.
pub(crate) fn get(url: &str) -> Request {
    let path = url.find("://").and_then(|at| url[at + 3..].find('/').map(|end| at + 3 + end)).unwrap_or(url.len());
    Request {
        grant: grant("crm", &[&url[..path]]),
        connection: None,
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: Bytes::new(),
        auth: Auth::Default,
        limits: Limits::default(),
    }
}

pub(crate) fn post(url: &str, body: &'static str) -> Request {
    Request { method: "POST".to_owned(), body: Bytes::from_static(body.as_bytes()), ..get(url) }
}

/// Long enough for a real answer never to exceed it, short enough to wait for.
pub(crate) const SHORT: Duration = Duration::from_millis(60);
