use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection, StringRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::Failure;

/// A part of the request; one that cannot be read is answered as a problem, as every other error is.
pub(crate) struct Read<P>(pub(crate) P);

impl<S: Sync, P: FromRequestParts<S, Rejection: Into<Failure>>> FromRequestParts<S> for Read<P> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        P::from_request_parts(parts, state).await.map(Self).map_err(Into::into)
    }
}

/// The body of the request, and the same of it.
pub(crate) struct ReadBody<B>(pub(crate) B);

impl<S: Sync, B: FromRequest<S, Rejection: Into<Failure>>> FromRequest<S> for ReadBody<B> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        B::from_request(request, state).await.map(Self).map_err(Into::into)
    }
}

/// A body that is a JSON object. As a struct alone it could be a list too, of its fields in their order, which nobody means.
pub(crate) struct ReadObject<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ReadObject<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let Json(fields) = Json::<Map<String, Value>>::from_request(request, state).await?;
        serde_json::from_value(Value::Object(fields)).map(Self).map_err(|fault| {
            Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "weir.request", format!("the body does not fit: {fault}"))
        })
    }
}

/// Axum words them well: what could not be read, and why.
macro_rules! problems {
    ($($rejection:ty),*) => {
        $(impl From<$rejection> for Failure {
            fn from(rejection: $rejection) -> Self {
                Self::new(rejection.status(), "weir.request", rejection.body_text())
            }
        })*
    };
}

problems!(BytesRejection, JsonRejection, PathRejection, QueryRejection, StringRejection);
