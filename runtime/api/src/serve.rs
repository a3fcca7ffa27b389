use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use lifecycle::Shutdown;
use tokio::net::UnixListener;

use crate::{Control, router};

/// Makes the Unix socket, for the owner only. The socket of an earlier life of the process is replaced: whoever holds the
/// data folder's lock is the only one.
///
/// # Errors
/// If the socket cannot be made.
pub fn bind(socket: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(socket)?;
    // The data folder is its owner's alone already; this holds even if somebody opens the folder.
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves the API on a bound socket until told to stop.
pub async fn serve(listener: UnixListener, control: Arc<dyn Control>, mut shutdown: Shutdown) {
    let served = axum::serve(listener, router(control)).with_graceful_shutdown(async move { shutdown.wait().await });
    if let Err(error) = served.await {
        tracing::error!(%error, "the admin API has stopped");
    }
}
