use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use capability::{Grant, check_address};
use lifecycle::Clock;
use model::Origin;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::fault::{Failure, chain};
use crate::timer::within;
use crate::wire::{Conn, Stream};
use crate::{HttpFaultKind, Resolver};

/// A name with more addresses is refused: every one of them has to be checked.
const ADDRESSES_MAX: usize = 64;

/// Further addresses are not tried: the time to connect is shared among those that are.
const ADDRESSES_TRIED_MAX: usize = 4;

/// Makes connections to addresses that it has checked itself.
pub(crate) struct Dialler {
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) tls: TlsConnector,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Dialler {
    /// Resolves the name once, checks every address, connects to one that was checked, checks the peer, and shakes hands.
    pub(crate) async fn dial(&self, origin: &Origin, grant: &Grant, time: Duration) -> Result<Conn, Failure> {
        let addresses = self.resolve(origin).await?;
        for &address in &addresses {
            check(address, origin, grant)?;
        }
        let stream = self.connect(origin, &addresses, time).await?;
        let peer = stream.peer_addr().map_err(|error| unreachable(origin, &error))?;
        // A proxy in the kernel or a rule of the firewall may lead elsewhere.
        check(peer.ip(), origin, grant)?;
        let _ = stream.set_nodelay(true);
        let stream = if origin.is_https() { self.handshake(origin, stream).await? } else { Stream::Plain(stream) };
        Conn::new(stream, peer).await.map_err(|error| unreachable(origin, &error))
    }

    async fn resolve(&self, origin: &Origin) -> Result<Vec<IpAddr>, Failure> {
        if let Some(address) = origin.address() {
            return Ok(vec![address]);
        }
        let failed = |detail: String| {
            let message = format!("the name {} cannot be resolved", origin.host());
            Failure::new(HttpFaultKind::Unreachable, "weir.http.name", message).with_detail(detail)
        };
        let found = self.resolver.resolve(origin.host()).await;
        match found.map_err(|error| failed(format!("{} cannot be resolved: {error}", origin.host())))? {
            none if none.is_empty() => Err(failed(format!("{} has no address", origin.host()))),
            many if many.len() > ADDRESSES_MAX => {
                Err(failed(format!("{} has {} addresses, more than {ADDRESSES_MAX}", origin.host(), many.len())))
            }
            addresses => Ok(addresses),
        }
    }

    async fn connect(&self, origin: &Origin, addresses: &[IpAddr], time: Duration) -> Result<TcpStream, Failure> {
        let tried = &addresses[..addresses.len().min(ADDRESSES_TRIED_MAX)];
        let share = time / u32::try_from(tried.len()).unwrap_or(1);
        let mut failure = Failure::new(
            HttpFaultKind::Unreachable,
            "weir.http.connect",
            format!("no connection to {} could be made", origin.authority()),
        );
        for &address in tried {
            let address = SocketAddr::new(address, origin.port());
            match within(&*self.clock, share, TcpStream::connect(address)).await {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) => failure = failure.with_detail(format!("cannot connect to {address}: {error}")),
                None => failure = failure.with_detail(format!("no connection to {address} in {share:?}")),
            }
        }
        Err(failure)
    }

    async fn handshake(&self, origin: &Origin, stream: TcpStream) -> Result<Stream, Failure> {
        let failed = |error: &dyn std::error::Error| {
            let message = format!("no trusted TLS connection to {} could be made", origin.authority());
            let detail = format!("TLS with {}: {}", origin.authority(), chain(error));
            Failure::new(HttpFaultKind::Tls, "weir.http.tls", message).with_detail(detail)
        };
        let host = origin.host().trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|error| failed(&error))?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| failed(&error))?;
        Ok(Stream::Tls(Box::new(stream)))
    }
}

pub(crate) fn check(address: IpAddr, origin: &Origin, grant: &Grant) -> Result<(), Failure> {
    check_address(address, grant.private_networks()).map_err(|denied| {
        let message = format!(
            "plugin `{}` may not reach {}: its address is not public; the record of the request says how to allow it",
            grant.plugin(),
            origin.authority()
        );
        Failure::denied("weir.http.address", message).with_detail(format!("{}: {denied}", origin.authority()))
    })
}

fn unreachable(origin: &Origin, error: &dyn std::error::Error) -> Failure {
    let message = format!("no connection to {} could be made", origin.authority());
    Failure::new(HttpFaultKind::Unreachable, "weir.http.connect", message).with_detail(chain(error))
}
