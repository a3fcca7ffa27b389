//! Brings what runs into line with the project's files.

use std::sync::{Arc, PoisonError};

use api::{Applied, ControlError, Deployed};
use connection::{Secret, SecretRef, SecretSource};

use crate::project::{Project, ProjectPlugin};
use crate::routes::{ClosedRoute, routes};
use crate::server::Shared;
use crate::settings::Settings;

impl Shared {
    /// Reads the files and brings them into service. If one has a fault, nothing changes.
    pub(crate) async fn apply_files(&self) -> Result<Applied, ControlError> {
        let _changing = self.changing.lock().await;
        let project = self.read_project()?;
        self.bring_into_service(project).await
    }

    pub(crate) fn read_project(&self) -> Result<Project, ControlError> {
        let read = match &self.project().development {
            Some(development) => Project::read_for_development(&self.root, development),
            None => Project::read(&self.root),
        };
        read.map_err(|problems| ControlError::Faults(problems.iter().map(ToString::to_string).collect()))
    }

    /// Plugins first, so that the flows that name them find them; then the flows; then the ways in.
    pub(crate) async fn bring_into_service(&self, project: Project) -> Result<Applied, ControlError> {
        let mut applied = Applied { plugins: Vec::new(), flows: Vec::new(), troubles: Vec::new() };
        self.connections.replace(&project.connections, &self.secrets);
        for plugin in &project.plugins {
            match self.deploy(plugin).await {
                Ok(deployed) if deployed.state == "staged" => {
                    applied.troubles.push(format!("plugin `{}` is {}", deployed.name, deployed.message));
                    applied.plugins.push(deployed);
                }
                Ok(deployed) => applied.plugins.push(deployed),
                Err(error) => {
                    let reason = crate::project::chain(&error);
                    applied.troubles.push(format!("plugin `{}`: {reason}", plugin.settings.name));
                }
            }
        }
        self.deployment.retire_others(&project.plugins).await?;
        let flows = project.flows.clone();
        applied.flows = flows.iter().map(|flow| flow.reference().to_string()).collect();
        self.engine
            .set_flows(flows, project.catalogue.clone())
            .await
            .map_err(|error| ControlError::Failed(error.to_string()))?;
        *self.project.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(project);
        self.open_routes()?;
        applied.troubles.extend(self.closed_ways());
        applied.troubles.extend(self.connections.troubles());
        applied.troubles.extend(self.settings_to_come());
        applied.troubles.iter().for_each(|trouble| tracing::warn!(%trouble, "not everything is in service"));
        Ok(applied)
    }

    pub(crate) async fn deploy(&self, plugin: &ProjectPlugin) -> Result<Deployed, ControlError> {
        let deployed = self.deployment.deploy(plugin).await?;
        tracing::info!(
            plugin = deployed.name,
            version = deployed.version,
            state = deployed.state,
            "{}",
            deployed.message
        );
        Ok(deployed)
    }

    /// Opens the ways in of the flows whose secrets are there.
    pub(crate) fn open_routes(&self) -> Result<(), ControlError> {
        let project = self.project();
        let secret = |name: &str| self.flow_secret(&project, name);
        let (routes, closed) = routes(&project.flows, project.settings.body_bytes_max, &secret);
        self.ingress.set_routes(routes).map_err(|error| ControlError::Refused(error.to_string()))?;
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = closed;
        Ok(())
    }

    /// A secret by the name that flows use: where `connections.toml` says, else in the store.
    fn flow_secret(&self, project: &Project, name: &str) -> Result<Secret, String> {
        let stored = SecretRef::Store(name.to_owned());
        let reference = project.secrets.get(name).unwrap_or(&stored);
        self.secrets.read(reference).map_err(|fault| fault.to_string())
    }

    /// The ways in that are closed, and what to do.
    pub(crate) fn closed_ways(&self) -> Vec<String> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        let words =
            |route: &ClosedRoute| format!("flow `{}` takes no events at {}: {}", route.flow, route.path, route.reason);
        closed.iter().map(words).collect()
    }

    /// What `weir.toml` says and a running Weir cannot take up. The body limit is part of the ways in, and taken up at once.
    pub(crate) fn settings_to_come(&self) -> Option<String> {
        let wanted = Settings { body_bytes_max: self.settings.body_bytes_max, ..self.project().settings.clone() };
        (wanted != self.settings).then(|| {
            "weir.toml has changed, and is taken up at the next start only: stop Weir, then weir up".to_owned()
        })
    }

    pub(crate) fn project(&self) -> Arc<Project> {
        self.project.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
