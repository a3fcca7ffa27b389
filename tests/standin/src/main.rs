//! The stand-ins as a program: prints where it listens as a line of JSON, then serves until it is ended.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Parser;
use standin::{Config, Faults, Service, Standin};

/// Stand-ins for a CRM, a chat, a directory and a sink.
#[derive(Parser)]
struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Misbehaviour by service, such as `{"crm": {"unavailable": 0.1}}`.
    #[arg(long, value_parser = parse_faults)]
    faults: Option<BTreeMap<Service, Faults>>,
}

fn parse_faults(text: &str) -> serde_json::Result<BTreeMap<Service, Faults>> {
    serde_json::from_str(text)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let config = Config { listen: options.listen, faults: options.faults.unwrap_or_default(), ..Config::default() };
    let shown = serde_json::json!({
        "crm_api_key": config.crm_api_key,
        "chat_webhook_path": config.chat_webhook_path,
        "chat_token": config.chat_token,
        "directory_key": config.directory_key,
    });
    let standin = Standin::start(config).await.with_context(|| format!("cannot listen on {}", options.listen))?;
    println!("{}", serde_json::json!({ "listening": standin.address(), "credentials": shown }));
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    Ok(())
}
