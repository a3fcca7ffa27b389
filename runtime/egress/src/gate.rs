use std::sync::Arc;
use std::time::Duration;

use lifecycle::{Clock, Shutdown};
use model::RequestRecord;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use crate::call::Call;
use crate::dial::Dialler;
use crate::pool::Pool;
use crate::{HttpFault, Request, Resolver, Response, SystemResolver, Transport};

/// What the gate is built with.
pub struct Config {
    /// Whether the system's certificate authorities are trusted.
    pub system_roots: bool,
    /// Certificate authorities that are trusted too.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Who turns names into addresses.
    pub resolver: Arc<dyn Resolver>,
    /// Requests under way at once; further ones wait.
    pub requests_max: usize,
    /// Idle connections kept for one plugin, connection and origin.
    pub idle_per_origin_max: usize,
    /// Idle connections kept in all.
    pub idle_max: usize,
    /// How long an idle connection is kept.
    pub idle_for: Duration,
    /// What answers in place of the network: recordings, in a plugin's tests. None: the network.
    pub transport: Option<Arc<dyn Transport>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            system_roots: true,
            extra_roots: Vec::new(),
            resolver: Arc::new(SystemResolver),
            requests_max: 256,
            idle_per_origin_max: 64,
            idle_max: 512,
            idle_for: Duration::from_secs(60),
            transport: None,
        }
    }
}

/// Why the gate cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A certificate authority that was configured is no certificate.
    #[error("configured certificate authority number {number} cannot be used")]
    Root {
        /// Counts from 1.
        number: usize,
        /// Why.
        #[source]
        cause: rustls::Error,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
}

/// The gate. Cheap to clone.
#[derive(Clone)]
pub struct Egress(Arc<Gate>);

/// What all requests share.
pub(crate) struct Gate {
    pub(crate) dialler: Dialler,
    pub(crate) pool: Pool,
    pub(crate) permits: Semaphore,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    idle_for: Duration,
}

impl Egress {
    /// Loads the certificate authorities and makes the gate ready.
    pub fn build(config: Config, clock: Arc<dyn Clock>) -> Result<Self, BuildError> {
        let tls = TlsConnector::from(Arc::new(tls_config(config.system_roots, config.extra_roots)?));
        Ok(Self(Arc::new(Gate {
            dialler: Dialler { resolver: config.resolver, tls, clock },
            pool: Pool::new(config.idle_per_origin_max, config.idle_max, config.idle_for),
            permits: Semaphore::new(config.requests_max),
            transport: config.transport,
            idle_for: config.idle_for,
        })))
    }

    /// Closes connections that were idle for too long, for as long as the server runs.
    pub async fn run(&self, mut shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.wait() => return,
                () = self.0.dialler.clock.sleep(self.0.idle_for / 2) => self.0.pool.sweep(),
            }
        }
    }

    /// Sends one request and waits for the whole answer. Dropping the future closes the connection. The record holds
    /// nothing secret, but it may name addresses inside the network, which the fault does not.
    pub async fn send(&self, request: Request) -> (Result<Response, HttpFault>, RequestRecord) {
        Call::new(&self.0, &request).run().await
    }
}

/// One configuration for all connections: HTTP/1.1 only, no client certificates.
fn tls_config(system_roots: bool, extra_roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, BuildError> {
    let mut roots = RootCertStore::empty();
    if system_roots {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "cannot read some of the system's certificate authorities");
        }
        // Stores hold a few that today's rules refuse; what is left is enough.
        roots.add_parsable_certificates(found.certs);
    }
    for (index, root) in extra_roots.into_iter().enumerate() {
        roots.add(root).map_err(|cause| BuildError::Root { number: index + 1, cause })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = builder.map_err(BuildError::Tls)?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
