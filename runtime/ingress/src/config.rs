use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Where to listen, and within which limits.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// With TLS, if given.
    pub tls: Option<Tls>,
    /// The limits.
    pub limits: Limits,
}

/// What one client, and all of them together, may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time. Further ones wait in the kernel's queue.
    pub connections_max: usize,
    /// From accepting a connection to the first byte of a request; the TLS handshake lies within.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its header.
    pub header: Duration,
    /// From the end of the header to the end of the body.
    pub body: Duration,
    /// For so long a body may be slower than [`body_rate_min`](Self::body_rate_min).
    pub body_grace: Duration,
    /// Bytes per second, counted from the end of the header.
    pub body_rate_min: u32,
    /// Between two requests.
    pub idle: Duration,
    /// Header fields of a request.
    pub header_fields_max: usize,
    /// Bytes of a request's header. At least 8 KiB.
    pub header_bytes_max: usize,
    /// Requests at a time on one HTTP/2 connection.
    pub streams_max: u32,
    /// Requests on one HTTP/2 connection that the client has called off and that are not cleared away yet.
    pub resets_max: usize,
    /// Requests under way when told to stop get so long to end.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Each costs a descriptor and about 20 KiB while it is used.
            connections_max: 4096,
            first_byte: Duration::from_secs(10),
            header: Duration::from_secs(10),
            body: Duration::from_secs(60),
            body_grace: Duration::from_secs(5),
            body_rate_min: 1024,
            idle: Duration::from_secs(60),
            header_fields_max: 100,
            header_bytes_max: 64 * 1024,
            streams_max: 100,
            resets_max: 20,
            drain: Duration::from_secs(30),
        }
    }
}

/// A certificate and its key, ready for use.
#[derive(Clone, Debug)]
pub struct Tls(pub(crate) Arc<ServerConfig>);

/// Why nothing can be listened to.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {cure}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What to do.
        cure: &'static str,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The certificate file is not of its form.
    #[error("the certificate file holds no chain of certificates in PEM: it begins with -----BEGIN CERTIFICATE-----")]
    Certificates(#[source] pem::Error),
    /// The key file is not of its form.
    #[error(
        "the key file holds no private key in PEM: it begins with -----BEGIN PRIVATE KEY-----, without a passphrase"
    )]
    Key(#[source] pem::Error),
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("certificate and key cannot be used together: the first certificate must be the one of the key")]
    Pair(#[source] rustls::Error),
}

impl Tls {
    /// Takes the chain, the server's own certificate first, and its key from the bytes of their PEM files.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, BuildError> {
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(BuildError::Certificates)?;
        if chain.is_empty() {
            return Err(BuildError::Certificates(pem::Error::NoItemsFound));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(BuildError::Key)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(BuildError::Pair)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(BuildError::Pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

impl BuildError {
    pub(crate) fn bind(address: SocketAddr, cause: io::Error) -> Self {
        let cure = match cause.kind() {
            io::ErrorKind::AddrInUse => "another process listens there: stop it, or choose another port",
            io::ErrorKind::AddrNotAvailable => "this machine has no such address: 0.0.0.0 stands for all it has",
            io::ErrorKind::PermissionDenied => "ports below 1024 need a privilege: choose a higher one",
            _ => "choose another address",
        };
        Self::Bind { address, cure, cause }
    }
}
