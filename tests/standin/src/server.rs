use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::chat::Chat;
use crate::crm::{Crm, CrmRequest};
use crate::directory::{self, Directory, DirectoryRequest};
use crate::faults::{Fault, Faults};
use crate::ledger::{Entry, Ledger, Seen, Service, Summary};
use crate::reply::Reply;

/// Called with the body of every request that had an effect, before it is answered.
pub type Observer = Arc<dyn Fn(Service, &Bytes) + Send + Sync>;

/// How the stand-ins are set up.
#[derive(Clone)]
pub struct Config {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The CRM's API key.
    pub crm_api_key: String,
    /// The secret path of the chat's incoming webhook; begins with `/services/`.
    pub chat_webhook_path: String,
    /// The chat's bearer token.
    pub chat_token: String,
    /// The directory's key, which is a part of its paths.
    pub directory_key: String,
    /// How long the directory's search does not find a new contact.
    pub directory_lag: Duration,
    /// How many contacts the directory has from the start.
    pub directory_contacts: usize,
    /// How many requests are kept with their bodies; the counts go on for ever.
    pub entries_max: usize,
    /// Misbehaviour from the start.
    pub faults: BTreeMap<Service, Faults>,
    /// Sees every effect.
    pub observer: Option<Observer>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            crm_api_key: "crm-key-for-tests".to_owned(),
            chat_webhook_path: "/services/T0000/B0000/webhook-secret-for-tests".to_owned(),
            chat_token: "chat-token-for-tests".to_owned(),
            directory_key: "directory-key-for-tests".to_owned(),
            directory_lag: Duration::from_millis(300),
            directory_contacts: 0,
            entries_max: 10_000,
            faults: BTreeMap::new(),
            observer: None,
        }
    }
}

/// The stand-ins, running. They stop when this is dropped.
pub struct Standin {
    address: SocketAddr,
    state: Arc<State>,
    _accepting: JoinSet<()>,
}

struct State {
    config: Config,
    ledger: Mutex<Ledger>,
    crm: Mutex<Crm>,
    chat: Mutex<Chat>,
    directory: Mutex<Directory>,
    faults: Mutex<BTreeMap<Service, Faults>>,
    requests: AtomicU64,
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the stand-in closed the connection on purpose")
    }
}

impl std::error::Error for Closed {}

const BODY_BYTES_MAX: usize = 64 << 20;

impl Standin {
    /// Starts listening. Gives the error of the listening socket.
    pub async fn start(config: Config) -> std::io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let directory = Directory::new(&config.directory_key, config.directory_lag, config.directory_contacts);
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            ledger: Mutex::new(Ledger::new(config.entries_max)),
            faults: Mutex::new(config.faults.clone()),
            crm: Mutex::default(),
            chat: Mutex::default(),
            directory: Mutex::new(directory),
            requests: AtomicU64::new(0),
            config,
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, state.clone()));
        Ok(Self { address, state, _accepting: accepting })
    }

    /// Where the stand-ins listen.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Milliseconds since the stand-ins were started: the clock of [`Entry::at_ms`].
    pub fn now_ms(&self) -> u64 {
        lock(&self.state.ledger).now_ms()
    }

    /// What each service has seen.
    pub fn summary(&self) -> BTreeMap<Service, Summary> {
        lock(&self.state.ledger).summary()
    }

    /// The last requests, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        lock(&self.state.ledger).entries()
    }

    /// Changes how long the directory's search does not find a new contact.
    pub fn set_directory_lag(&self, lag: Duration) {
        lock(&self.state.directory).set_lag(lag);
    }

    /// Changes how a service misbehaves.
    pub fn set_faults(&self, service: Service, faults: Faults) {
        lock(&self.state.faults).insert(service, faults);
    }
}

/// Accepts for ever; connections end with the task.
async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, state.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    // Without it, small answers wait for the acknowledgement of the ones before.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(state.clone(), request));
    // An error is a client that went away or a connection closed on purpose: both are in the ledger.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Closed> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| Closed)?.to_bytes();
    match service_of(parts.uri.path()) {
        Some(service) => state.serve(service, &parts, body).await,
        None => Ok(state.control(&parts, &body).into_response()),
    }
}

fn service_of(path: &str) -> Option<Service> {
    if path.starts_with("/crm/v3/contacts") {
        Some(Service::Crm)
    } else if path.starts_with("/services/") || path == "/api/chat.postMessage" {
        Some(Service::Chat)
    } else if path.starts_with(directory::PATHS) {
        Some(Service::Directory)
    } else if path.starts_with("/sink") {
        Some(Service::Sink)
    } else {
        None
    }
}

impl State {
    async fn serve(&self, service: Service, parts: &Parts, body: Bytes) -> Result<Response<Full<Bytes>>, Closed> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let faults = lock(&self.faults).get(&service).copied().unwrap_or_default();
        let fault = faults.pick(number);
        let reply = match fault {
            Some(Fault::Unavailable) => Some(Reply::text(StatusCode::SERVICE_UNAVAILABLE, "unavailable on purpose")),
            Some(Fault::RateLimited) => {
                let reply = Reply::text(StatusCode::TOO_MANY_REQUESTS, "too many requests on purpose");
                let seconds = faults.retry_after_s.max(1).to_string();
                let reply = reply.with_header("x-ratelimit-remaining", "0").with_header("x-ratelimit-reset", &seconds);
                Some(reply.with_header("retry-after", seconds))
            }
            Some(Fault::DropRequest) => None,
            Some(Fault::DropAnswer | Fault::Slow) | None => Some(self.act(service, parts, &body)),
        };
        let effect = reply.as_ref().is_some_and(|reply| reply.effect);
        if let (true, Some(observer)) = (effect, &self.config.observer) {
            observer(service, &body);
        }
        let answered = reply.filter(|_| fault != Some(Fault::DropAnswer));
        lock(&self.ledger).enter(Seen {
            service,
            method: parts.method.to_string(),
            path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            key: parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned),
            status: answered.as_ref().map(|reply| reply.status.as_u16()),
            effect,
            fault,
            body,
        });
        // At the end: what was asked is done, even if whoever asked does not live to hear of it.
        if fault == Some(Fault::Slow) {
            tokio::time::sleep(Duration::from_millis(faults.slow_ms)).await;
        }
        answered.map(Reply::into_response).ok_or(Closed)
    }

    fn act(&self, service: Service, parts: &Parts, body: &[u8]) -> Reply {
        let path = parts.uri.path();
        match service {
            Service::Crm => {
                let request = CrmRequest {
                    method: &parts.method,
                    rest: path.strip_prefix("/crm/v3/contacts").unwrap_or_default(),
                    query: query_of(parts),
                    headers: &parts.headers,
                    body,
                };
                lock(&self.crm).answer(&request, &self.config.crm_api_key)
            }
            Service::Chat if path.starts_with("/services/") => {
                lock(&self.chat).webhook(path, &self.config.chat_webhook_path, body)
            }
            Service::Chat => lock(&self.chat).post_message(&parts.headers, &self.config.chat_token, body),
            Service::Directory => {
                let request = DirectoryRequest {
                    method: &parts.method,
                    path,
                    query: query_of(parts),
                    headers: &parts.headers,
                    body,
                    now_ms: lock(&self.ledger).now_ms(),
                };
                lock(&self.directory).answer(&request)
            }
            Service::Sink => Reply::json(StatusCode::OK, &serde_json::json!({ "ok": true })).with_effect(),
        }
    }

    fn control(&self, parts: &Parts, body: &[u8]) -> Reply {
        let json = |value: serde_json::Result<serde_json::Value>| match value {
            Ok(value) => Reply::json(StatusCode::OK, &value),
            Err(_) => Reply::text(StatusCode::INTERNAL_SERVER_ERROR, "cannot be written as JSON"),
        };
        match (parts.method.as_str(), parts.uri.path()) {
            ("GET", "/_standin/summary") => json(serde_json::to_value(lock(&self.ledger).summary())),
            ("GET", "/_standin/requests") => json(serde_json::to_value(lock(&self.ledger).entries())),
            ("POST", "/_standin/faults") => match serde_json::from_slice::<BTreeMap<Service, Faults>>(body) {
                Ok(faults) => {
                    lock(&self.faults).extend(faults);
                    Reply::text(StatusCode::OK, "ok")
                }
                Err(_) => Reply::text(StatusCode::BAD_REQUEST, "faults look like {\"crm\": {\"unavailable\": 0.1}}"),
            },
            _ => Reply::text(StatusCode::NOT_FOUND, "the stand-in has no such route"),
        }
    }
}

/// The parameters of the query, decoded.
fn query_of(parts: &Parts) -> HashMap<String, String> {
    form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
