use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

const CONNECT_WITHIN: Duration = Duration::from_secs(15);
/// A component of the largest size over a slow line.
const ANSWER_WITHIN: Duration = Duration::from_secs(300);
/// A blob may lie with somebody else, who may have moved it once.
const REDIRECTS_MAX: usize = 5;

/// Sends requests, each on a connection of its own: there are few, and most are small.
pub(super) struct Wire {
    tls: Option<TlsConnector>,
    /// The one machine to which requests may go without TLS.
    plain: Option<Host>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The other side does not speak TLS.
    NoTls(String),
    /// The answer has more bytes than this.
    TooLarge(u64),
    /// Anything else.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTls(reason) | Self::Other(reason) => f.write_str(reason),
            Self::TooLarge(bytes_max) => write!(f, "an answer of more than {bytes_max} bytes"),
        }
    }
}

/// An answer, whole.
pub(super) struct Answer {
    /// Who gave it, behind all that led there.
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Wire {
    /// With TLS alone.
    pub(super) fn new() -> Self {
        Self { tls: connector(), plain: None }
    }

    /// From now on requests may go to the host of this URL without TLS: a registry that has none, and nobody else to whom
    /// it leads.
    pub(super) fn allow_plain(&mut self, url: &Url) {
        self.plain = url.host().map(|host| host.to_owned());
    }

    fn may_be_plain(&self, url: &Url) -> bool {
        let host = url.host().map(|host| host.to_owned());
        let is_named = self.plain.is_some() && self.plain == host;
        is_named || self.plain.as_ref().is_some_and(is_this_machine) && host.as_ref().is_some_and(is_this_machine)
    }

    /// Sends a request and reads the answer; what only asks follows where it is sent.
    pub(super) async fn send(
        &self,
        url: &Url,
        method: Method,
        headers: &HeaderMap,
        body: Bytes,
        bytes_max: u64,
    ) -> Result<Answer, Failure> {
        let (mut url, mut headers) = (url.clone(), headers.clone());
        for _ in 0..=REDIRECTS_MAX {
            let sent = self.send_once(&url, &method, &headers, body.clone(), bytes_max);
            let answer = tokio::time::timeout(ANSWER_WITHIN, sent).await;
            let late = |_| Failure::Other(format!("no answer within {} s", ANSWER_WITHIN.as_secs()));
            let answer = answer.map_err(late)??;
            let location = answer.headers.get(LOCATION).and_then(|location| location.to_str().ok());
            let (true, true, Some(location)) = (answer.status.is_redirection(), method == Method::GET, location) else {
                return Ok(answer);
            };
            let next = url.join(location).map_err(|error| Failure::Other(format!("it leads to no URL: {error}")))?;
            if next.origin() != url.origin() {
                headers.remove(AUTHORIZATION);
            }
            url = next;
        }
        Err(Failure::Other(format!("it leads on more than {REDIRECTS_MAX} times")))
    }

    async fn send_once(
        &self,
        url: &Url,
        method: &Method,
        headers: &HeaderMap,
        body: Bytes,
        bytes_max: u64,
    ) -> Result<Answer, Failure> {
        let other = |what: &str, error: &dyn fmt::Display| Failure::Other(format!("{what}: {error}"));
        if url.scheme() != "https" && !(url.scheme() == "http" && self.may_be_plain(url)) {
            return Err(Failure::Other(format!("`{url}` is not asked: {} is not safe", url.scheme())));
        }
        let host = url.host().ok_or_else(|| Failure::Other(format!("`{url}` has no host")))?;
        let port = url.port_or_known_default().unwrap_or(443);
        let address = host.to_string();
        let connect = TcpStream::connect((address.trim_matches(['[', ']']), port));
        let stream = tokio::time::timeout(CONNECT_WITHIN, connect).await;
        let stream = stream.map_err(|late| other("no connection", &late))?;
        let stream = stream.map_err(|error| other("no connection", &error))?;
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = method.clone();
        let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
        *request.uri_mut() = target.parse().map_err(|error| other("no target of a request", &error))?;
        *request.headers_mut() = headers.clone();
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let authority = HeaderValue::from_str(authority).map_err(|error| other("no host", &error))?;
        request.headers_mut().insert(HOST, authority);
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(concat!("weir/", env!("CARGO_PKG_VERSION"))));
        if *method != Method::GET && *method != Method::HEAD {
            request.headers_mut().insert(CONTENT_LENGTH, body.len().into());
        }
        match url.scheme() {
            "https" => exchange(self.handshake(&host, stream).await?, request, url, bytes_max).await,
            _ => exchange(stream, request, url, bytes_max).await,
        }
    }

    async fn handshake(
        &self,
        host: &Host<&str>,
        stream: TcpStream,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin, Failure> {
        let name = match host {
            Host::Domain(name) => ServerName::try_from((*name).to_owned()).map_err(|error| error.to_string()),
            Host::Ipv4(address) => Ok(ServerName::from(IpAddr::V4(*address))),
            Host::Ipv6(address) => Ok(ServerName::from(IpAddr::V6(*address))),
        };
        let name = name.map_err(Failure::Other)?;
        let tls = self.tls.as_ref().ok_or_else(|| Failure::Other("TLS cannot be set up".to_owned()))?;
        let shaken = tokio::time::timeout(CONNECT_WITHIN, tls.connect(name, stream)).await;
        let shaken = shaken.map_err(|_| Failure::Other("no TLS handshake in time".to_owned()))?;
        shaken.map_err(|error| match is_no_tls(&error) {
            true => Failure::NoTls("it does not speak TLS".to_owned()),
            false => Failure::Other(format!("no TLS connection: {error}")),
        })
    }
}

/// Whether a request to it stays on this machine.
pub(super) fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether what answered is not TLS at all, as a server does that speaks HTTP.
fn is_no_tls(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(cause, Some(rustls::Error::InvalidMessage(_)))
}

/// The system's certificate authorities; where `SSL_CERT_FILE` or `SSL_CERT_DIR` names others, those in their place.
fn connector() -> Option<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    Some(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
    url: &Url,
    bytes_max: u64,
) -> Result<Answer, Failure> {
    let broken = |error: &dyn fmt::Display| Failure::Other(format!("the connection broke: {error}"));
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
    let mut answer = pin!(async {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        let (parts, body) = response.into_parts();
        let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let body = Limited::new(body, limit).collect().await.map_err(|error| match error.is::<LengthLimitError>() {
            true => Failure::TooLarge(bytes_max),
            false => broken(&error),
        });
        Ok(Answer { url: url.clone(), status: parts.status, headers: parts.headers, body: body?.to_bytes() })
    });
    let connection = pin!(connection);
    tokio::select! {
        answered = &mut answer => answered,
        // What has come before the connection was closed is still to be read.
        _ = connection => answer.await,
    }
}
