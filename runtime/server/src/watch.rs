//! Notices components whose files have changed, and deploys them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lifecycle::Shutdown;

use crate::server::Shared;

/// How often the files are looked at: two system calls for each. Notifications of the kernel do not reach shared folders
/// and are lost when a folder is replaced.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What tells one content of a file from another without reading it.
type Stamp = (SystemTime, u64);

impl Shared {
    /// The task that watches the components' files.
    pub(crate) async fn watch_components(self: Arc<Self>, mut shutdown: Shutdown) {
        let mut seen: HashMap<PathBuf, Stamp> = HashMap::new();
        // A file that is being written is taken when two looks have found it the same.
        let mut unsettled: HashMap<PathBuf, Stamp> = HashMap::new();
        for plugin in &self.project().plugins {
            seen.extend(stamp(&plugin.settings.source).map(|stamp| (plugin.settings.source.clone(), stamp)));
        }
        loop {
            tokio::select! {
                () = shutdown.wait() => return,
                () = self.clock.sleep(LOOK_EVERY) => {}
            }
            for plugin in self.project().plugins.clone() {
                let source = plugin.settings.source.clone();
                let Some(stamp) = stamp(&source) else { continue };
                if *seen.entry(source.clone()).or_insert(stamp) == stamp {
                    continue;
                }
                if unsettled.insert(source.clone(), stamp) == Some(stamp) {
                    unsettled.remove(&source);
                    seen.insert(source, stamp);
                    self.redeploy(&plugin.settings.name).await;
                }
            }
        }
    }

    async fn redeploy(&self, name: &str) {
        if let Err(error) = self.apply_files().await {
            let reason = crate::project::chain(&error);
            tracing::warn!(plugin = name, %reason, "the changed component was not taken: what serves goes on serving");
        }
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
