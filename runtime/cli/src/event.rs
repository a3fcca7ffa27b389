//! `weir event`.

use std::io::Read;
use std::path::PathBuf;

use anyhow::Context;
use api::types::{EventPage, Payload};
use api::{FlowStatus, Status};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::{Request, StatusCode, header};
use http_body_util::Full;
use serde_json::Value;

use crate::client::{Client, send_to};
use crate::execution::rows;
use crate::screen::{Screen, clean, parse};
use crate::stop::{Exit, Stop};

#[derive(Subcommand)]
pub(crate) enum Event {
    /// Send an event to the running Weir, by the way that all events come.
    Send(Send),
    /// Show an event and what became of it.
    Show {
        /// The event.
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Args)]
pub(crate) struct Send {
    /// To the path of this flow; not needed if there is only one flow.
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// To this path.
    #[arg(long, value_name = "PATH", conflicts_with = "flow")]
    path: Option<String>,
    /// The kind: the event is sent as a CloudEvent of this type.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// The data: text, `@FILE`, or `-` for standard input.
    #[arg(long, value_name = "DATA", default_value = "{}")]
    data: String,
}

impl Event {
    pub(crate) async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        match self {
            Self::Send(send) => send.run(client, screen).await,
            Self::Show { id } => {
                let body = client.get(&format!("/events/{id}")).await?;
                screen.answer(&body, |page| in_words(page, screen))?;
                Ok(Exit::Done)
            }
        }
    }
}

impl Send {
    async fn run(self, client: &mut Client, screen: &Screen) -> anyhow::Result<Exit> {
        let status: Status = parse(&client.get("/status").await?)?;
        let path = self.path(&status.flows)?;
        let url = format!("{}{path}", status.listen);
        let Some(address) = status.listen.strip_prefix("http://") else {
            let title = format!("Weir takes events by HTTPS here; send this one with: curl --data-binary DATA {url}");
            return Err(Stop::new(Exit::Refused, title).into());
        };
        let request = self.request(address, &path, screen)?;
        let (status, body) = send_to(address, request).await?;
        match status {
            StatusCode::UNAUTHORIZED => {
                let title = format!(
                    "the flow at {path} takes signed events only, and the signature is the sender's: let the sender post \
                     to {url}, or try the flow with `verify: none` for a while"
                );
                Err(Stop::new(Exit::Refused, title).into())
            }
            status if status.is_success() => {
                screen.answer(&body, |answer: &Value| match answer["event"].as_str() {
                    Some(id) if answer["repeat"] == true => format!("{id} (it had been taken in before)\n"),
                    Some(id) => format!("{id}\n"),
                    // The flow has answered, not Weir.
                    None => format!("{answer}\n"),
                })?;
                Ok(Exit::Done)
            }
            status => Err(refusal(status, &path, &body).into()),
        }
    }

    fn path(&self, flows: &[FlowStatus]) -> Result<String, Stop> {
        let names = || flows.iter().map(|flow| flow.name.as_str()).collect::<Vec<_>>().join(", ");
        let flow = match (&self.path, &self.flow, flows) {
            (Some(path), ..) => return Ok(path.clone()),
            (None, Some(name), _) => flows.iter().find(|flow| flow.name == *name).ok_or_else(|| {
                Stop::new(Exit::NotFound, format!("there is no flow `{name}`; known are: {}", names()))
            })?,
            (None, None, [only]) => only,
            (None, None, _) => return Err(Stop::usage(format!("say to which flow, with --flow: {}", names()))),
        };
        // `/*` takes everything below it.
        Ok(flow.path.trim_end_matches('*').to_owned())
    }

    fn request(&self, address: &str, path: &str, screen: &Screen) -> anyhow::Result<Request<Full<Bytes>>> {
        let data = self.read_data()?;
        let content_type = match (serde_json::from_slice::<Value>(&data), std::str::from_utf8(&data)) {
            (Ok(_), _) => "application/json",
            (_, Ok(_)) => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        };
        let mut request = Request::post(path).header(header::HOST, address).header(header::CONTENT_TYPE, content_type);
        if let Some(kind) = &self.kind {
            // Unique among the events that this program sends.
            let id = format!("{}-{}", screen.now().as_millis(), std::process::id());
            let attributes =
                [("specversion", "1.0"), ("id", id.as_str()), ("source", "weir-cli"), ("type", kind.as_str())];
            for (name, value) in attributes {
                request = request.header(format!("ce-{name}"), value);
            }
        }
        request.body(Full::from(data)).with_context(|| format!("cannot send to path `{path}`"))
    }

    fn read_data(&self) -> anyhow::Result<Vec<u8>> {
        match (self.data.as_str(), self.data.strip_prefix('@').map(PathBuf::from)) {
            (_, Some(file)) => std::fs::read(&file).with_context(|| format!("cannot read `{}`", file.display())),
            ("-", _) => {
                let mut data = Vec::new();
                std::io::stdin().lock().read_to_end(&mut data).context("cannot read standard input")?;
                Ok(data)
            }
            (text, _) => Ok(text.as_bytes().to_vec()),
        }
    }
}

/// What the way in for events answered: problem details, as the admin API gives them.
fn refusal(status: StatusCode, path: &str, body: &[u8]) -> Stop {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = problem["detail"].as_str().map_or_else(|| status.to_string(), clean);
    let code = problem["code"].as_str().unwrap_or_default();
    // The event was taken in, and its flow ended otherwise than it should while the sender waited for its answer.
    if code.starts_with("flow-") {
        return Stop::new(Exit::Failed, detail).explained(problem["fault"].as_str().unwrap_or(code));
    }
    let exit = match status {
        StatusCode::NOT_FOUND => Exit::NotFound,
        status if status.is_client_error() => Exit::Faults,
        _ => Exit::Failed,
    };
    Stop::new(exit, format!("the event was not taken in at {path}: {detail}")).explained(code)
}

fn in_words(page: &EventPage, screen: &Screen) -> String {
    let mut text = String::new();
    match &page.event {
        None => text.push_str("the event's payload is gone: its time of retention has passed\n"),
        Some(event) => {
            let fields = [
                ("id", Some(event.id.clone())),
                ("kind", Some(event.kind.clone())),
                ("source", Some(event.source.clone())),
                ("sender's id", Some(event.sender_id.clone())),
                ("subject", event.subject.clone()),
                ("time", event.time.clone()),
                ("received", Some(screen.time(&event.received))),
                ("content type", Some(event.content_type.clone())),
            ];
            let attributes = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            let fields: Vec<_> = attributes.chain(event.extensions.clone()).chain(event.transport.clone()).collect();
            let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
                text.push_str(&format!("{:width$}  {}\n", clean(name), clean(value)));
            }
            text.push_str(&format!("\n{}\n", payload(&event.data)));
        }
    }
    text.push('\n');
    text.push_str(&rows(&page.executions, screen));
    text
}

/// The whole payload; text line by line, without what would act on the terminal.
fn payload(payload: &Payload) -> String {
    match payload {
        Payload::Json(value) => serde_json::to_string_pretty(value).unwrap_or_default(),
        Payload::Text(text) => text.lines().map(clean).collect::<Vec<_>>().join("\n"),
        Payload::Base64(text) => format!("base 64: {text}"),
    }
}
