//! The routes of `/api/v1`, and beside them health, readiness and metrics.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, get, on};
use axum::{Json, Router};
use engine::{Call, Replay, WhichStep};
use model::{EventId, ExecutionId, StateKind};
use serde::Deserialize;
use serde_json::Value;
use store::Query as ExecutionQuery;

use crate::problem::Failure;
use crate::read::{Read, ReadBody, ReadObject};
use crate::types::{
    EffectRow, EventDetail, EventPage, ExecutionDetail, ExecutionPage, ExecutionRow, PluginRow, ReplayOrder, Replayed,
    StepCallDetail,
};
use crate::{Applied, Control, Deployed, Status};

/// Executions on a page, where the caller says nothing, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 1000;
/// The largest body: a component.
const BODY_BYTES_MAX: usize = 32 << 20;

type Shared = Arc<dyn Control>;
type Answer<T> = Result<Json<T>, Failure>;

/// The API as it is published.
const OPENAPI: &str = include_str!("../openapi.json");

/// A method, a path below `/api/v1`, and what answers there.
type Route = (Method, &'static str, MethodRouter<Shared>);

/// Everything below `/api/v1`: as data, so that it can be held against what is published.
pub(crate) fn v1() -> Vec<Route> {
    vec![
        route(Method::GET, "/openapi.json", openapi),
        route(Method::GET, "/status", status),
        route(Method::POST, "/apply", apply),
        route(Method::POST, "/pause", pause),
        route(Method::POST, "/resume", resume),
        route(Method::GET, "/events/{id}", show_event),
        route(Method::GET, "/executions", list_executions),
        route(Method::GET, "/executions/{id}", show_execution),
        route(Method::GET, "/executions/{id}/call", show_call),
        route(Method::POST, "/executions/{id}/retry", retry_execution),
        route(Method::POST, "/executions/{id}/cancel", cancel_execution),
        route(Method::POST, "/executions/{id}/discard", discard_execution),
        route(Method::POST, "/executions/{id}/effects", list_effects),
        route(Method::POST, "/executions/{id}/replay", replay_execution),
        route(Method::GET, "/plugins", list_plugins),
        route(Method::POST, "/plugins", install_plugin),
        route(Method::POST, "/plugins/{name}/grant", grant_plugin),
        route(Method::POST, "/plugins/{name}/rollback", rollback_plugin),
        route(Method::GET, "/secrets", list_secrets),
        route(Method::PUT, "/secrets/{name}", set_secret),
        route(Method::DELETE, "/secrets/{name}", remove_secret),
    ]
}

fn route<H, T>(method: Method, path: &'static str, handler: H) -> Route
where
    H: Handler<T, Shared>,
    T: 'static,
{
    let filter = MethodFilter::try_from(method.clone()).expect("a method of RFC 9110");
    (method, path, on(filter, handler))
}

/// The whole API.
pub fn router(control: Arc<dyn Control>) -> Router {
    let v1 = v1().into_iter().fold(Router::new(), |v1, (_, path, handler)| v1.route(path, handler));
    Router::new()
        .nest("/api/v1", v1)
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(take_whole))
        .with_state(control)
}

/// Takes the whole request before anything of it is judged: who is answered while still sending would find the connection
/// closed, and not the answer. Every body is bounded, and needed whole.
async fn take_whole(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match axum::body::to_bytes(body, BODY_BYTES_MAX).await {
        Ok(body) => next.run(Request::from_parts(parts, body.into())).await,
        Err(_) => {
            let title = format!("the body cannot be read to its end, or has more than {BODY_BYTES_MAX} bytes");
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "weir.request", title).into_response()
        }
    }
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

async fn unknown() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "weir.api.unknown", "there is no such path; /api/v1/openapi.json lists them")
}

async fn wrong_method(method: Method) -> Failure {
    let title = format!("{method} is not understood here; the header field `Allow` says what is");
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, "weir.api.method", title)
}

async fn ready(State(control): State<Shared>) -> Result<&'static str, Failure> {
    if control.status().await?.accepting {
        return Ok("ready\n");
    }
    Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "weir.not-ready", "events are not taken in at the moment"))
}

async fn metrics(State(control): State<Shared>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], control.metrics())
}

async fn status(State(control): State<Shared>) -> Answer<Status> {
    Ok(Json(control.status().await?))
}

async fn apply(State(control): State<Shared>) -> Answer<Applied> {
    Ok(Json(control.apply().await?))
}

/// Holds work back; events are still taken in.
async fn pause(State(control): State<Shared>) -> StatusCode {
    control.engine().pause(true);
    StatusCode::NO_CONTENT
}

async fn resume(State(control): State<Shared>) -> StatusCode {
    control.engine().pause(false);
    StatusCode::NO_CONTENT
}

/// Which executions to list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ListQuery {
    /// States, separated by commas.
    state: Option<String>,
    flow: Option<String>,
    event: Option<String>,
    /// Milliseconds since 1970.
    since: Option<u64>,
    /// Milliseconds since 1970.
    until: Option<u64>,
    after: Option<String>,
    limit: Option<usize>,
}

async fn list_executions(
    State(control): State<Shared>,
    Read(Query(query)): Read<Query<ListQuery>>,
) -> Answer<ExecutionPage> {
    let bad = |message: String| Failure::new(StatusCode::BAD_REQUEST, "weir.query", message);
    let states = query.state.iter().flat_map(|states| states.split(',')).map(parse_state).collect::<Result<_, _>>();
    let event = query.event.map(|id| id.parse::<EventId>()).transpose();
    let after = query.after.map(|id| id.parse::<ExecutionId>()).transpose();
    let query = ExecutionQuery {
        states: states.map_err(bad)?,
        flow: query.flow,
        event: event.map_err(|error| bad(error.to_string()))?,
        since: query.since.map(model::Timestamp::from_millis),
        until: query.until.map(model::Timestamp::from_millis),
        after: after.map_err(|error| bad(error.to_string()))?,
        limit: query.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX),
    };
    let page = control.engine().list(query).await?;
    let executions = page.executions.iter().map(ExecutionRow::from).collect();
    Ok(Json(ExecutionPage { executions, next: page.next.map(|id| id.to_string()) }))
}

fn parse_state(word: &str) -> Result<StateKind, String> {
    StateKind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
        let known: Vec<_> = StateKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("`{word}` is no state; known are: {}", known.join(", "))
    })
}

fn parse_id(id: &str) -> Result<ExecutionId, Failure> {
    id.parse().map_err(|error: model::ParseIdError| {
        Failure::new(StatusCode::BAD_REQUEST, "weir.execution.id", error.to_string())
    })
}

/// The event lies beside its executions, so the first of them leads to it.
async fn show_event(State(control): State<Shared>, Read(Path(id)): Read<Path<String>>) -> Answer<EventPage> {
    let bad = |error: model::ParseIdError| Failure::new(StatusCode::BAD_REQUEST, "weir.event.id", error.to_string());
    let event = id.parse::<EventId>().map_err(bad)?;
    let query = ExecutionQuery { event: Some(event), limit: PAGE_MAX, ..ExecutionQuery::default() };
    let executions = control.engine().list(query).await?.executions;
    let Some(first) = executions.first() else {
        let title = format!("there is no event `{event}`, or nothing of it is kept any more");
        return Err(Failure::new(StatusCode::NOT_FOUND, "weir.event.unknown", title));
    };
    let event = control.engine().inspect(&first.id).await?.event.as_ref().map(EventDetail::from);
    Ok(Json(EventPage { event, executions: executions.iter().map(ExecutionRow::from).collect() }))
}

async fn show_execution(State(control): State<Shared>, Read(Path(id)): Read<Path<String>>) -> Answer<ExecutionDetail> {
    Ok(Json(control.engine().inspect(&parse_id(&id)?).await?.into()))
}

/// Which step's call is meant; nothing: that of the latest.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CallQuery {
    step: Option<String>,
    plugin: Option<String>,
}

/// Somebody may hand it on, to the plugin's author for one.
async fn show_call(
    State(control): State<Shared>,
    Read(Path(id)): Read<Path<String>>,
    Read(Query(query)): Read<Query<CallQuery>>,
) -> Answer<Value> {
    let id = parse_id(&id)?;
    let which = match (query.step, query.plugin) {
        (None, None) => WhichStep::Latest,
        (Some(step), None) => WhichStep::Named(step),
        (None, Some(plugin)) => WhichStep::Of(plugin),
        (Some(_), Some(_)) => {
            let title = "`step` and `plugin` both say which step; keep one of them";
            return Err(Failure::new(StatusCode::BAD_REQUEST, "weir.query", title));
        }
    };
    let call = control.engine().call_of(&id, &which).await?;
    let connection = match &call.call {
        Call::Action(call) => control.connection(&call.context.connection),
        Call::Transform(_) => None,
    };
    let mut detail = serde_json::to_value(StepCallDetail::new(&id, &call, connection)).map_err(failed)?;
    redact(&*control, &mut detail);
    Ok(Json(detail))
}

fn failed(error: serde_json::Error) -> Failure {
    Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "weir.failed", error.to_string())
}

fn redact(control: &dyn Control, value: &mut Value) {
    match value {
        Value::String(text) => *text = control.redacted(std::mem::take(text)),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(control, item)),
        Value::Object(fields) => fields.values_mut().for_each(|value| redact(control, value)),
        _ => {}
    }
}

async fn retry_execution(
    State(control): State<Shared>,
    Read(Path(id)): Read<Path<String>>,
) -> Result<StatusCode, Failure> {
    control.engine().retry(&parse_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn cancel_execution(
    State(control): State<Shared>,
    Read(Path(id)): Read<Path<String>>,
) -> Result<StatusCode, Failure> {
    control.engine().cancel(&parse_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn discard_execution(
    State(control): State<Shared>,
    Read(Path(id)): Read<Path<String>>,
) -> Result<StatusCode, Failure> {
    control.engine().discard(&parse_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_effects(
    State(control): State<Shared>,
    Read(Path(id)): Read<Path<String>>,
    ReadObject(order): ReadObject<ReplayOrder>,
) -> Answer<Vec<EffectRow>> {
    let replay = Replay { from: order.from, current_version: order.current_version };
    let effects = control.engine().effects(&parse_id(&id)?, &replay).await?;
    Ok(Json(effects.into_iter().map(EffectRow::from).collect()))
}

async fn replay_execution(
    State(control): State<Shared>,
    Read(Path(id)): Read<Path<String>>,
    ReadObject(order): ReadObject<ReplayOrder>,
) -> Answer<Replayed> {
    let id = parse_id(&id)?;
    let replay = Replay { from: order.from, current_version: order.current_version };
    if !order.repeat_effects && !control.engine().effects(&id, &replay).await?.is_empty() {
        let title = "the replay would have effects again; look at them under `effects`, then say `repeat_effects`";
        return Err(Failure::new(StatusCode::CONFLICT, "weir.replay.effects", title));
    }
    let id = control.engine().replay(&id, &replay).await?;
    Ok(Json(Replayed { id: id.to_string() }))
}

async fn list_plugins(State(control): State<Shared>) -> Answer<Vec<PluginRow>> {
    Ok(Json(control.plugins().list().into_iter().map(PluginRow::from).collect()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct InstallQuery {
    name: Option<String>,
}

async fn install_plugin(
    State(control): State<Shared>,
    Read(Query(query)): Read<Query<InstallQuery>>,
    ReadBody(component): ReadBody<Bytes>,
) -> Answer<Deployed> {
    Ok(Json(control.install(query.name, component).await?))
}

async fn grant_plugin(State(control): State<Shared>, Read(Path(name)): Read<Path<String>>) -> Answer<Deployed> {
    Ok(Json(control.grant(&name).await?))
}

async fn rollback_plugin(State(control): State<Shared>, Read(Path(name)): Read<Path<String>>) -> Answer<Deployed> {
    Ok(Json(control.rollback(&name).await?))
}

async fn list_secrets(State(control): State<Shared>) -> Answer<Vec<String>> {
    Ok(Json(control.secret_names()))
}

/// What a secret has at most: a certificate with its chain has less, and every secret is held in memory.
const SECRET_BYTES_MAX: usize = 64 * 1024;
const SECRET_NAME_CHARS_MAX: usize = 128;

async fn set_secret(
    State(control): State<Shared>,
    Read(Path(name)): Read<Path<String>>,
    ReadBody(secret): ReadBody<String>,
) -> Result<StatusCode, Failure> {
    if secret.is_empty() {
        let title = format!("secret `{name}` would be empty; send its text as the body, or remove it with DELETE");
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "weir.secret.empty", title));
    }
    if name.chars().count() > SECRET_NAME_CHARS_MAX || secret.len() > SECRET_BYTES_MAX {
        let title = format!(
            "a secret has a name of at most {SECRET_NAME_CHARS_MAX} characters and a text of at most {SECRET_BYTES_MAX} bytes"
        );
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "weir.secret.limit", title));
    }
    control.set_secret(&name, Some(secret)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_secret(
    State(control): State<Shared>,
    Read(Path(name)): Read<Path<String>>,
) -> Result<StatusCode, Failure> {
    control.set_secret(&name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
