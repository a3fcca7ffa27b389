//! Errors of the rooms below as errors of the store.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use journal::{ReadError, SubmitError};

use crate::{ProjectionError, StoreError};

/// How soon a caller may try again when too much waits to be written: some batches later.
const BUSY: Duration = Duration::from_secs(1);

pub(crate) fn failed(cause: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::Failed(Arc::new(cause))
}

pub(crate) fn damaged<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> StoreError {
    move |cause| StoreError::Damaged(format!("{what}: {cause}"))
}

pub(crate) fn read(cause: ReadError) -> StoreError {
    match cause {
        ReadError::Gone { .. } => StoreError::Gone,
        ReadError::Damaged { .. } => StoreError::Damaged(cause.to_string()),
        ReadError::Io { .. } => failed(cause),
    }
}

pub(crate) fn submit(cause: SubmitError) -> StoreError {
    match cause {
        SubmitError::Full { .. } => busy(cause.to_string()),
        SubmitError::TooLarge { .. } => StoreError::TooLarge(cause.to_string()),
        SubmitError::Closed | SubmitError::Failed(_) => failed(cause),
    }
}

pub(crate) fn busy(reason: String) -> StoreError {
    StoreError::Busy { reason, retry_after: BUSY }
}

impl From<ProjectionError> for StoreError {
    fn from(cause: ProjectionError) -> Self {
        failed(cause)
    }
}
