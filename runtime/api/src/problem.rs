//! Which error is which status: the one place that knows.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::{AdminError, OrderError};
use store::StoreError;

use crate::ControlError;
use crate::types::Problem;

/// An error on its way out.
pub(crate) struct Failure(pub(crate) Problem);

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &str, title: impl Into<String>) -> Self {
        Self(Problem {
            kind: "about:blank".to_owned(),
            title: title.into(),
            status: status.as_u16(),
            code: code.to_owned(),
            faults: Vec::new(),
        })
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(self.0)).into_response()
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let title = with_causes(&error);
        match error {
            ControlError::Faults(faults) => {
                let mut failure = Self::new(StatusCode::UNPROCESSABLE_ENTITY, "weir.project.faults", title);
                failure.0.faults = faults;
                failure
            }
            ControlError::Plugin(error) => error.into(),
            ControlError::Order(error) => error.into(),
            ControlError::Refused(_) => Self::new(StatusCode::CONFLICT, "weir.refused", title),
            ControlError::File { .. } => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "weir.file", title),
            ControlError::Failed(_) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "weir.failed", title),
        }
    }
}

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        let (status, code) = match &error {
            AdminError::Refused { code, .. } => (StatusCode::UNPROCESSABLE_ENTITY, *code),
            AdminError::NoPlugin { .. } => (StatusCode::NOT_FOUND, "weir.plugin.unknown"),
            AdminError::NoGeneration { .. } => (StatusCode::NOT_FOUND, "weir.plugin.no-generation"),
            AdminError::NotGranted { .. } => (StatusCode::CONFLICT, "weir.plugin.not-granted"),
            AdminError::NoPrevious(_) => (StatusCode::CONFLICT, "weir.plugin.no-previous"),
        };
        Self::new(status, code, with_causes(&error))
    }
}

impl From<OrderError> for Failure {
    fn from(error: OrderError) -> Self {
        let (status, code) = match &error {
            OrderError::Unknown(_) => (StatusCode::NOT_FOUND, "weir.execution.unknown"),
            OrderError::WrongState { .. } => (StatusCode::CONFLICT, "weir.execution.wrong-state"),
            OrderError::NoFlow(_) => (StatusCode::CONFLICT, "weir.flow.unknown"),
            OrderError::NoStep { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "weir.flow.no-step"),
            OrderError::NoCall { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "weir.flow.no-call"),
            OrderError::Expression { .. } => (StatusCode::CONFLICT, "weir.flow.expression"),
            OrderError::Store(StoreError::Busy { .. }) => (StatusCode::SERVICE_UNAVAILABLE, "weir.store.busy"),
            OrderError::Store(StoreError::Gone) => (StatusCode::GONE, "weir.payload.gone"),
            OrderError::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "weir.store.failed"),
        };
        Self::new(status, code, with_causes(&error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        OrderError::Store(error).into()
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
