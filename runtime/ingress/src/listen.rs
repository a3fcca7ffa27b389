use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use engine::Intake;
use lifecycle::{Clock, Shutdown, Tasks};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::connection::{self, Server};
use crate::receive::Receiver;
use crate::route::{BadRoute, Route, Routes};
use crate::{BuildError, Config, Limits};

/// When the system has no descriptor or memory left for a connection, it needs a moment to get some back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on one address. `Config` → [`build`](Self::build) → [`run`](Self::run).
pub struct Ingress {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    receiver: Arc<Receiver>,
}

/// Changes an [`Ingress`] while it runs.
#[derive(Clone)]
pub struct IngressHandle {
    address: SocketAddr,
    routes: SharedRoutes,
}

pub(crate) type SharedRoutes = Arc<RwLock<Arc<Routes>>>;

impl Ingress {
    /// Binds the address. Nothing is answered until it runs, and no path is known until routes are set.
    pub async fn build(
        config: Config,
        intake: Arc<dyn Intake>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, IngressHandle), BuildError> {
        let bind = |cause| BuildError::bind(config.address, cause);
        let listener = TcpListener::bind(config.address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let routes = SharedRoutes::default();
        let limits = config.limits;
        let receiver = Arc::new(Receiver { routes: routes.clone(), intake, clock, limits });
        let tls = config.tls.map(|tls| TlsAcceptor::from(tls.0));
        Ok((Self { listener, tls, limits, receiver }, IngressHandle { address, routes }))
    }

    /// Accepts connections until told to stop, then lets the requests under way end, for at most [`Limits::drain`].
    pub async fn run(self, mut shutdown: Shutdown) {
        let Self { listener, tls, limits, receiver } = self;
        let tasks = Tasks::default();
        let server = Arc::new(Server::new(receiver, limits, tasks.clone()));
        let permits = Arc::new(Semaphore::new(limits.connections_max));
        loop {
            let accepted = tokio::select! {
                () = shutdown.wait() => break,
                failed = tasks.watch() => {
                    tracing::error!(%failed, "a connection was lost to a fault in the server");
                    continue;
                }
                accepted = accept(&listener, &permits) => accepted,
            };
            match accepted {
                Ok((stream, permit)) => {
                    let (server, tls, shutdown) = (server.clone(), tls.clone(), shutdown.clone());
                    let opened = Instant::now();
                    tasks.spawn("connection", async move {
                        connection::serve(&server, stream, tls, opened, shutdown).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted at the moment");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        let interrupted = tasks.stop(limits.drain).await;
        if !interrupted.is_empty() {
            tracing::warn!(tasks = interrupted.len(), "requests were interrupted: the grace period has passed");
        }
    }
}

/// The permit comes first, so that a connection that may not be served stays in the kernel's queue.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = permits.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    // An answer is one small write that nothing follows: it must not wait for an acknowledgement.
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}

impl IngressHandle {
    /// The address that is listened on, with the port that was taken if none was given.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Replaces all routes. Requests under way go on with the route that they began with. If one of the routes is bad,
    /// nothing changes.
    pub fn set_routes(&self, routes: Vec<Route>) -> Result<(), BadRoute> {
        let routes = Arc::new(Routes::new(routes)?);
        *self.routes.write().unwrap_or_else(PoisonError::into_inner) = routes;
        Ok(())
    }
}

impl std::fmt::Debug for Ingress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingress")
            .field("listener", &self.listener)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for IngressHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IngressHandle").field("address", &self.address).finish_non_exhaustive()
    }
}
